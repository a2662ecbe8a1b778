"""Average days late: exact at any amount, and late items join only where they raise it."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from connector.scoring.features.averages import LateItems, Sums, days_late
from connector.scoring.frame.columns import Groups, Int
from tests.examples import each

#: Account, amount, days.
ROW = st.tuples(st.integers(0, 2), st.integers(1, 10**15), st.integers(0, 40_000))
Rows = list[tuple[int, int, int]]


def columns(rows: Rows) -> tuple[Int, Int, Int]:
    account, amount, days = (np.array([row[n] for row in rows], np.int64) for n in range(3))
    return account, amount, days


def averages(settled: Rows, late: Rows) -> list[float]:
    account, amount, days = columns(settled)
    sums = Sums.of(Groups(account, 3), amount, days)
    account, amount, days = columns(sorted(late, key=lambda row: (row[0], -row[2])))
    items = LateItems(account, days, amount, amount)
    return [float(value) for value in days_late(sums, items, items.amount)]


def test_a_slow_payer_s_average_does_not_fall_because_an_item_falls_due() -> None:
    values = averages([(0, 100, 20)], [(0, 100, 1), (0, 100, 40), (1, 5, 9)])

    assert values[:2] == [30.0, 9.0]
    assert np.isnan(values[2])


@each
@given(st.lists(ROW, max_size=6), st.lists(ROW, max_size=6))
def test_it_is_the_greatest_that_the_latest_items_come_to(settled: Rows, late: Rows) -> None:
    values = averages(settled, late)

    for account in range(3):
        paid = [row for row in settled if row[0] == account]
        owed = sorted((row for row in late if row[0] == account), key=lambda row: -row[2])
        sums = [paid + owed[:n] for n in range(len(owed) + 1)]
        means = [Fraction(sum(a * d for _, a, d in some), sum(a for _, a, _ in some)) for some in sums if some]
        if not means:
            assert np.isnan(values[account])
        else:
            assert abs(values[account] - float(max(means))) <= 1e-12 * float(max(means))
