"""What stands behind a customer's debt, and how high it has been. Formulas: connector.messages.features."""

from __future__ import annotations

import numpy as np
import polars as pl

from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.frame.columns import NEVER, Groups, Int
from connector.scoring.frame.windows import YEAR, not_expired
from connector.scoring.ledger.ledger import Ledger

_PPM = 10**6


def secured(tables: Tables, state: Ledger, policy: Policy, as_of: int) -> pl.DataFrame | None:
    """Insured limits and securities in force on the day; None where there are none.

    Columns out: account_id, secured, secured_ends (last day of the first of them to end).
    """
    insured = table(tables, "limits").filter(pl.col("kind") == "insured")
    pledged = table(tables, "securities")
    if insured.is_empty() and pledged.is_empty():
        return None
    started = pl.col("valid_from").is_null() | (pl.col("valid_from") <= as_of)
    cover = pl.col("coverage").fill_null(1.0).clip(0, 1)
    parts = (
        insured.filter(started & not_expired(as_of)).select(
            "account_id", "currency", "amount", "valid_until", _ppm(pl.lit(policy.limits.insured_share))
        ),
        pledged.filter(started & not_expired(as_of)).select(
            "account_id", "currency", "amount", "valid_until", _ppm(cover * policy.limits.security_share)
        ),
    )
    rows = state.rates.based(pl.concat(parts), as_of, base="amount").drop_nulls("base")
    counted = (pl.col("base").clip(lower_bound=0).cast(pl.Int128) * pl.col("ppm") // _PPM).cast(pl.Int64)
    return rows.group_by("account_id", maintain_order=True).agg(
        counted.sum().alias("secured"), pl.col("valid_until").min().alias("secured_ends")
    )


def _ppm(share: pl.Expr) -> pl.Expr:
    return (share * _PPM).round().cast(pl.Int64).alias("ppm")


def high_balance(state: Ledger, as_of: int) -> Int:
    """By account: the largest sum of open claims at the end of any day of the year; −1: never a claim.

    A claim that a residual was left of counts as settled with its last payment.
    """
    live, paid = state.claims, state.settlements
    billed = live.take(live.amount_base > 0)
    account = np.concatenate([billed.account, paid.account])
    day = np.concatenate([billed.issued, paid.day])
    moved = np.concatenate([billed.amount_base, -paid.amount_base])
    order = np.lexsort((day, account))
    account, day = account[order], day[order]
    balance = Groups(account, state.height).running(moved[order])
    # What stood at the end of each day; of the days before the year the last, which it began with.
    last = np.flatnonzero((np.diff(account, append=-1) != 0) | (np.diff(day, append=NEVER) != 0))
    account, day, balance = account[last], day[last], balance[last]
    within = day > as_of - YEAR
    begins = ~within & (np.append(within[1:], True) | (np.diff(account, append=-1) != 0))[: len(day)]
    rows = np.flatnonzero(within | begins)
    return Groups(account[rows], state.height).max(np.maximum(balance[rows], 0), -1)
