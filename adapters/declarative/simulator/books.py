"""Canonical tables as plain records that any system can be filled from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from connector import money
from connector.schema import TABLES, day_of


@dataclass(slots=True)
class Books:
    """Records by their number, with ISO days and Decimal amounts; `applied` is (receivable, amount) a part."""

    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    limits: dict[str, dict[str, Any]] = field(default_factory=dict)
    receivables: dict[str, dict[str, Any]] = field(default_factory=dict)
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    adjustments: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: currency, base, day, rate as a decimal.
    rates: list[dict[str, Any]] = field(default_factory=list)
    applied: dict[str, list[tuple[str, Decimal]]] = field(default_factory=dict)


def books(tables: Mapping[str, pl.DataFrame]) -> Books:
    """Columns in: those of the canonical tables."""
    made = Books()
    for name, key in (
        ("accounts", "account_id"), ("receivables", "receivable_id"), ("payments", "payment_id"),
        ("adjustments", "adjustment_id"),
    ):  # fmt: skip
        kept: dict[str, dict[str, Any]] = getattr(made, name)
        for row in _rows(tables, name):
            kept[str(row[key])] = row
    made.limits = {row["account_id"]: row for row in _rows(tables, "limits") if row["scope"] == "account"}
    made.rates = [{**row, "rate": Decimal(row["rate"]).scaleb(-money.RATE_SCALE)} for row in _rows(tables, "rates")]
    for row in _rows(tables, "allocations"):
        part = row["payment_amount"] if row["payment_amount"] is not None else row["amount"]
        made.applied.setdefault(row["payment_id"] or row["adjustment_id"], []).append((row["receivable_id"], part))
    return made


def _rows(tables: Mapping[str, pl.DataFrame], name: str) -> list[dict[str, Any]]:
    days = {column.name for column in TABLES[name].columns if column.kind == "day"}
    amounts = {column.name: column.of for column in TABLES[name].columns if column.kind == "money"}
    made = []
    for row in tables.get(name, TABLES[name].empty()).to_dicts():
        shown = {
            key: day_of(value).isoformat() if key in days and value is not None else value for key, value in row.items()
        }
        for key, unit in amounts.items():
            if row.get(key) is not None:
                code = row.get(unit) or row.get("currency") or _unit_of(row, tables)
                shown[key] = money.from_minor(row[key], str(code))
        made.append(shown)
    return made


def _unit_of(row: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]) -> str:
    """The currency of an allocation that says none: that of its payment or adjustment."""
    for name, key in (("payments", "payment_id"), ("adjustments", "adjustment_id")):
        if row.get(key) and name in tables:
            found = tables[name].filter(pl.col(key) == row[key])["currency"]
            if found.len():
                return str(found[0])
    return "USD"
