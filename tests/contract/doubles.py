"""Simulated CRMs as the contract suite drives them: in zixin's own terms, whatever the vendor calls things.

An adapter's tests bring its double: tests/adapters/FOLDER/double.py with `DOUBLES`, name → what fills it and lets it run,
`DRIFTS`, the ways in which its fields drift, and optionally `APART`, names whose code another double runs too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import pytest

import adapters
from adapters.simulation.lies import Lies
from mappings.load import Mapping as Fields


class Double(Protocol):
    """A simulator that runs, filled from canonical tables."""

    #: The mapping that the CRM's fields are read by.
    mapping: Fields
    #: What the CRM has no notion of, and why: `tokens`, `deletes`, `storms`, `proof` (its answers to writes prove none).
    lacks: Mapping[str, str]

    def crm(self) -> Any:
        """A new adapter, with a token store of its own."""
        ...

    def edit(self, source: str, key: str, **values: str | None) -> None:
        """Change canonical columns of the record whose number or name is that key."""
        ...

    def remove(self, source: str, key: str) -> None:
        """Delete it."""
        ...

    def commit_late(self, source: str, key: str, seconds: int, **values: str | None) -> None:
        """A change that becomes visible now and bears a modified time of so many seconds ago."""
        ...

    def expire(self) -> None:
        """Make the access tokens invalid."""
        ...

    def refreshes(self) -> int:
        """Access tokens issued so far."""
        ...

    def fault(self, what: str, times: int, writes: bool = False) -> None:
        """One of 429, 500, 502, 503, cut (the connection breaks within the answer), trickle (the answer comes byte by
        byte), on the next reads or writes.
        """
        ...

    @property
    def lies(self) -> Lies:
        """Lies of its lists, to be ordered."""
        ...

    def rule(self, record: str, *words: str) -> None:
        """From now on a rule about fields that are not ours refuses every write of an account, saying so; none: no more."""
        ...

    def advance(self, seconds: int) -> None:
        """Move the CRM's clock."""
        ...

    def shown(self, record: str) -> Mapping[str, Any]:
        """What the account of that id shows of the vendor's fields."""
        ...


Filled = Callable[[Mapping[str, pl.DataFrame]], AbstractContextManager[Double]]

#: The doubles' module of each adapter that there is.
MODULES = [
    import_module(f"tests.adapters.{entry.parent.name}.double")
    for entry in sorted(Path(adapters.__file__).parent.glob("*/entry.py"))
]
#: Every adapter that the suite runs over.
DOUBLES: dict[str, Filled] = {name: filled for module in MODULES for name, filled in module.DOUBLES.items()}
#: Adapters that only read: the reading half of the suite runs over them, too.
READERS: dict[str, Filled] = {
    name: filled for module in MODULES for name, filled in getattr(module, "READERS", {}).items()
}
_APART = {name for module in MODULES for name in getattr(module, "APART", ())}


#: Doubles whose wire another one has, too, or that need most time.
_HEAVY = ("erpnext", "salesforce-bulk", "zoho-bulk")


def every(*, heavy: bool = False, readers: bool = False) -> list[Any]:
    """Parameters of a test, one per double; those whose code another double runs too are measured for no coverage.

    `heavy`: a test of some seconds, which runs over some of them in the slow part only; `readers`: a test of reading.
    """
    return [
        pytest.param(
            name,
            marks=[
                *([pytest.mark.apart] if name in _APART else []),
                *([pytest.mark.slow] if heavy and name in _HEAVY else []),
            ],
        )
        for name in sorted([*DOUBLES, *(READERS if readers else ())])
    ]
