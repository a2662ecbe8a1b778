"""Taking a feed away: what it brought and whom that would move is said first; then its facts go with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from connector.credit.moves import Moves, moves
from connector.errors import Misconfigured
from mappings.feeds import joined, taken_over
from sync.crm_connection import micros
from sync.feeds import cursor_name
from sync.locks import run_lock, serve_lease
from sync.rescore import preview
from sync.store import Store, facts, feeds, ledger, links, ratings, sweeps, ties
from sync.store.session import Reading
from zixin import compose
from zixin.config import connections, settings
from zixin.config.connections import ConnectionConfig
from zixin.services import policies

#: Records a transaction.
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Leaving:
    """What goes with a feed."""

    feed: str
    #: Canonical table → rows that it brought.
    rows: dict[str, int]
    #: Customers of whom a fact goes.
    customers: int
    #: Whom the newest assessed day would move without it; None: nothing was rated yet.
    moves: Moves | None
    #: Tables that are read from the CRM again.
    back: tuple[str, ...]


def leaving(profile: str, name: str) -> Leaving:
    """What would go. Raises Misconfigured: there is no such feed, or the CRM's own mapping reads from it."""
    back = _back(profile, name)
    with compose.open_store(profile) as (store, connection):
        with store.read(connection) as session:
            sources = _sources(session, profile, connection, name)
            counts, owners = _counted(session, sources)
            day = ratings.newest_day(session)
        moved = None
        if day is not None and sources:
            rules = policies.current(profile)
            now = preview(store, connection, rules, day)
            moved = moves(now, preview(store, connection, rules, day, without=sources))
    return Leaving(name, dict(counts), len(owners), moved, back)


def disconnect(profile: str, name: str, now: datetime) -> None:
    """Takes the feed away with all that it brought; may be repeated where it was cut. The next run rates anew.

    Raises as `leaving`; Busy: a run is on, or the profile is served.
    """
    _back(profile, name)
    folder = settings.profile_folder(profile)
    with serve_lease(folder, profile), run_lock(folder, profile), compose.open_store(profile) as (store, connection):
        with store.read(connection) as session:
            sources = _sources(session, profile, connection, name)
        known = connections.read(profile)
        crm = compose.mapping_of(profile, connection, known[connection])
        accounts = [key for key, part in crm.sources.items() if "accounts" in part.tables()]
        if name in known:
            connections.keep(profile, {each: config for each, config in known.items() if each != name})
        with store.write(connection) as session:
            # What accounts say of their numbers is read again, should it be attached once more.
            for source in (*sources, cursor_name(name), *accounts):
                ledger.forget_cursor(session, source)
            feeds.keep_only(session, set(known) - {name}, micros(now))
            links.relink(session, ties.forget(session, name), micros(now))
        _remove(store, connection, sources, micros(now))
    (folder / f"{name}.token").unlink(missing_ok=True)
    compose.snapshot_file(profile, name).unlink(missing_ok=True)


def attached_anew(profile: str, name: str, before: ConnectionConfig, after: ConnectionConfig, now: datetime) -> None:
    """A feed that was attached with other words: tables that it brings no more go with their rows, and where its
    customers are tied by another field, everything is read again. Nothing, where nothing of it is stored yet.
    """
    if not compose.up_to_date(profile) or before.crm != after.crm:
        return
    own = compose.mapping_of(profile, after.feeds, connections.read(profile)[after.feeds])
    if name in own.feeds:
        return
    was, is_ = (joined(own, {name: compose.feed_plan(profile, name, each)}) for each in (before, after))
    with compose.open_store(profile) as (store, connection):
        if was.feeds[name] != is_.feeds[name]:
            with store.write(connection) as session:
                links.relink(session, ties.untie(session, name), micros(now))
                for source in (*is_.of_feed(name), cursor_name(name)):
                    ledger.forget_cursor(session, source)
        _remove(store, connection, sorted(set(was.of_feed(name)) - set(is_.of_feed(name))), micros(now))


def _remove(store: Store, connection: str, sources: list[str], at: int) -> None:
    for source in sources:
        with store.read(connection) as session:
            records = sorted(ledger.records_stored(session, source))
        for start in range(0, len(records), _BATCH):
            with store.write(connection) as session:
                touched = facts.remove(session, source, records[start : start + _BATCH], at)
                links.relink(session, touched, at)
        with store.write(connection) as session:
            sweeps.forget(session, source)


def _back(profile: str, name: str) -> tuple[str, ...]:
    """Tables that the CRM brings itself once the feed is gone."""
    known = connections.read(profile)
    feed, (crm_name, crm) = known.get(name), connections.first(profile)
    if feed is None:
        return ()
    if not feed.feeds:
        there = ", ".join(each for each, one in known.items() if one.feeds) or "–"
        raise Misconfigured("E-FEED-UNKNOWN", feed=name, known=there)
    own = compose.mapping_of(profile, crm_name, crm)
    if name in own.feeds:
        raise Misconfigured("E-FEED-MAPPED", feed=name)
    return taken_over(own, compose.feed_plans(profile, crm_name)[name])


def _sources(session: Reading, profile: str, connection: str, name: str) -> list[str]:
    """The feed's sources; of one whose connection is gone already, those that its facts are stored under."""
    stored = {source for source in ledger.sources(session) if source.startswith(f"{name}.")}
    found = sorted({*compose.sources_of_feed(profile, connection, name), *stored})
    known = connections.feeds_of(profile, connection)
    if not found and name not in feeds.every(session) and name not in known:
        raise Misconfigured("E-FEED-UNKNOWN", feed=name, known=", ".join(known) or "–")
    return found


def _counted(session: Reading, sources: list[str]) -> tuple[Counter[str], set[str]]:
    rows: Counter[str] = Counter()
    owners: set[str] = set()
    for source in sources:
        for table, count, accounts in ledger.of_source(session, source):
            rows[table] += count
            owners |= accounts
    return rows, owners
