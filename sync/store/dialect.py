"""All that only SQLite understands: opening and copying a database, its planner's statistics, its errors, its SQL.

No other module of ours imports the driver or SQLAlchemy's dialect of it; another database is a module with the same
functions.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import URL, Connection, Engine, StaticPool, Table, create_engine, event, inspect
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from sync.store.session import Writing

T = TypeVar("T")

#: A connection of the driver's own, to a database that somebody has alone or copies.
Raw = sqlite3.Connection
#: What the driver raises, by itself and through SQLAlchemy.
ERRORS = (sqlite3.Error, DBAPIError)
#: How a transaction begins that only reads, one that writes, and one that nobody reads beside.
READS, WRITES, ALONE = "begin", "begin immediate", "begin exclusive"

#: Alembic's own table.
_VERSIONS = "alembic_version"
#: How long a writer waits for another one's transaction, and whoever only opens the database for one that has it alone.
_BUSY_S = 30.0
#: How long a reader of the moment is waited for; a process that serves does not go away.
_ALONE_S = 5.0
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY", "cache_size = -65536")


def engine(path: Path) -> Engine:
    """Of the database at *path*, which is made when there is none; for its owner only, before a byte is in it."""
    # One that is there is not opened beside SQLite: closing it would drop the locks that this process has on it
    # (sqlite.org/howtocorrupt.html, 2.2).
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    url = URL.create("sqlite", database=str(path))
    result = create_engine(url, connect_args={"timeout": _BUSY_S}, hide_parameters=True)
    event.listen(result, "connect", _connect)
    event.listen(result, "begin", _begin)
    return result


def engine_of(db: Raw) -> Engine:
    """Of one connection, whose transactions have the database alone."""
    result = create_engine("sqlite://", creator=lambda: db, poolclass=StaticPool, hide_parameters=True)
    event.listen(result, "begin", lambda tx: tx.exec_driver_sql(ALONE))
    return result


@contextmanager
def began(made: Engine, how: str) -> Iterator[Connection]:
    """A transaction that begins that way: committed at the end, rolled back on any error."""
    with made.connect().execution_options(zixin_begin=how) as tx, tx.begin():
        yield tx


def _connect(connection: Raw, _entry: Any) -> None:
    # The driver must not open transactions of its own: ours say whether they write.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"pragma {pragma}").close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("zixin_begin", WRITES))


def connect_readonly(path: Path, wait_s: float = _BUSY_S) -> Raw:
    """A connection that can change nothing: neither the way of the log, nor what of it is in the file yet."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=wait_s)


def unshared(path: Path) -> Raw:
    """A connection to the database at *path* that is about to have it alone; it opens no transaction by itself."""
    return sqlite3.connect(path, timeout=_ALONE_S, isolation_level=None, check_same_thread=False)


def take_alone(db: Raw) -> None:
    """Have nobody else read or write beside the connection until it is closed; raises what `trouble` calls held.

    In WAL mode an open connection, one of a process that serves above all, holds a shared lock for as long as it lives
    (sqlite.org/pragma.html#pragma_locking_mode, sqlite.org/wal.html).
    """
    # Before the first read: from then on the write-ahead log is used without memory that others share.
    db.execute("pragma locking_mode = exclusive").close()
    db.execute(ALONE).close()
    db.execute("commit").close()


def revision_of(db: Raw) -> str | None:
    """The revision that a database says it has; None: it has no tables. Empty: tables, and no revision."""
    items = {row[0] for row in db.execute("select name from sqlite_schema where type = 'table'")}
    row = db.execute(f"select version_num from {_VERSIONS}").fetchone() if _VERSIONS in items else None  # noqa: S608
    return None if not items else str(row[0]) if row else ""


def revision_at(path: Path, *, soon: bool = False) -> str | None:
    """As `revision_of`, of the database at *path*, of which no byte changes; None, too: there is none.

    Waits for a process that has it alone, not for long when it is wanted *soon*.
    """
    if not path.is_file() or not path.stat().st_size:
        return None
    with closing(connect_readonly(path, _ALONE_S if soon else _BUSY_S)) as db:
        return revision_of(db)


