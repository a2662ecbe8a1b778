"""Rows that did not fit: what the record is, where, why, since when."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl
from sqlalchemy import delete, func, select

from sync.store import tables
from sync.store.dialect import upsert
from sync.store.ledger import batches
from sync.store.session import Reading, Writing


def store(session: Writing, source: str, records: Sequence[str], rejects: pl.DataFrame, at: int) -> None:
    """What does not fit of these records now takes the place of what was said of them."""
    table = tables.rejects
    if (
        rejects.is_empty()
        and not session.tx.execute(
            select(func.count()).where(session.own(table), table.c.source == source)
        ).scalar_one()
    ):
        return
    for batch in batches(records):
        session.tx.execute(delete(table).where(session.own(table), table.c.source == source, table.c.record.in_(batch)))
    rows = [{"connection": session.connection, "source": source, "since": at, **row} for row in rejects.to_dicts()]
    upsert(session, table, rows, ["connection", "source", "record", "table", "column"])


def forget_unseen(session: Writing, source: str, seen: Collection[str]) -> None:
    """Takes away what is said of records that a full read no longer shows: they are gone, or have an id by now."""
    table = tables.rejects
    query = select(table.c.record).where(session.own(table), table.c.source == source).distinct()
    old = sorted(set(session.tx.execute(query).scalars()) - set(seen))
    for batch in batches(old):
        session.tx.execute(delete(table).where(session.own(table), table.c.source == source, table.c.record.in_(batch)))


def every(session: Reading) -> list[dict[str, object]]:
    """All open rejects: source, record, table, column, value, reason."""
    table = tables.rejects
    query = select(table).where(session.own(table)).order_by(table.c.source, table.c.record)
    return [dict(row) for row in session.tx.execute(query).mappings()]
