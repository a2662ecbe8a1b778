"""Rolling terms (滚动铺底): a customer may owe up to a floor at all times; only what is due beyond it is overdue.

Overdue = max(0, due balance − floor), the floor covering the oldest items. That is what paying the oldest first comes
to: an item falls due when what fell due after it exceeds the floor, and settled items are judged by that day.
Source: design/tables.md, "Rolling terms (铺底)".
"""

from __future__ import annotations

import polars as pl

from connector.scoring.rates import Rates
from connector.scoring.windows import lasts


def floors(terms: pl.DataFrame, rates: Rates, as_of: int) -> pl.DataFrame:
    """account_id, floor (minor units of the base currency, > 0): the sum of the rolling terms in force on the day.

    Of several rolling terms with one seller the newest counts; a floor without a rate counts as none.
    """
    if terms.is_empty():
        return pl.DataFrame(schema={"account_id": pl.String, "floor": pl.Int64})
    rows = terms.filter((pl.col("valid_from") <= as_of) & lasts(as_of)).sort("valid_from")
    newest = rows.group_by("account_id", pl.col("seller_id").fill_null("").alias("seller"), maintain_order=True).last()
    rows = newest.filter((pl.col("kind") == "rolling") & (pl.col("floor_amount") > 0))
    rows = rates.based(rows, as_of, floor="floor_amount").drop_nulls("floor")
    return rows.group_by("account_id", maintain_order=True).agg(pl.col("floor").sum())


def judged_from(live: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Claims with late_from moved, where a floor is known, to the day what fell due after them exceeds the floor.

    Null, and so never late, while that has not happened. Columns in: those of `claims`, and of `floors`.
    """
    if known.is_empty():
        return live
    rows = live.filter((pl.col("amount") > 0) & pl.col("amount_base").is_not_null() & pl.col("due").is_not_null())
    rows = rows.join(known, on="account_id").sort("account_id", "due", "receivable_id")
    rows = rows.with_columns(pl.col("amount_base").cum_sum().over("account_id").alias("reached"))
    rows = rows.with_columns((pl.col("reached") + pl.col("floor")).alias("beyond"))
    reached = rows.select("account_id", "reached", pl.col("due").alias("moved")).sort("reached")
    moved = rows.sort("beyond").join_asof(
        reached, left_on="beyond", right_on="reached", by="account_id", strategy="forward", check_sortedness=False
    )
    moved = moved.select("receivable_id", "moved", pl.lit(value=True).alias("rolling"))
    joined = live.join(moved, on="receivable_id", how="left", maintain_order="left")
    later = pl.max_horizontal("late_from", "moved")
    return joined.with_columns(
        pl.when("rolling").then(pl.when(pl.col("moved").is_not_null()).then(later)).otherwise("late_from").alias("late_from")
    ).drop("moved", "rolling")  # fmt: skip


def cover(items: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Items with what the floor covers taken out of overdue_base and of arrears, the oldest first."""
    if known.is_empty():
        return items
    rows = items.with_row_index("?").join(known, on="account_id", how="left", maintain_order="left")
    rows = rows.sort("due", "receivable_id").with_columns(pl.col("floor").fill_null(0))
    counted = {"overdue_base": pl.col("days_overdue") > 0, "arrears_base": pl.col("late_open") > 0}
    for name, counts in counted.items():
        amount = pl.when(counts).then(pl.col(name)).otherwise(0).fill_null(0)
        reached = amount.cum_sum().over("account_id")
        left = pl.min_horizontal((reached - pl.col("floor")).clip(lower_bound=0), amount)
        rows = rows.with_columns(pl.when(pl.col("floor") > 0).then(left).otherwise(pl.col(name)).alias(f"{name}_left"))
    rolling = pl.col("floor") > 0
    late = rolling & (pl.col("late_open") > 0)
    # Only where it counts: of a credit, whose arrears are negative, it would be their square.
    counted_arrears = pl.when(late).then(pl.col("arrears").cast(pl.Int128)).otherwise(0)
    share = counted_arrears * pl.col("arrears_base_left") // pl.col("arrears_base").clip(lower_bound=1)
    rows = rows.with_columns(share.cast(pl.Int64).alias("arrears_left"))

    def kept(days: str, left: str) -> pl.Expr:
        return pl.when(rolling & (pl.col(left) == 0)).then(0).otherwise(days).cast(pl.Int32).alias(days)

    changed = rows.with_columns(
        kept("days_overdue", "overdue_base_left"),
        kept("late_open", "arrears_base_left"),
        pl.col("overdue_base_left").alias("overdue_base"),
        pl.when(late).then("arrears_base_left").otherwise("arrears_base").alias("arrears_base"),
        pl.when(late).then("arrears_left").otherwise("arrears").alias("arrears"),
    )
    return changed.sort("?").select(items.columns)
