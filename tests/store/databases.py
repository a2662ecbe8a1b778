"""Databases that the store's promises are tried on.

Another one joins by an entry in `DATABASES`: a store of it is opened by whoever shares its place, in this process and in
others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sync.store import Store


@dataclass(frozen=True)
class Database:
    """A kind of database, and what it can do."""

    name: str
    #: Its file can be copied, opened alone and put back by us; one that a server keeps has the server's own ways.
    in_a_file: bool
    #: A text may hold the character NUL.
    keeps_nul: bool
    #: Promise → why this database does not keep it.
    exempt: Mapping[str, str] = field(default_factory=dict)

    def store(self, place: Path) -> Store:
        """The store at that place, made when there is none."""
        return Store(place / "zixin.db")


DATABASES = (Database("sqlite", in_a_file=True, keeps_nul=True),)
