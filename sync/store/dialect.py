"""SQL that every database words in its own way, as SQLite words it; no other module imports a dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.sqlite import insert

from sync.store.session import Writing


def upsert(session: Writing, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> None:
    """Insert, or replace the row of the same key; every row has the same columns."""
    if rows:
        names = list(rows[0])
        upsert_tuples(session, table, names, [tuple(row[name] for name in names) for row in rows], key)


def upsert_tuples(
    session: Writing, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]], key: Sequence[str]
) -> None:
    """As `upsert`, of rows whose values stand in the order of the names."""
    # Straight to the driver: SQLAlchemy's own executemany takes longer over the parameters than SQLite over the rows.
    statement = insert(table)
    values = {name: statement.excluded[name] for name in names if name not in key}
    compiled = statement.on_conflict_do_update(index_elements=list(key), set_=values).compile(
        dialect=session.tx.dialect, column_keys=list(names)
    )
    order = [list(names).index(name) for name in compiled.positiontup or ()]
    session.tx.exec_driver_sql(str(compiled), [tuple(row[place] for place in order) for row in rows])


def insert_new(session: Writing, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> int:
    """Insert rows whose key there is none of, and leave the others; how many were new."""
    statement = insert(table).on_conflict_do_nothing(index_elements=list(key))
    return sum(session.tx.execute(statement, dict(row)).rowcount for row in rows)


def raise_counter(
    session: Writing, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str], counter: str
) -> None:
    """Add one to the counter of the rows of these keys; a row that there is none of begins at one."""
    if rows:
        statement = insert(table).values({counter: 1})
        raised = statement.on_conflict_do_update(index_elements=list(key), set_={counter: table.c[counter] + 1})
        session.tx.execute(raised, [{**row, counter: 1} for row in rows])


def insert_tuples(session: Writing, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows whose values stand in the order of the names, straight by the driver."""
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    statement = f'insert into "{table.name}" ({columns}) values ({marks})'  # noqa: S608 (names of our own tables)
    session.tx.exec_driver_sql(statement, list(rows))
