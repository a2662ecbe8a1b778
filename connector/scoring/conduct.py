"""How a customer behaves beside paying early or late: ageing, promises, returned and partial payments, deductions.

Formulas: connector.words.features, and docs/features.md made from it.
"""

from __future__ import annotations

import itertools

import polars as pl

from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.ledger import Ledger
from connector.scoring.receipts import received
from connector.scoring.windows import RECENT, YEAR

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


def conduct(tables: Tables, state: Ledger, policy: Policy, as_of: int) -> pl.DataFrame:
    """Columns out: account_id, the ageing buckets, partial_payments, commercial_acceptances, late_items_90,
    paydex_like, broken_promises, bounced, bad_records, bad_debts, deductions (money, 12 months).
    """  # fmt: skip
    grace = policy.materiality.grace_days
    partly = pl.col("open") < pl.col("amount")
    items = state.items.group_by("account_id", maintain_order=True).agg(
        *(
            pl.col("overdue_base").filter(pl.col("days_overdue").is_between(*days)).sum().alias(name)
            for name, days in BUCKETS.items()
        ),
        (partly & (pl.col("late_open") > 0)).sum().cast(pl.Int64).alias("partial_payments"),
        pl.col("acceptances_base").sum().alias("commercial_acceptances"),
    )  # fmt: skip
    late = (pl.col("days_late") > grace) & (pl.col("day") > as_of - RECENT)
    claim = ("account_id", "receivable_id")
    both = pl.concat(
        [state.parts.filter(late).select(claim), state.items.filter(pl.col("late_open") > grace).select(claim)]
    )
    late_items = both.group_by("account_id", maintain_order=True).agg(
        pl.col("receivable_id").n_unique().cast(pl.Int64).alias("late_items_90")
    )
    frame = items.join(late_items, on="account_id", how="left")
    for part in (
        _index(state, as_of),
        _promises(tables, state, policy, as_of),
        _returned(tables, as_of),
        _losses(state, as_of),
        _deductions(tables, state, as_of),
    ):
        if part is not None:
            frame = frame.join(part, on="account_id", how="full", coalesce=True)
    missing = [name for name in _COUNTS if name not in frame.columns]
    frame = frame.with_columns(pl.lit(0, pl.Int64).alias(name) for name in missing).with_columns(
        pl.col(*_COUNTS).fill_null(0)
    )
    return frame.with_columns(
        pl.sum_horizontal("broken_promises", "returned", "losses").alias("bad_records"),
    ).drop("returned", "losses")


_COUNTS = ("late_items_90", "broken_promises", "returned", "bounced", "losses", "bad_debts", "deductions")


def index_points(days: int) -> int:
    """Points of the index in thousandths, linear between its table's, flat beyond its ends."""
    if days <= INDEX_POINTS[0][0]:
        return INDEX_POINTS[0][1] * _MILLI
    for (x0, y0), (x1, y1) in itertools.pairwise(INDEX_POINTS):
        if days <= x1:
            return y0 * _MILLI + (days - x0) * (y1 - y0) * _MILLI // (x1 - x0)
    return INDEX_POINTS[-1][1] * _MILLI


_LOWEST, _HIGHEST = INDEX_POINTS[0][0], INDEX_POINTS[-1][0]
_TABLE = pl.Series([index_points(days) for days in range(_LOWEST, _HIGHEST + 1)], dtype=pl.Int64)


def _index(state: Ledger, as_of: int) -> pl.DataFrame:
    year = state.parts.filter(pl.col("day") > as_of - YEAR)
    beyond = (year["days_late"] - year["days_early"]).clip(_LOWEST, _HIGHEST) - _LOWEST
    rows = year.with_columns(_TABLE.gather(beyond).alias("points"))
    sums = rows.group_by("account_id", maintain_order=True).agg(
        (pl.col("points") * pl.col("amount_base").cast(pl.Int128)).sum().alias("points"),
        pl.col("amount_base").cast(pl.Int128).sum().alias("amount"),
    )
    whole = sums.filter(pl.col("amount") > 0)
    index = pl.col("points").cast(pl.Float64) / (pl.col("amount") * _MILLI).cast(pl.Float64)
    return whole.select("account_id", index.alias("paydex_like"))


