"""Assessments as the doors show them: amounts as decimal text, days as ISO dates."""

from __future__ import annotations

from typing import Any

import polars as pl

from app import compose
from connector import money
from connector.errors import Misconfigured
from connector.schema import day_of
from sync.store import facts, state

_MONEY = ("proposed_limit", "limit", "exposure", "available", "overdue", "on_account", "group_exposure")
_DAYS = ("as_of", "overdue_since", "next_review_on", "next_day")


def accounts(profile: str) -> list[dict[str, Any]]:
    """One object an account, worst score first: account_id, number, name, and the assessment's fields."""
    with compose.stored(profile) as (store, name), store.read() as tx:
        assessed = state.assessments(tx, name)
        known = facts.accounts(tx, name).select("account_id", "number", "name")
    rows = known.join(assessed, left_on="account_id", right_on="customer_id", how="inner")
    return [readable(row) for row in rows.sort("score", "account_id", nulls_last=True).to_dicts()]


def readable(row: dict[str, Any]) -> dict[str, Any]:
    """An assessment with amounts in its currency as decimal text, and days as ISO dates."""
    made = dict(row)
    for name in _MONEY:
        if row[name] is not None:
            made[name] = f"{money.from_minor(row[name], row['currency']):f}"
    for name in _DAYS:
        if row[name] is not None:
            made[name] = day_of(row[name]).isoformat()
    made["flags"] = [{**flag, "since": day_of(flag["since"]).isoformat()} for flag in row["flags"]]
    return made


def distribution(assessed: pl.DataFrame) -> dict[str, int]:
    """Rating → customers, best first, NR last."""
    from connector.assessment import NOT_RATED, RATINGS

    counted = dict(assessed.group_by("rating").len().rows())
    return {grade: int(counted[grade]) for grade in (*RATINGS, NOT_RATED) if grade in counted}


def explanation(profile: str, account: str) -> dict[str, Any]:
    """The arithmetic of an account's newest assessment; raises Misconfigured when there is no such account."""
    from app import settings
    from connector.scoring.explain import explained
    from connector.scoring.tendency import Statistics

    with compose.stored(profile) as (store, name), store.read() as tx:
        known = facts.accounts(tx, name)
        match = known.filter(
            (pl.col("account_id") == account) | (pl.col("number") == account) | (pl.col("name") == account)
        )
        assessed = state.assessments(tx, name)
        rows = assessed.join(match, left_on="customer_id", right_on="account_id", how="semi")
        kept = state.statistics_before(tx, name, int(rows["as_of"][0])) if rows.height else None
        if kept is None:
            raise Misconfigured("E-NO-ACCOUNT", account=account, profile=profile)
        row = rows.row(0, named=True)
        prior = state.assessments(tx, name, before=row["as_of"])
        tables = facts.load(tx, name, [row["customer_id"]])
    rules = settings.policy(profile).model_copy(update={"base_currency": row["currency"]})
    portfolio = Statistics.from_json(kept)
    made = explained(tables, rules, row["as_of"], portfolio, row["customer_id"], prior)
    who = match.filter(pl.col("account_id") == row["customer_id"]).row(0, named=True)
    return {"account_id": who["account_id"], "number": who["number"], "name": who["name"], **made}
