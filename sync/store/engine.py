"""Opening the database, and the two ways of talking to it: a snapshot to read, one writer at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DBAPIError

from connector.errors import Misconfigured, Retry
from sync.store import migrations

#: How long a writer waits for another one's transaction.
_BUSY_TIMEOUT_S = 30.0
#: Alembic's own table.
_VERSIONS = "alembic_version"


class Store:
    """The product's database, an SQLite file. Safe across threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it when there is none; raises Misconfigured when it cannot be opened."""
        self.path = path
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # For its owner only, before a byte is in it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._engine = _engine(path)
            with self._connected("BEGIN IMMEDIATE") as tx:
                _ready(tx, path)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one writer's transaction: committed at the end, rolled back on any error."""
        with _told(self.path), self._connected("BEGIN IMMEDIATE") as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot, which never waits for a writer."""
        with _told(self.path), self._connected("BEGIN") as tx:
            yield tx

    @contextmanager
    def _connected(self, begin: str) -> Iterator[Connection]:
        with self._engine.connect().execution_options(zixin_begin=begin) as tx, tx.begin():
            yield tx


def _engine(path: Path) -> Engine:
    made = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_TIMEOUT_S}, hide_parameters=True)
    event.listen(made, "connect", _connect)
    event.listen(made, "begin", _begin)
    return made


def _connect(connection: sqlite3.Connection, _entry: Any) -> None:
    # The driver must not open transactions of its own: ours say whether they write.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("zixin_begin", "BEGIN IMMEDIATE"))


def _ready(tx: Connection, path: Path) -> None:
    known = inspect(tx).get_table_names()
    found = tx.exec_driver_sql("select version_num from alembic_version").scalar() if _VERSIONS in known else None
    if found is None and known:
        raise Misconfigured("E-STORE-FOREIGN", path=str(path))
    if found is None or found < migrations.HEAD:
        migrations.upgrade(tx)
        _tell_planner(tx)
    elif found > migrations.HEAD:
        raise Misconfigured("E-STORE-REVISION", path=str(path), found=found, wanted=migrations.HEAD)


#: Rows that a table is planned for, and rows of one account, record or claim.
_ROWS, _FEW = 1_000_000, 3


def _tell_planner(tx: Connection) -> None:
    """Write statistics as they are in a store that is in use, so that queries are planned for that from the first row.

    Without them SQLite takes `connection = ?` to be selective, reads every row of a connection where an index over
    account or record would do, and a pull slows down with its length. Source: sqlite.org/fileformat2.html, the table
    sqlite_stat1.
    """
    tx.exec_driver_sql("analyze sqlite_schema")
    tx.exec_driver_sql("delete from sqlite_stat1")
    found = inspect(tx)
    for table in found.get_table_names():
        if table == _VERSIONS:
            continue
        keys = {table: found.get_pk_constraint(table)["constrained_columns"]}
        keys |= {
            str(index["name"]): [str(column) for column in index["column_names"]] for index in found.get_indexes(table)
        }
        for name, columns in keys.items():
            # Rows that share the first column, the first two, and so on; a whole key is one row.
            shared = [_ROWS, *([_ROWS // 5] * (len(columns) - 2)), 1 if name == table else _FEW][: len(columns)]
            text = " ".join(str(count) for count in (_ROWS, *shared))
            tx.exec_driver_sql("insert into sqlite_stat1 values (?, ?, ?)", (table, name, text))
    tx.exec_driver_sql("analyze sqlite_schema")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """The driver's errors as ours."""
    try:
        yield
    except DBAPIError as error:
        words = str(error.orig)
        if "locked" in words:
            raise Retry("E-STORE-BUSY", path=str(path)) from error
        if "disk is full" in words or "disk I/O" in words:
            raise Misconfigured("E-STORE-FULL", path=str(path)) from error
        if "unable to open" in words or "not a database" in words or "malformed" in words or "readonly" in words:
            raise Misconfigured("E-STORE-OPEN", path=str(path), detail=words) from error
        raise
    except OSError as error:
        raise Misconfigured("E-STORE-OPEN", path=str(path), detail=str(error.strerror)) from error
