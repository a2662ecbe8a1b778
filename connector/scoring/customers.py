"""Customers of several accounts: before anything is summed, their accounts become one.

Every fact goes to the customer, who is called by the least id of his accounts. What was agreed or decided for one of
the accounts keeps its own account beside it, so that the stricter stands: see `of_account`, `joined_at` and
`whole_at`. Without links everything stays as it is. Source: docs/links.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from connector.assessment import REASON
from connector.linking import Sets
from connector.schema import TABLES, Tables, table
from connector.scoring.frame.grades import GRADE_RANK, HOLD_RANK
from connector.scoring.ledger.terms import due_by_terms

#: Columns that name an account.
_NAMES = ("account_id", "parent_id", "payer_id", "provider_id")
#: Tables whose rows keep their own account, and when it became the customer's.
_AGREED = ("terms", "limits", "decisions")
#: Tables of which a row makes an account more than an empty one.
_FACTS = (
    "receivables", "payments", "adjustments", "orders", "terms", "limits", "decisions", "securities", "evidence",
    "statements", "contracts", "promises",
)  # fmt: skip
#: So many accounts are told by name.
_NAMED = 10
#: Kinds of decisions that hold.
HOLDING = ("hold", "blacklist", "cash_only", "legal")
#: Columns of an account of which not the first that says something counts.
_OTHERWISE = ("account_id", "since", "natural_person", "registered_capital")


@dataclass(frozen=True)
class Folded:
    """Canonical tables by customer."""

    #: Without `links`; `parents_beside` (account_id, parent_id) where accounts of a customer have several parents.
    tables: Tables
    #: Account → the one that the customer is called by; whoever is missing is a customer of its own.
    head_of: Mapping[str, str] = field(default_factory=dict)
    #: Customer → all of his accounts that there are, in order; of one account alone: none.
    accounts_of: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def customer(self, account: str) -> str:
        """What the customer of that account is called by here."""
        return self.head_of.get(account, account)


def folded(tables: Tables) -> Folded:
    """Columns in: those of the canonical tables, and of links also `joined_at`, of limits and decisions
    `known_from` (microseconds since 1970 UTC): without them nothing was agreed before somebody joined.
    """
    links = table(tables, "links")
    rest = {name: frame for name, frame in tables.items() if name != "links"}
    if links.is_empty():
        return Folded(rest)
    head_of, accounts_of = _heads(links, set(table(tables, "accounts")["account_id"]))
    others = {account: head for account, head in head_of.items() if account != head}
    if not others:
        return Folded(rest)
    rest |= _without_guesses(rest, links)
    result = {name: _renamed(frame, others) for name, frame in rest.items()}
    joined, whole = _joined(rest, links, head_of)
    result |= {n: _with_own(result[n], rest[n]["account_id"], joined, whole) for n in _AGREED if n in rest}
    if "receivables" in rest:
        own = rest["receivables"]["account_id"].alias("of_account")
        result["receivables"] = _with_due(rest, result, others, accounts_of).with_columns(own)
    if "statements" in rest:
        rows = rest["statements"].sort("account_id").pipe(_renamed, others)
        result["statements"] = rows.unique(list(TABLES["statements"].key), keep="first", maintain_order=True)
    if "freshness" in rest:
        oldest = pl.when(pl.col("read_on").is_not_null().all()).then(pl.col("read_on").min())
        result["freshness"] = result["freshness"].group_by("account_id", maintain_order=True).agg(oldest)
    result["accounts"], beside = _accounts(rest["accounts"], head_of, accounts_of)
    if beside.height:
        result["parents_beside"] = beside
    return Folded(result, head_of, accounts_of)


def _heads(links: pl.DataFrame, live: Collection[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """`Folded.head_of` and `accounts_of`."""
    sets = Sets()
    for account, customer in links.select("account_id", "customer_id").iter_rows():
        sets.join((account, customer))
    head_of: dict[str, str] = {}
    accounts_of: dict[str, list[str]] = {}
    for members in sets.all():
        there = sorted(name for name in members if name in live)
        if there:
            head_of |= dict.fromkeys(members, there[0])
            accounts_of |= {there[0]: there} if len(there) > 1 else {}
    return head_of, accounts_of


def _without_guesses(tables: Tables, links: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Of an account that only looks as if it had been merged nothing agreed or decided acts but what holds."""
    guessed = links.filter(pl.col("by") == "guess")["account_id"]
    if guessed.is_empty():
        return {}
    mine = pl.col("account_id").is_in(guessed.implode())
    stays = {"decisions": pl.col("kind").is_in(HOLDING)}
    return {
        name: tables[name].filter(~mine | stays.get(name, pl.lit(value=False))) for name in _AGREED if name in tables
    }


