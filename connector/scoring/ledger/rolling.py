"""Rolling terms (滚动铺底): a customer may owe up to a floor at all times; only what is due beyond it is overdue.

Overdue = max(0, due balance − floor), the floor covering the oldest items. That is what paying the oldest first comes
to: an item falls due when what fell due after it exceeds the floor, and settled items are judged by that day.
Source: docs/rules.md, "Terms".
"""

from __future__ import annotations

import numpy as np
import polars as pl

from connector.scoring.frame.columns import NEVER, Bool, Groups, Int, largest, widen
from connector.scoring.frame.keys import in_order, owner_of
from connector.scoring.frame.windows import not_expired
from connector.scoring.ledger.claims import Claims
from connector.scoring.ledger.rates import Rates


def floors(terms: pl.DataFrame, accounts: pl.Series, rates: Rates, as_of: int) -> Int | None:
    """Each account's own floor, minor units of the base currency: the sum of the rolling terms in force on the day.

    One row more than accounts, for claims of none of them: 0. None: nobody has a floor. Of several rolling terms with
    one seller the newest counts; a floor without a rate counts as none.
    """
    if terms.is_empty():
        return None
    rows = terms.filter((pl.col("valid_from") <= as_of) & not_expired(as_of)).sort("valid_from")
    own = pl.col("of_account" if "of_account" in rows.columns else "account_id").alias("own")
    newest = rows.group_by("account_id", own, pl.col("seller_id").fill_null("").alias("seller"), maintain_order=True)
    rows = newest.last()
    rows = rows.filter((pl.col("kind") == "rolling") & (pl.col("floor_amount") > 0))
    rows = rates.based(rows, as_of, floor="floor_amount").drop_nulls("floor")
    if rows.is_empty():
        return None
    values = Groups(owner_of(rows["own"], accounts), len(accounts) + 1).sum(rows["floor"].to_numpy())
    values[-1] = 0
    return values


def late_from(live: Claims, floor: Int, ids: pl.Series) -> Int:
    """`late_from` of each claim; with a floor at least the day when what fell due after the claim exceeds it.

    `NEVER`, and so never late, while that has not happened. `floor`: by account. `ids`: of the claims.
    """
    rows = np.flatnonzero((live.amount > 0) & live.has_rate & (live.due != NEVER) & (floor[live.account] > 0))
    if not len(rows):
        return live.late_from
    rows = rows[in_order(ids.gather(rows), live.account[rows], live.due[rows])]
    account, due, amount = live.account[rows], live.due[rows], live.amount_base[rows]
    own = floor[account]
    # Summed over all accounts: within one, what lies between two claims is the difference of their sums.
    reached = np.cumsum(widen(amount, (largest(amount) + largest(own)) * len(rows)))
    beyond = np.searchsorted(reached, reached + own)
    there = np.minimum(beyond, len(rows) - 1)
    comes = (beyond < len(rows)) & (account[there] == account)
    values = live.late_from.copy()
    values[rows] = np.maximum(values[rows], np.where(comes, due[there], NEVER))
    return values


def uncovered(amount: Int, counts: Bool, account: Int, due: Int, ids: pl.Series, floor: Int) -> Int:
    """What is left of amounts where the floor covers the oldest that count; of who has none they are as they were.

    What does not count of who has a floor becomes 0. `floor`: by account; the others: by claim.
    """
    rows = np.flatnonzero(floor[account] > 0)
    # What has no due day stands before every day.
    rows = rows[in_order(ids.gather(rows), account[rows], np.where(due[rows] == NEVER, -NEVER, due[rows]))]
    counted = np.where(counts[rows], amount[rows], 0)
    reached = Groups(account[rows], len(floor)).running(counted)
    values = amount.copy()
    values[rows] = np.minimum(np.maximum(reached - floor[account[rows]], 0), counted)
    return values
