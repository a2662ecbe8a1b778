"""Steady grades: small moves of the score do not move the grade, and what gets better has to stay so for a while.

Looks back only at the newest assessment of an earlier day, so that order and number of runs within a day do not
matter. Caps bind at once, downwards and upwards. Source: docs/scoring.md, "Steady grades".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from connector.policy import Policy
from connector.scoring.frame.columns import NEVER, Bool, Int, days, is_known, true, whole
from connector.scoring.frame.grades import GRADE_RANK, NONE, UNRATED, ranks
from connector.scoring.frame.keys import row_index_of
from connector.scoring.rating.scorecard import MILLI


@dataclass(frozen=True, slots=True)
class Steady:
    """Ranks of grades; `NONE`: no grade."""

    grade: Int
    #: A better grade that has yet to hold, and the day on which it was reached (`NEVER`: none).
    pending: Int
    pending_since: Int


def steady(
    frame: pl.DataFrame, cap: Int, unrated: Bool, policy: Policy, prior: pl.DataFrame | None, as_of: int
) -> Steady:
    """The grade after hysteresis; `NONE` without a score and without an earlier grade.

    Columns in: account_id, score_milli, away. `cap`: rank of the best grade allowed; `unrated`: not rated today.
    `prior`: assessments of an earlier day.
    """
    rules = policy.stability
    score, scored = whole(frame, "score_milli"), is_known(frame["score_milli"])
    earlier = _earlier(frame, policy, prior, as_of)
    before, had = earlier.grade, earlier.grade != NONE
    band = round(rules.band * MILLI)
    reached = np.where(scored, by_points(policy, score), 0)
    better = np.maximum(np.where(scored, by_points(policy, score - band), 0), cap)
    # So many notches for each day that has passed.
    notches = earlier.days * rules.most_notches
    within = score + band >= _floors(policy)[before]
    down = np.maximum(np.where(within, before, np.minimum(reached, before + notches)), cap)
    remembered = (earlier.pending != NONE) & (earlier.pending_since >= as_of - rules.forget_days)
    held = np.where(remembered, np.maximum(better, earlier.pending), better)
    since = np.where(remembered, earlier.pending_since, as_of)
    confirmed = as_of - since >= rules.confirm_days
    # On facts of which some cannot be read nothing rises.
    up = np.where(confirmed & ~true(frame["away"]), np.maximum(held, before - notches), before)
    stored = had & (unrated | ~scored)
    rises = had & ~stored & (better < before)
    grade = np.select(
        [stored, ~had, rises, reached > before], [before, np.maximum(reached, cap), up, down], np.maximum(before, cap)
    )
    grade = np.where(scored | stored, grade, NONE)
    waits = rises & (better < grade)
    pending, pending_since = np.where(confirmed, better, held), np.where(confirmed, as_of, since)
    return Steady(grade, np.where(waits, pending, NONE), np.where(waits, pending_since, NEVER))


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What the newest earlier assessment says; `NONE` and `NEVER`: nothing."""

    grade: Int
    #: Days since then; 0: there is none.
    days: Int
    pending: Int
    pending_since: Int


def _earlier(frame: pl.DataFrame, policy: Policy, prior: pl.DataFrame | None, as_of: int) -> _Earlier:
    if prior is None or prior.is_empty():
        nothing, never = np.full(frame.height, NONE, np.int64), np.full(frame.height, NEVER, np.int64)
        return _Earlier(nothing, np.zeros(frame.height, np.int64), nothing, never)
    row = row_index_of(frame["account_id"], prior["customer_id"])
    there, row = row >= 0, np.maximum(row, 0)
    rated = ranks(prior["rating"])
    # Out of D leads the same way as out of the lowest grade: step by step, and each one has to hold.
    lowest = GRADE_RANK[list(policy.scale)[-1]]
    model = ranks(prior["model_rating"])
    grade = np.where(rated == GRADE_RANK["D"], lowest, np.where(model < UNRATED, model, NONE))
    pending = np.where(rated < UNRATED, ranks(prior["pending_rating"]), NONE)
    return _Earlier(
        np.where(there, grade[row], NONE),
        np.where(there, as_of - days(prior, "as_of")[row], 0),
        np.where(there, pending[row], NONE),
        np.where(there, days(prior, "pending_since")[row], NEVER),
    )


def by_points(policy: Policy, score_milli: Int) -> Int:
    """Rank of the grade by the scale's floors; a score below all has the lowest grade."""
    ascending = sorted((round(step.floor * MILLI), GRADE_RANK[name]) for name, step in policy.scale.items())
    reached = np.searchsorted([floor for floor, _ in ascending], score_milli, side="right") - 1
    return np.array([rank for _, rank in ascending])[np.maximum(reached, 0)]


def _floors(policy: Policy) -> Int:
    """By rank: the score from which the grade is reached; 0 of what is none of the scale."""
    values = np.zeros(NONE + 1, np.int64)
    for name, step in policy.scale.items():
        values[GRADE_RANK[name]] = round(step.floor * MILLI)
    return values
