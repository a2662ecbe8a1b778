"""Proposed limits and the limit in force.

Needs: what a customer is billed a day × his days of credit and of lateness × a peak × his grade's factor, rounded
down. Source: docs/scoring.md, "Limit".
"""

from __future__ import annotations

import polars as pl

from connector.assessment import NOT_RATED
from connector.policy import Policy
from connector.scoring.features import used
from connector.scoring.windows import YEAR

#: A customer of a few days has not shown yet what he needs: no rate of billing from less than a quarter.
_LEAST_DAYS = 90


def limit(frame: pl.DataFrame, policy: Policy, base: str, as_of: int) -> pl.DataFrame:
    """The proposed limit, the one in force and the room left, in minor units.

    Columns in: rating, features, agreed_limit. Columns out, beside them: proposed_limit, limit (null: none in force),
    available and utilisation (of the limit in force). A proposal never rises above what people agreed while an
    exchange rate is missing.
    """
    rated_factor = pl.lit(0)
    for grade, step in policy.scale.items():
        rated_factor = pl.when(pl.col("rating") == grade).then(round(step.limit_factor * 1000)).otherwise(rated_factor)
    unrated = round(policy.limits.unrated_share * 1000)
    factor = pl.when(pl.col("rating") == NOT_RATED).then(unrated).otherwise(rated_factor)
    days = (pl.col("terms_days").fill_null(policy.terms.days) + pl.col("days_beyond_terms").fill_null(0)) * 100
    active = (as_of - pl.col("first_issued")).clip(_LEAST_DAYS, YEAR).fill_null(YEAR).cast(pl.Int64)
    peak = round(policy.limits.peak * 1000)
    needs = (
        pl.col("volume").cast(pl.Int128) * days.round().cast(pl.Int64) * factor * peak // (active * (100 * 1000 * 1000))
    ).cast(pl.Int64)
    for grade, step in policy.scale.items():
        if step.limit_cap is not None:
            cap = policy.minor(step.limit_cap, base)
            needs = pl.when(pl.col("rating") == grade).then(needs.clip(upper_bound=cap)).otherwise(needs)
    unsure = (pl.col("rate_missing") > 0) & pl.col("agreed_limit").is_not_null()
    proposed = pl.when(unsure).then(pl.min_horizontal(needs, "agreed_limit")).otherwise(needs)
    frame = frame.with_columns(_rounded_down(proposed, policy.limits.significant_digits).alias("proposed_limit"))
    frame = frame.with_columns(pl.coalesce("agreed_limit", _by_itself(policy, base)).alias("limit"))
    # The smaller of the customer's own room and his group's; a null one does not count.
    own, group = pl.col("limit") - pl.col("exposure"), pl.col("group_limit") - pl.col("group_exposure")
    return frame.with_columns(
        pl.min_horizontal(own, group).clip(lower_bound=0).alias("available"),
        used("exposure", "limit").alias("utilisation"),
    )


def _by_itself(policy: Policy, base: str) -> pl.Expr:
    """The proposal, where the policy lets it take effect without a person."""
    if policy.approvals.limit_above is None:
        return pl.lit(None, pl.Int64)
    most = policy.minor(policy.approvals.limit_above, base)
    sure = (pl.col("rate_missing") == 0) & (pl.col("rating") != NOT_RATED)
    return pl.when(sure & (pl.col("proposed_limit") <= most)).then(pl.col("proposed_limit"))


def _rounded_down(amount: pl.Expr, digits: int) -> pl.Expr:
    """The leading digits of a non-negative amount, the rest zeros."""
    surplus = (amount.cast(pl.String).str.len_chars().cast(pl.Int64) - digits).clip(lower_bound=0)
    unit = surplus.replace_strict(list(range(19)), [10**n for n in range(19)], return_dtype=pl.Int64)
    return amount // unit * unit
