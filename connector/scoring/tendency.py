"""The tendency to pay late: how likely a customer is to pay a tenth of what falls due more than 15 days late.

Log-odds = logit(r) − early + open − 0.15, where r is the share of recent money that was late, averaged over rungs of
lateness and shrunk to the portfolio's; `early` the share settled well before due; `open` grows with the number of
unpaid invoices. Weights are integers, summed exactly, so that a customer scores the same alone and among all.
Source: docs/scoring.md, "Tendency to pay late", with the measurements that fixed the constants.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

import polars as pl

from connector.policy import Tendency
from connector.scoring.exact import divisor
from connector.scoring.ledger import Ledger

#: Weights count in units of 10^-9 payments of median size, decays in units of 10^-6.
_WEIGHT = 10**9
_DECAY = 10**6
#: Shares of a claim, and parts of an octave of amounts, that statistics are gathered in.
_SHARE = 10**6
_BINS = 16
#: Measured on two ledgers: −.14 and −.18 at slope 1.
_INTERCEPT = -0.15


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a score takes from the portfolio around the customer."""

    #: Median claim, in minor units of the base currency.
    median_amount: int
    #: The portfolio's late rate r, in units of 10^-6.
    late_rate: int
    #: Open amounts of all customers, in minor units of the base currency; 0: not known.
    open_total: int = 0
    #: The newest day of a claim or a payment; null: not known.
    newest: int | None = None
    #: Currency that everybody's amounts are added up in; empty: not known, as in stores of before it was kept.
    base: str = ""

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Statistics:
        """What `to_json` wrote."""
        return Statistics(**json.loads(text))


