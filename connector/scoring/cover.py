"""What stands behind a customer's debt, and how high it has been. Formulas: connector.words.features."""

from __future__ import annotations

import polars as pl

from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.ledger import Ledger
from connector.scoring.windows import YEAR, lasts

_PPM = 10**6


def secured(tables: Tables, state: Ledger, policy: Policy, as_of: int) -> pl.DataFrame | None:
    """Insured limits and securities in force on the day; None where there are none.

    Columns out: account_id, secured, secured_ends (last day of the first of them to end).
    """
    insured = table(tables, "limits").filter(pl.col("kind") == "insured")
    pledged = table(tables, "securities")
    if insured.is_empty() and pledged.is_empty():
        return None
    started = pl.col("valid_from").is_null() | (pl.col("valid_from") <= as_of)
    cover = pl.col("coverage").fill_null(1.0).clip(0, 1)
    parts = (
        insured.filter(started & lasts(as_of)).select(
            "account_id", "currency", "amount", "valid_until", _ppm(pl.lit(policy.limits.insured_share))
        ),
        pledged.filter(started & lasts(as_of)).select(
            "account_id", "currency", "amount", "valid_until", _ppm(cover * policy.limits.security_share)
        ),
    )  # fmt: skip
    rows = state.rates.based(pl.concat(parts), as_of, base="amount").drop_nulls("base")
    counted = (pl.col("base").clip(lower_bound=0).cast(pl.Int128) * pl.col("ppm") // _PPM).cast(pl.Int64)
    return rows.group_by("account_id", maintain_order=True).agg(
        counted.sum().alias("secured"), pl.col("valid_until").min().alias("secured_ends")
    )


def _ppm(share: pl.Expr) -> pl.Expr:
    return (share * _PPM).round().cast(pl.Int64).alias("ppm")


def high_balance(state: Ledger, as_of: int) -> pl.DataFrame:
    """account_id, high_balance: the largest sum of open claims at the end of any day of the year.

    A claim that a stub was left of counts as settled with its last payment.
    """
    billed = state.items.filter(pl.col("amount_base") > 0).select(
        "account_id", pl.col("issued").alias("day"), pl.col("amount_base").alias("moved")
    )
    paid = state.parts.select("account_id", "day", (-pl.col("amount_base")).alias("moved"))
    days = pl.concat([billed, paid]).group_by("account_id", "day").agg(pl.col("moved").cast(pl.Int128).sum())
    days = days.sort("account_id", "day").with_columns(pl.col("moved").cum_sum().over("account_id").alias("balance"))
    # The last day before the year tells what the year began with.
    inside = days.filter(pl.col("day") > as_of - YEAR)
    before = days.filter(pl.col("day") <= as_of - YEAR).group_by("account_id", maintain_order=True).last()
    whole = pl.concat([inside, before.select(inside.columns)])
    return whole.group_by("account_id", maintain_order=True).agg(
        pl.col("balance").max().clip(lower_bound=0).cast(pl.Int64).alias("high_balance")
    )
