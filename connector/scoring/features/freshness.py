"""How old the facts of a customer are whose sources cannot be read, so that nothing rises on them.

Source: docs/sources.md, "A feed that cannot be read".
"""

from __future__ import annotations

import numpy as np
import polars as pl

from connector.scoring.frame.columns import is_known, whole
from connector.scoring.frame.keys import row_index_of

#: account_id, and the day on which the oldest of his sources that cannot be read was read last; null: never. Customers
#: whose sources can all be read have no row.
FRESHNESS = pl.Schema({"account_id": pl.String, "read_on": pl.Int32})


def with_freshness(frame: pl.DataFrame, told: pl.DataFrame | None, as_of: int) -> pl.DataFrame:
    """The frame with `away` (a source of his cannot be read), `unread` (it never was), and `data_age` no smaller than
    the age of that source.

    `told`: columns of `FRESHNESS`; None: everything can be read.
    """
    if told is None or told.is_empty():
        return frame.with_columns(pl.lit(value=False).alias("away"), pl.lit(value=False).alias("unread"))
    row = row_index_of(frame["account_id"], told["account_id"])
    unread = (row >= 0) & ~is_known(told["read_on"])[np.maximum(row, 0)]
    away, age = row >= 0, as_of - whole(told, "read_on", as_of)[np.maximum(row, 0)]
    now = whole(frame, "data_age")
    data_age = np.where(away, np.maximum(now, age), now)
    columns = [pl.Series("away", away), pl.Series("unread", unread)]
    return frame.with_columns(*columns, pl.Series("data_age", data_age, dtype=frame.schema["data_age"]))
