"""Rows of a CSV file as text; bytes that are no UTF-8 cost their own rows only."""

from __future__ import annotations

import io

import polars as pl

from connector.ports import Misfit

#: What stands for a byte that is no UTF-8.
_LOST = "\ufffd"


def csv_rows(body: bytes, nulls: str | None = None) -> tuple[pl.DataFrame, tuple[Misfit, ...]]:
    """All columns as text, and rows with bytes that are no UTF-8, by their `Id`. `nulls`: text that is null.

    Raises PolarsError: no CSV.
    """
    null_values = None if nulls is None else [nulls]
    try:
        return pl.read_csv(io.BytesIO(body), infer_schema=False, null_values=null_values), ()
    except pl.exceptions.ComputeError:
        rows = pl.read_csv(io.BytesIO(body), infer_schema=False, null_values=null_values, encoding="utf8-lossy")
    wrong = pl.any_horizontal(pl.all().str.contains(_LOST, literal=True)).fill_null(value=False)
    bad = rows.filter(wrong)
    if bad.is_empty() or "Id" not in rows.columns:
        return rows, ()
    return rows.filter(~wrong), tuple(Misfit(str(record), "", None, "not_text") for record in bad["Id"])
