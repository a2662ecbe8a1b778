"""Rows by their ids, whatever their hashes."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.scoring.frame.keys import in_order, owner_of, row_index_of
from tests.examples import each

IDS = st.lists(st.integers(0, 400).map(str), max_size=40)


def texts(ids: list[str] | list[str | None]) -> pl.Series:
    return pl.Series("id", ids, dtype=pl.String)


@each
@given(st.lists(st.none() | st.integers(0, 400).map(str), max_size=40), IDS)
def test_each_id_is_found_where_it_is_and_nothing_elsewhere(wanted: list[str | None], known: list[str]) -> None:
    known = list(dict.fromkeys(known))

    match = row_index_of(texts(wanted), texts(known)).tolist()

    assert match == [known.index(each) if each is not None and each in known else -1 for each in wanted]


def test_ids_that_push_each_other_out_of_a_slot_are_found_all_the_same() -> None:
    # A fifth of so many share a slot.
    names = [f"K{n}" for n in range(20_000)]
    results = [*names[::-1], *(f"no {n}" for n in range(5_000))]

    positions = row_index_of(texts(results), texts(names))

    assert positions[:20_000].tolist() == list(range(20_000))[::-1]
    assert set(positions[20_000:].tolist()) == {-1}


@pytest.mark.parametrize("ids", [["a", "b"], ["b", "a"], []])
def test_ids_in_the_order_of_the_known_ones_are_themselves(ids: list[str]) -> None:
    assert row_index_of(texts(ids), texts(ids)).tolist() == list(range(len(ids)))


def test_an_account_that_is_none_of_them_stands_behind_them_all() -> None:
    assert owner_of(texts(["b", "b", "x", "a"]), texts(["a", "b"])).tolist() == [1, 1, 2, 0]


@each
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 2), st.text("abc", max_size=2)), max_size=12))
def test_rows_are_ordered_by_three_columns(rows: list[tuple[int, int, str]]) -> None:
    first, then = (np.array([row[n] for row in rows], np.int64) for n in (0, 1))

    order = in_order(texts([row[2] for row in rows]), first, then)

    assert [rows[n] for n in order.tolist()] == sorted(rows)
