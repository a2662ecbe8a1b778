"""Grades and holds as numbers: to compare, to take the worse of two, to count notches."""

from __future__ import annotations

import numpy as np
import polars as pl

from connector.assessment import HOLDS, NOT_RATED, RATINGS
from connector.scoring.frame.columns import Int

#: Grade → its rank, 0 the best; hold → its rank, 0 the mildest.
GRADE_RANK = {grade: n for n, grade in enumerate(RATINGS)}
HOLD_RANK = {hold: n for n, hold in enumerate(HOLDS)}
#: Ranks after the last grade: not rated, and nothing known; both worse than any.
UNRATED, NONE = len(RATINGS), len(RATINGS) + 1
_RANKS = {**GRADE_RANK, NOT_RATED: UNRATED}
#: Of so few grades a look-up in Python is quicker than the way into Polars.
_FEW = 1_000
_NAMES = pl.Series([*RATINGS, NOT_RATED, None])
_HOLDS = pl.Series(HOLDS)


def grade_rank(grade: str | pl.Expr, default: int | None = None) -> pl.Expr:
    """The rank of a grade; *default* for anything that is none."""
    column = pl.col(grade) if isinstance(grade, str) else grade
    return column.replace_strict(GRADE_RANK, default=default, return_dtype=pl.Int32)


def grade_at(rank: pl.Expr) -> pl.Expr:
    """The grade of that rank; null beyond the last."""
    return rank.replace_strict(list(range(len(RATINGS))), list(RATINGS), default=None, return_dtype=pl.String)


def ranks(grades: pl.Series) -> Int:
    """The rank of each grade; `UNRATED` of NR, `NONE` of null."""
    if grades.null_count() == len(grades):
        return np.full(len(grades), NONE, np.int64)
    if len(grades) < _FEW:
        return np.fromiter((_RANKS.get(grade, NONE) for grade in grades.to_list()), np.int64, len(grades))
    return grades.replace_strict(_RANKS, default=NONE, return_dtype=pl.Int64).to_numpy()


def grades(name: str, rank: Int) -> pl.Series:
    """A column of the grades of these ranks; null for `NONE`."""
    return _NAMES.gather(rank).alias(name)


def holds(rank: Int) -> pl.Series:
    """The column `hold` of the holds of these ranks."""
    return _HOLDS.gather(rank).alias("hold")
