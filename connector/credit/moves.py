"""How many customers two sets of assessments of one day would move: grades, limits and holds."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connector.assessment import HOLDS, RATINGS

#: Columns of assessments that are looked at.
MOVING = ("customer_id", "rating", "limit", "hold")


@dataclass(frozen=True, slots=True)
class Moves:
    """Counts of customers, of those who are in both; a limit of null is none that is computed, and is 0 here."""

    customers: int
    #: Whose rating, limit or hold differs, each once.
    moved: int
    better: int
    worse: int
    #: To or from NR, neither better nor worse.
    other: int
    limits_up: int
    limits_down: int
    holds_tighter: int
    holds_looser: int


def moves(before: pl.DataFrame, after: pl.DataFrame) -> Moves:
    """Columns in, of both: `MOVING`."""
    was = before.select("customer_id", *(pl.col(name).alias(f"{name}_was") for name in MOVING[1:]))
    rows = after.select(MOVING).join(was, on="customer_id")
    rank = {name: number for number, name in enumerate(RATINGS)}
    grade, grade_was = (_number(name, rank) for name in ("rating", "rating_was"))
    held = {name: number for number, name in enumerate(HOLDS)}
    hold, hold_was = (_number(name, held) for name in ("hold", "hold_was"))
    limit, limit_was = (pl.col(name).fill_null(0) for name in ("limit", "limit_was"))
    both = grade.is_not_null() & grade_was.is_not_null()
    differs = pl.col("rating") != pl.col("rating_was")
    counted = {
        "customers": pl.len(),
        "moved": (differs | (limit != limit_was) | (hold != hold_was)).sum(),
        "better": (both & (grade < grade_was)).sum(),
        "worse": (both & (grade > grade_was)).sum(),
        "other": (~both & differs).sum(),
        "limits_up": (limit > limit_was).sum(),
        "limits_down": (limit < limit_was).sum(),
        "holds_tighter": (hold > hold_was).sum(),
        "holds_looser": (hold < hold_was).sum(),
    }
    return Moves(**rows.select(**counted).row(0, named=True))


def _number(column: str, order: dict[str, int]) -> pl.Expr:
    return pl.col(column).replace_strict(order, default=None, return_dtype=pl.Int32)