class Gathering:
    """The portfolio's statistics, gathered from the ledgers of one batch of customers after the other.

    The same whatever the batches are: the median is exact, the late rate a ratio of integer sums, in which a claim's
    weight is that of the middle of its sixteenth of an octave.
    """

    def __init__(self, constants: Tendency, as_of: int) -> None:
        self._constants, self._as_of = constants, as_of
        self._amounts: list[pl.Series] = []
        self._bins: list[pl.DataFrame] = []
        self._open = 0
        self._newest: int | None = None
        self._base = ""

    def add(self, state: Ledger) -> None:
        """Count one batch in; ValueError where its base currency is not that of the batches before."""
        constants = self._constants
        if self._base not in ("", state.base):
            raise ValueError(f"amounts in {state.base} cannot be added to amounts in {self._base}")
        self._base = state.base
        rows = state.parts.filter(pl.col("day") > self._as_of - constants.window_days)
        part = pl.col("amount_base").cast(pl.Int128) * _SHARE // pl.col("claim_base").clip(lower_bound=1)
        weight = part.cast(pl.Int64) * _decay(rows["day"], constants, self._as_of) // _DECAY
        octave = (pl.col("claim_base").clip(lower_bound=1).cast(pl.Float64).log(2) * _BINS).floor()
        rows = rows.select(
            octave.cast(pl.Int32).alias("bin"), weight.alias("weight"), _rungs("days_late", constants).alias("late"),
            "claim_base",
        )  # fmt: skip
        self._amounts.append(rows["claim_base"])
        sums = rows.group_by("bin").agg(pl.col("weight").sum(), (pl.col("weight") * pl.col("late")).sum().alias("late"))
        self._bins.append(sums)
        self._newest = max((day for day in (state.newest, self._newest) if day is not None), default=None)
        self._open += int(state.items["open_base"].clip(lower_bound=0).cast(pl.Int128).sum())

    def result(self) -> Statistics:
        """The statistics of everything counted in; the policy's fallback rate where there is too little history."""
        constants = self._constants
        middle = pl.concat(self._amounts).median() if self._amounts else None
        median = max(1, round(float(middle))) if isinstance(middle, int | float) else 1
        fallback = Statistics(median, round(constants.fallback_rate * 10**6), self._open, self._newest, self._base)
        if not self._bins:
            return fallback
        bins = pl.concat(self._bins)
        sizes = pl.Series([round(2 ** ((n + 0.5) / _BINS)) for n in bins["bin"]], dtype=pl.Int64)
        weights = _weights(sizes, constants, median)
        rows = zip(weights, bins["weight"], bins["late"], strict=True)
        whole = late = 0
        for each, weight, lates in rows:
            whole, late = whole + each * weight, late + each * lates
        if whole < constants.portfolio_minimum * _WEIGHT * _SHARE:
            return fallback
        # A rate of exactly 0 or 1 has no log-odds.
        rate = min(999_000, max(1_000, late * 10**6 // (whole * len(constants.rungs))))
        return Statistics(median, rate, self._open, self._newest, self._base)


def statistics(state: Ledger, constants: Tendency, as_of: int) -> Statistics:
    """The portfolio's median claim and late rate; the policy's fallback where there is too little history."""
    gathering = Gathering(constants, as_of)
    gathering.add(state)
    return gathering.result()


def tendency(state: Ledger, constants: Tendency, portfolio: Statistics, as_of: int) -> pl.DataFrame:
    """One row an account with a payment or an open claim.

    Columns out: account_id, late_tendency (log-odds), late_rate (r = tendency_late ÷ tendency_weight, both in payments
    of median size, the portfolio's share in them), early_share, history.

    `history` counts payments' worth of evidence. An open overdue item joins r only where that raises it, the latest
    first, so that neither ageing nor falling due ever helps, and paying never hurts.
    """
    settled = _settled(state, constants, portfolio, as_of)
    overdue = _overdue(state, constants, portfolio)
    whole = settled.join(overdue, on="account_id", how="full", coalesce=True).join(
        _unpaid(state), on="account_id", how="full", coalesce=True
    )
    owing = _owing(state, constants, portfolio, as_of)
    whole = whole.join(owing, on="account_id", how="left", maintain_order="left")
    rungs = len(constants.rungs)
    levels = range(rungs, 0, -1)
    # The portfolio's rate, as if it were so many payments of the customer's own.
    prior = round(constants.strength * _WEIGHT)
    whole = whole.with_columns(pl.exclude("account_id").fill_null(0)).with_columns(
        (pl.col("weight") + pl.sum_horizontal(f"open_{level}" for level in levels)).alias("evidence"),
        # What is owed past its due day counts here before it is paid, too: paying it must not thin the early ones out.
        (pl.col("weight") + prior + pl.col("owing")).alias("seen"),
        (pl.col("weight") + prior).alias("weight"),
        (pl.col("late") + prior * portfolio.late_rate * rungs // 10**6).alias("late"),
        divisor(_WEIGHT).alias("one"),
    )
    for level in levels:
        joins = level * pl.col("weight") > pl.col("late")
        adds = pl.when(joins).then(pl.col(f"open_{level}")).otherwise(0)
        whole = whole.with_columns(
            (pl.col("weight") + adds).alias("weight"), (pl.col("late") + adds * level).alias("late")
        )
    rate = pl.col("late") / (pl.col("weight") * rungs)
    early = pl.col("early") / pl.col("seen")
    odds = (rate / (1 - rate)).log()
    unpaid = (1 + pl.min_horizontal("unpaid", pl.lit(constants.open_cap))).log()
    log_odds = odds - constants.early_coefficient * early + constants.open_coefficient * unpaid + _INTERCEPT
    return whole.select(
        "account_id",
        log_odds.alias("late_tendency"),
        rate.alias("late_rate"),
        early.alias("early_share"),
        (pl.col("evidence") / pl.col("one")).alias("history"),
        (pl.col("weight") / pl.col("one")).alias("tendency_weight"),
        (pl.col("late") / (pl.col("one") * rungs)).alias("tendency_late"),
    )


def evidence(state: Ledger, constants: Tendency, portfolio: Statistics, as_of: int) -> pl.DataFrame:
    """One row a settled part that counts: the columns of `parts`, late (rungs passed), weight (10^-9 payments)."""
    rows = state.parts.filter(pl.col("day") > as_of - constants.window_days)
    weights = _weights(rows["claim_base"], constants, portfolio.median_amount)
    decay = _decay(rows["day"], constants, as_of)
    part = pl.col("amount_base").cast(pl.Int128) * weights // pl.col("claim_base").clip(lower_bound=1)
    return rows.with_columns(
        (part.cast(pl.Int64) * decay // _DECAY).alias("weight"), _rungs("days_late", constants).alias("late")
    )


def _decay(days: pl.Series, constants: Tendency, as_of: int) -> pl.Series:
    """Weight left of a part that was settled on that day, in units of 10^-6."""
    ages = range(constants.window_days + 1)
    decays = [round(_DECAY * 0.5 ** (age / constants.half_life_days)) for age in ages]
    return pl.Series("decay", decays, dtype=pl.Int64).gather(as_of - days)


def _settled(state: Ledger, constants: Tendency, portfolio: Statistics, as_of: int) -> pl.DataFrame:
    """account_id, weight, late (weight × rungs passed), early (weight settled early)."""
    rows = evidence(state, constants, portfolio, as_of)
    return rows.group_by("account_id", maintain_order=True).agg(
        pl.col("weight").sum(),
        (pl.col("weight") * pl.col("late")).sum().alias("late"),
        pl.col("weight").filter(pl.col("days_early") >= constants.early_days).sum().alias("early"),
    )


def _overdue(state: Ledger, constants: Tendency, portfolio: Statistics) -> pl.DataFrame:
    """account_id, open_n: weight of the open late items that passed n rungs."""
    rows = state.items.filter(pl.col("late_open") > 0)
    amounts = rows["amount_base"].fill_null(portfolio.median_amount)
    weights = _weights(amounts, constants, portfolio.median_amount)
    part = (pl.col("arrears").cast(pl.Int128) * weights // pl.col("amount")).cast(pl.Int64)
    rows = rows.with_columns(part.alias("weight"), _rungs("late_open", constants).alias("late"))
    return rows.group_by("account_id", maintain_order=True).agg(
        pl.col("weight").filter(pl.col("late") == level).sum().alias(f"open_{level}")
        for level in range(1, len(constants.rungs) + 1)
    )


def _owing(state: Ledger, constants: Tendency, portfolio: Statistics, as_of: int) -> pl.DataFrame:
    """account_id, owing: weight of what is open past its original due day, excused or not."""
    rows = state.items.filter((pl.col("open") > 0) & (pl.col("original_due") < as_of))
    weights = _weights(rows["amount_base"].fill_null(portfolio.median_amount), constants, portfolio.median_amount)
    part = (pl.col("open").cast(pl.Int128) * weights // pl.col("amount")).cast(pl.Int64)
    rows = rows.with_columns(part.alias("owing"))
    return rows.group_by("account_id", maintain_order=True).agg(pl.col("owing").sum())


def _unpaid(state: Ledger) -> pl.DataFrame:
    return (
        state.items.filter(pl.col("open") > 0)
        .group_by("account_id", maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("unpaid"))
    )


def _rungs(days: str, constants: Tendency) -> pl.Expr:
    return pl.sum_horizontal((pl.col(days) > rung).cast(pl.Int64) for rung in constants.rungs)


def _weights(amounts: pl.Series, constants: Tendency, median: int) -> pl.Series:
    """Weight of a claim of that size, in units of 10^-9: (amount ÷ median)^power, bounded; tiny ones in proportion."""
    greatest, small, power = constants.greatest_weight, constants.small_share, constants.weight_power
    size = pl.col("size")
    by_power = (size**power).clip(1 / greatest, greatest)
    at_small = min(max(math.pow(small, power), 1 / greatest), greatest)
    weight = pl.when(size < small).then(size / small * at_small).otherwise(by_power)
    sizes = (amounts.cast(pl.Float64) / float(median)).alias("size").to_frame()
    return sizes.select((weight * _WEIGHT).round().cast(pl.Int64)).to_series()
