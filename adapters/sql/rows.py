"""Rows of one statement as frames of text: by COPY where the database has it, else as its driver gives them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Column, Connection, Select, Table, types

from adapters.common.declared import joined, names_a_record
from adapters.sql.database import Database
from adapters.sql.texts import shape_of, text_of, texts
from connector.errors import Misconfigured
from connector.ports import UNNAMED, Field, Misfit


@dataclass(frozen=True, slots=True)
class Batch:
    """What one statement brought: pages, and what the last row of each is told by; records that are no text."""

    pages: list[tuple[pl.DataFrame, list[Any]]]
    misfits: tuple[Misfit, ...]

    @property
    def height(self) -> int:
        """Rows, those that cannot be read among them."""
        return sum(frame.height for frame, _ in self.pages) + len(self.misfits)


def read_batch(
    database: Database,
    columns: Sequence[Column[Any]],
    query: Select[Any],
    names: Sequence[str],
    anchor: Sequence[str],
    page: int,
) -> Batch:
    """Columns out: names, all of them text; one page at least. `anchor`: the columns that tell a row's place."""
    table = str(columns[0].table.fullname)
    binary = [isinstance(column.type, types.LargeBinary | types.NullType) for column in columns]
    if not database.copies:
        return database.ask(
            table, lambda connection: _fetched(database, connection, query, names, anchor, page, binary)
        )
    frame = database.ask(table, lambda connection: _copied(database, connection, table, query, names))
    starts = range(0, max(1, frame.height), page)
    return Batch([_anchored(frame[start : start + page], anchor) for start in starts], ())


def _copied(
    database: Database, connection: Connection, table: str, query: Select[Any], names: Sequence[str]
) -> pl.DataFrame:
    """By COPY as CSV, in which null is nothing and empty text is quoted."""
    words, values = database.written(query)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY ({words}) TO STDOUT (FORMAT csv)", values) as rows:
        data = b"".join(rows)
    schema = dict.fromkeys(names, pl.String)
    if not data:
        return pl.DataFrame(schema=schema)
    try:
        return pl.read_csv(io.BytesIO(data), has_header=False, schema=schema, infer_schema=False)
    except pl.exceptions.ComputeError:
        detail = "text that is no UTF-8"
        raise Misconfigured("E-DB-ANSWER", host=database.host, table=table, detail=detail) from None


def _anchored(frame: pl.DataFrame, anchor: Sequence[str]) -> tuple[pl.DataFrame, list[Any]]:
    return frame, list(frame.select(anchor).row(-1)) if frame.height and anchor else []


def _fetched(
    database: Database,
    connection: Connection,
    query: Select[Any],
    names: Sequence[str],
    anchor: Sequence[str],
    page: int,
    binary: Sequence[bool],
) -> Batch:
    pages: list[tuple[pl.DataFrame, list[Any]]] = []
    misfits: list[Misfit] = []
    places = [names.index(name) for name in anchor]
    result = connection.execution_options(stream_results=True, max_row_buffer=page).execute(query)
    for rows in result.partitions(page):
        good = [row for row in rows if not _is_odd(row, binary)]
        misfits += _misfits(rows, binary, names)
        columns = list(zip(*good, strict=True)) or [()] * len(names)
        cells = {name: texts(column) for name, column in zip(names, columns, strict=True)}
        last = [_native(rows[-1][place]) for place in places]
        if database.dialect == "sqlite" and any(isinstance(rows[-1][place], bytes) for place in places):
            table, detail = str(query.get_final_froms()[0]), "bytes, or text that is no UTF-8, tell its rows apart"
            raise Misconfigured("E-TABLE-ORDER", host=database.host, table=table, columns="its id", detail=detail)
        pages.append((pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String)), last))
    return Batch(pages or [(pl.DataFrame(schema=dict.fromkeys(names, pl.String)), [])], tuple(misfits))


def _is_odd(row: Sequence[Any], binary: Sequence[bool]) -> bool:
    return any(type(value) is bytes and not expected for value, expected in zip(row, binary, strict=True))


def _misfits(rows: Sequence[Any], binary: Sequence[bool], names: Sequence[str]) -> Iterator[Misfit]:
    """Records with text that no encoding of the database explains."""
    for row in rows:
        if _is_odd(row, binary):
            at = next(n for n, value in enumerate(row) if type(value) is bytes and not binary[n])
            field = "" if names[at].startswith("?") else names[at]
            ids = [text_of(value) or "" for value, name in zip(row, names, strict=True) if name.startswith("?id")]
            yield Misfit(joined(ids) or UNNAMED, field, None, "not_text")


def _native(value: Any) -> Any:
    """As JSON keeps it: numbers as numbers, for a database that has both in one column."""
    return value if isinstance(value, int | float | str) and not isinstance(value, bool) else text_of(value)


def fields_of(table: Table) -> tuple[Field, ...]:
    """The columns of a table; a label is its comment, in whatever language."""
    return tuple(
        Field(
            str(column.name), column.comment or str(column.name), _kind(column), writable=False, target=_target(column),
            length=getattr(column.type, "length", None), places=getattr(column.type, "scale", None),
        )
        for column in table.c
    )  # fmt: skip


def _kind(column: Column[Any]) -> str:
    """What it holds, in the word that a mapping's proposals know."""
    if column.foreign_keys:
        return "reference"
    match column.type:
        case types.Integer():
            # A whole number may count, or name a record.
            named = column.primary_key or names_a_record(column.name)
            return "reference" if named else "integer"
        case types.Float():
            return "double"
        case types.Numeric():
            return "numeric"
        case types.Enum():
            return "enum"
        case types.LargeBinary() | types.JSON() | types.ARRAY():
            return "binary"
        case _:
            words = {"flag": "boolean", "time": "datetime", "day": "date"}
            return words.get(shape_of(column.type), "text")


def _target(column: Column[Any]) -> str:
    """The table that a foreign key points to."""
    first = next(iter(column.foreign_keys), None)
    return first.target_fullname.rpartition(".")[0] if first is not None else ""
