"""A simulated Salesforce org as the contract suite drives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import polars as pl
import requests

from adapters.salesforce.auth import Credentials
from adapters.salesforce.crm import Salesforce
from adapters.salesforce.simulator.fill import fill
from adapters.salesforce.simulator.org import Org, form
from adapters.salesforce.simulator.server import application
from adapters.simulation.faults import CUT, TRICKLE
from adapters.simulation.lies import Lies
from adapters.simulation.serving import serve_in_thread
from mappings.load import Mapping as Fields
from mappings.load import packaged
from tests.adapters.drift import NUMBERS, Drifts, attribute, gone
from tests.simulated import Slots, impatient
from tests.waiting import ANSWER_S


@dataclass
class SalesforceDouble:
    """A Salesforce org."""

    org: Org
    origin: str
    mapping: Fields
    bulk: bool = False
    lacks: Mapping[str, str] = field(default_factory=dict)

    def crm(self, **given: Any) -> Salesforce:
        credentials = Credentials(self.origin, self.org.client_id, self.org.client_secret, **given)
        patience = impatient()
        result = Salesforce(credentials, Slots(self.org.now), patience=patience)
        result.reading.most, result.reading.per_result = 150, 150
        if self.bulk:
            result.reading.bulk_from = result.bulk_from = 1
        return result

    def edit(self, source: str, key: str, **values: str | None) -> None:
        name, record = self._find(source, key)
        self.org.change(name, record, self._named(source, values))

    def remove(self, source: str, key: str) -> None:
        self.org.delete(*self._find(source, key))

    def commit_late(self, source: str, key: str, seconds: int, **values: str | None) -> None:
        name, record = self._find(source, key)
        self.org.change(name, record, self._named(source, values))
        at = form(self.org.now() - timedelta(seconds=seconds))
        self.org.tables[name].records[record]["SystemModstamp"] = at

    def expire(self) -> None:
        self.post("revoke", tokens_only=True)

    def refreshes(self) -> int:
        return self.org.issued

    def fault(self, what: str, times: int, writes: bool = False) -> None:
        status = {"cut": CUT, "trickle": TRICKLE}.get(what) if what.isalpha() else int(what)
        self.post("faults", status=status, times=times, writes=writes)

    @property
    def lies(self) -> Lies:
        return self.org.lies

    def rule(self, record: str, *words: str) -> None:
        self.org.rules.pop(record, None)
        if words:
            self.org.rules[record] = list(words)

    def advance(self, seconds: int) -> None:
        self.post("clock", advance_s=seconds)

    def shown(self, record: str) -> Mapping[str, Any]:
        return self.org.tables["Account"].records[record]

    def post(self, action: str, **told: Any) -> None:
        requests.post(f"{self.origin}/control/{self.org.control_token}/{action}", json=told, timeout=ANSWER_S)

    def _find(self, source: str, key: str) -> tuple[str, str]:
        name = self.mapping.sources[source].object
        for record, row in self.org.tables[name].records.items():
            if key in (row.get("AccountNumber"), row.get("Name")):
                return name, record
        raise KeyError(key)

    def _named(self, source: str, values: Mapping[str, str | None]) -> dict[str, Any]:
        columns = self.mapping.sources[source].yields[0].columns
        return {
            str(columns[name].field): Decimal(value) if name == "amount" and value else value
            for name, value in values.items()
        }


@contextmanager
def salesforce(tables: Mapping[str, pl.DataFrame], *, bulk: bool = False) -> Iterator[SalesforceDouble]:
    """An org that is filled with these tables; `bulk`: reads and writes by Bulk API 2.0 jobs whatever the number."""
    org = Org()
    fill(org, tables)
    with serve_in_thread(application(org)) as origin:
        yield SalesforceDouble(org, origin, packaged("salesforce"), bulk)


DOUBLES = {"salesforce": salesforce, "salesforce-bulk": partial(salesforce, bulk=True)}


DRIFTS = {
    "salesforce": Drifts(
        lambda state: state.org.table("Account").fields,
        lambda state: state.org.table("Account").records,
        {
    "gone": gone, "retyped": attribute("type", "url"), "relabelled": attribute("label", "Somebody's"),
    "marked": attribute("tip", "no mark"), "read only": attribute("updateable", False),
    "options": attribute("options", ("AAA",), ("choice", "choices")), "decimals": attribute("scale", 0, NUMBERS),
    "hidden": attribute("granted", False),
},
    )
}  # fmt: skip
