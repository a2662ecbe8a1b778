"""Reading a system that a connector file describes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from adapters.common.budget import Budget
from adapters.common.http import Patience
from adapters.declarative import fields, rows, select
from adapters.declarative.auth import Proof
from adapters.declarative.connector import Connector
from adapters.declarative.models import CAP
from adapters.declarative.reading import Reading
from adapters.declarative.wire import Wire
from connector.ports import (
    Described,
    Organisation,
    Page,
    Shared,
    Source,
    Spent,
)

#: Characters kept of a refusal.
_MOST_WORDS = 500
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class Reader:
    """One system, spoken to as its connector file says."""

    def __init__(
        self, connector: Connector, settings: Mapping[str, str], shared: Shared, *, name: str,
        patience: Patience | None = None,
    ) -> None:  # fmt: skip
        """`settings`: all that the file declares."""
        self.spent = Spent()
        self._connector = connector
        self._accounts = connector.accounts()
        known = {key: settings.get(key, item.default or "") for key, item in connector.settings.items()}

        given = patience or Patience(answer_s=connector.limits.answer_s)
        self._wire = Wire(connector, known, given, Budget(shared, name, settings.get(CAP, ""), self.spent).take)
        self._proof = Proof(connector.auth, self._wire, shared, name)
        self._reading = Reading(connector, self._wire, self._proof)
        self._kinds: dict[str, str] = {}

    def now(self) -> datetime:
        """The system's clock, from the newest answer's Date."""
        return self._wire.http.now()

    def organisation(self) -> Organisation:
        """Name and home currency."""
        me = self._connector.me
        told = self._wire.document(self._proof.ask(me.request, self._wire.given()))
        currency = rows.text(select.first(me.currency, told)) if me.currency else None
        company = rows.text(select.first(me.company, told)) if me.company else None
        return Organisation(company or self._connector.title, currency or self._wire.settings[me.currency_setting])

    def describe(self, name: str) -> Described:
        """The fields of an object, as far as the file says how to ask for them."""
        return fields.describe(self._connector, self._wire, self._proof, name)

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:
        """All records, or those changed since the cursor."""
        yield from self._reading.read(source, cursor)

    def fetch(self, source: Source, records: Sequence[str]) -> Iterator[Page]:
        """Records by id."""
        yield from self._reading.fetch(source, records)

    def ledger(self, source: Source, by: str, accounts: Sequence[str]) -> Iterator[Page]:
        """Records whose field `by` is one of these accounts."""
        yield from self._reading.ledger(source, by, accounts)
