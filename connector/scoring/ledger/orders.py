"""Orders that are not billed yet: money at risk, counted once.

Source: docs/rules.md, "Orders".
"""

from __future__ import annotations

import numpy as np
import polars as pl

from connector.scoring.frame.columns import Groups, Int, days, is_known, whole
from connector.scoring.frame.keys import owner_of, row_index_of
from connector.scoring.ledger.claims import Claims
from connector.scoring.ledger.rates import Rates


def unbilled(
    orders: pl.DataFrame, order_ids: pl.Series, live: Claims, accounts: pl.Series, as_of: int, rates: Rates
) -> Int:
    """By account, minor units of the base currency, ≥ 0; one row more, for orders of none of the accounts.

    What orders placed and not cancelled by the day are worth beyond what was billed of them, by their own figure or by
    the claims that carry them, whichever is more; an order without a rate counts nothing. Columns in: those of orders.
    `order_ids`: of the claims.
    """
    if orders.is_empty():
        return np.zeros(len(accounts) + 1, np.int64)
    rows = orders[np.flatnonzero((days(orders, "ordered_on") <= as_of) & (days(orders, "cancelled_on") > as_of))]
    rows = rates.based(rows, as_of, worth="amount", billed="billed_amount")
    order = row_index_of(order_ids, rows["order_id"])
    carried = np.flatnonzero((order >= 0) & (live.amount_base > 0))
    claimed = Groups(order[carried], rows.height).sum(live.amount_base[carried])
    left = np.maximum(whole(rows, "worth") - np.maximum(np.maximum(whole(rows, "billed"), 0), claimed), 0)
    owner = owner_of(rows["account_id"], accounts)
    return Groups(owner, len(accounts) + 1).sum(left * is_known(rows["worth"]))
