"""A customer of a year who pays month by month, and decisions about him."""

from typing import Any

import polars as pl

from connector.policy import Policy
from connector.scoring.assess import assess, portfolio_statistics
from tests.connector.scoring.books import POLICY, books, day, invoice

TODAY = day("2025-12-31")


def ledger(late: int = 0, **more: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """A customer of a year who pays that late, month by month."""
    claims = [invoice(f"I{m}", 1_000_00, f"2025-{m:02d}-01", f"2025-{m:02d}-11", "A") for m in range(1, 12)]
    paid = [(f"P{m}", f"I{m}", f"2025-{m:02d}-{11 + late:02d}", 1_000_00) for m in range(1, 12)]
    return {**books(claims, paid), **more}


def decision(kind: str, value: str | None = None, **more: Any) -> dict[str, Any]:
    return {"decision_id": f"{kind}{value}{more}", "account_id": "A", "kind": kind, "value": value, **more}


def scored(
    tables: dict[str, pl.DataFrame], rules: Policy = POLICY, as_of: int = TODAY, prior: pl.DataFrame | None = None
) -> dict[str, Any]:
    portfolio = portfolio_statistics(tables, rules, as_of)
    return assess(tables, rules, as_of, portfolio=portfolio, prior=prior).row(0, named=True)
