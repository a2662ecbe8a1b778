"""How a customer behaves beside paying early or late: ageing, promises, returned and partial payments, deductions.

Formulas: connector.messages.features, and docs/features.md made from it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection
from functools import partial

import numpy as np
import polars as pl

from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.features.asked import any_asked
from connector.scoring.features.averages import Sums
from connector.scoring.frame.columns import Float, Groups, Int, days, largest, ratio, widen
from connector.scoring.frame.keys import owner_of
from connector.scoring.frame.windows import RECENT, YEAR
from connector.scoring.ledger.ledger import Ledger, Settlements
from connector.scoring.ledger.receipts import received

#: Records that weigh for two years.
RECORD = 730
#: Ageing buckets: name → first and last day past due.
BUCKETS = {
    "overdue_1_30": (1, 30),
    "overdue_31_60": (31, 60),
    "overdue_61_90": (61, 90),
    "overdue_over_90": (91, 10**6),
}
#: Days beyond terms → points, linear between. Source: D&B's printed PAYDEX table; here on one supplier's ledger, so
#: "PAYDEX-like".
PAYDEX_POINTS = ((-30, 100), (-20, 90), (0, 80), (15, 70), (22, 60), (30, 50), (60, 40), (90, 30), (120, 20))
#: The table says only "0 to 19" beyond its end.
INDEX_POINTS = (*PAYDEX_POINTS, (180, 0))
_MILLI = 1000
_DEDUCTIONS = ("credit_note", "rebate", "deduction")


def payment_behaviour(
    tables: Tables,
    state: Ledger,
    year: Settlements,
    policy: Policy,
    as_of: int,
    asked: Collection[str] | None,
) -> dict[str, Int | Float]:
    """By account: the ageing buckets, partial_payments, commercial_acceptances, late_items_90, paydex_like,
    broken_promises, bounced, bad_records, bad_debts, deductions (money, 12 months).

    `asked`: what is wanted of them beside deductions, None: all. `year`: the settlements of 12 months. Only
    `paydex_like` may be not a number: nothing was settled.
    """
    items = state.open_items
    groups = Groups(items.account, state.height)
    lost = state.written_off.take(state.written_off.day > as_of - RECORD)
    losses = Groups(lost.account, state.height)
    broken, (returned, bounced) = _broken_promises(tables, state, policy, as_of), _returned(tables, state, as_of)

    def in_bucket(first: int, last: int) -> Int:
        return groups.sum(items.overdue_base * ((items.days_overdue >= first) & (items.days_overdue <= last)))

    numbers: dict[str, Callable[[], Int | Float]] = {
        **{name: partial(in_bucket, *days_) for name, days_ in BUCKETS.items()},
        "partial_payments": lambda: groups.sum((items.open < state.claims.amount[items.claim]) & (items.late_open > 0)),
        "commercial_acceptances": lambda: groups.sum(items.acceptances_base),
        "late_items_90": lambda: _late_claims(state, policy.materiality.grace_days, as_of),
        "paydex_like": lambda: _index(year, state.height),
        "broken_promises": lambda: broken,
        "bounced": lambda: bounced,
        "bad_records": lambda: broken + returned + losses.sizes,
        "bad_debts": lambda: losses.sum(lost.written_off_base),
    }
    wanted = {name: made() for name, made in numbers.items() if any_asked(asked, name)}
    return {**wanted, "deductions": _deductions(tables, state, as_of)}


def _late_claims(state: Ledger, grace: int, as_of: int) -> Int:
    """Claims that were settled late within 90 days, or are late now; by account."""
    paid, items = state.settlements, state.open_items
    late = np.zeros(len(state.claims.account), bool)
    late[paid.claim[(paid.days_late > grace) & (paid.day > as_of - RECENT)]] = True
    late[items.claim[items.late_open > grace]] = True
    return Groups(state.claims.account[late], state.height).sizes


def index_points(days: int) -> int:
    """Points of the index in thousandths, linear between its table's, flat beyond its ends."""
    if days <= INDEX_POINTS[0][0]:
        return INDEX_POINTS[0][1] * _MILLI
    for (x0, y0), (x1, y1) in itertools.pairwise(INDEX_POINTS):
        if days <= x1:
            return y0 * _MILLI + (days - x0) * (y1 - y0) * _MILLI // (x1 - x0)
    return INDEX_POINTS[-1][1] * _MILLI


