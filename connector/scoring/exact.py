"""Divisors that give the same digits for one customer as for many."""

from __future__ import annotations

import polars as pl


def divisor(number: int) -> pl.Expr:
    """The number as a real column of a frame's height.

    Polars divides by a literal, and by a column made of one, through its reciprocal, but not in a frame of one row:
    measured, the last digit differs.
    """
    return pl.int_range(pl.len(), dtype=pl.Int64) * 0 + number
