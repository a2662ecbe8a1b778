"""The tree of parent companies: whose exposure and whose limit count together.

Source: docs/rules.md, "Groups".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from connector.linking import Sets
from connector.scoring.frame.columns import Bool, Float, Groups, Int
from connector.scoring.frame.keys import row_index_of

#: Doublings of the way up: trees of up to 2^16 floors, and an end for what goes in a circle.
_DOUBLINGS = 16


def roots(accounts: pl.DataFrame, beside: pl.DataFrame | None = None) -> tuple[Int, Bool]:
    """Row of the account at the top of each one's tree, its own without a parent; whether its parents go in a circle.

    Who is in a circle, or leads into one, is a root of its own. Columns in: account_id, parent_id (an unknown or own
    one counts as none). `beside`: account_id, parent_id of customers whose accounts have several parents: they make
    one tree of two, called by the first of their tops.
    """
    own = np.arange(accounts.height)
    parent = row_index_of(accounts["parent_id"], accounts["account_id"])
    step = np.where(parent < 0, own, parent)
    above = step
    for _ in range(_DOUBLINGS):
        above, before = above[above], above
        if np.array_equal(above, before):
            break
    in_circle = step[above] != above
    top = np.where(in_circle, own, above)
    return (top if beside is None else _grown_together(top, accounts["account_id"], beside)), in_circle


def _grown_together(top: Int, ids: pl.Series, beside: pl.DataFrame) -> Int:
    """The tops, where further parents tie trees to each other."""
    child, parent = (row_index_of(beside[name], ids) for name in ("account_id", "parent_id"))
    names = [f"{row:012}" for row in range(len(ids))] if len(beside) else []
    sets = Sets()
    for one, other in zip(child, parent, strict=True):
        if one >= 0 and other >= 0:
            sets.join((names[top[one]], names[top[other]]))
    moved = {int(name): int(sets.top(name)) for members in sets.all() for name in members}
    return np.array([moved.get(row, row) for row in top.tolist()], np.int64)


@dataclass(frozen=True, slots=True)
class GroupRoom:
    """What an account's group owes and may owe, by account."""

    exposure: Int
    #: Whether the group has a limit, and which.
    has_limit: Bool
    limit: Int
    #: Exposure ÷ limit; 10 where something is owed on a limit of nothing; not a number without a limit.
    utilisation: Float
    #: Whether the account's parents go in a circle.
    parent_cycle: Bool


def group_room(
    accounts: pl.DataFrame, exposure: Int, limit: Int, has_limit: Bool, beside: pl.DataFrame | None = None
) -> GroupRoom:
    """Columns in: account_id, parent_id. `limit`: of scope group, where one was given to the account."""
    root, in_circle = roots(accounts, beside)
    groups = Groups(root, len(root))
    owed, most, limited = groups.sum(exposure)[root], groups.sum(limit)[root], groups.sum(has_limit)[root] > 0
    used = np.where(limited & (most == 0) & (owed > 0), 10.0, np.nan)
    np.divide(owed, most, out=used, where=limited & (most > 0))
    return GroupRoom(owed, limited, most, used, in_circle)
