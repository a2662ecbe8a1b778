"""Simulated CRMs that are attached: how each keeps its fields, and the ways in which they drift."""

from typing import Any

import pytest

from tests.adapters.drift import Drifts
from tests.connector.scoring.books import books, invoice
from tests.contract.doubles import MODULES

BOOKS = books([invoice("I1", 100_00, "2025-01-01", "2025-01-31", "A1")], [])

DRIFTS: dict[str, Drifts] = {name: each for module in MODULES for name, each in module.DRIFTS.items()}
#: CRM → ways in which a field of it drifts.
SEEDS = {name: each.seeds for name, each in DRIFTS.items()}
#: One of each kind of adapter counts for coverage.
EVERY = [pytest.param(name, marks=() if name in ("zoho", "rest") else pytest.mark.apart) for name in SEEDS]


class Crm:
    """A CRM that runs, whose fields a test may change behind zixin's back."""

    def __init__(self, name: str, made: Any) -> None:
        self.name = name
        self._state: Any = made.application.state

    @property
    def state(self) -> Any:
        """The simulator itself."""
        return getattr(self._state, "org", None) or self._state.system

    def fields(self) -> Any:
        """Name → its meta, as the simulated CRM keeps it."""
        return DRIFTS[self.name].fields(self._state)

    def accounts(self) -> dict[str, dict[str, Any]]:
        """Id → account, as the simulated CRM keeps it."""
        return DRIFTS[self.name].accounts(self._state)
