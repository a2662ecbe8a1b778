"""The scorer's arithmetic, held against Python's integers up to the bounds of 64 bits."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.scoring.frame import columns
from connector.scoring.frame.columns import NEVER, Columns, Groups, Int, largest, mul_div, nullable, ratio, widen
from tests.examples import each

MOST = 2**63 - 1
#: Amounts as they come, and those at the bounds of money and of 64 bits.
AMOUNT = st.integers(-(10**15), 10**15) | st.integers(-MOST, MOST)
ROWS = st.lists(st.tuples(st.integers(0, 4), AMOUNT), max_size=12)


def array(values: list[int]) -> Int:
    return np.array(values, np.int64)


@each
@given(st.lists(st.tuples(AMOUNT, AMOUNT, st.integers(1, MOST)), min_size=1, max_size=8), st.booleans())
def test_a_product_and_a_division_are_exact(rows: list[tuple[int, int, int]], half_up: bool) -> None:
    expected = [(value * by + (over // 2 if half_up else 0)) // over for value, by, over in rows]
    fits = [row for row, result in zip(rows, expected, strict=True) if abs(result) <= MOST]
    values, by, over = (array([row[n] for row in fits]) for n in range(3))

    positions = mul_div(values, by, over, half_up=half_up)

    assert positions.tolist() == [result for result in expected if abs(result) <= MOST]


def test_halves_are_rounded_up_and_a_rest_down() -> None:
    assert mul_div(array([1, 3, -1, -3]), 1, 2, half_up=True).tolist() == [1, 2, 0, -1]
    assert mul_div(array([7, -7]), 10**6, 2 * 10**6).tolist() == [3, -4]
    assert mul_div(array([MOST]), MOST, MOST).tolist() == [MOST]
    assert mul_div(array([]), 5, 3).tolist() == []


@each
@given(ROWS)
def test_sums_by_owner_are_exact_where_the_bound_is_told(rows: list[tuple[int, int]]) -> None:
    owner, values = array([row[0] for row in rows]), array([row[1] for row in rows])
    groups = Groups(owner, 5)

    sums = groups.sum(widen(values, largest(values) * groups.longest))

    own = [[value for each, value in rows if each == n] for n in range(5)]
    assert sums.tolist() == [sum(some) for some in own]
    assert groups.max(values, -MOST).tolist() == [max(some, default=-MOST) for some in own]
    assert groups.min(values, MOST).tolist() == [min(some, default=MOST) for some in own]
    assert groups.sizes.tolist() == [len(some) for some in own]
    assert groups.exist.tolist() == [bool(some) for some in own]
    assert groups.sum(values > 0).tolist() == [sum(value > 0 for value in some) for some in own]


@each
@given(ROWS)
def test_a_running_sum_begins_anew_with_each_owner(rows: list[tuple[int, int]]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    owner, values = array([row[0] for row in rows]), array([row[1] for row in rows])

    positions = Groups(owner, 5).running(widen(values, largest(values) * max(1, len(rows))))

    expected, so_far = [], [0] * 5
    for each_owner, value in rows:
        so_far[each_owner] += value
        expected.append(so_far[each_owner])
    assert positions.tolist() == expected


@each
@given(st.lists(st.tuples(AMOUNT, AMOUNT), max_size=6))
def test_a_ratio_is_that_of_the_nearest_real_numbers(rows: list[tuple[int, int]]) -> None:
    positions = ratio(array([row[0] for row in rows]), array([row[1] for row in rows]))

    for value, (upper, lower) in zip(positions.tolist(), rows, strict=True):
        assert np.isnan(value) if lower <= 0 else value == float(upper) / float(lower)


def test_what_is_unknown_is_a_day_that_does_not_come_or_nothing() -> None:
    frame = pl.DataFrame(
        {"day": [5, None], "never": [None, None], "amount": [None, 7], "open": [None, True]},
        schema={"day": pl.Int32, "never": pl.Int32, "amount": pl.Int64, "open": pl.Boolean},
    )

    assert columns.days(frame, "day").tolist() == [5, NEVER]
    assert columns.days(frame, "never").tolist() == [NEVER, NEVER]
    assert columns.whole(frame, "amount").tolist() == [0, 7]
    assert columns.whole(frame, "amount").dtype == np.int64
    assert columns.true(frame["open"]).tolist() == [False, True]
    assert columns.true(pl.Series([None, None], dtype=pl.Boolean)).tolist() == [False, False]
    assert columns.is_known(frame["amount"]).tolist() == [False, True]
    assert nullable("x", array([1, 2]), np.array([True, False]), pl.Int32).to_list() == [1, None]
    assert nullable("x", array([1, 2]), np.array([True, True])).to_list() == [1, 2]


@dataclass(frozen=True, slots=True)
class Pair(Columns):
    left: Int
    right: Int


@pytest.mark.parametrize(
    ("rows", "left"),
    [([2, 0], [30, 10]), ([False, True, False], [20]), ([True, True, True], [10, 20, 30])],
    ids=["by number", "by mask", "all"],
)
def test_rows_are_taken_from_all_columns(rows: list[int], left: list[int]) -> None:
    pair = Pair(array([10, 20, 30]), array([1, 2, 3]))

    taken = pair.take(np.array(rows))

    assert taken.left.tolist() == left
    assert (taken.right * 10).tolist() == left
