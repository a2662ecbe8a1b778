"""The tree of parent companies: whose exposure and whose limit count together.

Source: design/tables.md, "A group's room and a member's own room: the smaller is shown. A parent cycle is refused".
"""

from __future__ import annotations

import polars as pl

#: Doublings of the way up: trees of up to 2^16 floors, and an end for what goes in a circle.
_DOUBLINGS = 16


def roots(accounts: pl.DataFrame) -> pl.DataFrame:
    """Columns in: account_id, parent_id (an unknown or own one counts as none). Columns out: account_id, root, cycle.

    `root` is the account at the top of the tree, for an account without parent itself. Accounts whose parents go in a
    circle, or lead into one, have `cycle` and are roots of their own.
    """
    known = accounts["account_id"]
    if accounts["parent_id"].null_count() == accounts.height:
        return accounts.select("account_id", pl.col("account_id").alias("root"), pl.lit(value=False).alias("cycle"))
    has_parent = pl.col("parent_id").is_in(known.implode()) & (pl.col("parent_id") != pl.col("account_id"))
    step = accounts.select("account_id", pl.when(has_parent).then("parent_id").otherwise("account_id").alias("up"))
    above = step
    for _ in range(_DOUBLINGS):
        further = above.join(
            above.rename({"account_id": "up", "up": "over"}), on="up", how="left", maintain_order="left"
        ).select("account_id", pl.col("over").alias("up"))
        if further.equals(above):
            break
        above = further
    tops = step.filter(pl.col("account_id") == pl.col("up"))["account_id"]
    cycle = ~pl.col("up").is_in(tops.implode())
    return above.select(
        "account_id", pl.when(cycle).then("account_id").otherwise("up").alias("root"), cycle.alias("cycle")
    )


def with_groups(frame: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Columns in: account_id, exposure, group_limit_own (limits of scope group given to this account; null: none).

    Columns out, beside them: group_exposure, group_limit (null: the group has none), group_utilisation, parent_cycle.
    """
    rows = frame.join(roots(accounts), on="account_id", how="left", maintain_order="left")
    limit = pl.col("group_limit_own")
    shared = pl.when(limit.is_not_null().any().over("root")).then(limit.sum().over("root"))
    rows = rows.with_columns(
        pl.col("exposure").sum().over("root").alias("group_exposure"),
        shared.alias("group_limit"),
        pl.col("cycle").alias("parent_cycle"),
    )
    positive = pl.when(pl.col("group_limit") > 0).then(pl.col("group_limit"))
    nothing = pl.when((pl.col("group_limit") == 0) & (pl.col("group_exposure") > 0)).then(10.0)
    return rows.with_columns(pl.coalesce(pl.col("group_exposure") / positive, nothing).alias("group_utilisation")).drop(
        "root", "cycle", "group_limit_own"
    )
