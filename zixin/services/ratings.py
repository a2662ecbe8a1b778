"""Assessments as the doors show them: amounts as decimal text, days as ISO dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from connector import money
from connector.assessment import RATINGS
from connector.errors import Misconfigured
from connector.messages.rendering import in_words
from connector.schema import day_of
from connector.scoring.features.tendency import Statistics
from sync.causes import decided_since
from sync.crm_connection import instant, iso
from sync.store import ledger, provenance, ratings
from sync.store.provenance import Origin
from zixin import compose
from zixin.services.wording import sentences_for

#: The reasons that matter most.
MAIN_REASONS = 3
_MONEY = ("proposed_limit", "limit", "exposure", "available", "overdue", "on_account", "group_exposure")
_DAYS = ("as_of", "overdue_since", "next_review_on", "next_day", "pending_since")


@dataclass(frozen=True, slots=True)
class AccountRating:
    """An account with its newest assessment. Amounts are decimal text in `currency`, days ISO dates."""

    account_id: str
    #: The account's id where the CRM gives it none.
    number: str
    name: str
    rating: str
    #: None: not a single fact is known.
    score: float | None
    currency: str
    #: None: nobody has set one.
    limit: str | None
    exposure: str | None
    available: str | None
    overdue: str | None
    hold: str
    #: Codes of the flags that are up, gravest first.
    flags: tuple[str, ...]
    #: A person decided something since it was assessed: this is what it comes to, and the next sync writes it.
    decided: bool
    #: The account that its customer is called by: of several accounts of one customer the same.
    customer: str
    #: How many accounts he has.
    accounts: int
    #: All of it, as `--json` prints it: account_id, number, name and the fields of `ASSESSMENT`.
    document: Mapping[str, Any]


def accounts(profile: str) -> tuple[AccountRating, ...]:
    """Every account that was assessed: the worst grade first, within a grade the worst score.

    What people decided since shows at once, on the facts that the assessment had.
    """
    with compose.open_store(profile) as (store, name):
        anew = decided_since(store, name)
        with store.read(name) as session:
            assessed = ratings.assessments(session)
            assessed = pl.concat([assessed.join(anew, on="customer_id", how="anti"), anew.select(assessed.columns)])
            frame = ledger.accounts(session).select("account_id", "number", "name")
            sentences = sentences_for(session, assessed["policy_version"].unique(maintain_order=True))
    rows = frame.join(assessed, left_on="account_id", right_on="customer_id", how="inner")
    worst = {grade: place for place, grade in enumerate(reversed(RATINGS))}
    order = pl.col("rating").replace_strict(worst, default=len(worst), return_dtype=pl.Int32)
    rows = rows.with_columns(pl.col("number").fill_null(pl.col("account_id")))
    decided = set(anew["customer_id"])
    return tuple(
        _rating(with_text(in_words(row, sentences)), decided=row["account_id"] in decided)
        for row in rows.sort(order, "score", "account_id", nulls_last=True).to_dicts()
    )


def _rating(row: dict[str, Any], *, decided: bool) -> AccountRating:
    flags = tuple(flag["code"] for flag in row["flags"])
    return AccountRating(
        row["account_id"],
        row["number"],
        row["name"],
        row["rating"],
        row["score"],
        row["currency"],
        row["limit"],
        row["exposure"],
        row["available"],
        row["overdue"],
        row["hold"],
        flags,
        decided,
        (row["accounts"] or [row["account_id"]])[0],
        len(row["accounts"]) or 1,
        {**row, "decided": decided},
    )


def origins_document(origins: Sequence[Origin]) -> list[dict[str, Any]]:
    """Where facts come from, now: source, table, rows, newest_at, read_at (null: entered by people), away_since."""
    names = ("newest_at", "read_at", "away_since")
    return [{**asdict(each), **{name: iso(getattr(each, name)) for name in names}} for each in origins]


def with_text(row: dict[str, Any]) -> dict[str, Any]:
    """An assessment with amounts in its currency as decimal text, and days as ISO dates."""
    result = dict(row)
    for name in _MONEY:
        if row[name] is not None:
            result[name] = f"{money.from_minor(row[name], row['currency']):f}"
    for name in _DAYS:
        if row[name] is not None:
            result[name] = day_of(row[name]).isoformat()
    result["flags"] = [{**flag, "since": day_of(flag["since"]).isoformat()} for flag in row["flags"]]
    return result


def distribution(assessed: pl.DataFrame) -> dict[str, int]:
    """Rating → customers, best first, NR last."""
    from connector.assessment import NOT_RATED, RATINGS

    counted = dict(assessed.group_by("rating").len().rows())
    return {grade: int(counted[grade]) for grade in (*RATINGS, NOT_RATED) if grade in counted}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The arithmetic of an account's assessment."""

    account_id: str
    number: str
    name: str
    #: Instant up to which facts count.
    known_at: str
    #: Rating, score and limit come out as they were stored.
    same: bool
    rating: str
    score: float | None
    #: All of it, step by step, as `--json` prints it.
    document: Mapping[str, Any]


def explanation(profile: str, account: str, as_of: int | None = None) -> Explanation:
    """An account's assessment of that day, or its newest, done again from what was known then.

    Raises:
    Misconfigured where there is no such account or no such day.
    """
    from connector.policy import Policy
    from connector.scoring.explanation.explain import explained
    from connector.scoring.explanation.what_if import upgrade_paths

    with compose.open_store(profile) as (store, name), store.read(name) as session:
        pairs = ledger.find(session, account)
        rows = [(who, ratings.assessed_on(session, who[0], as_of)) for who in pairs]
        who, row = next(((who, row) for who, row in rows if row is not None), (None, None))
        if who is None or row is None:
            code = "E-NO-ACCOUNT" if as_of is None or not pairs else "E-NO-DAY"
            raise Misconfigured(code, account=account, profile=profile, day=day_of(as_of).isoformat() if as_of else "")
        day, at = row["as_of"], row["assessed_at"]
        text, result = ratings.policy(session, row["policy_version"]), ratings.statistics_before(session, day)
        tables = ledger.load(session, [row["customer_id"]], known_at=at)
        prior = ratings.assessments(session, before=day, accounts=tables["accounts"]["account_id"].to_list())
        row = in_words(row, sentences_for(session, [row["policy_version"]]))
        origins = provenance.of_account(session, row["customer_id"])
        brought = provenance.of_claims(session, tables["receivables"]["receivable_id"].to_list())
    rules = Policy.model_validate_json(str(text))
    portfolio = Statistics.from_json(str(result))
    outcome = explained(tables, rules, day, portfolio, row["customer_id"], prior)
    for each in (*outcome["facts"]["open"], *outcome["facts"]["settled"]):
        each["source"] = brought.get(each["id"])
    stored = (row["rating"], row["score"], f"{money.from_minor(row['proposed_limit'], row['currency']):f}")
    document = {
        "account_id": who[0],
        "number": who[1],
        "name": who[2],
        "known_at": instant(at).isoformat(timespec="seconds"),
        "same": (outcome["rating"], outcome["score"], outcome["limit"]["proposed"]) == stored,
        "reasons": [line for line in row["reasons"] if line["lost"] is None or line["lost"] > 0][:MAIN_REASONS],
        "sources": origins_document(origins),
        "rise": upgrade_paths(tables, rules, day, portfolio, row["customer_id"]),
        **outcome,
        # What is read back from the store says every key, so that its own version is another one.
        "policy": row["policy_version"],
    }
    return Explanation(
        who[0], who[1], who[2], document["known_at"], document["same"], document["rating"], document["score"], document
    )
