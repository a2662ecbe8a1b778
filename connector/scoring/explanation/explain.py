"""The arithmetic of one customer's rating, from raw facts to limit, so that a person can check it by hand."""

from __future__ import annotations

from typing import Any

import polars as pl

from connector import money
from connector.messages.features import FEATURES
from connector.messages.limits import METHODS
from connector.messages.rendering import LANGUAGES, flags_in_words
from connector.policy import Policy
from connector.schema import Tables, day_of
from connector.scoring.assess import measured
from connector.scoring.customers import folded, folded_prior
from connector.scoring.features.tendency import Statistics, evidence
from connector.scoring.ledger.ledger import Ledger, ledger


def explained(
    tables: Tables, policy: Policy, as_of: int, portfolio: Statistics, account: str, prior: pl.DataFrame | None = None
) -> dict[str, Any]:
    """Nested plain values: facts, tendency, points, gates, limit. Amounts are decimal text in `currency`, days ISO.

    Of a customer of several accounts the facts are those of all; `accounts` says which.
    """
    folds = folded(tables)
    tables, prior, account = folds.tables, folded_prior(prior, folds), folds.customer(account)
    state = ledger(tables, policy, as_of, portfolio.base)
    frame = measured(tables, state, policy, portfolio, as_of, prior)
    row = frame.row(by_predicate=pl.col("account_id") == account, named=True)
    version, segment = policy.version, row["policy_segment"]
    policy = policy.of_segments.get(segment, policy)
    return {
        "currency": state.base,
        "as_of": day_of(as_of).isoformat(),
        "policy": version,
        "segment": segment or None,
        "accounts": list(folds.accounts_of.get(account, ())),
        "facts": {"open": _open(state, account), "settled": _settled_items(state, policy, portfolio, as_of, account)},
        "tendency": _tendency(row, policy, portfolio, state.base),
        "points": _points(row, policy, state.base),
        "score": None if row["score_milli"] is None else row["score_milli"] / 1000,
        "gates": [
            {
                "gate": name,
                "effect": gate.cap or gate.rating,
                "fired": row[f"gate_{name}"],
                **dict(zip(LANGUAGES, policy.sentences.gates[policy.segment, name], strict=True)),
            }
            for name, gate in policy.gates.items()
        ],
        "model_rating": row["model_rating"],
        "pending_rating": row["pending_rating"],
        "pending_since": None if row["pending_since"] is None else day_of(row["pending_since"]).isoformat(),
        "rating": row["rating"],
        "limit": _limit(row, policy, state.base, as_of),
        "flags": [
            {**flag, "since": day_of(flag["since"]).isoformat()}
            for flag in flags_in_words(row["flags"], policy.sentences, state.base)
        ],
        "hold": row["hold"],
    }


def _open(state: Ledger, account: str) -> list[dict[str, Any]]:
    rows = state.items.filter((pl.col("account_id") == account) & (pl.col("open") != 0)).sort("due", "receivable_id")
    return [
        {
            "id": row["receivable_id"],
            "invoice": row["number"] or row["receivable_id"],
            "issued": day_of(row["issued"]).isoformat(),
            "due": None if row["due"] is None else day_of(row["due"]).isoformat(),
            "amount": _amount_text(row["amount"], row["currency"]),
            "open": _amount_text(row["open"], row["currency"]),
            "currency": row["currency"],
            "days_overdue": row["days_overdue"],
            "disputed": row["disputed"],
        }
        for row in rows.to_dicts()
    ]


def _settled_items(
    state: Ledger, policy: Policy, portfolio: Statistics, as_of: int, account: str
) -> list[dict[str, Any]]:
    proof = evidence(state, policy.tendency, portfolio, as_of)
    rows = state.frame_of(proof.rows).with_columns(weight=proof.weight, late=proof.passed)
    rows = rows.filter(pl.col("account_id") == account)
    names = state.items.select("receivable_id", "number")
    rows = rows.join(names, on="receivable_id", how="left").sort("day", "receivable_id", descending=[True, False])
    rungs = len(policy.tendency.rungs)
    return [
        {
            "id": row["receivable_id"],
            "invoice": row["number"] or row["receivable_id"],
            "paid": day_of(row["day"]).isoformat(),
            "days_late": row["days_late"],
            "days_early": row["days_early"],
            "amount": _amount_text(row["amount_base"], state.base),
            "late": f"{row['late']}/{rungs}",
            "weight": row["weight"] / 10**9,
        }
        for row in rows.to_dicts()
    ]


def _tendency(row: dict[str, Any], policy: Policy, portfolio: Statistics, base: str) -> dict[str, Any]:
    constants = policy.tendency
    return {
        "rungs": list(constants.rungs),
        "half_life_days": constants.half_life_days,
        "median_amount": _amount_text(portfolio.median_amount, base),
        "portfolio_late_rate": portfolio.late_rate / 10**6,
        "strength": constants.strength,
        "weight": row["tendency_weight"],
        "late": row["tendency_late"],
        "late_rate": row["late_rate"],
        "early_share": row["early_share"],
        "unpaid": row["open_items"],
        "log_odds": row["late_tendency"],
    }


def _points(row: dict[str, Any], policy: Policy, base: str) -> list[dict[str, Any]]:
    rows = []
    for name, item in policy.indicators.items():
        lost, points = row[f"lost_{name}"], row[f"points_{name}"]
        weight = None if lost is None else (lost / (100_000 - points) if points < 100_000 else None)
        value = row[f"value_{name}"]
        rows.append(
            {
                "indicator": name,
                "en": FEATURES[item.feature].en,
                "zh": FEATURES[item.feature].zh,
                "value": _amount_text(int(value), base)
                if FEATURES[item.feature].unit == "money" and value is not None
                else value,
                "scale": [list(pair) for pair in item.points],
                "points": points / 1000,
                "weight": weight,
                "lost": None if lost is None else lost / 1000,
            }
        )
    return rows


def _limit(row: dict[str, Any], policy: Policy, base: str, as_of: int) -> dict[str, Any]:
    step = policy.scale.get(row["rating"])
    return {
        "billed_12_months": _amount_text(row["volume"], base),
        "days_active": None if row["first_issued"] is None else min(365, max(90, as_of - row["first_issued"])),
        "days_of_credit": row["terms_days"],
        "days_beyond_terms": row["days_beyond_terms"],
        "peak": policy.limits.peak,
        "factor": step.limit_factor if step else 0.0,
        "terms": [
            {
                **term,
                "amount": _amount_text(term["amount"], base),
                "en": METHODS[term["method"]].en,
                "zh": METHODS[term["method"]].zh,
                "formula": METHODS[term["method"]].formula,
            }
            for term in row["limit_terms"]
        ],
        "proposed": _amount_text(row["proposed_limit"], base),
        "agreed": None if row["agreed_limit"] is None else _amount_text(row["agreed_limit"], base),
        "in_force": None if row["limit"] is None else _amount_text(row["limit"], base),
        "exposure": _amount_text(row["exposure"], base),
        "available": None if row["available"] is None else _amount_text(row["available"], base),
    }


def _amount_text(minor: int, currency: str) -> str:
    return f"{money.from_minor(minor, currency):f}"
