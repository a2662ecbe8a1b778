"""The one scorer: canonical tables in, one assessment a customer out.

Customers are independent given the portfolio's statistics: one of them, a handful and the whole portfolio go through
this same function, and a customer's result does not depend on who else is in the batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import polars as pl

from connector.assessment import ASSESSMENT
from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.customers import folded, folded_prior, of_accounts
from connector.scoring.features import company, features
from connector.scoring.features.freshness import with_freshness
from connector.scoring.features.tendency import Gathering, Statistics, statistics
from connector.scoring.frame.columns import Int, is_known, lists, nullable, true, whole
from connector.scoring.frame.grades import GRADE_RANK, NONE, UNRATED, ranks
from connector.scoring.frame.keys import row_index_of
from connector.scoring.ledger.ledger import Ledger, ledger
from connector.scoring.rating import judge, limits, people, reasons
from connector.scoring.rating.scorecard import MILLI, scorecard


def portfolio_statistics(tables: Tables, policy: Policy, as_of: int) -> Statistics:
    """What a score takes from the portfolio around a customer, from the facts of the day."""
    return statistics(ledger(folded(tables).tables, policy, as_of), policy.tendency, as_of)


def assess(
    tables: Tables,
    policy: Policy,
    as_of: int,
    *,
    portfolio: Statistics,
    prior: pl.DataFrame | None = None,
    gathering: Gathering | None = None,
) -> pl.DataFrame:
    """One row per account of `accounts`, with the columns of `connector.assessment.ASSESSMENT`.

    `tables`: canonical tables by name, whole for these accounts; missing ones are empty; beside them `freshness`, with
    the columns of `features.freshness.FRESHNESS`, where a source of some cannot be read. `prior`: what was assessed
    last on an earlier day, with the columns of `ASSESSMENT`: since when a flag is up, and which grade was held.
    `gathering` counts these customers into the day's statistics, batch by batch. Accounts that `links` makes one
    customer bear one assessment: of all of their facts together.
    """
    folds, accounts = folded(tables), table(tables, "accounts")
    tables, prior = folds.tables, folded_prior(prior, folds)
    state = ledger(tables, policy, as_of, portfolio.base)
    if gathering is not None:
        gathering.add(state)
    parts = []
    for rules, frame in _judge(tables, state, policy, portfolio, as_of, prior):
        explained = frame.with_columns(reasons.reasons(frame, rules))
        parts.append(_assessed(explained, rules, policy.version, state.base, as_of))
    return of_accounts(pl.concat(parts).sort("?").drop("?"), accounts, folds)


def _assessed(frame: pl.DataFrame, rules: Policy, version: str, base: str, as_of: int) -> pl.DataFrame:
    """The columns of `ASSESSMENT`, and `?`."""
    score = nullable("score", whole(frame, "score_milli") / MILLI, is_known(frame["score_milli"]))
    own = [score, _notices(frame), pl.Series("next_review_on", as_of + _review_days(frame, rules))]
    values = {column.name: column for column in own}
    values |= {"customer_id": frame["account_id"], "max_days_overdue": frame["oldest_overdue"]}
    values["accounts"] = pl.Series([[]], dtype=ASSESSMENT["accounts"]).new_from_index(0, frame.height)
    for name, value in (("as_of", as_of), ("currency", base), ("policy_version", version)):
        values[name] = pl.repeat(value, frame.height, dtype=ASSESSMENT[name], eager=True)
    columns = [
        (values[name] if name in values else frame[name]).cast(kind).alias(name) for name, kind in ASSESSMENT.items()
    ]
    return pl.DataFrame([frame["?"], *columns])


def measured(
    tables: Tables, state: Ledger, policy: Policy, portfolio: Statistics, as_of: int, prior: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row per account with everything that led to its assessment: features, points, gates, rating, limit, flags.

    `policy_segment`: segment of the policy, empty text: none. What only another segment's policy has is null.
    """
    frames = [frame for _, frame in _judge(tables, state, policy, portfolio, as_of, prior)]
    return pl.concat(frames, how="diagonal_relaxed").sort("?").drop("?")


def _judge(
    tables: Tables, state: Ledger, policy: Policy, portfolio: Statistics, as_of: int, prior: pl.DataFrame | None
) -> Iterator[tuple[Policy, pl.DataFrame]]:
    """Each segment's policy with its accounts; `?`: their order in `accounts`. At least one, be it empty."""
    frame = prepared(tables, state, policy, portfolio, as_of, prior, asked=policy.asked)
    yield from judge_accounts(frame, policy, state.base, as_of, prior)


def prepared(
    tables: Tables,
    state: Ledger,
    policy: Policy,
    portfolio: Statistics,
    as_of: int,
    prior: pl.DataFrame | None = None,
    *,
    asked: Collection[str] | None = None,
) -> pl.DataFrame:
    """One row per account with all that is known before it is judged: features, segment, what held, what people said.

    `asked`: as `features` takes it.
    """
    frame = features.features(tables, state, policy, portfolio, as_of, asked).with_row_index("?")
    frame = frame.with_columns(segment_of(tables["accounts"], policy))
    frame = with_freshness(frame, tables.get("freshness"), as_of)
    return people.with_decisions(_used_before(frame, prior), tables, as_of)


