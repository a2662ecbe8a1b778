"""Which revision of the tables a database has, and the way to the newest one.

A database is brought up to date by one process that has it alone, in one transaction: a kill leaves the old tables or
the new ones. Opening a store never does it (`sync.upgrade` does), so that a look changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect

from connector.errors import Misconfigured
from sync.store import dialect, migrations
from sync.store.problems import database_errors

#: As our revisions are called; they are told apart by their order.
_OURS = re.compile(r"(?!0000)\d{4}")


def behind(path: Path) -> str | None:
    """The revision of a database that is to be brought up to date; None: it is, or there is none.

    Raises Misconfigured: it is of a later release, or not ours; Busy: another process has it alone.
    """
    with database_errors(path, alone=True):
        match = _known_revision(path, soon=True)
    return match if match is not None and match < migrations.HEAD else None


def current(path: Path) -> bool:
    """Whether the database has tables, which are then of the newest revision; a look changes no byte of it.

    Raises Misconfigured: they are of another revision, or not ours.
    """
    match = _known_revision(path)
    if match is not None and match != migrations.HEAD:
        raise Misconfigured("E-STORE-OLD", path=str(path), found=match, wanted=migrations.HEAD)
    return match is not None


def has_tables(tx: Connection) -> bool:
    """Whether the database has any table."""
    return bool(inspect(tx).get_table_names())


def migrate(tx: Connection) -> None:
    """Bring the database to the newest revision, within the transaction; an empty one is filled with our tables."""
    migrations.upgrade(tx)
    dialect.tell_planner(tx)


@contextmanager
def alone(path: Path) -> Iterator[dialect.Raw]:
    """A connection that nobody else reads or writes beside, from its first statement until the block ends.

    Raises Busy when another process has the database open, one that serves above all.
    """
    with closing(dialect.unshared(path)) as db:
        with database_errors(path, alone=True):
            dialect.take_alone(db)
        yield db


def bring_up(db: dialect.Raw, path: Path) -> None:
    """Bring the database at *path*, by a connection from `alone`, to the newest revision, in one transaction."""
    with database_errors(path), dialect.engine_of(db).begin() as tx:
        migrate(tx)


def _known_revision(path: Path, *, soon: bool = False) -> str | None:
    """The revision of the database at *path*, one that we know; None: there is no database, or it has no tables."""
    match = dialect.revision_at(path, soon=soon)
    if match is not None and not _OURS.fullmatch(match):
        raise Misconfigured("E-STORE-FOREIGN", path=str(path))
    if match is not None and match > migrations.HEAD:
        raise Misconfigured("E-STORE-REVISION", path=str(path), found=match, wanted=migrations.HEAD)
    return match
