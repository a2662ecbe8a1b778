"""The drain: what events name is read again, scored, stored with the closing of the events, and written back.

An event may be stale, repeated or out of order, so it is only a reason to look: the records that it names are read by
id and the accounts behind them whole. Everything may be done twice. Where no event can reach us, `poll` does the same
over what changed since the last look.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from connector.errors import Exhausted, Problem
from connector.policy import Policy
from connector.ports import UNNAMED_EVENT
from connector.schema import day_number
from sync import feeds, inbox
from sync.causes import in_force, unapproved
from sync.crm_connection import CrmConnection, micros
from sync.event_breaker import ask, fallen_customers, too_many
from sync.holes import look_if_due
from sync.inbox import Waiting
from sync.missing import fetch_if_possible
from sync.pull import pull, reread
from sync.push import Pushed, push
from sync.rescore import commit_batch, keep_context, score, tighten
from sync.store import Store, holes, ledger, ratings
from sync.taking import Pulled


@dataclass(slots=True)
class Drained:
    """What one turn of the drain did."""

    #: Events that were closed.
    closed: int = 0
    #: Events that wait for another try.
    put_off: int = 0
    #: Accounts that were scored anew.
    scored: list[str] = field(default_factory=list)
    pushed: Pushed = field(default_factory=Pushed)
    #: Customers who would fall and whom the brake holds back.
    held: int = 0
    #: Customers whose new result waits: until a run has put into force what a release changed, or a person has said to
    #: go on without what is missing.
    waits: int = 0
    #: Code of the problem that put events off; empty: none.
    problem: str = ""


def drain(
    store: Store,
    link: CrmConnection,
    policy: Policy,
    *,
    language: str,
    clock: Callable[[], datetime],
    limit: int = 500,
    braked: bool = True,
) -> Drained:
    """One turn over all events that wait and whose time has come. Problems put their events off, and are told.

    `braked`: a flood of customers who fall waits for a person, and so do the events of that turn. `clock`: ours,
    which the door stamps events by; the CRM's tells the business day. Where some event spoils the turn, it is halved
    until that one is alone; where the CRM is away, all wait for it and grow no older.
    """
    done = Drained()
    now = micros(clock())
    with store.read(link.name) as session:
        events = inbox.waiting_events(session, now, limit)
    if not events:
        return done
    if any(item.event.event_id.startswith(UNNAMED_EVENT) for item in events):
        with store.write(link.name) as session:
            inbox.pick_up(session, events, now)
    turn = _Turn(store, link, policy, language, done, clock, braked=braked)
    turn.work(events)
    if turn.exhausted is not None:
        raise turn.exhausted
    if not turn.away:
        done.pushed = push(store, link)
    return done


#: Problems of a whole connection, which no event brings about.
_OURS = ("E-CLOCK", "E-STORE")


@dataclass(slots=True)
class _Turn:
    """The events of one turn, worked on together or in halves; what was read once is not read again."""

    store: Store
    link: CrmConnection
    policy: Policy
    language: str
    done: Drained
    clock: Callable[[], datetime]
    braked: bool
    #: The CRM's quota is spent.
    exhausted: Exhausted | None = None
    #: (source, record) that were read, those of them that the CRM does not show, as (object, record), and accounts
    #: whose ledgers were read.
    _read: set[tuple[str, str]] = field(default_factory=set)
    _unseen: set[tuple[str, str]] = field(default_factory=set)
    _reread: set[str] = field(default_factory=set)
    #: Why the CRM is away; empty: it is there.
    away: str = ""
    #: Feed → why it is away.
    away_feeds: dict[str, str] = field(default_factory=dict)

    def work(self, events: Sequence[Waiting]) -> None:
        """Closes them, or puts them off."""
        if self.away:
            self._wait_out(events, self.away)
            return
        try:
            ready, later = self._try(events)
        except Exhausted as problem:
            self.exhausted = problem
            self._wait_out(events, problem.code)
        except Exception as error:  # noqa: BLE001
            # Whatever it is, it must not keep the others from being worked on.
            self._failed(events, error)
        else:
            self.done.closed += len(ready)
            _put_off(self.store, self.link, later, "E-RECORD-UNSEEN", self.done, micros(self.clock()))

    def _failed(self, events: Sequence[Waiting], error: Exception) -> None:
        code = error.code if isinstance(error, Problem) else type(error).__name__
        self.done.problem = code
        if code.startswith(_OURS) or self._is_away():
            self._wait_out(events, code)
        elif len(events) == 1:
            _put_off(self.store, self.link, events, code, self.done, micros(self.clock()))
        else:
            half = len(events) // 2
            self.work(events[:half])
            self.work(events[half:])

    def _is_away(self) -> bool:
        """Whether the CRM does not even say who it is."""
        try:
            self.link.crm.organisation()
        except Problem:
            return True
        return False

    def _wait_out(self, events: Sequence[Waiting], code: str) -> None:
        self.away = self.done.problem = code
        with self.store.write(self.link.name) as session:
            inbox.wait_out(session, events, code, micros(self.clock()))
        self.done.put_off += len(events)

    def _try(self, events: Sequence[Waiting]) -> tuple[list[Waiting], list[Waiting]]:
        """Events that were worked on, and those about records that the CRM does not show yet."""
        store, link, policy = self.store, self.link, self.policy
        pulled = Pulled(began=micros(link.now()), away=self.away_feeds)
        self._fetch_named(events, pulled)
        feeds.relink_all(store, link, pulled)
        events = self._awake(events)
        # A record that we knew is gone. One that nobody has seen may show in a moment; in the end a person hears of it.
        later = [item for item in events if item.event.op != "delete" and _misses(item, self._unseen)]
        ready = [item for item in events if item not in later]
        named = self._named(ready)
        # A record that moved concerns the account that it left and the one that it went to.
        accounts = named | pulled.touched | _left_due(store, link, policy, ready)
        unread = accounts - self._reread
        accounts |= reread(store, link, unread, policy.checks, pulled)
        self._reread |= unread
        ready = self._awake(ready)
        for feed in {_feed_of(item, link) for item in ready} & pulled.failing.keys():
            # Whose it is shows when the turn is halved; the CRM's own events go on without it.
            raise pulled.failing[feed]
        keys = [item.event.event_id for item in ready]
        at = micros(self.clock())
        rescored = _rescore(store, link, policy, self.language, accounts, keys, at, braked=self.braked)
        self.done.scored += rescored.scored
        self.done.waits += len(rescored.waits)
        if rescored.held:
            self.done.held, self.done.problem = self.done.held + len(rescored.held), "E-BRAKE-EVENTS"
            with store.write(link.name) as session:
                inbox.hold(session, ready, self.done.problem, at)
        return ([] if rescored.moved or rescored.held else ready), later

    def _awake(self, events: Sequence[Waiting]) -> list[Waiting]:
        """The events without those of a feed that is away: they wait for it, and grow no older."""
        asleep = [item for item in events if _feed_of(item, self.link) in self.away_feeds]
        if asleep:
            code = self.away_feeds[_feed_of(asleep[0], self.link)]
            with self.store.write(self.link.name) as session:
                inbox.wait_out(session, asleep, code, micros(self.clock()))
            self.done.put_off += len(asleep)
        return [item for item in events if item not in asleep]

    def _named(self, events: Sequence[Waiting]) -> set[str]:
        """Accounts that events name by their id or number; a feed's, by the customer there."""
        by_system: dict[str, set[str]] = {}
        for item in events:
            by_system.setdefault(_feed_of(item, self.link), set()).update(item.event.accounts)
        named: set[str] = set()
        for feed, names in by_system.items():
            if feed:
                named |= set(feeds.accounts_named(self.store, self.link, feed, names).values())
                continue
            with self.store.read(self.link.name) as session:
                known = ledger.ids_by_name(session, names)
            # A name that nobody has is an id that is new to us.
            named |= {known.get(name, name) for name in names}
        return named

    def _fetch_customers(self, wanted: Mapping[str, set[str]], pulled: Pulled) -> None:
        """Reads the customers of feeds that events name: they may be another account by now."""
        for feed in self.link.feeds:
            source = feeds.customers_source(self.link, feed)
            records = sorted(wanted.get(f"{feed}:{source.object}", ())) if source is not None else []
            if source is not None and records and feed not in self.away_feeds:
                try:
                    pages = self.link.feeds[feed].crm.fetch(source, records)
                    feeds.take_customers(self.store, self.link, feed, pages, keep=False)
                except Problem as problem:
                    feeds.failed(self.store, self.link, feed, problem, pulled)

    def _fetch_named(self, events: Sequence[Waiting], pulled: Pulled) -> None:
        """Reads the records that events name, each once a turn."""
        wanted = _by_object(events)
        for feed in {_feed_of(item, self.link) for item in events} - {""}:
            feeds.is_left_alone(self.store, self.link, feed, pulled)
        self._fetch_customers(wanted, pulled)
        for name, part in self.link.mapping.sources.items():
            records = sorted(record for record in wanted.get(part.object, ()) if (name, record) not in self._read)
            feed = self.link.mapping.feed_of(name)
            if not records or feed in self.away_feeds:
                continue
            try:
                texts = fetch_if_possible(self.store, self.link, name, records, pulled)
            except Problem as problem:
                if not feed:
                    raise
                feeds.failed(self.store, self.link, feed, problem, pulled)
                if feed in pulled.failing:
                    raise
                continue
            self._read |= {(name, record) for record in records}
            if texts is None:
                # The next poll, or the night, sees them.
                continue
            with self.store.read(self.link.name) as session:
                names = ledger.ever_seen(session, name, set(records) - texts)
            self._unseen |= {(part.object, record) for record in records if record not in texts and record not in names}


