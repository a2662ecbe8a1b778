"""The one scorer: canonical tables in, one assessment a customer out.

Customers are independent given the portfolio's statistics: one of them, a handful and the whole portfolio go through
this same function, and a customer's result does not depend on who else is in the batch.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from connector.assessment import ASSESSMENT
from connector.policy import Policy
from connector.schema import Tables
from connector.scoring import company, features, judge, limits, people, reasons
from connector.scoring.exact import divisor
from connector.scoring.grades import grade_rank
from connector.scoring.ledger import Ledger, ledger
from connector.scoring.scorecard import MILLI, scorecard
from connector.scoring.tendency import Gathering, Statistics, statistics


def portfolio_statistics(tables: Tables, policy: Policy, as_of: int) -> Statistics:
    """What a score takes from the portfolio around a customer, from the facts of the day."""
    return statistics(ledger(tables, policy, as_of), policy.tendency, as_of)


def assess(
    tables: Tables,
    policy: Policy,
    as_of: int,
    *,
    portfolio: Statistics,
    prior: pl.DataFrame | None = None,
    gathering: Gathering | None = None,
) -> pl.DataFrame:
    """One row an account of `accounts`, with the columns of `connector.assessment.ASSESSMENT`.

    `tables`: canonical tables by name, whole for these accounts; missing ones are empty. `prior`: what was assessed
    last on an earlier day, with the columns of `ASSESSMENT`: since when a flag is up, and which grade was held.
    `gathering` counts these customers into the day's statistics, batch by batch.
    """
    state = ledger(tables, policy, as_of, portfolio.base)
    if gathering is not None:
        gathering.add(state)
    parts = []
    for rules, frame in _judged(tables, state, policy, portfolio, as_of, prior):
        explained = frame.with_columns(reasons.reasons(frame, rules, state.base))
        parts.append(_assessed(explained, rules, policy.version, state.base, as_of))
    return pl.concat(parts).sort("?").drop("?")


def _assessed(frame: pl.DataFrame, rules: Policy, version: str, base: str, as_of: int) -> pl.DataFrame:
    return frame.with_columns(
        pl.col("account_id").alias("customer_id"),
        pl.lit(as_of, pl.Int32).alias("as_of"),
        (pl.col("score_milli") / divisor(MILLI)).alias("score"),
        pl.lit(base).alias("currency"),
        pl.col("oldest_overdue").alias("max_days_overdue"),
        "reasons",
        _notices().alias("notices"),
        (as_of + _review_days(rules)).alias("next_review_on"),
        pl.lit(version).alias("policy_version"),
    ).select("?", *(pl.col(name).cast(kind) for name, kind in ASSESSMENT.items()))


def measured(
    tables: Tables, state: Ledger, policy: Policy, portfolio: Statistics, as_of: int, prior: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row an account with everything that led to its assessment: features, points, gates, rating, limit, flags.

    `policy_segment`: segment of the policy, empty text: none. What only another segment's policy has is null.
    """
    frames = [frame for _, frame in _judged(tables, state, policy, portfolio, as_of, prior)]
    return pl.concat(frames, how="diagonal_relaxed").sort("?").drop("?")


def _judged(
    tables: Tables, state: Ledger, policy: Policy, portfolio: Statistics, as_of: int, prior: pl.DataFrame | None
) -> Iterator[tuple[Policy, pl.DataFrame]]:
    """Each segment's policy with its accounts; `?`: their order in `accounts`. At least one, be it empty."""
    frame = prepared(tables, state, policy, portfolio, as_of, prior)
    yield from judged(frame, policy, state.base, as_of, prior)


