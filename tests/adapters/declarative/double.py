"""Simulated REST systems as the contract suite drives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from importlib import import_module
from typing import Any

import polars as pl

from adapters import registry
from adapters.declarative.crm import open_declared
from adapters.declarative.entry import connector_of
from adapters.declarative.reader import Reader
from adapters.declarative.simulator.system import System
from adapters.simulation.faults import CUT, TRICKLE
from adapters.simulation.lies import Lies
from adapters.simulation.serving import serve_in_thread
from mappings.load import Mapping as Fields
from mappings.load import packaged
from tests.adapters.drift import Drifts, attribute, gone
from tests.simulated import Slots, impatient
from tests.waiting import ANSWER_S


@dataclass
class RestDouble:
    """A system that a connector file describes."""

    name: str
    system: System
    simulated: registry.Simulated
    origin: str
    mapping: Fields
    #: Exemptions: what the suite cannot ask of this system, and why.
    lacks: Mapping[str, str]

    def crm(self) -> Reader:
        settings = self.simulated.credentials(self.origin)
        patience = impatient()
        return open_declared(
            connector_of(self.name, settings), settings, Slots(self.system.now), name="x", patience=patience
        )

    def edit(self, source: str, key: str, **values: str | None) -> None:
        object_, record = self._find(source, key)
        self.system.put(object_, record, self._named(source, object_, record, values))

    def remove(self, source: str, key: str) -> None:
        self.system.drop(*self._find(source, key))

    def commit_late(self, source: str, key: str, seconds: int, **values: str | None) -> None:
        object_, record = self._find(source, key)
        self.system.put(object_, record, self._named(source, object_, record, values))
        at = self.system.now() - timedelta(seconds=seconds)
        self.system.objects[object_][record][self.system.stamped] = self.system.stamp_form(at)

    def fault(self, what: str, times: int, writes: bool = False) -> None:
        status = {"cut": CUT, "trickle": TRICKLE}.get(what) if what.isalpha() else int(what)
        self.post("faults", status=status, times=times, writes=writes)

    def expire(self) -> None:
        raise NotImplementedError(self.lacks["tokens"])

    def refreshes(self) -> int:
        raise NotImplementedError(self.lacks["tokens"])

    @property
    def lies(self) -> Lies:
        return self.system.lies

    def rule(self, record: str, *words: str) -> None:
        self.system.rules.pop(record, None)
        if words:
            self.system.rules[record] = list(words)

    def advance(self, seconds: int) -> None:
        self.post("clock", advance_s=seconds)

    def shown(self, record: str) -> Mapping[str, Any]:
        return self.system.objects[self.mapping.writes.object][record]

    def post(self, action: str, **told: Any) -> None:
        import requests

        requests.post(f"{self.origin}/control/{self.system.control_token}/{action}", json=told, timeout=ANSWER_S)

    def _find(self, source: str, key: str) -> tuple[str, str]:
        object_ = self.mapping.sources[source].object
        for record, row in self.system.objects[object_].items():
            if key in row.values():
                return object_, record
        raise KeyError(key)

    def _named(self, source: str, object_: str, record: str, values: Mapping[str, str | None]) -> dict[str, Any]:
        columns = self.mapping.sources[source].yields[0].columns
        named: dict[str, Any] = {
            str(columns[name].field): Decimal(value) if name == "amount" and value else value
            for name, value in values.items()
        }
        if "part_amount" in named:
            # ERPNext keeps it in the one line of the payment schedule.
            line = self.system.objects[object_][record]["payment_schedule"][0]
            named["payment_schedule"] = [{**line, "payment_amount": named.pop("part_amount")}]
        return named


#: What a system has no notion of; the suite's tests of it are skipped, with this reason.
_ONE_ENGINE = "slow answers are the engine's, which `rest` is tried for: each costs seconds of waiting"
LACKS = {
    "rest": {"tokens": "a fixed token, which does not expire"},
    "espocrm": {
        "tokens": "an API key, which does not expire",
        "storms": _ONE_ENGINE,
        "deletes": "EspoCRM says nothing of deleted records; the night's full read finds them",
    },
    "erpnext": {
        "tokens": "an API key and its secret, which do not expire",
        "storms": _ONE_ENGINE,
        "proof": "bulk_update names what failed, and nothing else",
    },
}


@contextmanager
def rest(name: str, tables: Mapping[str, pl.DataFrame]) -> Iterator[RestDouble]:
    """That system, filled with these tables."""
    module = import_module(f"adapters.declarative.simulator.{'own' if name == 'rest' else name}")
    system, result = module.filled(tables, "USD", 0.0)
    system.most = 150
    with serve_in_thread(result.application) as origin:
        yield RestDouble(name, system, result, origin, packaged(name), LACKS[name])


DOUBLES = {name: partial(rest, name) for name in LACKS}
#: A connector file on the engine that `rest` runs, without a call that another file does not make.
APART = ("espocrm",)


class ByName:
    """ERPNext's custom fields, whose records are called by doctype and name."""

    def __init__(self, records: dict[str, dict[str, Any]]) -> None:
        self._records = records

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self._records[f"Customer-{name}"]

    def __delitem__(self, name: str) -> None:
        del self._records[f"Customer-{name}"]

    def __iter__(self) -> Iterator[str]:
        return (key.removeprefix("Customer-") for key in self._records)


DRIFTS = {
    "erpnext": Drifts(
        lambda state: ByName(state.system.objects["Custom Field"]),
        lambda state: state.system.objects["Customer"],
        {
    "gone": gone, "retyped": attribute("fieldtype", "Link"), "relabelled": attribute("label", "Somebody's"),
    "marked": attribute("description", "no mark"), "options": attribute("options", "AAA", ("choice",)),
},
    ),
    "espocrm": Drifts(
        lambda state: state.system.fields["Account"],
        lambda state: state.system.objects["Account"],
        {
    "gone": gone, "retyped": attribute("type", "url"), "read only": attribute("readOnly", True),
    "options": attribute("options", ["AAA"], ("choice", "choices")),
},
    ),
    "rest": Drifts(
        lambda state: state.system.fields["accounts"],
        lambda state: state.system.objects["accounts"],
        {
    "gone": gone, "retyped": attribute("type", "blob"), "relabelled": attribute("label", "Somebody's"),
    "marked": attribute("description", "no mark"), "read only": attribute("read_only", True),
    "options": attribute("options", ["AAA"], ("choice", "choices")), "shortened": attribute("length", 20, ("text",)),
},
    ),
}  # fmt: skip
