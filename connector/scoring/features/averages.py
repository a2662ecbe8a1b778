"""How late a customer pays on average: exact sums of what was settled, late items joining only where they raise it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connector.scoring.frame.columns import Columns, Float, Groups, Int, Wide, largest, mul_div, ratio, widen
from connector.scoring.ledger.ledger import Ledger

#: Shares of a claim are counted in millionths.
WHOLE = 10**6


@dataclass(frozen=True, slots=True)
class LateItems(Columns):
    """Open late items that have a rate, of each account the latest first."""

    account: Int
    days: Int
    amount: Int
    #: The share of its claim that is late, in millionths.
    share: Int


def late_items(state: Ledger) -> LateItems:
    """Those of the ledger; amounts in the base currency."""
    items, live = state.open_items, state.claims
    late = items.take((items.late_open > 0) & live.has_rate[items.claim])
    shares = share_of(late.arrears_base, live.amount_base[late.claim])
    results = LateItems(late.account, late.late_open, late.arrears_base, shares)
    return results.take(np.lexsort((-results.days, results.account)))


def share_of(amount: Int, claim: Int) -> Int:
    """Each amount's share of its claim, in millionths, rounded down."""
    return mul_div(amount, WHOLE, np.where(claim == 0, 1, claim))


@dataclass(frozen=True, slots=True)
class Sums:
    """By account: a sum of weights, and of each weight × its days."""

    weight: Wide
    days: Wide

    @staticmethod
    def of(groups: Groups, weight: Int, days: Int) -> Sums:
        """Exact sums of rows."""
        wide = widen(weight, largest(weight) * max(largest(days), 1) * max(groups.longest, 1))
        return Sums(groups.sum(wide), groups.sum(wide * days))

    def without(self, other: Sums) -> Sums:
        """Less the other's."""
        return Sums(self.weight - other.weight, self.days - other.days)


def days_late(settled: Sums, late: LateItems, weight: Int) -> Float:
    """Average days late of each account, weighted; not a number where nothing was settled and nothing is late.

    An open late item joins only where it raises the average: taken latest first while it is later than the average so
    far, and once one is not, none after it. `weight`: of the late items.
    """
    groups = Groups(late.account, len(settled.weight))
    most = largest(settled.weight) + largest(weight) * max(groups.longest, 1)
    wide = widen(weight, most * 2 * max(largest(late.days), 1))
    weighted = wide * late.days
    before = settled.weight[late.account] + groups.running(wide) - wide
    before_days = settled.days[late.account] + groups.running(weighted) - weighted
    joins = np.asarray(late.days.astype(wide.dtype) * before >= before_days, bool)
    return ratio(settled.days + groups.sum(weighted * joins), settled.weight + groups.sum(wide * joins))