def _feed_of(item: Waiting, link: CrmConnection) -> str:
    """The feed that an event is of; empty: the CRM."""
    prefix, colon, _ = item.event.object.partition(":")
    return prefix if colon and prefix in link.feeds else ""


def poll(store: Store, link: CrmConnection, policy: Policy, *, language: str, braked: bool = True) -> Drained:
    """Reads what changed since the last look, scores whom it concerns, and writes what differs."""
    pulled = pull(store, link, policy.checks)
    done = Drained()
    if look_if_due(store, link, policy.checks) or pulled.touched:
        rescored = _rescore(store, link, policy, language, pulled.touched, (), 0, braked=braked)
        done.scored, done.held, done.waits = rescored.scored, len(rescored.held), len(rescored.waits)
        done.pushed = push(store, link)
    return done


@dataclass(frozen=True, slots=True)
class _Rescored:
    """Who was scored; whose facts moved meanwhile; whom the brake holds back; who waits for what a release changed."""

    scored: list[str]
    moved: set[str]
    held: set[str]
    waits: set[str]


def _rescore(
    store: Store,
    link: CrmConnection,
    policy: Policy,
    language: str,
    accounts: Collection[str],
    events: Sequence[str],
    at: int,
    *,
    braked: bool,
) -> _Rescored:
    """Scores these accounts and closes the events, together; they stay open while some moved or are held."""
    as_of = day_number(link.today())
    look_if_due(store, link, policy.checks)
    with store.read(link.name) as session:
        newest = ratings.newest_day(session)
    # What a person has not approved yet, another policy above all, rates nobody; its brake holds already.
    rules = in_force(store, link.name, policy)
    scored = score(store, link, rules, max(as_of, newest or as_of), only=accounts)
    # What a release changed about them is not put into force by an event: they stay due until a run is approved.
    waits = unapproved(store, link.name, scored.made)
    # Nor is anybody written on a picture with a hole.
    with store.read(link.name) as session:
        aside = holes.withheld(session).among(scored.made["customer_id"])
    waits |= aside
    falls = fallen_customers(store, link, scored) - waits
    held = falls if braked and too_many(store, link, policy.checks, falls) else set()
    passes = scored.made.filter(~pl.col("customer_id").is_in(sorted(held | waits)))
    tighten(store, link, scored, aside)
    with store.write(link.name) as session:
        if passes.height:
            keep_context(session, scored.without(aside) if aside else scored)
        moved = commit_batch(session, link, passes, scored, language)
        ratings.note_falls(session, falls - held - moved, micros(link.now()))
        if not moved and not held:
            inbox.close(session, events, at)
    if held:
        ask(store, link, policy, scored, held)
    return _Rescored(
        [account for account in passes["customer_id"].to_list() if account not in moved], moved, held, waits
    )


def _left_due(store: Store, link: CrmConnection, policy: Policy, events: Sequence[Waiting]) -> set[str]:
    """Whose facts an earlier try of these events stored, and did not come to score."""
    with store.read(link.name) as session:
        newest = ratings.newest_day(session)
        if newest is None:
            return set()
        owners: set[str] = set()
        wanted = _by_object(events)
        for name, part in link.mapping.sources.items():
            owners |= ledger.owners(session, name, wanted.get(part.object, ()))
        return owners & ratings.due(session, newest, policy.version, owners).keys()


def _by_object(events: Iterable[Waiting]) -> dict[str, set[str]]:
    """Object → ids of the records that these events name."""
    named: dict[str, set[str]] = {}
    for item in events:
        named.setdefault(item.event.object, set()).update(item.event.records)
    return named


def _misses(item: Waiting, unseen: Collection[tuple[str, str]]) -> bool:
    return any((item.event.object, record) in unseen for record in item.event.records)


def _put_off(store: Store, link: CrmConnection, events: Sequence[Waiting], cause: str, done: Drained, at: int) -> None:
    if events:
        with store.write(link.name) as session:
            inbox.reschedule(session, events, cause, at)
        done.put_off += len(events)
