"""Instants as text."""

from __future__ import annotations

import polars as pl


def moment(text: pl.Expr) -> pl.Expr:
    """The UTC instant of ISO text with an offset (Z, +05:30 or +0530); null where it is none."""
    offset = text.str.replace(r"Z$", "+00:00").str.replace(r"([+-][0-9]{2})([0-9]{2})$", "${1}:${2}")
    return offset.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us")
