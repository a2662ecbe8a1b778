"""Databases as the reading half of the contract suite drives them: they take no writes and call nobody."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    create_engine,
    delete,
    insert,
    text,
    update,
)

from adapters.common.declared import Declarations, Declared
from adapters.sql import database as sql
from adapters.sql.crm import SqlDatabase
from connector import money
from connector.schema import TABLES, day_of
from mappings.load import Mapping as Fields
from mappings.load import packaged
from tests.postgres import postgres
from tests.simulated import Slots

DOUBLES: dict[str, Any] = {}
DRIFTS: dict[str, Any] = {}

#: Kind of a canonical column → how a database keeps it.
_KINDS: dict[str, Callable[[], Any]] = {
    "money": lambda: Numeric(18, 4),
    "rate": lambda: Numeric(20, 12),
    "day": Date,
    "flag": Boolean,
    "ratio": lambda: Numeric(12, 6),
}


class Database:
    """Canonical tables as tables of a database, with a modified time and a mark of what is deleted."""

    lacks: Mapping[str, str] = {
        "wire": "a database has no HTTP: sessions that are ended are tried in test_postgres.py",
        "tokens": "a database has none",
    }

    def __init__(self, url: str, writer: Engine, tables: Mapping[str, pl.DataFrame]) -> None:
        self._url, self.writer = url, writer
        self._at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=20)
        self.mapping = mapping_of({name: frame for name, frame in tables.items() if frame.height})
        self._tables = {name: _table(name) for name in tables}
        for name, frame in tables.items():
            self._tables[name].create(writer)
            rows = [{**typed_row(name, row), "changed": self._at, "gone": None} for row in frame.to_dicts()]
            if name == "accounts":
                rows = [{**row, "number": row["number"] or row["account_id"]} for row in rows]
            if rows:
                with writer.begin() as transaction:
                    transaction.execute(insert(self._tables[name]), rows)

    def as_reader(self) -> None:
        """From now on who reads may do no more than that."""
        with self.writer.begin() as transaction:
            transaction.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"))
        self._url = self._url.replace("owner@", "reader@")

    def crm(self) -> Any:
        """A new adapter."""
        known = {name: Declared(modified="changed", deleted="gone") for name in self._tables}
        database = sql.Database(self._url, "", 60)
        shared = Slots(lambda: self._at)
        return SqlDatabase(database, Declarations(tables=known), "USD", shared, page_rows=100, batch_rows=200)

    def edit(self, source: str, key: str, **values: str | None) -> None:
        """Change columns of the record of that number."""
        self._change(source, key, self._at, values)

    def commit_late(self, source: str, key: str, seconds: int, **values: str | None) -> None:
        """A change that bears an older time."""
        self._change(source, key, self._at - timedelta(seconds=seconds), values)

    def remove(self, source: str, key: str) -> None:
        """Mark it, as a loader does; a row that is really gone is nobody's to tell."""
        table = self._tables[_NAMES.get(source, source)]
        with self.writer.begin() as transaction:
            transaction.execute(update(table).where(table.c.number == key).values(changed=self._at, gone=self._at))

    def vanish(self, source: str, key: str) -> None:
        """Delete it without a trace."""
        table = self._tables[_NAMES.get(source, source)]
        with self.writer.begin() as transaction:
            transaction.execute(delete(table).where(table.c.number == key))

    def advance(self, seconds: int) -> None:
        """Move the clock."""
        self._at += timedelta(seconds=seconds)

    def _change(self, source: str, key: str, at: datetime, values: Mapping[str, Any]) -> None:
        name = _NAMES.get(source, source)
        table = self._tables[name]
        kinds = {column.name: column.kind for column in TABLES[name].columns}
        typed = {k: Decimal(v) if kinds[k] == "money" else v for k, v in values.items()}
        with self.writer.begin() as transaction:
            transaction.execute(update(table).where(table.c.number == key).values(changed=at, **typed))


#: Source of the suite → canonical table.
_NAMES = {"invoices": "receivables"}


def mapping_of(tables: Mapping[str, pl.DataFrame]) -> Fields:
    """The shipped mapping, of tables that are there; the suite calls claims invoices."""
    shipped = packaged("sql")
    sources = {name: part for name, part in shipped.sources.items() if name in tables}
    back = {table: name for name, table in _NAMES.items()}
    named = {back.get(name, name): part for name, part in sources.items()}
    return shipped.model_copy(update={"sources": named})


def _table(name: str) -> Table:
    key = TABLES[name].key
    columns = [
        Column(
            each.name,
            _KINDS.get(each.kind, Text)() if each.name not in key else String(200),
            primary_key=each.name in key,
        )
        for each in TABLES[name].columns
    ]
    changed = Column("changed", DateTime(timezone=True))
    return Table(name, MetaData(), *columns, changed, Column("gone", DateTime(timezone=True)))


def typed_row(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A canonical row as a database keeps it: decimals for minor units, days for their numbers."""
    values: dict[str, Any] = {}
    for column in TABLES[name].columns:
        value = row.get(column.name)
        if value is None:
            values[column.name] = None
        elif column.kind == "money":
            places = money.EXPONENTS.get(str(row.get(column.of) or "USD"), 2)
            values[column.name] = Decimal(value).scaleb(-places)
        elif column.kind == "day":
            values[column.name] = value if isinstance(value, date) else day_of(value)
        elif column.kind == "rate":
            values[column.name] = Decimal(value).scaleb(-money.RATE_SCALE)
        else:
            values[column.name] = value
    return values


@contextmanager
def sqlite(tables: Mapping[str, pl.DataFrame]) -> Iterator[Database]:
    """A file of SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "erp.db"
        engine = create_engine(f"sqlite:///{path}")
        try:
            yield Database(f"sqlite:///{path}", engine, tables)
        finally:
            engine.dispose()


@contextmanager
def postgresql(tables: Mapping[str, pl.DataFrame]) -> Iterator[Database]:
    """A real server."""
    with postgres() as url:
        engine = create_engine(url)
        try:
            yield Database(url, engine, tables)
        finally:
            engine.dispose()


READERS: dict[str, Callable[[Mapping[str, pl.DataFrame]], AbstractContextManager[Database]]] = {
    "sqlite": sqlite,
    "postgresql": postgresql,
}
