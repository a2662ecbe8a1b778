"""Opening the database, and the two ways of talking to it: a snapshot to read, one writer at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from sync.store import revision
from sync.store.problems import told
from sync.store.session import Reading, Writing

#: How long a writer waits for another one's transaction.
_BUSY_TIMEOUT_S = 30.0


class Store:
    """The product's database, an SQLite file. Safe across threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it when there is none.

        Raises Misconfigured when it cannot be opened, is not ours, or has another revision than this zixin's.
        """
        self.path = path
        with told(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # For its owner only, before a byte is in it. One that is there is not opened beside SQLite: closing it
            # would drop the locks that this process has on it (sqlite.org/howtocorrupt.html, 2.2).
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            there = revision.current(path)
            self._engine = _engine(path)
            if not there:
                with self._connected("BEGIN IMMEDIATE") as tx:
                    # Unless another process was first.
                    if not revision.made(tx):
                        revision.migrate(tx)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def write(self, connection: str = "") -> Iterator[Writing]:
        """The one writer's transaction: committed at the end, rolled back on any error."""
        with told(self.path), self._connected("BEGIN IMMEDIATE") as tx:
            yield Writing(tx, connection)

    @contextmanager
    def read(self, connection: str = "") -> Iterator[Reading]:
        """One consistent snapshot, which never waits for a writer."""
        with told(self.path), self._connected("BEGIN") as tx:
            yield Reading(tx, connection)

    @contextmanager
    def _connected(self, begin: str) -> Iterator[Connection]:
        with self._engine.connect().execution_options(zixin_begin=begin) as tx, tx.begin():
            yield tx


def _engine(path: Path) -> Engine:
    made = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_TIMEOUT_S}, hide_parameters=True
    )
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
