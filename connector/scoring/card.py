"""The scorecard: features → points of each indicator → score.

Points are integers of 1/1000, weights integers, and the score is one integer division, so that a customer scores the
same alone and among all. Source: docs/scoring.md, "Points".
"""

from __future__ import annotations

import itertools
from decimal import Decimal

import polars as pl

from connector.policy import Indicator, Policy
from connector.scoring.exact import divisor
from connector.scoring.features import ALWAYS
from connector.scoring.keys import per_policy
from connector.words.features import FEATURES

#: Points and scores count in thousandths.
MILLI = 1000
_WEIGHTS = 10**6


def card(frame: pl.DataFrame, policy: Policy, base: str) -> pl.DataFrame:
    """Points of each indicator, and the score.

    Columns in: account_id, settles and every feature that an indicator names, amounts in minor units of `base`.

    Columns out, beside them:
    value_<indicator> (the feature), points_<indicator> and lost_<indicator> (1/1000 of a point; lost is null where its
    weight went to other pillars), milli (1000, to divide by), score_milli (null without a single fact), confidence
    (share of the weight that had data) and absent_<pillar> (true: that pillar has no data).
    """
    points, sums, shares = _plan(policy, base)
    return frame.with_columns(points).with_columns(sums).with_columns(shares).drop("weight_used", "weight_all")


@per_policy
def _plan(policy: Policy, base: str) -> tuple[list[pl.Expr], list[pl.Expr], list[pl.Expr]]:
    """Points; then weights and divisors; then what these give together."""
    weights = _weights(policy)
    used = {name: _used(policy, item.pillar) for name, item in policy.indicators.items()}
    points = [
        *(pl.col(item.feature).alias(f"value_{name}") for name, item in policy.indicators.items()),
        *(_points(item, _unit(item, policy, base)).alias(f"points_{name}") for name, item in policy.indicators.items()),
        *((~_has_data(policy, pillar)).alias(f"absent_{pillar}") for pillar in policy.pillars),
    ]
    whole = pl.sum_horizontal(pl.when(used[name]).then(weight).otherwise(0) for name, weight in weights.items())
    sums = [
        whole.alias("weight_used"),
        divisor(MILLI).alias("milli"),
        divisor(sum(weights.values())).alias("weight_all"),
    ]
    got = pl.sum_horizontal(
        pl.when(used[name]).then(pl.col(f"points_{name}") * weight).otherwise(0) for name, weight in weights.items()
    )
    known = pl.sum_horizontal(
        pl.when(pl.col(policy.indicators[name].feature).is_not_null()).then(weight).otherwise(0)
        for name, weight in weights.items()
    )
    telling = [item.feature for item in policy.indicators.values() if item.feature not in ALWAYS]
    any_fact = pl.any_horizontal(pl.col(name).is_not_null() for name in telling)
    lost = [
        pl.when(used[name])
        .then((100 * MILLI - pl.col(f"points_{name}")) * weight // pl.col("weight_used"))
        .alias(f"lost_{name}")
        for name, weight in weights.items()
    ]
    score = pl.when(any_fact & (pl.col("weight_used") > 0)).then(got // pl.col("weight_used"))
    return points, sums, [score.alias("score_milli"), (known / pl.col("weight_all")).alias("confidence"), *lost]


def _weights(policy: Policy) -> dict[str, int]:
    """Weight of each indicator among all, in units of 10^-6."""
    totals = {
        pillar: sum(item.weight for item in policy.indicators.values() if item.pillar == pillar)
        for pillar in policy.pillars
    }
    pillars = sum(pillar.weight for name, pillar in policy.pillars.items() if totals[name])
    return {
        name: round(_WEIGHTS * policy.pillars[item.pillar].weight / pillars * item.weight / totals[item.pillar])
        for name, item in policy.indicators.items()
    }


def _has_data(policy: Policy, pillar: str) -> pl.Expr:
    features = [item.feature for item in policy.indicators.values() if item.pillar == pillar]
    # A sum is 0, not null, where there is no fact, and a tendency without history is the portfolio's.
    facts = [
        pl.col("history") > 0 if name == "late_tendency" else pl.col(name).is_not_null()
        for name in features
        if name not in ALWAYS
    ]
    return pl.any_horizontal(facts) if facts else pl.lit(value=True)


def _used(policy: Policy, pillar: str) -> pl.Expr:
    return _has_data(policy, pillar) if policy.pillars[pillar].reweight else pl.lit(True)


def _unit(indicator: Indicator, policy: Policy, base: str) -> int:
    """What the policy's values of the feature are multiplied by: amounts stand in major units there."""
    return policy.minor(Decimal(1), base) if FEATURES[indicator.feature].unit == "money" else 1


def _points(indicator: Indicator, unit: int) -> pl.Expr:
    """Piecewise-linear points in thousandths, flat beyond the ends; `missing` for null."""
    curve = [(x * unit, y) for x, y in indicator.points]
    value = pl.col(indicator.feature).cast(pl.Float64)
    (low, first), *_ = curve
    # Until something is settled, an average over open items alone earns no more than no average at all: else an item
    # would help by falling due.
    untold = pl.lit(indicator.feature == "days_beyond_terms") & ~pl.col("settles").fill_null(value=False)
    result = pl.when(value.is_null()).then(pl.lit(indicator.missing)).when(value <= low).then(pl.lit(first))
    for (x0, y0), (x1, y1) in itertools.pairwise(curve):
        result = result.when(value <= x1).then(y0 + (value - x0) * ((y1 - y0) / (x1 - x0)))
    points = (result.otherwise(pl.lit(curve[-1][1])) * MILLI).round().cast(pl.Int64)
    return pl.when(untold).then(points.clip(upper_bound=round(indicator.missing * MILLI))).otherwise(points)
