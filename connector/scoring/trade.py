"""What a customer buys, and how that changes. Formulas: connector.words.features."""

from __future__ import annotations

import polars as pl

from connector.schema import Tables, table
from connector.scoring.exact import divisor
from connector.scoring.ledger import Ledger
from connector.scoring.windows import YEAR

HALF = 180
MONTH = 30


def trade(tables: Tables, state: Ledger, as_of: int) -> pl.DataFrame:
    """Columns out: account_id, sales_change, order_surge; null while there is too little history."""
    bills = state.items.filter((pl.col("amount_base") > 0) & (pl.col("issued") > as_of - YEAR))
    issued, amount = pl.col("issued"), pl.col("amount_base")
    recent = issued > as_of - HALF
    billed = bills.group_by("account_id", maintain_order=True).agg(
        amount.filter(recent).sum().alias("half"),
        amount.filter(~recent & (issued > as_of - 2 * HALF)).sum().alias("half_before"),
        amount.filter(issued > as_of - MONTH).sum().alias("month"),
        amount.sum().alias("year"),
    )
    first = state.items.group_by("account_id", maintain_order=True).agg(issued.min().alias("first"))
    frame = billed.join(first, on="account_id", how="full", coalesce=True).with_columns(
        pl.col("half", "half_before", "month", "year").fill_null(0)
    )
    ordered = _ordered(tables, state, as_of)
    if ordered is not None:
        frame = frame.join(ordered, on="account_id", how="full", coalesce=True)
        frame = frame.with_columns(
            pl.coalesce("month_ordered", "month").alias("month"),
            pl.coalesce("year_ordered", "year").alias("year"),
            pl.min_horizontal("first", "first_ordered").alias("first"),
        )
    frame = frame.with_columns(divisor(12).alias("twelve"))
    before = pl.when((pl.col("half_before") > 0) & (pl.col("first") <= as_of - 2 * HALF)).then("half_before")
    usual = pl.when((pl.col("year") > 0) & (pl.col("first") <= as_of - HALF)).then("year")
    return frame.select(
        "account_id",
        ((pl.col("half") - pl.col("half_before")) / before).alias("sales_change"),
        (pl.col("month") * pl.col("twelve") / usual).alias("order_surge"),
    )


def _ordered(tables: Tables, state: Ledger, as_of: int) -> pl.DataFrame | None:
    """account_id, month_ordered, year_ordered, first_ordered; of orders placed and not cancelled by the day."""
    orders = table(tables, "orders")
    if orders.is_empty():
        return None
    live = pl.col("cancelled_on").is_null() | (pl.col("cancelled_on") > as_of)
    rows = orders.filter((pl.col("ordered_on") <= as_of) & live)
    rows = state.rates.based(rows, as_of, amount_base="amount")
    amount, ordered = pl.col("amount_base"), pl.col("ordered_on")
    return rows.group_by("account_id", maintain_order=True).agg(
        amount.filter(ordered > as_of - MONTH).sum().alias("month_ordered"),
        amount.filter(ordered > as_of - YEAR).sum().alias("year_ordered"),
        ordered.min().alias("first_ordered"),
    )