_LOWEST, _HIGHEST = INDEX_POINTS[0][0], INDEX_POINTS[-1][0]
_TABLE = np.array([index_points(days) for days in range(_LOWEST, _HIGHEST + 1)], np.int64)


def _index(year: Settlements, height: int) -> Float:
    points = _TABLE[np.clip(year.days_late - year.days_early, _LOWEST, _HIGHEST) - _LOWEST]
    sums = Sums.of(Groups(year.account, height), year.amount_base, points)
    return ratio(sums.days, widen(sums.weight, largest(sums.weight) * _MILLI) * _MILLI)


def _broken_promises(tables: Tables, state: Ledger, policy: Policy, as_of: int) -> Int:
    """By account. A residual short is kept; so is a promise on a claim that was credited or voided."""
    promises = table(tables, "promises")
    rows = promises.filter((pl.col("due") < as_of) & (pl.col("due") > as_of - RECORD) & (pl.col("made_on") <= as_of))
    if rows.is_empty():
        return np.zeros(state.height, np.int64)
    condition = pl.col("amount") - pl.col("amount") * policy.materiality.stub_share
    in_time = pl.col("day").is_between(pl.col("made_on"), pl.col("due"))
    about = rows.drop_nulls("receivable_id").join(state.items.select("receivable_id", "open"), on="receivable_id")
    parts = state.parts.select("receivable_id", "day", pl.col("amount").alias("part"))
    paid = (
        about.join(parts, on="receivable_id", how="left")
        .group_by("promise_id")
        .agg(
            pl.col("account_id", "amount", "open").first(),
            pl.col("part").filter(in_time).sum().alias("paid"),
            (pl.col("day") > pl.col("due")).any().fill_null(value=False).alias("after"),
        )
    )
    broken = paid.filter((pl.col("paid") < condition) & ((pl.col("open") > 0) | pl.col("after")))
    general = rows.filter(pl.col("receivable_id").is_null())
    money = received(tables, as_of).select(
        "account_id", "currency", pl.col("paid_on").alias("day"), pl.col("amount").alias("part")
    )
    whole = (
        general.join(money, on=["account_id", "currency"], how="left")
        .group_by("promise_id")
        .agg(pl.col("account_id", "amount").first(), pl.col("part").filter(in_time).sum().alias("paid"))
    )
    short = whole.filter(pl.col("paid") < condition)
    accounts = pl.concat([broken["account_id"], short["account_id"]])
    return Groups(owner_of(accounts, state.accounts), state.height).sizes


def _returned(tables: Tables, state: Ledger, as_of: int) -> tuple[Int, Int]:
    """Payments that came back within 24 and within 12 months, by account."""
    payments = table(tables, "payments")
    bounced_on = days(payments, "bounced_on")
    rows = np.flatnonzero((bounced_on <= as_of) & (bounced_on > as_of - RECORD))
    owner, day = owner_of(payments["account_id"].gather(rows), state.accounts), bounced_on[rows]
    return Groups(owner, state.height).sizes, Groups(owner[day > as_of - YEAR], state.height).sizes


def _deductions(tables: Tables, state: Ledger, as_of: int) -> Int:
    """Credit notes, rebates and deductions, and claims below nothing, of 12 months; by account."""
    booked = pl.col("booked_on").is_between(as_of - YEAR + 1, as_of)
    notes = table(tables, "adjustments").filter(booked & pl.col("kind").is_in(_DEDUCTIONS))
    amount, _ = state.rates.amounts(notes, "amount", as_of)
    noted = Groups(owner_of(notes["account_id"], state.accounts), state.height).sum(amount)
    live = state.claims.take((state.claims.amount_base < 0) & (state.claims.issued > as_of - YEAR))
    return noted - Groups(live.account, state.height).sum(live.amount_base)