def prepared(
    tables: Tables, state: Ledger, policy: Policy, portfolio: Statistics, as_of: int, prior: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row an account with all that is known before it is judged: features, segment, what held, what people said."""
    frame = features.features(tables, state, policy, portfolio, as_of).with_row_index("?")
    frame = frame.with_columns(segment_of(tables["accounts"], policy))
    return people.known(_used_before(frame, prior), tables, as_of)


def judged(
    frame: pl.DataFrame, policy: Policy, base: str, as_of: int, prior: pl.DataFrame | None = None
) -> Iterator[tuple[Policy, pl.DataFrame]]:
    """Points, rating, limit, flags and hold of rows made by `prepared`, segment by segment."""
    for name, rules in {"": policy, **policy.of_segments}.items():
        rows = frame.filter(pl.col("policy_segment") == name) if policy.segments else frame
        if rows.is_empty() and name:
            continue
        rows = scorecard(rows, rules, base)
        rows = judge.rate(rows, rules, base, prior, as_of)
        rows = people.judged(rows, rules, as_of).with_columns(_notches().alias("notches_down"))
        rows = limits.limit(rows, rules, base, as_of)
        yield rules, people.held(judge.flag(rows, rules, base, as_of, _up_before(prior)))


def _used_before(frame: pl.DataFrame, prior: pl.DataFrame | None) -> pl.DataFrame:
    """limit_before, rating_before, day_before; and the utilisation of the limit in force before this run.

    That is what people agreed, else what took effect by itself.
    """
    if prior is None or prior.is_empty():
        return frame.with_columns(pl.lit(None, kind).alias(name) for name, kind in _BEFORE.items())
    before = prior.select(
        pl.col("customer_id").alias("account_id"),
        pl.col("limit").alias("limit_before"),
        pl.col("rating").alias("rating_before"),
        pl.col("as_of").alias("day_before"),
    )
    joined = frame.join(before, on="account_id", how="left", maintain_order="left")
    joined = joined.with_columns(pl.coalesce("agreed_limit", "limit_before").alias("limit_then"))
    return joined.with_columns(features.used("exposure", "limit_then").alias("utilisation")).drop("limit_then")


_BEFORE: dict[str, pl.DataType] = {"limit_before": pl.Int64(), "rating_before": pl.String(), "day_before": pl.Int32()}


def segment_of(accounts: pl.DataFrame, policy: Policy) -> pl.Series:
    """`policy_segment` of each account: the first segment whose attributes all fit; empty text: none."""
    found: pl.Expr = pl.lit("")
    for name, segment in reversed(policy.segments.items()):
        fits = [
            pl.col(attribute).cast(pl.String).str.to_lowercase().is_in([str(value).lower() for value in values])
            for attribute, values in segment.match.items()
        ]
        found = pl.when(pl.all_horizontal(fits).fill_null(value=False)).then(pl.lit(name)).otherwise(found)
    return accounts.with_columns(found.alias("policy_segment"))["policy_segment"]


def _up_before(prior: pl.DataFrame | None) -> pl.DataFrame | None:
    """Columns out: account_id, code, since, of the flags that were up."""
    if prior is None or prior.is_empty():
        return None
    up = prior.select(pl.col("customer_id").alias("account_id"), "flags").explode("flags").drop_nulls("flags")
    return up.unnest("flags").select("account_id", "code", "since")


def _notches() -> pl.Expr:
    """Grades lost since the newest earlier day; null without both."""
    now, before = grade_rank("rating").cast(pl.Int64), grade_rank("rating_before").cast(pl.Int64)
    return (now - before).clip(lower_bound=0)


def _notices() -> pl.Expr:
    cases = {
        "due_unknown": pl.col("due_unknown") > 0,
        "cash_beside_overdue": (pl.col("on_account") > 0) & (pl.col("overdue") > 0),
        "rate_missing": pl.col("rate_missing") > 0,
        "parent_cycle": pl.col("parent_cycle"),
        "upgrade_pending": pl.col("pending_rating").is_not_null() & ~pl.col("unconfirmed"),
        "downgrade_waits": pl.col("unconfirmed"),
        "implausible_date": pl.col("implausible") > 0,
        "statement_stale": pl.col("statement_age") > company.STALE,
        "evidence_stale": (pl.col("external_age") > company.STALE) & pl.col("external_score").is_null(),
    }
    return pl.concat_list(pl.when(case).then(pl.lit(name)) for name, case in cases.items()).list.drop_nulls()


def _review_days(policy: Policy) -> pl.Expr:
    days = pl.lit(policy.review.critical_days)
    for grade, step in policy.scale.items():
        days = pl.when(pl.col("rating") == grade).then(step.review_days).otherwise(days)
    sooner = {"critical": policy.review.critical_days, "warning": policy.review.warning_days}
    for severity, most in sooner.items():
        days = pl.when(pl.col("severity") == severity).then(days.clip(upper_bound=most)).otherwise(days)
    return days
