"""The drain: what events name is read again, scored, stored with the closing of the events, and written back.

An event may be stale, repeated or out of order, so it is only a reason to look: the records that it names are read by
id and the accounts behind them whole. Everything may be done twice. Where no event can reach us, `poll` does the same
over what changed since the last look.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connector.errors import Exhausted, Problem
from connector.policy import Policy
from connector.schema import day_number
from sync import inbox
from sync.inbox import Waiting
from sync.link import Link, micros
from sync.pull import Pulled, fetch, pull, reread
from sync.push import Pushed, push
from sync.rescore import adopt_some, keep_context, score
from sync.store import Store, facts, state


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
    #: Code of the problem that put events off; empty: none.
    problem: str = ""


def drain(
    store: Store, link: Link, policy: Policy, *, language: str, clock: Callable[[], datetime], most: int = 500
) -> Drained:
    """One turn over all events that wait and whose time has come. Problems put their events off, and are told.

    `clock`: ours, which the door stamps events by; the CRM's tells the business day.
    """
    done = Drained()
    now = micros(clock())
    with store.read() as tx:
        events = inbox.waiting(tx, link.name, now, most)
    if not events:
        return done
    try:
        ready, later = _turn(store, link, policy, language, events, done, now)
        done.closed = len(ready)
        _put_off(store, link, later, "E-RECORD-UNSEEN", done, micros(clock()))
    except Problem as problem:
        done.problem = problem.code
        _put_off(store, link, events, problem.code, done, micros(clock()))
        if isinstance(problem, Exhausted):
            raise
        return done
    done.pushed = push(store, link)
    return done


def _turn(
    store: Store, link: Link, policy: Policy, language: str, events: Sequence[Waiting], done: Drained, at: int
) -> tuple[list[Waiting], list[Waiting]]:
    """Events that were worked on, and those about records that the CRM does not show yet."""
    pulled = Pulled(began=micros(link.crm.now()))
    unseen = _fetch_named(store, link, events, pulled)
    # A record that we knew is gone. One that nobody has seen may show in a moment; in the end a person hears of it.
    later = [item for item in events if item.event.op != "delete" and _misses(item, unseen)]
    ready = [item for item in events if item not in later]
    names = {name for item in ready for name in item.event.accounts}
    with store.read() as tx:
        known = facts.named(tx, link.name, names)
    # A name that nobody has is an id that is new to us.
    named = {known.get(name, name) for name in names}
    # A record that moved concerns the account that it left and the one that it went to.
    accounts = named | pulled.touched
    accounts |= reread(store, link, accounts, pulled)
    keys = [item.event.event_id for item in ready]
    done.scored, moved = _rescore(store, link, policy, language, accounts, keys, at)
    return ([] if moved else ready), later


def poll(store: Store, link: Link, policy: Policy, *, language: str) -> Drained:
    """Reads what changed since the last look, scores whom it concerns, and writes what differs."""
    pulled = pull(store, link)
    done = Drained()
    if pulled.touched:
        done.scored, _ = _rescore(store, link, policy, language, pulled.touched, (), 0)
        done.pushed = push(store, link)
    return done


def _rescore(
    store: Store, link: Link, policy: Policy, language: str, accounts: Collection[str], events: Sequence[str], at: int
) -> tuple[list[str], set[str]]:
    """Scores these accounts and closes the events, together; who was scored, and whose facts moved meanwhile.

    While any of them moved the events stay open, and are worked on again at once.
    """
    as_of = day_number(link.today())
    with store.read() as tx:
        newest = state.newest_day(tx, link.name)
    scored = score(store, link, policy, max(as_of, newest or as_of), only=accounts)
    with store.write() as tx:
        keep_context(tx, link, scored)
        moved = adopt_some(tx, link, scored.made, scored, language)
        if not moved:
            inbox.close(tx, link.name, events, at)
    return [account for account in scored.made["customer_id"].to_list() if account not in moved], moved


def _fetch_named(store: Store, link: Link, events: Sequence[Waiting], pulled: Pulled) -> set[tuple[str, str]]:
    """Reads the records that events name; returns (object, record) of those that the CRM does not show."""
    wanted: dict[str, set[str]] = {}
    for item in events:
        wanted.setdefault(item.event.object, set()).update(item.event.records)
    unseen: set[tuple[str, str]] = set()
    for name, part in link.mapping.sources.items():
        records = sorted(wanted.get(part.object, ()))
        if records:
            shown = fetch(store, link, name, records, pulled)
            with store.read() as tx:
                known = facts.ever_seen(tx, link.name, set(records) - shown)
            unseen |= {(part.object, record) for record in records if record not in shown and record not in known}
    return unseen


def _misses(item: Waiting, unseen: Collection[tuple[str, str]]) -> bool:
    return any((item.event.object, record) in unseen for record in item.event.records)


def _put_off(store: Store, link: Link, events: Sequence[Waiting], cause: str, done: Drained, at: int) -> None:
    if events:
        with store.write() as tx:
            inbox.put_off(tx, link.name, events, cause, at)
        done.put_off += len(events)
