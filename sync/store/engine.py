"""Opening the database, and the two ways of talking to it: a snapshot to read, one writer at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.store import dialect, revision
from sync.store.problems import database_errors
from sync.store.session import Reading, Writing


class Store:
    """The product's database. Safe across threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it when there is none.

        Raises Misconfigured when it cannot be opened, is not ours, or has another revision than this zixin's.
        """
        self.path = path
        with database_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            there = revision.current(path)
            self._engine = dialect.engine(path)
            if not there:
                with dialect.began(self._engine, dialect.WRITES) as tx:
                    # Unless another process was first.
                    if not revision.has_tables(tx):
                        revision.migrate(tx)

    @property
    def lock_folder(self) -> Path:
        """Where the processes that share this store lock each other out, and find what is paused."""
        return dialect.lock_folder(self.path)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def write(self, connection: str = "") -> Iterator[Writing]:
        """The one writer's transaction: committed at the end, rolled back on any error."""
        with database_errors(self.path), dialect.began(self._engine, dialect.WRITES) as tx:
            yield Writing(tx, connection)

    @contextmanager
    def read(self, connection: str = "") -> Iterator[Reading]:
        """One consistent snapshot, which never waits for a writer."""
        with database_errors(self.path), dialect.began(self._engine, dialect.READS) as tx:
            yield Reading(tx, connection)