def own_account(rows: pl.DataFrame) -> str:
    """The column that tells which account a row was agreed or decided for."""
    return "of_account" if "of_account" in rows.columns else "account_id"


def before_joined(rows: pl.DataFrame, when: str = "whole_at") -> pl.Expr:
    """Whether a row of `_AGREED` was agreed for one of a customer's accounts alone, before it was one of them.

    `when`: whole_at, before the last of the accounts joined; joined_at, before the row's own did. A row without a first
    day, of a field in the CRM, always is.
    """
    if when not in rows.columns or "known_from" not in rows.columns:
        return pl.lit(value=False)
    early = pl.col("valid_from").is_null() | (pl.col("known_from") < pl.col(when))
    return pl.col(when).is_not_null() & early


def _joined(tables: Tables, links: pl.DataFrame, head_of: Mapping[str, str]) -> tuple[dict[str, int], dict[str, int]]:
    """Account → when it became one of its customer's; customer → when the last did that brings any fact."""
    if "joined_at" not in links.columns:
        return {}, {}
    joined = dict(links.select("account_id", "joined_at").drop_nulls().iter_rows())
    theirs = pl.Series(list(joined), dtype=pl.String).implode()
    brings: set[str] = set()
    for name in _FACTS:
        if name in tables:
            brings |= set(tables[name].filter(pl.col("account_id").is_in(theirs))["account_id"])
    whole: dict[str, int] = {}
    for account in brings & head_of.keys():
        head = head_of[account]
        whole[head] = max(whole.get(head, joined[account]), joined[account])
    return joined, whole


def _renamed(frame: pl.DataFrame, others: Mapping[str, str]) -> pl.DataFrame:
    names = [name for name in _NAMES if name in frame.columns]
    return frame.with_columns(pl.col(name).replace(others) for name in names) if names else frame


def _with_own(
    rows: pl.DataFrame, own: pl.Series, joined: Mapping[str, int], whole: Mapping[str, int]
) -> pl.DataFrame:  # fmt: skip
    def when(account: pl.Expr, known: Mapping[str, int]) -> pl.Expr:
        return account.replace_strict(dict(known), default=None, return_dtype=pl.Int64)

    rows = rows.with_columns(own.alias("of_account"))
    return rows.with_columns(
        when(pl.col("of_account"), joined).alias("joined_at"), when(pl.col("account_id"), whole).alias("whole_at")
    )


