"""The tendency to pay late: how likely a customer is to pay a tenth of what falls due more than 15 days late.

Log-odds = logit(r) − early + open − 0.15, where r is the share of recent money that was late, averaged over rungs of
lateness and shrunk to the portfolio's; `early` the share settled well before due; `open` grows with the number of
unpaid invoices. Weights are integers, summed exactly, so that a customer scores the same alone and among all.
Source: docs/scoring.md, "Tendency to pay late", with the measurements that fixed the constants.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
import polars as pl

from connector.policy import Tendency
from connector.scoring.frame.columns import Float, Groups, Int, mul_div
from connector.scoring.ledger.ledger import Ledger, Settlements

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
        """What `to_json` wrote; of a mark that a store set beside it nothing is known here."""
        values = json.loads(text)
        return Statistics(**{name: values[name] for name in Statistics.__dataclass_fields__ if name in values})


class Gathering:
    """The portfolio's statistics, gathered from the ledgers of one batch of customers after the other.

    The same whatever the batches are: the median is exact, the late rate a ratio of integer sums, in which a claim's
    weight is that of the middle of its sixteenth of an octave.
    """

    def __init__(self, constants: Tendency, as_of: int) -> None:
        self._constants, self._as_of = constants, as_of
        self._amounts: list[Int] = []
        #: Sixteenth of an octave → weight, and weight × thresholds of lateness passed.
        self._weight: Counter[int] = Counter()
        self._late: Counter[int] = Counter()
        self._open = 0
        self._newest: int | None = None
        self._base = ""

    def add(self, state: Ledger) -> None:
        """Count one batch in; ValueError where its base currency is not that of the batches before."""
        if self._base not in ("", state.base):
            raise ValueError(f"amounts in {state.base} cannot be added to amounts in {self._base}")
        self._base = state.base
        paid = state.settlements.take(state.settlements.day > self._as_of - self._constants.window_days)
        claim = np.maximum(paid.claim_base, 1)
        weight = mul_div(paid.amount_base, _SHARE, claim) * _decay(paid.day, self._constants, self._as_of) // _DECAY
        # Polars' logarithm: numpy's may differ in the last digit.
        octave = pl.Series("claim", claim).cast(pl.Float64).to_frame().select((pl.col("claim").log(2) * _BINS).floor())
        bins = Groups(octave["claim"].cast(pl.Int64).to_numpy(), 64 * _BINS)
        self._weight.update(_by_bin(bins.sum(weight)))
        self._late.update(_by_bin(bins.sum(weight * _passed(paid.days_late, self._constants))))
        self._amounts.append(paid.claim_base)
        self._newest = max((day for day in (state.newest, self._newest) if day is not None), default=None)
        self._open += sum(np.maximum(state.open_items.open_base, 0).tolist())

    def result(self) -> Statistics:
        """The statistics of everything counted in; the policy's fallback rate where there is too little history."""
        constants = self._constants
        middle = pl.Series(np.concatenate(self._amounts)).median() if self._amounts else None
        median = max(1, round(float(middle))) if isinstance(middle, int | float) else 1
        fallback = Statistics(median, round(constants.fallback_rate * 10**6), self._open, self._newest, self._base)
        sizes = np.array([round(2 ** ((n + 0.5) / _BINS)) for n in self._weight], np.int64)
        weights = dict(zip(self._weight, _weights(sizes, constants, median).tolist(), strict=True))
        whole = sum(weights[n] * weight for n, weight in self._weight.items())
        late = sum(weights[n] * weight for n, weight in self._late.items())
        if not whole or whole < constants.portfolio_minimum * _WEIGHT * _SHARE:
            return fallback
        # A rate of exactly 0 or 1 has no log-odds.
        rate = min(999_000, max(1_000, late * 10**6 // (whole * len(constants.rungs))))
        return Statistics(median, rate, self._open, self._newest, self._base)


def statistics(state: Ledger, constants: Tendency, as_of: int) -> Statistics:
    """The portfolio's median claim and late rate; the policy's fallback where there is too little history."""
    gathering = Gathering(constants, as_of)
    gathering.add(state)
    return gathering.result()


def tendency(state: Ledger, constants: Tendency, portfolio: Statistics, as_of: int) -> dict[str, Float]:
    """By account; not a number without a settlement and without an open claim.

    late_tendency (log-odds), late_rate (r = tendency_late ÷ tendency_weight, both in payments of median size, the
    portfolio's share in them), early_share, history (payments' worth of evidence; 0 without any).

    An open overdue item joins r only where that raises it, the latest first, so that neither ageing nor falling due
    ever helps, and paying never hurts.
    """
    paid = evidence(state, constants, portfolio, as_of)
    owed = _owed_days(state, constants, portfolio, as_of)
    settled = Groups(paid.rows.account, state.height)
    levels = len(constants.rungs)
    own, early = settled.sum(paid.weight), settled.sum(paid.weight * (paid.rows.days_early >= constants.early_days))
    # The portfolio's rate, as if it were so many payments of the customer's own.
    prior = round(constants.strength * _WEIGHT)
    weight, late = own + prior, settled.sum(paid.weight * paid.passed) + prior * portfolio.late_rate * levels // 10**6
    for level in range(levels, 0, -1):
        joins = owed.overdue[level - 1] * (level * weight > late)
        weight, late = weight + joins, late + joins * level
    rate = late / (weight * levels)
    # What is owed past its due day counts here before it is paid, too: paying it must not thin the early ones out.
    early_share = early / (own + prior + owed.past_due)
    log_odds = (
        _log(rate / (1 - rate))
        - constants.early_coefficient * early_share
        + constants.open_coefficient * _log(1 + np.minimum(owed.unpaid, constants.open_cap))
        + _INTERCEPT
    )
    result = {
        "late_tendency": log_odds,
        "late_rate": rate,
        "early_share": early_share,
        "tendency_weight": weight / _WEIGHT,
        "tendency_late": late / (_WEIGHT * levels),
    }
    known = settled.exist | (owed.unpaid > 0)
    outcome = {name: np.where(known, values, np.nan) for name, values in result.items()}
    return {**outcome, "history": (own + sum(owed.overdue)) / _WEIGHT}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Settlements that count, their weights in 10^-9 payments, and how many thresholds of lateness each passed."""

    rows: Settlements
    weight: Int
    passed: Int


def evidence(state: Ledger, constants: Tendency, portfolio: Statistics, as_of: int) -> Evidence:
    """The settlements within the policy's window."""
    paid = state.settlements.take(state.settlements.day > as_of - constants.window_days)
    weights = _weights(paid.claim_base, constants, portfolio.median_amount)
    weight = mul_div(paid.amount_base, weights, np.maximum(paid.claim_base, 1))
    weight = weight * _decay(paid.day, constants, as_of) // _DECAY
    return Evidence(paid, weight, _passed(paid.days_late, constants))


@dataclass(frozen=True, slots=True)
class _Owed:
    """What is open, by account, in 10^-9 payments."""

    #: By thresholds passed, from one on: weight of the late items.
    overdue: tuple[Int, ...]
    #: Weight of what is open past its original due day, excused or not.
    past_due: Int
    #: How many claims are open.
    unpaid: Int


def _owed_days(state: Ledger, constants: Tendency, portfolio: Statistics, as_of: int) -> _Owed:
    items = state.open_items.take(state.open_items.open > 0)
    live, groups = state.claims.take(items.claim), Groups(items.account, state.height)
    # An amount without a rate is taken to be as large as the median.
    amounts = np.where(live.has_rate, live.amount_base, portfolio.median_amount)
    weights = _weights(amounts, constants, portfolio.median_amount)
    late = mul_div(items.arrears, weights, live.amount) * (items.late_open > 0)
    passed = _passed(items.late_open, constants)
    past_due = mul_div(items.open, weights, live.amount) * (live.original_due < as_of)
    levels = range(1, len(constants.rungs) + 1)
    overdue = tuple(groups.sum(late * (passed == level)) for level in levels)
    return _Owed(overdue, groups.sum(past_due), groups.sizes)


def _log(values: Float) -> Float:
    # Polars' logarithm: numpy's may differ in the last digit.
    return pl.Series(values).log().to_numpy()


def _by_bin(sums: Int) -> dict[int, int]:
    return {int(n): int(sums[n]) for n in np.flatnonzero(sums)}


def _decay(days: Int, constants: Tendency, as_of: int) -> Int:
    """Weight left of what was settled on that day, in units of 10^-6."""
    return _decays(constants.window_days, constants.half_life_days)[as_of - days]


@cache
def _decays(window_days: int, half_life_days: int) -> Int:
    return np.array([round(_DECAY * 0.5 ** (age / half_life_days)) for age in range(window_days + 1)], np.int64)


def _passed(days: Int, constants: Tendency) -> Int:
    """How many of the policy's thresholds of lateness each number of days passed."""
    return np.searchsorted(np.sort(constants.rungs), days)


def _weights(amounts: Int, constants: Tendency, median: int) -> Int:
    """Weight of a claim of that size, in units of 10^-9: (amount ÷ median)^power, bounded; tiny ones in proportion."""
    greatest, small, power = constants.greatest_weight, constants.small_share, constants.weight_power
    size = amounts / float(median)
    by_power = np.clip(np.maximum(size, 0) ** power, 1 / greatest, greatest)
    at_small = min(max(math.pow(small, power), 1 / greatest), greatest)
    weights: Float = np.rint(np.where(size < small, size / small * at_small, by_power) * _WEIGHT)
    return weights.astype(np.int64)
