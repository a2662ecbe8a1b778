"""Spans of days that features look back on, and what is in force on a day."""

from __future__ import annotations

import polars as pl

YEAR = 365
#: The recent part of the year, which `trend` holds against the rest.
RECENT = 90


def not_expired(day: int | pl.Expr) -> pl.Expr:
    """Whether a row with `valid_until` (null: open end) has not ended before that day."""
    return pl.col("valid_until").is_null() | (pl.col("valid_until") >= day)
