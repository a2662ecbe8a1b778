"""Grades and holds as numbers: to compare, to take the worse of two, to count notches."""

from __future__ import annotations

import polars as pl

from connector.assessment import HOLDS, RATINGS

#: Grade → its place, 0 the best; hold → its place, 0 the mildest.
PLACE = {grade: n for n, grade in enumerate(RATINGS)}
HOLD_PLACE = {hold: n for n, hold in enumerate(HOLDS)}


def placed(grade: str | pl.Expr, default: int | None = None) -> pl.Expr:
    """The place of a grade; *default* for anything that is none."""
    column = pl.col(grade) if isinstance(grade, str) else grade
    return column.replace_strict(PLACE, default=default, return_dtype=pl.Int32)


def named(place: pl.Expr) -> pl.Expr:
    """The grade at that place; null beyond the last."""
    return place.replace_strict(list(range(len(RATINGS))), list(RATINGS), default=None, return_dtype=pl.String)
