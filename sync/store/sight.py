"""Sources that a full read showed less of than is stored: not believed, and listed until they are back or accepted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from sqlalchemy import delete, insert, select

from connector.errors import Misconfigured
from sync.store import due_looks, record_sets, tables
from sync.store.dialect import upsert
from sync.store.session import Reading, Writing

#: Between two full reads of a source whose records are out of sight, in microseconds.
_AGAIN = 3_600_000_000


@dataclass(frozen=True, slots=True)
class LostSource:
    """A source whose records are out of sight. Times are microseconds since 1970 UTC."""

    source: str
    #: Records stored when it was read, those that the CRM showed, and stored ones that it did not.
    stored: int
    shown: int
    missing: int
    since: int
    looked_at: int
    #: How many missing records a person took for gone; None: nobody has.
    accepted: int | None = None
    accepted_by: str | None = None
    accepted_at: int | None = None


def lost_sources(session: Reading) -> list[LostSource]:
    """All of them, by name; those too that were accepted and not read since."""
    table = tables.sight
    columns = [table.c[name] for name in LostSource.__dataclass_fields__]
    query = select(*columns).where(session.own(table)).order_by(table.c.source)
    return [LostSource(*row) for row in session.tx.execute(query)]


def open_sources(session: Reading) -> list[LostSource]:
    """Those that nobody has accepted yet."""
    return [row for row in lost_sources(session) if row.accepted is None]


def of_source(session: Reading, source: str) -> LostSource | None:
    """What is out of sight of a source; None: nothing."""
    return next((row for row in lost_sources(session) if row.source == source), None)


def is_due(row: LostSource | None, now: int) -> bool:
    """Whether the source is to be read whole again: to see whether they are back, or as somebody accepted the count."""
    if row is None:
        return False
    return row.accepted is not None or now - row.looked_at >= _AGAIN


def note(session: Writing, row: LostSource, records: Iterable[str]) -> None:
    """Keep what a read showed, and which stored records it did not; how long that is so stays as it was."""
    before = of_source(session, row.source)
    _save(session, row if before is None else replace(row, since=before.since))
    due_looks.ask(session)
    record_sets.clear(session, tables.sight_missing, row.source)
    record_sets.add(session, tables.sight_missing, row.source, records)


def out_of_sight(session: Reading, source: str) -> set[str]:
    """Stored records that are missing and that nobody has taken for gone."""
    row = of_source(session, source)
    return set() if row is None or row.accepted is not None else missing(session, source)


def missing(session: Reading, source: str) -> set[str]:
    """Stored records that the last full read did not show."""
    return record_sets.members(session, tables.sight_missing, source)


def _save(session: Writing, row: LostSource) -> None:
    upsert(session, tables.sight, [{"connection": session.connection, **asdict(row)}], ["connection", "source"])


def clear(session: Writing, source: str) -> None:
    """Everything is in sight again."""
    table = tables.sight
    session.tx.execute(delete(table).where(session.own(table), table.c.source == source))
    record_sets.clear(session, tables.sight_missing, source)
    due_looks.ask(session)


def accept(session: Writing, source: str, by: str, now: int) -> LostSource:
    """A person says that what the source shows is all that there is; the next full read closes what it misses.

    Raises Misconfigured: nothing of that source is out of sight.
    """
    row = of_source(session, source)
    if row is None:
        lost = ", ".join(each.source for each in lost_sources(session)) or "–"
        raise Misconfigured("E-SIGHT-NONE", source=source, lost=lost)
    now = max(now, row.looked_at)  # By a clock that was ahead it may have been looked at later.
    result = replace(row, accepted=row.missing, accepted_by=by, accepted_at=now)
    _save(session, result)
    due_looks.ask(session)
    body = f"{row.missing} of {row.stored} are gone"
    entry = {"connection": session.connection, "account_id": "", "subject": source, "what": "accepted", "by": by}
    session.tx.execute(insert(tables.desk_log).values({**entry, "at": now, "body": body}))
    return result
