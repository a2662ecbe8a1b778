"""What a customer buys, and how that changes. Formulas: connector.messages.features."""

from __future__ import annotations

import numpy as np

from connector.schema import Tables, table
from connector.scoring.frame.columns import NEVER, Float, Groups, Int, days, ratio
from connector.scoring.frame.keys import owner_of
from connector.scoring.frame.windows import YEAR
from connector.scoring.ledger.claims import Claims
from connector.scoring.ledger.ledger import Ledger

HALF = 180
MONTH = 30


def sales(tables: Tables, state: Ledger, bills: Claims, as_of: int) -> dict[str, Float]:
    """By account: sales_change, order_surge; not a number while there is too little history.

    `bills`: claims of 12 months, credits left out. Where there are orders these count for the surge, not the bills.
    """
    groups, issued, amount = Groups(bills.account, state.height), bills.issued, bills.amount_base
    half = groups.sum(amount * (issued > as_of - HALF))
    half_before = groups.sum(amount * ((issued <= as_of - HALF) & (issued > as_of - 2 * HALF)))
    first = Groups(state.claims.account, state.height).min(state.claims.issued)
    month, year = groups.sum(amount * (issued > as_of - MONTH)), groups.sum(amount)
    ordered = _ordered(tables, state, as_of)
    if ordered is not None:
        batch, month_ordered, year_ordered, first_ordered = ordered
        month, year = np.where(batch, month_ordered, month), np.where(batch, year_ordered, year)
        first = np.minimum(first, first_ordered)
    return {
        "sales_change": ratio(half - half_before, half_before * (first <= as_of - 2 * HALF)),
        "order_surge": ratio(month * 12, year * (first <= as_of - HALF)),
    }


def _ordered(tables: Tables, state: Ledger, as_of: int) -> tuple[Int, Int, Int, Int] | None:
    """By account: whether there are orders placed and not cancelled by the day, their sums of a month and a year, and
    the day of the first; None: nobody has ordered.
    """
    orders = table(tables, "orders")
    ordered_on = days(orders, "ordered_on")
    rows = np.flatnonzero((ordered_on <= as_of) & (days(orders, "cancelled_on") > as_of))
    if not len(rows):
        return None
    amount, _ = state.rates.amounts(orders[rows], "amount", as_of)
    day, groups = ordered_on[rows], Groups(owner_of(orders["account_id"].gather(rows), state.accounts), state.height)
    month, year = (groups.sum(amount * (day > as_of - span)) for span in (MONTH, YEAR))
    return groups.sizes, month, year, groups.min(day, NEVER)
