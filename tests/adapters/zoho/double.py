"""A simulated Zoho CRM as the contract suite drives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl

from adapters.simulation.lies import Lies
from adapters.zoho.crm import Zoho
from mappings.load import Mapping as Fields
from mappings.load import packaged
from tests.adapters.drift import NUMBERS, Drifts, attribute, gone
from tests.simulated import Sim, simulated_zoho


@dataclass
class ZohoDouble:
    """Zoho CRM."""

    sim: Sim
    mapping: Fields
    #: Records from which a module is read by a bulk job.
    bulk_from: int = 34_200
    lacks: Mapping[str, str] = field(default_factory=dict)

    def crm(self) -> Zoho:
        zoho = self.sim.crm()
        zoho._reading.most, zoho._reading.bulk_from = 150, self.bulk_from
        return zoho

    def edit(self, source: str, key: str, **values: str | None) -> None:
        module, record = self._find(source, key)
        self.sim.org.change(module, record, self._named(source, values))

    def remove(self, source: str, key: str) -> None:
        self.sim.org.delete(*self._find(source, key))

    def commit_late(self, source: str, key: str, seconds: int, **values: str | None) -> None:
        module, record = self._find(source, key)
        self.sim.org.change(module, record, self._named(source, values))
        at = (self.sim.org.now() - timedelta(seconds=seconds)).isoformat(timespec="seconds")
        self.sim.org.modules[module].records[record]["Modified_Time"] = at

    def expire(self) -> None:
        self.sim.org.kill_tokens()

    def refreshes(self) -> int:
        return len(self.sim.org._refreshes)

    def fault(self, what: str, times: int, writes: bool = False) -> None:
        status = {"cut": 0, "trickle": 1}.get(what) if what.isalpha() else int(what)
        apis = ["write"] if writes else ["coql"] if self.bulk_from else ["bulk", "job", "file"]
        for api in apis:
            self.sim.control("faults", api=api, status=status, times=times)

    @property
    def lies(self) -> Lies:
        return self.sim.org.lies

    def rule(self, record: str, *words: str) -> None:
        # Zoho names one error a record.
        self.sim.org.rules.pop(record, None)
        if words:
            self.sim.org.rules[record] = words[0]

    def advance(self, seconds: int) -> None:
        self.sim.control("clock", advance_s=seconds)

    def shown(self, record: str) -> Mapping[str, Any]:
        return self.sim.org.modules["Accounts"].records[record]

    def _find(self, source: str, key: str) -> tuple[str, str]:
        module = self.mapping.sources[source].object
        for record, row in self.sim.org.modules[module].records.items():
            if key in (row.get("Account_Number"), row.get("Subject"), row.get("Name")):
                return module, record
        raise KeyError(key)

    def _named(self, source: str, values: Mapping[str, str | None]) -> dict[str, str | None]:
        columns = self.mapping.sources[source].yields[0].columns
        return {str(columns[name].field): value for name, value in values.items()}


@contextmanager
def _zoho(tables: Mapping[str, pl.DataFrame]) -> Iterator[ZohoDouble]:
    with simulated_zoho(tables) as sim:
        yield ZohoDouble(sim, packaged("zoho"))


@contextmanager
def _zoho_bulk(tables: Mapping[str, pl.DataFrame]) -> Iterator[ZohoDouble]:
    """Zoho, whole modules read by bulk jobs of a hundred and fifty rows per file."""
    with simulated_zoho(tables) as sim:
        sim.org.jobs.rows_a_file = 150
        yield ZohoDouble(sim, packaged("zoho"), bulk_from=0)


DOUBLES = {"zoho": _zoho, "zoho-bulk": _zoho_bulk}


DRIFTS = {
    "zoho": Drifts(
        lambda state: state.org.modules["Accounts"].fields,
        lambda state: state.org.modules["Accounts"].records,
        {
    "gone": gone, "retyped": attribute("type", "website"), "relabelled": attribute("label", "Somebody's"),
    "marked": attribute("tip", "no mark"), "read only": attribute("read_only", True),
    "options": attribute("options", ("AAA",), ("choice", "choices")), "decimals": attribute("places", 0, NUMBERS),
    "shortened": attribute("length", 20, ("text",)), "opened": attribute("access", {}),
},
    )
}  # fmt: skip
