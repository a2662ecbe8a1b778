"""Due days from agreed terms, for invoices that carry none. Source: docs/rules.md, "Terms"."""

from __future__ import annotations

import polars as pl

from connector.scoring.frame.windows import not_expired

_DAY = pl.col("issued").cast(pl.Date)


def due_by_terms(claims: pl.DataFrame, terms: pl.DataFrame) -> pl.Series:
    """The due day of each claim by the terms in force when it was issued; null without terms.

    Columns in: of claims account_id, seller_id, issued; of terms those of the canonical table. Net, acceptance and
    rolling run from the invoice; month-end terms from the end of its month; cut-off terms from the cut-off day of its
    period; then comes the next pay day, if one is agreed. Prepaid and cash on delivery fall due on issue.
    """
    rows = claims.select("account_id", "issued", pl.col("seller_id").fill_null("").alias("seller")).with_row_index("?")
    frame = terms.select(
        "account_id",
        pl.col("seller_id").alias("seller"),
        "valid_from",
        "valid_until",
        "kind",
        pl.col("days").fill_null(0),
        "cutoff_day",
        "pay_day",
    ).sort("valid_from")
    own = rows.sort("issued").join_asof(
        frame, left_on="issued", right_on="valid_from", by=["account_id", "seller"], check_sortedness=False
    )
    general = rows.sort("issued").join_asof(
        frame.filter(pl.col("seller") == "").drop("seller"),
        left_on="issued",
        right_on="valid_from",
        by="account_id",
        check_sortedness=False,
    )
    result = pl.concat([_due(own).select("?", "due"), _due(general).select("?", "due")])
    # Terms with the seller of the invoice come before those with all sellers.
    first = result.drop_nulls("due").unique("?", keep="first", maintain_order=True)
    return rows.join(first, on="?", how="left", maintain_order="left")["due"]


def _due(rows: pl.DataFrame) -> pl.DataFrame:
    start = (
        pl.when(pl.col("kind") == "eom")
        .then(_DAY.dt.month_end())
        .when(pl.col("kind") == "cutoff")
        .then(_on_or_after(_DAY, pl.col("cutoff_day").fill_null(31)))
        .otherwise(_DAY)
    )
    runs = pl.when(pl.col("kind").is_in(["prepaid", "cod"])).then(0).otherwise(pl.col("days"))
    due = start + pl.duration(days=runs)
    due = pl.when(pl.col("pay_day").is_not_null()).then(_on_or_after(due, pl.col("pay_day"))).otherwise(due)
    return rows.with_columns(
        pl.when(not_expired(pl.col("issued")) & pl.col("kind").is_not_null()).then(due).cast(pl.Int32).alias("due")
    )


def _on_or_after(day: pl.Expr, of_month: pl.Expr) -> pl.Expr:
    """The next such day of a month; a day that a short month lacks is its last."""
    this = _day_of_month(day.dt.month_start(), of_month)
    return pl.when(this >= day).then(this).otherwise(_day_of_month(day.dt.month_start().dt.offset_by("1mo"), of_month))


def _day_of_month(first: pl.Expr, of_month: pl.Expr) -> pl.Expr:
    last = first.dt.month_end()
    return pl.min_horizontal(first + pl.duration(days=of_month - 1), last)
