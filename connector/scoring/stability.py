"""Steady grades: small moves of the score do not move the grade, and what gets better has to stay so for a while.

Looks back only at the newest assessment of an earlier day, so that order and number of runs within a day do not
matter. Caps bind at once, downwards and upwards. Source: docs/scoring.md, "Steady grades"; design/days.md.
"""

from __future__ import annotations

import polars as pl

from connector.assessment import NOT_RATED
from connector.policy import Policy
from connector.scoring.card import MILLI
from connector.scoring.grades import PLACE, named, placed

#: Columns of an earlier day's assessment that are looked at.
LOOKED_AT = ("customer_id", "as_of", "rating", "model_rating", "pending_rating", "pending_since")


def steady(frame: pl.DataFrame, policy: Policy, prior: pl.DataFrame | None, as_of: int) -> pl.DataFrame:
    """The grade after hysteresis, as an index into RATINGS.

    Columns in: account_id, score_milli, cap (index of the best grade allowed), unrated (true: not rated today).
    Columns out, beside them: grade (null without a score and without an earlier grade), pending_rating (a better grade
    that has yet to hold; null: none) and pending_since (day).
    """
    rules = policy.stability
    band = round(rules.band * MILLI)
    score = pl.col("score_milli")
    frame = frame.join(
        _before(frame, policy, prior, as_of), on="account_id", how="left", maintain_order="left"
    ).with_columns(
        by_points(policy, score).alias("points_grade"),
        pl.max_horizontal(by_points(policy, score - band), "cap").alias("better"),
        (score + band >= _floor(policy, pl.col("before"))).alias("within"),
    )
    before, cap, better = pl.col("before"), pl.col("cap"), pl.col("better")
    # So many notches for each day that has passed.
    most = pl.col("days") * rules.most_notches
    lower = pl.min_horizontal("points_grade", before + most)
    down = pl.max_horizontal(pl.when("within").then(before).otherwise(lower), cap)
    remembered = pl.col("pended_since") >= as_of - rules.forget_days
    pended = pl.when(remembered).then("pended")
    held = pl.max_horizontal(better, pended)
    since = pl.when(pended.is_not_null()).then("pended_since").otherwise(as_of)
    holds = as_of - since >= rules.confirm_days
    up = pl.when(holds).then(pl.max_horizontal(held, before - most)).otherwise(before)
    rises, kept = better < before, before.is_not_null() & (pl.col("unrated") | score.is_null())
    grade = (
        pl.when(kept)
        .then(before)
        .when(before.is_null())
        .then(pl.max_horizontal("points_grade", cap))
        .when(rises)
        .then(up)
        .when(pl.col("points_grade") > before)
        .then(down)
        .otherwise(pl.max_horizontal(before, cap))
    )
    grade = pl.when(score.is_not_null() | kept).then(grade).cast(pl.Int32)
    waits = rises & ~kept & (better < grade)
    return frame.with_columns(
        grade.alias("grade"),
        named(pl.when(waits).then(pl.when(holds).then(better).otherwise(held))).alias("pending_rating"),
        pl.when(waits).then(pl.when(holds).then(as_of).otherwise(since)).cast(pl.Int32).alias("pending_since"),
    ).drop("before", "days", "pended", "pended_since", "points_grade", "better", "within")


def _before(frame: pl.DataFrame, policy: Policy, prior: pl.DataFrame | None, as_of: int) -> pl.DataFrame:
    """account_id, before (index of the last grade; null: none), days (since then), pended (index), pended_since."""
    if prior is None or prior.is_empty():
        none = pl.lit(None, pl.Int32)
        return frame.select(
            "account_id", none.alias("before"), none.alias("days"), none.alias("pended"), none.alias("pended_since")
        )
    lowest = PLACE[list(policy.scale)[-1]]
    index = {name: placed(name) for name in LOOKED_AT[2:5]}
    # Out of D leads the same way as out of the lowest grade: step by step, and each one has to hold.
    before = pl.when(pl.col("rating") == "D").then(lowest).otherwise(index["model_rating"])
    return prior.select(
        pl.col("customer_id").alias("account_id"),
        before.cast(pl.Int32).alias("before"),
        (as_of - pl.col("as_of")).cast(pl.Int32).alias("days"),
        pl.when(pl.col("rating") != NOT_RATED).then(index["pending_rating"]).alias("pended"),
        pl.col("pending_since").alias("pended_since"),
    )


def by_points(policy: Policy, score_milli: pl.Expr) -> pl.Expr:
    """Index of the grade by the scale's floors; null without a score. A score below nothing has the lowest grade."""
    grade: pl.Expr = pl.when(score_milli.is_not_null()).then(PLACE[list(policy.scale)[-1]])
    for name, step in reversed(policy.scale.items()):
        reached = score_milli >= round(step.floor * MILLI)
        grade = pl.when(reached).then(PLACE[name]).otherwise(grade)
    return grade


def _floor(policy: Policy, index: pl.Expr) -> pl.Expr:
    floors = {PLACE[name]: round(step.floor * MILLI) for name, step in policy.scale.items()}
    return index.replace_strict(floors, default=0, return_dtype=pl.Int64)
