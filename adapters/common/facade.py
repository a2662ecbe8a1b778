"""What every façade of an adapter hands on alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from adapters.common.http import Http
from connector.ports import Page, Source


class ReadsPages(Protocol):
    """The part of an adapter that reads."""

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:
        """As `Reads.read`."""
        ...

    def fetch(self, source: Source, records: Sequence[str]) -> Iterator[Page]:
        """As `Reads.fetch`."""
        ...

    def ledger(self, source: Source, by: str, accounts: Sequence[str]) -> Iterator[Page]:
        """As `Reads.ledger`."""
        ...


class Facade:
    """The clock of the CRM's answers, and what its reading part reads."""

    def __init__(self, http: Http, reading: ReadsPages) -> None:
        self._http = http
        self._reading = reading

    def now(self) -> datetime:
        """The CRM's clock, from the newest answer's Date."""
        return self._http.now()

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:
        """All records, or those changed since the cursor, and what was deleted since."""
        yield from self._reading.read(source, cursor)

    def fetch(self, source: Source, records: Sequence[str]) -> Iterator[Page]:
        """Records by id; those that the CRM does not return are gone."""
        yield from self._reading.fetch(source, records)

    def ledger(self, source: Source, by: str, accounts: Sequence[str]) -> Iterator[Page]:
        """Records whose lookup `by` is one of these accounts."""
        yield from self._reading.ledger(source, by, accounts)