def _promises(tables: Tables, state: Ledger, policy: Policy, as_of: int) -> pl.DataFrame | None:
    """account_id, broken_promises. A stub short is kept; so is a promise on a claim that was credited or voided."""
    promises = table(tables, "promises")
    if promises.is_empty():
        return None
    rows = promises.filter((pl.col("due") < as_of) & (pl.col("due") > as_of - RECORD) & (pl.col("made_on") <= as_of))
    wanted = pl.col("amount") - pl.col("amount") * policy.materiality.stub_share
    in_time = pl.col("day").is_between(pl.col("made_on"), pl.col("due"))
    about = rows.drop_nulls("receivable_id").join(state.items.select("receivable_id", "open"), on="receivable_id")
    parts = state.parts.select("receivable_id", "day", pl.col("amount").alias("part"))
    paid = about.join(parts, on="receivable_id", how="left").group_by("promise_id").agg(
        pl.col("account_id", "amount", "open").first(),
        pl.col("part").filter(in_time).sum().alias("paid"),
        (pl.col("day") > pl.col("due")).any().fill_null(value=False).alias("after"),
    )  # fmt: skip
    broken = paid.filter((pl.col("paid") < wanted) & ((pl.col("open") > 0) | pl.col("after")))
    general = rows.filter(pl.col("receivable_id").is_null())
    money = received(tables, as_of).select(
        "account_id", "currency", pl.col("paid_on").alias("day"), pl.col("amount").alias("part")
    )
    whole = general.join(money, on=["account_id", "currency"], how="left").group_by("promise_id").agg(
        pl.col("account_id", "amount").first(), pl.col("part").filter(in_time).sum().alias("paid")
    )  # fmt: skip
    short = whole.filter(pl.col("paid") < wanted)
    both = pl.concat([broken.select("account_id"), short.select("account_id")])
    return both.group_by("account_id", maintain_order=True).agg(pl.len().cast(pl.Int64).alias("broken_promises"))


def _returned(tables: Tables, as_of: int) -> pl.DataFrame:
    """account_id, bounced (12 months), returned (24 months)."""
    back = table(tables, "payments").filter((pl.col("bounced_on") <= as_of) & (pl.col("bounced_on") > as_of - RECORD))
    return back.group_by("account_id", maintain_order=True).agg(
        (pl.col("bounced_on") > as_of - YEAR).sum().cast(pl.Int64).alias("bounced"),
        pl.len().cast(pl.Int64).alias("returned"),
    )


def _losses(state: Ledger, as_of: int) -> pl.DataFrame:
    rows = state.losses.filter(pl.col("day") > as_of - RECORD)
    return rows.group_by("account_id", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("losses"), pl.col("written_off_base").sum().alias("bad_debts")
    )


def _deductions(tables: Tables, state: Ledger, as_of: int) -> pl.DataFrame:
    """account_id, deductions: credit notes, rebates and deductions, and claims below nothing, of 12 months."""
    booked = pl.col("booked_on").is_between(as_of - YEAR + 1, as_of)
    notes = table(tables, "adjustments").filter(booked & pl.col("kind").is_in(_DEDUCTIONS))
    notes = state.rates.based(notes, as_of, deductions="amount")
    negative = state.items.filter((pl.col("amount_base") < 0) & (pl.col("issued") > as_of - YEAR))
    both = pl.concat(
        [
            notes.select("account_id", "deductions"),
            negative.select("account_id", (-pl.col("amount_base")).alias("deductions")),
        ]
    )
    return both.group_by("account_id", maintain_order=True).agg(pl.col("deductions").sum())
