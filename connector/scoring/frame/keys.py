"""Ids as numbers of rows: quick to join and to sum by. Nothing here changes a result."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import numpy as np
import polars as pl

from connector.policy import Policy
from connector.scoring.frame.columns import Int, true

T = TypeVar("T")


def row_index_of(wanted: pl.Series, known: pl.Series) -> Int:
    """Row number of each id in *known*, which holds every id once; −1 where it is not there.

    A table of slots by hash, four to eight for each id: of the ids of one slot the last has it, the others are joined.
    Whatever the slots say is held against the ids themselves, so that two of one hash are never taken for one.
    """
    if wanted.null_count() == len(wanted) or known.is_empty():
        return np.full(len(wanted), -1, np.int64)
    # Allocations often come in the order of what they allocate.
    if len(wanted) == len(known) and (wanted == known).all(ignore_nulls=False):
        return np.arange(len(wanted))
    own = np.arange(len(known), dtype=np.int32)
    last = np.uint64((1 << (4 * len(known)).bit_length()) - 1)
    slot, slot_wanted = ((ids.hash().to_numpy() & last).view(np.int64) for ids in (known, wanted))
    slots = np.full(int(last) + 1, -1, np.int32)
    slots[slot] = own
    rows = slots[slot_wanted].astype(np.int64)
    same = true(wanted == known.gather(np.maximum(rows, 0))) & (rows >= 0)
    rows[~same] = -1
    pushed_out = np.flatnonzero(slots[slot] != own)
    other = np.flatnonzero(~same)
    if len(pushed_out) and len(other):
        positions = _join_keys(wanted.gather(other), known.gather(pushed_out))
        rows[other] = np.where(positions < 0, -1, pushed_out[positions])
    return rows


def _join_keys(wanted: pl.Series, known: pl.Series) -> Int:
    left, right = wanted.alias("id").to_frame(), known.alias("id").to_frame().with_row_index("row")
    rows = left.join(right, on="id", how="left", maintain_order="left")["row"]
    return rows.cast(pl.Int64).fill_null(-1).to_numpy()


def owner_of(ids: pl.Series, accounts: pl.Series) -> Int:
    """Row number of each account in *accounts*, their count where it is none of them; quick where rows lie together."""
    runs = ids.rle().struct.unnest()
    rows = row_index_of(runs["value"], accounts)
    rows[rows < 0] = len(accounts)
    return np.repeat(rows, runs["len"].to_numpy())


def in_order(ids: pl.Series, first: Int, then: Int) -> Int:
    """Row numbers in order of *first* (0 … 2^30), then of *then* (a day), then of the ids."""
    order = np.argsort((first << 32) + then, kind="stable")
    one, two = first[order], then[order]
    same = (one[1:] == one[:-1]) & (two[1:] == two[:-1])
    if same.any():
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        rows = order[tied]
        alike = pl.DataFrame({"first": first[rows], "then": then[rows], "id": ids.gather(rows), "row": rows})
        order[tied] = alike.sort("first", "then", "id")["row"].to_numpy()
    return order


def per_policy(make: Callable[[Policy, str], T]) -> Callable[[Policy, str], T]:
    """Remembers what is made of a policy and a base currency: expressions, above all, which are slow to build."""
    result: dict[tuple[str, str], T] = {}

    @wraps(make)
    def remembered(policy: Policy, base: str) -> T:
        key = (policy.content, base)
        if key not in result:
            if len(result) >= _MOST_POLICIES:
                result.clear()
            result[key] = make(policy, base)
        return result[key]

    return remembered


_MOST_POLICIES = 64