def lock_folder(path: Path) -> Path:
    """Where the processes that share the database at *path* lock each other out: files lock as its file does."""
    return path.parent


def trouble(error: Exception) -> Literal["held", "full", "unusable"] | None:
    """What the driver's error says of the database: held by another process, no room, not to be opened; None: else."""
    words = words_of(error)
    if "locked" in words:
        return "held"
    if "disk is full" in words or "disk I/O" in words:
        return "full"
    unusable = ("unable to open", "not a database", "malformed", "readonly")
    return "unusable" if any(part in words for part in unusable) else None


def words_of(error: Exception) -> str:
    """The driver's own words of an error."""
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)


def copy(db: Raw, to: Path) -> str | None:
    """Write a copy of one moment of the database into the new file *to*; what is wrong with the copy, None: nothing.

    Readers and the writer are not kept waiting, and no transaction of *db* may be open (sqlite.org/lang_vacuum.html,
    VACUUM INTO).
    """
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT, 0o600))
    db.execute("vacuum into ?", (str(to),)).close()
    with closing(connect_readonly(to)) as connection:
        match = str(connection.execute("pragma integrity_check").fetchone()[0])
    return None if match == "ok" else match


def counts(path: Path) -> dict[str, int]:
    """Table → rows of a database that nobody writes into."""
    with closing(connect_readonly(path)) as db:
        tables = [row[0] for row in db.execute("select name from sqlite_schema where type = 'table' order by name")]
        return {
            name: db.execute(f'select count(*) from "{name}"').fetchone()[0]  # noqa: S608 (names of its own schema)
            for name in tables
        }


#: Rows that a table is planned for, and rows of one account, record or claim.
_ROWS, _FEW = 1_000_000, 3


def tell_planner(tx: Connection) -> None:
    """Write statistics as they are in a store that is in use, so that queries are planned for that from the first row.

    Without them SQLite takes `connection = ?` to be selective, reads every row of a connection where an index over
    account or record would do, and a pull slows down with its length. Source: sqlite.org/fileformat2.html, the table
    sqlite_stat1.
    """
    tx.exec_driver_sql("analyze sqlite_schema")
    tx.exec_driver_sql("delete from sqlite_stat1")
    inspector = inspect(tx)
    for table in inspector.get_table_names():
        if table == _VERSIONS:
            continue
        keys = {table: inspector.get_pk_constraint(table)["constrained_columns"]}
        keys |= {
            str(index["name"]): [str(column) for column in index["column_names"]]
            for index in inspector.get_indexes(table)
        }
        for name, columns in keys.items():
            # Rows that share the first column, the first two, and so on; a whole key is one row.
            shared = [_ROWS, *([_ROWS // 5] * (len(columns) - 2)), 1 if name == table else _FEW][: len(columns)]
            text = " ".join(str(count) for count in (_ROWS, *shared))
            tx.exec_driver_sql("insert into sqlite_stat1 values (?, ?, ?)", (table, name, text))
    tx.exec_driver_sql("analyze sqlite_schema")


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


def insert_new_tuples(
    session: Writing, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]], key: Sequence[str]
) -> None:
    """As `insert_new`, of many rows whose values stand in the order of the names, straight by the driver."""
    if rows:
        statement = insert(table).on_conflict_do_nothing(index_elements=list(key))
        compiled = statement.compile(dialect=session.tx.dialect, column_keys=list(names))
        order = [list(names).index(name) for name in compiled.positiontup or ()]
        session.tx.exec_driver_sql(str(compiled), [tuple(row[place] for place in order) for row in rows])


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


#: SQLite takes at most 32,766 parameters a statement; far fewer keep its planner quick.
_IDS_A_QUERY = 900


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in lists short enough for one query."""
    walk = iter(values)
    while batch := list(islice(walk, _IDS_A_QUERY)):
        yield batch
