"""Small books to score: canonical tables from a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from connector.editions import default_text
from connector.policy import Policy, load
from connector.schema import TABLES, day_number

POLICY: Policy = load(default_text(), "default.yaml")


def day(text: str) -> int:
    return day_number(date.fromisoformat(text))


def table(name: str, *rows: Mapping[str, object]) -> pl.DataFrame:
    """Canonical rows; days as ISO text, amounts in minor units, what is missing takes the column's default."""
    columns = TABLES[name].columns
    results = []
    for row in rows:
        assert set(row) <= {column.name for column in columns}
        cells: dict[str, object] = {column.name: row.get(column.name, column.default) for column in columns}
        for column in columns:
            value = cells[column.name]
            if column.kind == "day" and isinstance(value, str):
                cells[column.name] = day(value)
        results.append(cells)
    return pl.DataFrame(results, schema=TABLES[name].schema())


def invoice(
    key: str, amount: int, issued: str, due: str | None, account: str = "A", currency: str = "USD", **more: object
) -> dict[str, object]:
    return {
        "receivable_id": key,
        "account_id": account,
        "number": key,
        "issued": issued,
        "due": due,
        "amount": amount,
        "currency": currency,
        **more,
    }


def books(
    invoices: Sequence[Mapping[str, object]],
    payments: Sequence[tuple[str, str | None, str, int]] = (),
    account: str = "A",
    currency: str = "USD",
    **more: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """`payments`: (payment id, invoice id or None, day, amount); rows of one id are one payment."""
    accounts = sorted({str(row["account_id"]) for row in invoices} | {account})
    whole: dict[str, dict[str, object]] = {}
    allocations = []
    owner = {str(row["receivable_id"]): row["account_id"] for row in invoices}
    for key, claim, paid_on, amount in payments:
        payment = whole.setdefault(
            key,
            {
                "payment_id": key,
                "account_id": owner.get(str(claim), account),
                "paid_on": paid_on,
                "amount": 0,
                "currency": currency,
            },
        )
        payment["amount"] = int(str(payment["amount"])) + amount
        if claim is not None:
            allocations.append(
                {
                    "allocation_id": f"{key}|{claim}",
                    "receivable_id": claim,
                    "payment_id": key,
                    "amount": amount,
                    "currency": currency,
                }
            )
    return {
        "accounts": table("accounts", *({"account_id": name, "name": name} for name in accounts)),
        "receivables": table("receivables", *invoices),
        "payments": table("payments", *whole.values()),
        "allocations": table("allocations", *allocations),
        **more,
    }
