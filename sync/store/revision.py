"""Which revision of the tables a database has, and the way to the newest one.

A database is brought up to date by one process that has it alone, in one transaction: a kill leaves the old tables or
the new ones. Opening a store never does it (`sync.upgrade` does), so that a look changes nothing.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, StaticPool, create_engine, event, inspect

from connector.errors import Misconfigured
from sync.store import migrations
from sync.store.problems import told

#: Alembic's own table.
_VERSIONS = "alembic_version"
#: How long a reader of the moment is waited for; a process that serves does not go away.
_ALONE_S = 5.0
#: How long whoever only opens the database waits for one that brings it up to date.
_WAIT_S = 30.0
#: As our revisions are called; they are told apart by their order.
_OURS = re.compile(r"(?!0000)\d{4}")


def behind(path: Path) -> str | None:
    """The revision of a database that is to be brought up to date; None: it is, or there is none.

    Raises Misconfigured: it is of a later release, or not ours; Busy: another process has it alone.
    """
    with told(path, alone=True):
        found = _found(path, _ALONE_S)
    return found if found is not None and found < migrations.HEAD else None


def current(path: Path) -> bool:
    """Whether the database has tables, which are then of the newest revision; a look changes no byte of it.

    Raises Misconfigured: they are of another revision, or not ours.
    """
    found = _found(path, _WAIT_S)
    if found is not None and found != migrations.HEAD:
        raise Misconfigured("E-STORE-OLD", path=str(path), found=found, wanted=migrations.HEAD)
    return found is not None


def made(tx: Connection) -> bool:
    """Whether the database has any table."""
    return bool(inspect(tx).get_table_names())


def of(db: sqlite3.Connection) -> str | None:
    """The revision that a database says it has; None: it has no tables. Empty: tables, and no revision."""
    known = {row[0] for row in db.execute("select name from sqlite_schema where type = 'table'")}
    row = db.execute("select version_num from alembic_version").fetchone() if _VERSIONS in known else None
    return None if not known else str(row[0]) if row else ""


def migrate(tx: Connection) -> None:
    """Bring the database to the newest revision, within the transaction; an empty one is filled with our tables."""
    migrations.upgrade(tx)
    _tell_planner(tx)


@contextmanager
def alone(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that nobody else reads or writes beside, from its first statement until the block ends.

    Raises Busy when another process has the database open, one that serves above all: in WAL mode an open connection
    holds a shared lock for as long as it lives (sqlite.org/pragma.html#pragma_locking_mode, sqlite.org/wal.html).
    """
    # Of its own transactions, like all our connections: the driver opens none.
    with closing(sqlite3.connect(path, timeout=_ALONE_S, isolation_level=None, check_same_thread=False)) as db:
        with told(path, alone=True):
            # Before the first read: from then on the write-ahead log is used without memory that others share.
            db.execute("pragma locking_mode = exclusive").close()
            db.execute("begin exclusive").close()
            db.execute("commit").close()
        yield db


def bring_up(db: sqlite3.Connection, path: Path) -> None:
    """Bring the database at *path*, by a connection from `alone`, to the newest revision, in one transaction."""
    engine = create_engine("sqlite://", creator=lambda: db, poolclass=StaticPool, hide_parameters=True)
    event.listen(engine, "begin", lambda tx: tx.exec_driver_sql("begin exclusive"))
    with told(path), engine.begin() as tx:
        migrate(tx)


def _found(path: Path, wait_s: float) -> str | None:
    """The revision of the database at *path*, one that we know; None: there is no database, or it has no tables."""
    if not path.is_file() or not path.stat().st_size:
        return None
    # Not by a connection that could set the way of its log, or write what is in it into the file.
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=wait_s)) as db:
        found = of(db)
    if found is not None and not _OURS.fullmatch(found):
        raise Misconfigured("E-STORE-FOREIGN", path=str(path))
    if found is not None and found > migrations.HEAD:
        raise Misconfigured("E-STORE-REVISION", path=str(path), found=found, wanted=migrations.HEAD)
    return found


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
