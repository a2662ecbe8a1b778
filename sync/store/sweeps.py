"""Full reads of sources that are read by what changed: how far one is, what it has seen, and what it found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import delete, select

from sync.store import record_sets, tables
from sync.store.dialect import upsert
from sync.store.session import Reading, Writing


@dataclass(frozen=True, slots=True)
class Sweep:
    """The newest full read of a source. Times are microseconds since 1970 UTC, by our clock."""

    source: str
    began_at: int
    #: None: it goes on, from its cursor.
    finished_at: int | None
    cursor: str = ""
    fingerprint: str = ""
    #: Customers of whom it found a fact that no read of changes had brought.
    missed: int = 0


def of_source(session: Reading, source: str) -> Sweep | None:
    """The newest one; None: there was none."""
    return next((row for row in sweeps(session) if row.source == source), None)


def sweeps(session: Reading) -> list[Sweep]:
    """The newest of each source, by name."""
    table = tables.sweeps
    query = select(*(table.c[name] for name in Sweep.__dataclass_fields__)).where(session.own(table))
    return [Sweep(*row) for row in session.tx.execute(query.order_by(table.c.source))]


def save(session: Writing, sweep: Sweep) -> None:
    """Keep how far it is; of one that ended, nothing of what it saw is kept."""
    upsert(session, tables.sweeps, [{"connection": session.connection, **asdict(sweep)}], ["connection", "source"])
    if sweep.finished_at is not None:
        forget_seen(session, sweep.source)


def add_seen(session: Writing, source: str, records: Iterable[str]) -> None:
    """These were shown."""
    record_sets.add(session, tables.sweep_seen, source, records)


def forget(session: Writing, source: str) -> None:
    """Nothing is known of that source any more."""
    forget_seen(session, source)
    table = tables.sweeps
    session.tx.execute(delete(table).where(session.own(table), table.c.source == source))


def forget_seen(session: Writing, source: str) -> None:
    """It begins anew, or is over."""
    record_sets.clear(session, tables.sweep_seen, source)


def seen(session: Reading, source: str) -> set[str]:
    """All records that the one which goes on was shown so far."""
    return record_sets.members(session, tables.sweep_seen, source)
