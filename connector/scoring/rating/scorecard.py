"""The scorecard: features → points of each indicator → score.

Points are integers of 1/1000, weights integers, and the score is one integer division, so that a customer scores the
same alone and among all. Source: docs/scoring.md, "Points".
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import polars as pl

from connector.messages.features import FEATURES
from connector.policy import Indicator, Policy
from connector.scoring.frame.columns import Bool, Float, Int, Values, nullable, true, with_series
from connector.scoring.frame.keys import per_policy

#: Points and scores count in thousandths.
MILLI = 1000
_WEIGHTS = 10**6


def scorecard(frame: pl.DataFrame, policy: Policy, base: str) -> pl.DataFrame:
    """Points of each indicator, and the score.

    Columns in: settles and every feature that an indicator names, amounts in minor units of `base`.

    Columns out, beside them:
    value_<indicator> (the feature), points_<indicator> and lost_<indicator> (1/1000 of a point; lost is null where its
    weight went to other pillars), score_milli (null without a single fact), confidence (share of the weight that had
    data) and absent_<pillar> (true: that pillar has no data).
    """
    curves, weights = _compiled(policy, base)
    values = Values(frame)
    known = {name: ~np.isnan(values[item.feature]) for name, item in policy.indicators.items()}
    has_data = {pillar: _has_data(values, known, policy, pillar) for pillar in policy.pillars}
    everybody = np.ones(frame.height, bool)
    used = {
        name: has_data[item.pillar] if policy.pillars[item.pillar].reweight else everybody
        for name, item in policy.indicators.items()
    }
    settles = true(frame["settles"])
    points = {name: curves[name].points(values[item.feature], settles) for name, item in policy.indicators.items()}
    weight_used = np.sum([used[name] * weight for name, weight in weights.items()], axis=0)
    divisor = np.maximum(weight_used, 1)
    earned = np.sum([used[name] * points[name] * weight for name, weight in weights.items()], axis=0)
    payload = np.sum([known[name] * weight for name, weight in weights.items()], axis=0)
    facts = [known[name] for name, item in policy.indicators.items() if not FEATURES[item.feature].always]
    scored = (weight_used > 0) & np.logical_or.reduce(facts or [~everybody])
    lost = {name: (100 * MILLI - points[name]) * weight // divisor for name, weight in weights.items()}
    return with_series(
        frame,
        [
            *(frame[item.feature].alias(f"value_{name}") for name, item in policy.indicators.items()),
            *(pl.Series(f"points_{name}", each) for name, each in points.items()),
            *(nullable(f"lost_{name}", each, used[name] & (weight_used > 0)) for name, each in lost.items()),
            *(pl.Series(f"absent_{pillar}", ~has) for pillar, has in has_data.items()),
            nullable("score_milli", earned // divisor, scored),
            pl.Series("confidence", payload / sum(weights.values())),
        ],
    )


@dataclass(frozen=True, slots=True)
class Curve:
    """Piecewise-linear points in thousandths, flat beyond the ends; `missing` for what is not a number."""

    #: Values at which one piece ends and the next begins.
    ends: Float
    #: Of each piece, those beyond the ends included: value and points where it begins, points gained by one more.
    starts: Float
    firsts: Float
    slopes: Float
    missing: float
    #: Until something is settled it earns no more than `missing`.
    needs_settled: bool

    @staticmethod
    def of(indicator: Indicator, unit: int) -> Curve:
        """The curve of an indicator; `unit`: what the policy's values of the feature are multiplied by."""
        curve = [(float(x * unit), float(y)) for x, y in indicator.points]
        slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in itertools.pairwise(curve)]
        ends, heights = np.array([x for x, _ in curve]), np.array([y for _, y in curve])
        starts, firsts = np.append(ends[0], ends), np.append(heights[0], heights)
        needs_settled = FEATURES[indicator.feature].needs_settled
        return Curve(ends, starts, firsts, np.array([0.0, *slopes, 0.0]), indicator.missing, needs_settled)

    def points(self, values: Float, settles: Bool) -> Int:
        """Points of the values; `settles`: whether something was settled."""
        piece = np.searchsorted(self.ends, values)
        results = self.firsts[piece] + (values - self.starts[piece]) * self.slopes[piece]
        rounded: Float = np.rint(np.where(np.isnan(values), self.missing, results) * MILLI)
        points = rounded.astype(np.int64)
        most = round(self.missing * MILLI)
        return np.where(settles, points, np.minimum(points, most)) if self.needs_settled else points


@per_policy
def _compiled(policy: Policy, base: str) -> tuple[dict[str, Curve], dict[str, int]]:
    """The curve and the weight of each indicator, weights among all in units of 10^-6."""
    # Amounts stand in major units in a policy.
    units = {
        name: policy.minor(Decimal(1), base) if FEATURES[item.feature].unit == "money" else 1
        for name, item in policy.indicators.items()
    }
    curves = {name: Curve.of(item, units[name]) for name, item in policy.indicators.items()}
    totals = {
        pillar: sum(item.weight for item in policy.indicators.values() if item.pillar == pillar)
        for pillar in policy.pillars
    }
    pillars = sum(pillar.weight for name, pillar in policy.pillars.items() if totals[name])
    return curves, {
        name: round(_WEIGHTS * policy.pillars[item.pillar].weight / pillars * item.weight / totals[item.pillar])
        for name, item in policy.indicators.items()
    }


def _has_data(values: Values, known: dict[str, Bool], policy: Policy, pillar: str) -> Bool:
    # A sum is 0, not null, where there is no fact.
    features = {name: item.feature for name, item in policy.indicators.items() if item.pillar == pillar}
    rests_on = {name: FEATURES[feature].rests_on for name, feature in features.items() if not FEATURES[feature].always}
    facts = [known[name] if other is None else values[other] > 0 for name, other in rests_on.items()]
    return np.logical_or.reduce(facts) if facts else np.ones(values.height, bool)
