"""Ids of a source's records that something is known of: a table of connection, source and record."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Table, delete, select

from sync.store.dialect import insert_new_tuples
from sync.store.session import Reading, Writing

_KEY = ("connection", "source", "record")


def add(session: Writing, table: Table, source: str, records: Iterable[str]) -> None:
    """These, too."""
    rows = [(session.connection, source, record) for record in dict.fromkeys(records)]
    insert_new_tuples(session, table, _KEY, rows, _KEY)


def members(session: Reading, table: Table, source: str) -> set[str]:
    """All of them."""
    query = select(table.c.record).where(session.own(table), table.c.source == source)
    return set(session.tx.execute(query).scalars())


def clear(session: Writing, table: Table, source: str) -> None:
    """None of them any more."""
    session.tx.execute(delete(table).where(session.own(table), table.c.source == source))
