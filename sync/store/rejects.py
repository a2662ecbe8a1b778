"""Rows that did not fit: what the record is, where, why, since when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import polars as pl
from sqlalchemy import and_, delete, func, select

from sync.store import due_looks, tables
from sync.store.dialect import batches, insert_new_tuples, upsert
from sync.store.session import Reading, Writing

#: Why a row of a feed is rejected whose customer no account names.
STRANGER = "unknown_account"


def store(session: Writing, source: str, records: Sequence[str], rejects: pl.DataFrame, at: int) -> bool:
    """What does not fit of these records now takes the place of what was said of them; whether there is any, or was."""
    table = tables.rejects
    if (
        rejects.is_empty()
        and not session.tx.execute(
            select(func.count()).where(session.own(table), table.c.source == source)
        ).scalar_one()
    ):
        return False
    key = ("record", "table", "column")
    since: dict[tuple[object, ...], int] = {}
    said: set[tuple[object, ...]] = set()
    for batch in batches(records):
        these = and_(session.own(table), table.c.source == source, table.c.record.in_(batch))
        query = select(*(table.c[name] for name in (*key, "value", "reason")), table.c.since).where(these)
        for row in session.tx.execute(query):
            since[tuple(row)[:3]] = row.since
            said.add(tuple(row)[:5])
    if said == set(rejects.select(*key, "value", "reason").rows()):
        # As it was: nothing is written.
        return False
    rows = [
        {
            "connection": session.connection,
            "source": source,
            "since": since.get(tuple(row[name] for name in key), at),
            **row,
        }
        for row in rejects.to_dicts()
    ]
    _forget(session, source, records, kept=set(rejects["record"]))
    upsert(session, table, rows, ["connection", "source", *key])
    return bool(rows or since)


def store_owners(
    session: Writing, source: str, rejects: pl.DataFrame, owners: Iterable[tuple[str, str]], at: int
) -> None:
    """Keeps whose the rejected records are, and of which nobody knows it; owners: record, account_id.

    What was said of a record before stays: a row that does not fit may lose its owner next.
    """
    table = tables.rejected_records
    known = set(owners)
    nobody_s = sorted(set(rejects["record"]) - {record for record, _ in known})
    for batch in batches(nobody_s):
        query = select(table.c.record).where(session.own(table), table.c.source == source, table.c.record.in_(batch))
        known |= {(record, "") for record in set(batch) - set(session.tx.execute(query).scalars())}
    names = ("connection", "source", "record", "account_id", "since")
    rows = [(session.connection, source, record, account, at) for record, account in sorted(known)]
    insert_new_tuples(session, table, names, rows, ("connection", "source", "record", "account_id"))


def _forget(session: Writing, source: str, records: Iterable[str], kept: Collection[str] = ()) -> None:
    """Nothing is said of these records any more; whose they are stays known of those that are kept."""
    for batch in batches(records):
        for table, names in ((tables.rejects, batch), (tables.rejected_records, [n for n in batch if n not in kept])):
            these = and_(session.own(table), table.c.source == source, table.c.record.in_(names))
            session.tx.execute(delete(table).where(these))


def forget_unseen(session: Writing, source: str, seen: Collection[str]) -> None:
    """Takes away what is said of records that a full read no longer shows: they are gone, or have an id by now."""
    table = tables.rejects
    query = select(table.c.record).where(session.own(table), table.c.source == source).distinct()
    old = sorted(set(session.tx.execute(query).scalars()) - set(seen))
    _forget(session, source, old)
    if old:
        due_looks.ask(session)


def forget_unmapped(session: Writing, sources: Collection[str]) -> None:
    """Takes away what is said of records of other sources than these: nobody reads them any more."""
    for table in (tables.rejects, tables.rejected_records):
        session.tx.execute(delete(table).where(session.own(table), table.c.source.not_in(sorted(sources))))


def of_source(session: Reading, source: str, *, but: str = "") -> set[str]:
    """Records of a source that do not fit, those left out that are rejected for this reason."""
    table = tables.rejects
    query = select(table.c.record).where(session.own(table), table.c.source == source, table.c.reason != but)
    return set(session.tx.execute(query.distinct()).scalars())


def strangers(session: Reading) -> dict[str, tuple[int, int]]:
    """Source → rows of customers whom no account names, and how many customers that are."""
    table = tables.rejects
    these = and_(session.own(table), table.c.reason == STRANGER)
    query = select(table.c.source, func.count(), func.count(table.c.value.distinct())).where(these)
    return {row[0]: (row[1], row[2]) for row in session.tx.execute(query.group_by(table.c.source))}


def every(session: Reading) -> list[dict[str, object]]:
    """All open rejects: source, record, table, column, value, reason."""
    table = tables.rejects
    query = select(table).where(session.own(table)).order_by(table.c.source, table.c.record)
    return [dict(row) for row in session.tx.execute(query).mappings()]
