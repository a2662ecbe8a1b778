"""How a simulated REST system is made."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

import polars as pl

from adapters.registry import Simulated


def simulated(crm: str, tables: Mapping[str, pl.DataFrame], currency: str, ahead_s: float) -> Simulated:
    """The system that this connector file is for, filled with canonical tables."""
    name = "own" if crm == "rest" else crm
    module = import_module(f"adapters.declarative.simulator.{name}")
    return cast("Simulated", module.simulated(tables, currency, ahead_s))
