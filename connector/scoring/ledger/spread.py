"""Money that names an order, or an invoice with instalments, spread over its claims: earliest due first, then by id.

This is done when facts are computed, never in the mapping: a line of a payment plan may still change.
"""

from __future__ import annotations

import polars as pl


def spread(allocations: pl.DataFrame, live: pl.DataFrame, come: pl.DataFrame) -> pl.DataFrame:
    """Allocations of the canonical table → the same, those to an order as one row per claim that they reach.

    Columns in, of `live`: receivable_id, order_id, due, amount, currency; of `come`: id, booked, day. What takes back
    is set off first. What goes beyond the order's claims, or is in another currency than they, reaches none: it stays
    on account.
    """
    whole = pl.col("receivable_id").is_null() & pl.col("order_id").is_not_null()
    named = allocations.filter(whole)
    if named.is_empty():
        return allocations
    claims = _claims(live)
    frame = _named_amounts(named, come).join(
        claims.select("order_id", "currency").unique(), on=["order_id", "currency"]
    )
    parts = frame.join(claims, on=["order_id", "currency"])
    reached = pl.min_horizontal("paid_to", "owed_to") - pl.max_horizontal("paid_from", "owed_from")
    parts = parts.with_columns(reached.alias("part")).filter(pl.col("part") > 0)
    result = parts.select(
        (pl.col("allocation_id") + "/" + pl.col("receivable_id")).alias("allocation_id"),
        "receivable_id",
        "order_id",
        "payment_id",
        "adjustment_id",
        "applied_on",
        pl.col("part").alias("amount"),
        "currency",
        pl.lit(None, pl.Int64).alias("payment_amount"),
        pl.lit(None, pl.String).alias("payment_currency"),
    )
    rest = allocations.filter(~whole)
    kinds = rest.select(result.columns).schema.items()
    return pl.concat([rest, result.select(pl.col(name).cast(kind) for name, kind in kinds)], how="diagonal")


def _claims(live: pl.DataFrame) -> pl.DataFrame:
    """Each claim of an order as the stretch of the order's money that it takes: owed_from, owed_to."""
    rows = live.filter(pl.col("order_id").is_not_null() & (pl.col("amount") > 0))
    rows = rows.sort("order_id", "due", "receivable_id", nulls_last=True)
    end = pl.col("amount").cum_sum().over("order_id", "currency")
    return rows.select(
        "order_id", "currency", "receivable_id", (end - pl.col("amount")).alias("owed_from"), end.alias("owed_to")
    )


def _named_amounts(named: pl.DataFrame, come: pl.DataFrame) -> pl.DataFrame:
    """What came for each order by payment, as the stretch that it fills: paid_from, paid_to; in order of its day."""
    days = come.select("id", "booked", "day").unique(["id", "booked"])
    rows = named.with_columns(
        pl.coalesce("payment_id", "adjustment_id").alias("id"),
        pl.col("payment_id").is_null().alias("booked"),
        pl.coalesce("amount", "payment_amount").alias("sum"),
        pl.coalesce(pl.when(pl.col("amount").is_not_null()).then("currency"), "payment_currency").alias("currency"),
    ).join(days, on=["id", "booked"])
    one = rows.group_by("order_id", "id", "booked", "currency").agg(
        pl.col("sum").sum(),
        pl.col("allocation_id").min(),
        pl.col("day").first(),
        pl.col("payment_id").first(),
        pl.col("adjustment_id").first(),
        pl.col("applied_on").min(),
    )
    one = one.filter(pl.col("sum") > 0).sort("order_id", "day", "allocation_id")
    end = pl.col("sum").cum_sum().over("order_id", "currency")
    return one.with_columns((end - pl.col("sum")).alias("paid_from"), end.alias("paid_to"))
