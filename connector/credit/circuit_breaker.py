"""The circuit breaker: a run whose ratings differ too much from the last ones waits for a person.

Wrong data looks like a portfolio that fell overnight. The shares are the policy's `checks`. Source: docs/rules.md,
"Events and runs".
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connector.credit.moves import Moves
from connector.policy import Checks

#: Columns of assessments that are looked at.
LOOKED_AT = ("customer_id", "rating")
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
    #: Too many, or the engine or the policy moves anybody: the run waits for `zixin approve`.
    stopped: bool
    #: Whom another engine, or another policy, than that of the last ratings moves, with the facts and the day of these;
    #: None: it is the same.
    engine: Moves | None = None
    policy: Moves | None = None


def check_run(
    made: pl.DataFrame, last: pl.DataFrame, checks: Checks, engine: Moves | None = None, policy: Moves | None = None
) -> Verdict:
    """Columns in, of both: `LOOKED_AT`; `last` is everybody's newest approved assessment.

    First ratings do not count. Shares are of all who had a rating; few customers never stop a run, unless it is the
    engine or the policy that moves them.
    """
    before = last.select("customer_id", pl.col("rating").alias("was"))
    rows = made.select(LOOKED_AT).join(before, on="customer_id")
    differs = pl.col("rating") != pl.col("was")
    falls = pl.col("rating").is_in(_FALLEN) & ~pl.col("was").is_in(_FALLEN)
    changed, fallen = rows.select(differs.sum().alias("changed"), falls.sum().alias("fallen")).row(0)
    rated = before.height
    many = changed >= checks.changed_least and changed > rated * checks.changed_share
    deep = fallen >= checks.fallen_least and fallen > rated * checks.fallen_share
    shifted = any(cause is not None and cause.moved > 0 for cause in (engine, policy))
    return Verdict(rated, changed, fallen, bool(many or deep or shifted), engine, policy)
