"""What the store's functions are given: a transaction, and the connection whose rows they are about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from sqlalchemy import ColumnElement, Connection, FromClause


@dataclass(frozen=True, slots=True)
class Reading:
    """One consistent snapshot. A function that takes it reads, and writes nothing."""

    tx: Connection
    #: The profile's connection to a CRM; empty: of what is asked no table has one.
    name: str = ""

    @property
    def connection(self) -> str:
        """The first column of nearly every table. Raises ValueError in a session that was opened for none."""
        if not self.name:
            raise ValueError("a session of no connection")
        return self.name

    def own(self, table: FromClause) -> ColumnElement[bool]:
        """Of a table, or an alias of one: the rows of this connection."""
        return table.c.connection == self.connection

    def of(self, connection: str) -> Self:
        """The same transaction, about another connection."""
        return replace(self, name=connection)


@dataclass(frozen=True, slots=True)
class Writing(Reading):
    """The one writer's transaction. A function that takes it may write."""