def judge_accounts(
    frame: pl.DataFrame, policy: Policy, base: str, as_of: int, prior: pl.DataFrame | None = None
) -> Iterator[tuple[Policy, pl.DataFrame]]:
    """Points, rating, limit, flags and hold of rows made by `prepared`, segment by segment."""
    up_before = _up_before(prior)
    for name, rules in {"": policy, **policy.of_segments}.items():
        rows = frame.filter(pl.col("policy_segment") == name) if policy.segments else frame
        if rows.is_empty() and name:
            continue
        rows = scorecard(rows, rules, base)
        rows = judge.rate(rows, rules, base, prior, as_of)
        rows = people.apply_overrides(rows, rules, as_of)
        rows = rows.hstack([_notches(rows)])
        rows = limits.limit(rows, rules, base, as_of)
        rows = judge.keep_hold(judge.flag(rows, rules, base, as_of, up_before))
        yield rules, people.apply_holds(rows)


def _used_before(frame: pl.DataFrame, prior: pl.DataFrame | None) -> pl.DataFrame:
    """limit_before, rating_before, hold_before, day_before; and the utilisation of the limit in force before this run.

    That is what people agreed, else what took effect by itself.
    """
    if prior is None or prior.is_empty():
        nothing = (pl.Series(new, [None], ASSESSMENT[old]) for new, old in _BEFORE.items())
        return frame.hstack([column.new_from_index(0, frame.height) for column in nothing])
    row = row_index_of(frame["account_id"], prior["customer_id"])
    there = pl.Series(row >= 0)
    before = prior.select(pl.col(old).alias(new) for new, old in _BEFORE.items())[np.maximum(row, 0)]
    joined = frame.hstack(before.select(pl.when(there).then(pl.all())).get_columns())
    limit = joined.select(pl.coalesce("agreed_limit", "limit_before").alias("limit"))
    counts = is_known(limit["limit"]) & (whole(frame, "prepaid") == 0)
    used = features.utilisation(whole(frame, "exposure"), whole(limit, "limit"), counts)
    return joined.with_columns(pl.Series("utilisation", used, nan_to_null=True))


#: Column beside today's → column of the newest earlier assessment.
_BEFORE = {"limit_before": "limit", "rating_before": "rating", "hold_before": "hold", "day_before": "as_of"}


def segment_of(accounts: pl.DataFrame, policy: Policy) -> pl.Series:
    """`policy_segment` of each account: the first segment whose attributes all fit; empty text: none."""
    condition: pl.Expr = pl.lit("")
    for name, segment in reversed(policy.segments.items()):
        fits = [
            pl.col(attribute).cast(pl.String).str.to_lowercase().is_in([str(value).lower() for value in values])
            for attribute, values in segment.match.items()
        ]
        condition = pl.when(pl.all_horizontal(fits).fill_null(value=False)).then(pl.lit(name)).otherwise(condition)
    return accounts.with_columns(condition.alias("policy_segment"))["policy_segment"]


def _up_before(prior: pl.DataFrame | None) -> pl.DataFrame | None:
    """Columns out: account_id, code, since, of the flags that were up."""
    if prior is None or prior.is_empty():
        return None
    up = prior.select(pl.col("customer_id").alias("account_id"), "flags").explode("flags").drop_nulls("flags")
    return up.unnest("flags").select("account_id", "code", "since")


def _notches(frame: pl.DataFrame) -> pl.Series:
    """notches_down: grades lost since the newest earlier day; null without both."""
    now, before = ranks(frame["rating"]), ranks(frame["rating_before"])
    return nullable("notches_down", np.maximum(now - before, 0), (now < UNRATED) & (before < UNRATED))


def _notices(frame: pl.DataFrame) -> pl.Series:
    more = {name: whole(frame, name) > 0 for name in _COUNTED}
    unconfirmed = true(frame["unconfirmed"])
    cases = {
        "due_unknown": more["due_unknown"],
        "cash_beside_overdue": more["on_account"] & more["overdue"],
        "rate_missing": more["rate_missing"],
        "parent_cycle": true(frame["parent_cycle"]),
        "upgrade_pending": is_known(frame["pending_rating"]) & ~unconfirmed,
        "downgrade_waits": unconfirmed,
        "implausible_date": more["implausible"],
        "statement_stale": whole(frame, "statement_age") > company.STALE,
        "source_away": true(frame["away"]),
        "evidence_stale": (whole(frame, "external_age") > company.STALE) & ~is_known(frame["external_score"]),
    }
    row, case = np.nonzero(np.stack(list(cases.values()), axis=1))
    return lists(row, pl.Series("notices", list(cases)).gather(case), pl.String(), frame.height)


_COUNTED = ("due_unknown", "on_account", "overdue", "rate_missing", "implausible")


def _review_days(frame: pl.DataFrame, policy: Policy) -> Int:
    """Days to the next review: the grade's, and at most those of the gravest flag."""
    review, severity = policy.review, frame["severity"]
    by_rank = np.full(NONE + 1, review.critical_days, np.int64)
    for grade, step in policy.scale.items():
        by_rank[GRADE_RANK[grade]] = step.review_days
    positions = by_rank[ranks(frame["rating"])]
    for name, most in (("warning", review.warning_days), ("critical", review.critical_days)):
        positions = np.where(true(severity == name), np.minimum(positions, most), positions)
    return positions
