"""Reading a system that a connector file describes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from adapters.common.budget import Budget
from adapters.common.facade import Facade
from adapters.common.http import RetryPolicy
from adapters.common.organisation import organisation_of
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


class Reader(Facade):
    """One system, spoken to as its connector file says."""

    def __init__(
        self,
        connector: Connector,
        settings: Mapping[str, str],
        shared: Shared,
        *,
        name: str,
        patience: RetryPolicy | None = None,
    ) -> None:
        """`settings`: all that the file declares."""
        self.spent = Spent()
        self._connector = connector
        self._accounts = connector.accounts()
        known = {key: settings.get(key, item.default or "") for key, item in connector.settings.items()}

        retry_policy = patience or RetryPolicy(answer_s=connector.limits.answer_s)
        self._wire = Wire(connector, known, retry_policy, Budget(shared, name, settings.get(CAP, ""), self.spent).take)
        self._proof = Proof(connector.auth, self._wire, shared, name)
        self._glancing = Reading(connector, self._wire, self._proof, shared.now)
        super().__init__(self._wire.http, self._glancing)
        self._kinds: dict[str, str] = {}

    def glance(self, source: Source) -> Iterator[Page]:
        """Pages of some of its records."""
        yield from self._glancing.glance(source)

    def organisation(self) -> Organisation:
        """Name and home currency."""
        me = self._connector.me
        payload = self._wire.document(self._proof.ask(me.request, self._wire.given()))
        currency = rows.text(select.first(me.currency, payload)) if me.currency else None
        company = rows.text(select.first(me.company, payload)) if me.company else None
        currency = currency or self._wire.settings.get(me.currency_setting, "")
        return organisation_of(self._wire.host, company or self._connector.title, currency)

    def describe(self, name: str) -> Described:
        """The fields of an object, as far as the file says how to ask for them."""
        return fields.describe(self._connector, self._wire, self._proof, name)