def _with_due(
    before: Tables, after: Tables, others: Mapping[str, str], accounts_of: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """Receivables by customer; without a due day by the terms of their own account, else of the first with terms."""
    claims, terms = after["receivables"], table(before, "terms")
    theirs = pl.Series([*others, *others.values()], dtype=pl.String).implode()
    terms = terms.filter(pl.col("account_id").is_in(theirs))
    asks = pl.col("due").is_null() & (pl.col("due_basis") == "unknown") & (pl.col("component") != "retention")
    rows = before["receivables"].with_row_index("?").filter(asks & pl.col("account_id").is_in(theirs))
    if terms.is_empty() or rows.is_empty():
        return claims
    order = {account: n for each in accounts_of.values() for n, account in enumerate(each)}
    place = pl.col("account_id").replace_strict(order, default=len(order), return_dtype=pl.Int64)
    customers = terms.with_columns(place.alias("?place")).pipe(_renamed, others)
    customers = customers.filter(pl.col("?place") == pl.col("?place").min().over("account_id"))
    own, first = due_by_terms(rows, terms), due_by_terms(_renamed(rows, others), customers)
    due = pl.DataFrame([rows["?"], own.alias("due_by_terms"), first.alias("else")])
    due = due.select("?", pl.coalesce("due_by_terms", "else").alias("due_by_terms")).drop_nulls()
    joined = claims.with_row_index("?").join(due, on="?", how="left", maintain_order="left")
    by_terms = pl.col("due_by_terms").is_not_null()
    return joined.with_columns(
        pl.coalesce("due", "due_by_terms").alias("due"),
        pl.when(by_terms).then(pl.lit("computed")).otherwise("due_basis").alias("due_basis"),
    ).select(claims.columns)


def _accounts(
    accounts: pl.DataFrame, head_of: Mapping[str, str], accounts_of: Mapping[str, Sequence[str]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row a customer, at the place of the account that he is called by; and parents beside the first."""
    others = {account: head for account, head in head_of.items() if account != head}
    mine = accounts.with_columns(pl.col("parent_id").replace(others), pl.col("account_id").replace(others).alias("?"))
    own = pl.col("parent_id") == pl.col("?")
    mine = mine.with_columns(pl.when(~own.fill_null(value=False)).then("parent_id").alias("parent_id"))
    members = pl.Series([name for each in accounts_of.values() for name in each], dtype=pl.String)
    several = mine.filter(pl.col("account_id").is_in(members.implode()))
    if several.is_empty():
        return mine.drop("?"), several.select("account_id", "parent_id")
    several = several.sort("?", "account_id")
    first = [pl.col(name).drop_nulls().first() for name in accounts.columns if name not in _OTHERWISE]
    currency = pl.col("currency").drop_nulls().first()
    same = (pl.col("currency") == currency) | pl.col("currency").is_null()
    capital = pl.col("registered_capital").filter(same).drop_nulls().first()
    # A company among the accounts is one: its grade falls at once.
    person = pl.when(pl.col("natural_person").is_not_null().any()).then(pl.col("natural_person").drop_nulls().all())
    merged = several.group_by("?", maintain_order=True).agg(*first, pl.col("since").min(), person, capital)
    merged = merged.rename({"?": "account_id"}).select(accounts.columns)
    place = mine.select("account_id").with_row_index("place")
    alone = mine.filter(~pl.col("account_id").is_in(members.implode())).select(accounts.columns)
    result = pl.concat([alone, merged.cast(alone.schema)]).join(place, on="account_id", how="left").sort("place")
    parents = several.select(pl.col("?").alias("account_id"), "parent_id").drop_nulls("parent_id").unique()
    beside = parents.join(merged.select("account_id", "parent_id"), on=["account_id", "parent_id"], how="anti")
    return result.drop("place"), beside.sort("account_id", "parent_id")


def folded_prior(prior: pl.DataFrame | None, folds: Folded) -> pl.DataFrame | None:
    """What was assessed last, by customer: of accounts that were customers of their own the worst of each.

    Their limits add up, flags are up since the first of them was, the strictest hold and the worst grade count. Who was
    one customer with an account that is his no more has no yesterday of his own: neither the grade nor the limit of
    both. Columns in and out: those of `connector.assessment.ASSESSMENT`.
    """
    if prior is None or prior.is_empty():
        return prior
    prior = _not_parted(prior, folds)
    if not folds.head_of:
        return prior
    there = {*folds.head_of.values(), *(name for names in folds.accounts_of.values() for name in names)}
    # An account that is gone has no yesterday: what was decided for it goes on, what was found out does not.
    gone = pl.Series(sorted(folds.head_of.keys() - there), dtype=pl.String).implode()
    prior = prior.filter(~pl.col("customer_id").is_in(gone))
    theirs = pl.col("customer_id").is_in(pl.Series(sorted(there), dtype=pl.String).implode())
    by_head: dict[str, list[dict[str, Any]]] = {}
    for row in prior.filter(theirs).sort("customer_id").to_dicts():
        by_head.setdefault(folds.head_of[row["customer_id"]], []).append(row)
    merged = [_worst(rows) | {"customer_id": head} for head, rows in by_head.items()]
    return pl.concat([prior.filter(~theirs), pl.DataFrame(merged, schema=prior.schema)])


def _not_parted(prior: pl.DataFrame, folds: Folded) -> pl.DataFrame:
    """Without rows of customers who had another account, which is another's now; one that is gone is still theirs."""
    several = prior.filter(pl.col("accounts").list.len() > 1).select("customer_id", "accounts").rows()
    parted = []
    for account, others in several:
        head = folds.customer(account)
        if any(folds.customer(name) != head for name in others):
            parted.append(account)
    return prior.filter(~pl.col("customer_id").is_in(pl.Series(parted, dtype=pl.String).implode())) if parted else prior


def _worst(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    # Accounts that were one customer already say the same: once is enough.
    once = {(row.get("accounts") or [row["customer_id"]])[0]: row for row in reversed(rows)}
    rows = [once[name] for name in sorted(once)]
    result = max(reversed(rows), key=lambda row: GRADE_RANK.get(row["rating"], -1))
    limits = [row["limit"] for row in rows if row["limit"] is not None]
    flags: dict[str, dict[str, Any]] = {}
    for flag in (flag for row in rows for flag in row["flags"] or []):
        if flag["code"] not in flags or flag["since"] < flags[flag["code"]]["since"]:
            flags[flag["code"]] = flag
    return {
        **result,
        "limit": sum(limits) if limits else None,
        "hold": max((row["hold"] for row in rows if row["hold"]), key=HOLD_RANK.__getitem__, default=None),
        "flags": list(flags.values()),
        "as_of": max(row["as_of"] for row in rows),
    }


def of_accounts(assessed: pl.DataFrame, accounts: pl.DataFrame, folds: Folded) -> pl.DataFrame:
    """One row an account, out of one a customer; each says of which others it is assessed together with.

    Columns in and out: those of `connector.assessment.ASSESSMENT`.
    """
    if not folds.accounts_of:
        return assessed
    ids = accounts["account_id"]
    customers = ids.replace(dict(folds.head_of)).alias("customer_id").to_frame().with_columns(ids.alias("own"))
    rows = customers.join(assessed, on="customer_id", how="left", maintain_order="left")
    several = pl.col("customer_id").is_in(pl.Series(list(folds.accounts_of), dtype=pl.String).implode())
    called = {row[0]: row[1] or row[0] for row in accounts.select("account_id", "number").iter_rows()}
    told = [_told(row, folds.accounts_of[row["customer_id"]], called) for row in rows.filter(several).to_dicts()]
    names = assessed.columns
    alone = rows.filter(~several).with_columns(pl.col("own").alias("customer_id")).select(names)
    together = pl.DataFrame(told, schema=assessed.schema)
    place = ids.alias("customer_id").to_frame().with_row_index("place")
    return pl.concat([alone, together]).join(place, on="customer_id", how="left").sort("place").drop("place")


def _told(row: dict[str, Any], accounts: Sequence[str], called: Mapping[str, str]) -> dict[str, Any]:
    # By their ids where they share a number: that of another system, say.
    clear = len({called[name] for name in accounts}) == len(accounts)
    others = ", ".join(called[name] if clear else name for name in accounts if name != row["own"])
    if len(accounts) > _NAMED:
        others = ", ".join(others.split(", ")[: _NAMED - 1]) + f" … (+{len(accounts) - _NAMED})"
    line = {each.name: None for each in REASON.fields} | {"indicator": "linked", "why": others}
    return row | {"customer_id": row["own"], "accounts": list(accounts), "reasons": [line, *row["reasons"]]}
