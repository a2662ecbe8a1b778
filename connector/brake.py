"""The brake: a run whose ratings differ too much from the last ones waits for a person.

Wrong data looks like a portfolio that fell overnight. Source: design/days.md; the shares are the policy's `checks`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connector.policy import Checks

#: Columns of assessments that are looked at.
LOOKED_AT = ("customer_id", "rating", "policy_version")
#: Grades of which a fall counts on its own.
_FALLEN = ("C", "D")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the brake saw; counts are of customers."""

    #: Customers who had a rating before.
    rated: int
    #: … whose rating would differ.
    changed: int
    #: … who would fall to C or D.
    fallen: int
    #: The policy is not the one of the last ratings.
    policy_changed: bool
    #: Too many: the run waits for `zixin approve`.
    stopped: bool


def brake(made: pl.DataFrame, last: pl.DataFrame, checks: Checks) -> Verdict:
    """Columns in, of both: `LOOKED_AT`; `last` is everybody's newest approved assessment.

    First ratings do not count. Shares are of all who had a rating; few customers never stop a run.
    """
    before = last.select("customer_id", pl.col("rating").alias("was"), pl.col("policy_version").alias("by"))
    rows = made.select(LOOKED_AT).join(before, on="customer_id")
    differs = pl.col("rating") != pl.col("was")
    falls = pl.col("rating").is_in(_FALLEN) & ~pl.col("was").is_in(_FALLEN)
    other = (pl.col("policy_version") != pl.col("by")).any()
    seen = rows.select(differs.sum().alias("changed"), falls.sum().alias("fallen"), other.alias("other"))
    changed, fallen, policy = seen.row(0)
    rated = before.height
    many = changed >= checks.changed_least and changed > rated * checks.changed_share
    deep = fallen >= checks.fallen_least and fallen > rated * checks.fallen_share
    return Verdict(rated, changed, fallen, bool(policy), bool(many or deep))
