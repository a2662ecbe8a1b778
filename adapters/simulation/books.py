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
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: currency, base, day, rate as a decimal.
    rates: list[dict[str, Any]] = field(default_factory=list)
    applied: dict[str, list[tuple[str, Decimal]]] = field(default_factory=dict)

    def parts(self, key: str) -> list[tuple[str | None, Decimal]]:
        """(receivable, amount) of each allocation of a payment or adjustment, and of what it leaves unapplied."""
        applied = self.applied.get(key, [])
        row = self.payments.get(key) or self.adjustments[key]
        left: Decimal = row["amount"] - sum((part for _, part in applied), Decimal(0))
        return [*applied, *([(None, left)] if left or not applied else [])]


def books(tables: Mapping[str, pl.DataFrame]) -> Books:
    """Columns in: those of the canonical tables."""
    results = Books()
    for name, key in (
        ("accounts", "account_id"),
        ("receivables", "receivable_id"),
        ("payments", "payment_id"),
        ("adjustments", "adjustment_id"),
        ("orders", "order_id"),
    ):
        stored: dict[str, dict[str, Any]] = getattr(results, name)
        for row in _rows(tables, name):
            stored[str(row[key])] = row
    # What a CRM keeps in a field of the account is the limit that people agreed, and no other kind.
    results.limits = {
        row["account_id"]: row
        for row in _rows(tables, "limits")
        if row["scope"] == "account" and row["kind"] == "permanent"
    }
    results.rates = [{**row, "rate": Decimal(row["rate"]).scaleb(-money.RATE_SCALE)} for row in _rows(tables, "rates")]
    for row in _rows(tables, "allocations"):
        part = row["payment_amount"] if row["payment_amount"] is not None else row["amount"]
        results.applied.setdefault(row["payment_id"] or row["adjustment_id"], []).append((row["receivable_id"], part))
    return results


def _rows(tables: Mapping[str, pl.DataFrame], name: str) -> list[dict[str, Any]]:
    days = {column.name for column in TABLES[name].columns if column.kind == "day"}
    amounts = {column.name: column.of for column in TABLES[name].columns if column.kind == "money"}
    # The currency of an allocation that says none is that of its payment or adjustment.
    units = _units(tables) if name == "allocations" else {}
    rows = []
    for row in tables.get(name, TABLES[name].empty()).to_dicts():
        values = {
            key: day_of(value).isoformat() if key in days and value is not None else value for key, value in row.items()
        }
        for key, unit in amounts.items():
            if row.get(key) is not None:
                owner = units.get(row.get("payment_id") or row.get("adjustment_id") or "")
                values[key] = money.from_minor(row[key], str(row.get(unit) or row.get("currency") or owner or "USD"))
        rows.append(values)
    return rows


def _units(tables: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    result: dict[str, str] = {}
    for name, key in (("adjustments", "adjustment_id"), ("payments", "payment_id")):
        if name in tables:
            result |= dict(tables[name].select(key, "currency").rows())
    return result
