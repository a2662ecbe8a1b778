"""Simulated CRMs that are attached: how each keeps its fields, and the ways in which they drift."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connector.assessment import Written
from tests.connector.scoring.books import books, invoice

BOOKS = books([invoice("I1", 100_00, "2025-01-01", "2025-01-31", "A1")], [])

Seed = Callable[[Any, str, Written], bool]


def gone(fields: Any, name: str, item: Written) -> bool:
    del fields[name]
    return True


def attribute(key: str, value: Any, kinds: tuple[str, ...] = ()) -> Seed:
    """Sets one attribute of a field, of the kinds that have it."""

    def seed(fields: Any, name: str, item: Written) -> bool:
        if kinds and item.kind not in kinds:
            return False
        meta = fields[name]
        if isinstance(meta, dict):
            meta[key] = value
        else:
            setattr(meta, key, value)
        return True

    return seed


NUMBERS = ("number", "money")
#: CRM → ways in which a field of it drifts.
SEEDS: dict[str, dict[str, Seed]] = {
    "zoho": {
        "gone": gone, "retyped": attribute("type", "website"), "relabelled": attribute("label", "Somebody's"),
        "marked": attribute("tip", "no mark"), "read only": attribute("read_only", True),
        "options": attribute("options", ("AAA",), ("choice", "choices")), "decimals": attribute("places", 0, NUMBERS),
        "shortened": attribute("length", 20, ("text",)), "opened": attribute("access", {}),
    },
    "salesforce": {
        "gone": gone, "retyped": attribute("type", "url"), "relabelled": attribute("label", "Somebody's"),
        "marked": attribute("tip", "no mark"), "read only": attribute("updateable", False),
        "options": attribute("options", ("AAA",), ("choice", "choices")), "decimals": attribute("scale", 0, NUMBERS),
        "hidden": attribute("granted", False),
    },
    "erpnext": {
        "gone": gone, "retyped": attribute("fieldtype", "Link"), "relabelled": attribute("label", "Somebody's"),
        "marked": attribute("description", "no mark"), "options": attribute("options", "AAA", ("choice",)),
    },
    "espocrm": {
        "gone": gone, "retyped": attribute("type", "url"), "read only": attribute("readOnly", True),
        "options": attribute("options", ["AAA"], ("choice", "choices")),
    },
    "rest": {
        "gone": gone, "retyped": attribute("type", "blob"), "relabelled": attribute("label", "Somebody's"),
        "marked": attribute("description", "no mark"), "read only": attribute("read_only", True),
        "options": attribute("options", ["AAA"], ("choice", "choices")), "shortened": attribute("length", 20, ("text",)),
    },
}  # fmt: skip


#: One of each kind of adapter counts for coverage.
EVERY = [pytest.param(name, marks=() if name in ("zoho", "rest") else pytest.mark.apart) for name in SEEDS]


class Crm:
    """A CRM that runs, whose fields a test may change behind zixin's back."""

    def __init__(self, name: str, made: Any) -> None:
        self.name = name
        state = made.application.state
        self.state: Any = state.org if name in ("zoho", "salesforce") else state.system

    def fields(self) -> Any:
        """Name → its meta, as the simulated CRM keeps it."""
        match self.name:
            case "zoho":
                return self.state.modules["Accounts"].fields
            case "salesforce":
                return self.state.table("Account").fields
            case "erpnext":
                return ByName(self.state.objects["Custom Field"])
            case "espocrm":
                return self.state.fields["Account"]
        return self.state.fields["accounts"]

    def accounts(self) -> dict[str, dict[str, Any]]:
        """Id → account, as the simulated CRM keeps it."""
        found: dict[str, dict[str, Any]]
        match self.name:
            case "zoho":
                found = self.state.modules["Accounts"].records
            case "salesforce":
                found = self.state.table("Account").records
            case _:
                found = self.state.objects[{"erpnext": "Customer", "espocrm": "Account"}.get(self.name, "accounts")]
        return found


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
