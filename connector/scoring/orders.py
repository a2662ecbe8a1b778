"""Orders that are not billed yet: money at risk, counted once.

Source: design/tables.md, "Each order's money enters exposure once: receivables carrying its order_id are its billed
part".
"""

from __future__ import annotations

import polars as pl

from connector.scoring.rates import Rates


def unbilled(orders: pl.DataFrame, items: pl.DataFrame, as_of: int, rates: Rates) -> pl.DataFrame:
    """Columns in: of orders those of the canonical table, of items order_id, amount_base.

    Columns out: account_id, unbilled_base (≥ 0): what orders placed and not cancelled by the day are worth beyond what
    was billed of them, by their own figure or by the claims that carry them, whichever is more.
    """
    live = orders.filter(
        (pl.col("ordered_on") <= as_of) & (pl.col("cancelled_on").is_null() | (pl.col("cancelled_on") > as_of))
    )
    live = rates.based(live, as_of, whole="amount", said="billed_amount")
    billed = items.filter(pl.col("order_id").is_not_null() & (pl.col("amount_base") > 0))
    claims = billed.group_by("order_id").agg(pl.col("amount_base").sum().alias("claimed"))
    rows = live.join(claims, on="order_id", how="left", maintain_order="left")
    left = pl.col("whole") - pl.max_horizontal(pl.col("said").fill_null(0), pl.col("claimed").fill_null(0))
    sums = rows.with_columns(left.clip(lower_bound=0).alias("left")).group_by("account_id", maintain_order=True)
    return sums.agg(pl.col("left").sum().alias("unbilled_base"))
