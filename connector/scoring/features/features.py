"""The features of a customer, by the names of `connector.messages.features`.

All amounts in minor units of the base currency, days as counts, shares 0 to 1. Open overdue items join an average
only where they raise it, so that falling due never helps and paying never hurts. Source: docs/scoring.md.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from connector.messages.features import CHAPTERS
from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.customers import before_joined, own_account
from connector.scoring.features.asked import any_asked
from connector.scoring.features.averages import Sums, days_late, late_items, share_of
from connector.scoring.features.collateral import high_balance, secured
from connector.scoring.features.company import company_record, finances
from connector.scoring.features.group import group_room
from connector.scoring.features.payment_behaviour import payment_behaviour
from connector.scoring.features.sales import sales
from connector.scoring.features.tendency import Statistics, tendency
from connector.scoring.frame.columns import (
    NEVER,
    Bool,
    Float,
    Groups,
    Int,
    days,
    is_known,
    largest,
    nullable,
    ratio,
    whole,
    widen,
)
from connector.scoring.frame.windows import RECENT, YEAR, not_expired
from connector.scoring.ledger.claims import Claims
from connector.scoring.ledger.ledger import Ledger, Settlements

#: Features that only a statement gives.
FINANCIAL = tuple(next(chapter.features for chapter in CHAPTERS if "altman_z" in chapter.features))
#: Days past due that a bank would ask about.
SERIOUS = 15
#: Columns of numbers: of accounts, or of accounts and one row for everybody else.
Numbers = dict[str, npt.NDArray[Any]]


def features(
    tables: Tables,
    state: Ledger,
    policy: Policy,
    portfolio: Statistics,
    as_of: int,
    asked: Collection[str] | None = None,
) -> pl.DataFrame:
    """One row per account of `accounts`: account_id, every feature, and what an assessment shows beside them.

    These are: settles (something was settled within a year), on_account, uncleared, overdue_since (day), agreed_limit
    (null: nobody has set one), next_day (the first on which a due day or a limit's last day has passed). A feature is
    null where there is nothing to compute it from; sums and counts are 0. `asked`: of features that nothing else rests
    on only these, None: all; a column that nobody asked for is not there.
    """
    accounts = tables["accounts"]
    frame = _declared_facts(tables, state, policy, as_of)
    owed_and_paid = _of_ledger(tables, state, policy, as_of, asked)
    result = {name: values[: accounts.height] for name, values in owed_and_paid.items()}
    result |= {name: values[:-1] for name, values in tendency(state, policy.tendency, portfolio, as_of).items()}
    result["prepaid"], result["secured"] = whole(frame, "prepaid"), whole(frame, "secured")
    owed = result["open"] + result["uncleared"] + result["unbilled"] - result["on_account"]
    result["exposure"] = np.maximum(owed, 0)
    result |= _dates(accounts, frame, result, portfolio, as_of)
    result |= _shares(frame, result, portfolio)
    own = whole(frame, "group_limit_own"), is_known(frame["group_limit_own"])
    room = group_room(accounts, result["exposure"], *own, tables.get("parents_beside"))
    result |= {
        "group_exposure": room.exposure,
        "group_utilisation": room.utilisation,
        "parent_cycle": room.parent_cycle,
    }
    columns = [_column(name, values) for name, values in result.items() if name not in _WITHIN]
    columns.append(nullable("group_limit", room.limit, room.has_limit))
    if any("high_balance" in rules.limits.methods for rules in (policy, *policy.of_segments.values())):
        most = high_balance(state, as_of)[:-1]
        columns.append(nullable("high_balance", most, most >= 0))
    dropped = {*(column.name for column in columns), "group_limit_own"} & set(frame.columns)
    return frame.drop(dropped).hstack(columns)


def _declared_facts(tables: Tables, state: Ledger, policy: Policy, as_of: int) -> pl.DataFrame:
    """What is known of an account beside its claims: records, terms, limits, statements, securities."""
    frame = company_record(tables, state, policy, as_of)
    for part in (
        _prepaid(tables, as_of),
        _agreed_limits(tables, state, as_of),
        finances(tables, state, as_of),
        secured(tables, state, policy, as_of),
    ):
        if part is not None:
            frame = frame.join(part, on="account_id", how="left", maintain_order="left")
    missing = {name: kind for name, kind in _OPTIONAL.items() if name not in frame.columns}
    return frame.with_columns(pl.lit(None, kind).alias(name) for name, kind in missing.items())


#: Columns of tables that may have no rows.
_OPTIONAL: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(FINANCIAL, pl.Float64),
    **dict.fromkeys("prepaid secured agreed_limit group_limit_own high_balance".split(), pl.Int64),
    **dict.fromkeys(("secured_ends", "limit_ends"), pl.Int32),
}


def _of_ledger(tables: Tables, state: Ledger, policy: Policy, as_of: int, asked: Collection[str] | None) -> Numbers:
    """What claims and payments come to, by account; `NEVER` and not a number: nothing to compute it from."""
    live = state.claims
    groups = Groups(live.account, state.height)
    year = state.settlements.take(state.settlements.day > as_of - YEAR)
    bills = live.take((live.amount_base > 0) & (live.issued > as_of - YEAR))
    lost = state.written_off.take(state.written_off.day > as_of - YEAR)
    return {
        **_overdue_amounts(state, policy.minor(policy.materiality.overdue, state.base), as_of),
        **_paid(state, year, policy.materiality.grace_days, as_of, asked),
        **_billed(bills, state.height),
        **payment_behaviour(tables, state, year, policy, as_of, asked),
        **(sales(tables, state, bills, as_of) if any_asked(asked, "sales_change", "order_surge") else {}),
        "on_account": state.on_account,
        "unbilled": state.unbilled,
        "written_off": Groups(lost.account, state.height).sum(lost.written_off_base),
        "rate_missing": groups.sum(~live.has_rate),
        "implausible": groups.sum(live.due < live.issued),
        "first_issued": groups.min(live.issued),
        "last_issued": _latest(groups, live.issued),
    }


def _overdue_amounts(state: Ledger, material: int, as_of: int) -> Numbers:
    items = state.open_items
    groups, due = Groups(items.account, state.height), state.claims.due[items.claim]
    overdue, is_open = items.days_overdue > 0, items.open > 0
    owed = groups.sum(np.maximum(items.open_base, 0))
    unknown = is_open & (state.due_basis(items.claim) == "unknown").to_numpy()
    return {
        "open": owed,
        "uncleared": groups.sum(items.uncleared_base),
        "overdue": groups.sum(items.overdue_base),
        "oldest_overdue": groups.max(items.days_overdue),
        "material_overdue_days": _material_days(state, material),
        "overdue_since": groups.min(np.where(overdue, due, NEVER)),
        "next_due": groups.min(np.where(is_open & (due >= as_of), due, NEVER)),
        "open_items": groups.sum(is_open),
        "due_unknown": groups.sum(unknown),
        "disputed_share": ratio(groups.sum(items.contested_base), owed),
    }


def _material_days(state: Ledger, material: int) -> Int:
    """The age that a material amount has reached, by account.

    What lies on account is held against the oldest: who owes nothing in sum is not chased. An amount without a rate is
    taken to be material.
    """
    late = state.open_items.take(state.open_items.days_overdue > 0)
    late = late.take(np.lexsort((-late.days_overdue, late.account)))
    groups = Groups(late.account, state.height)
    amount = np.where(state.claims.has_rate[late.claim], late.overdue_base, material)
    reached = groups.running(amount) - state.on_account[late.account] >= material
    return groups.max(late.days_overdue * reached)


def _paid(state: Ledger, year: Settlements, grace: int, as_of: int, asked: Collection[str] | None) -> Numbers:
    """Shares of what was settled in time and averages of lateness; `year`: the settlements of 12 months."""
    late = late_items(state)
    groups, owed = Groups(year.account, state.height), Groups(late.account, state.height)
    amount, beyond = year.amount_base, year.days_late
    settled = groups.sum(amount)
    whole_year = Sums.of(groups, amount, beyond)
    recent = Sums.of(groups, amount * (year.day > as_of - RECENT), beyond)
    nothing = late.take(np.zeros(len(late.account), bool))
    before = days_late(whole_year.without(recent), nothing, nothing.amount)
    in_time, serious = groups.sum(amount * (beyond <= grace)), owed.sum(late.amount * (late.days > SERIOUS))
    by_item = {}
    if any_asked(asked, "average_days_late"):
        sums = Sums.of(groups, share_of(amount, year.claim_base), beyond)
        by_item = {"average_days_late": days_late(sums, late, late.share)}
    return {
        **by_item,
        "settles": groups.exist,
        "settled": settled,
        "last_paid": _latest(groups, year.day),
        "days_beyond_terms": days_late(whole_year, late, late.amount),
        "trend": days_late(recent, late, late.amount) - before,
        "on_time_share": ratio(in_time, settled + owed.sum(late.amount * (late.days > grace))),
        "late_15_share": ratio(groups.sum(amount * (beyond > SERIOUS)) + serious, settled + serious),
    }


def _billed(bills: Claims, height: int) -> Numbers:
    """What was billed within 12 months, and the days of credit of that, weighted by amount."""
    groups = Groups(bills.account, height)
    volume = groups.sum(bills.amount_base)
    credit = np.where(bills.due == NEVER, 0, np.maximum(bills.due - bills.issued, 0))
    wide = widen(bills.amount_base, largest(bills.amount_base) * largest(credit) * max(groups.longest, 1))
    moved = np.where(bills.due == NEVER, -NEVER, bills.due - bills.original_due)
    return {
        "volume": volume,
        "terms_days": ratio(groups.sum(wide * credit), volume),
        "stretched_days": _latest(groups, moved),
    }


def _latest(groups: Groups, day: Int) -> Int:
    """The last day of each; `NEVER` where there is none."""
    last = groups.max(day, -NEVER)
    return np.where(last == -NEVER, NEVER, last)


def _dates(accounts: pl.DataFrame, given: pl.DataFrame, found: Numbers, portfolio: Statistics, as_of: int) -> Numbers:
    since = days(accounts, "since")
    began = np.minimum(np.where(since <= as_of, since, NEVER), found["first_issued"])
    ahead = np.minimum(np.minimum(found["next_due"], days(given, "limit_ends")), days(given, "secured_ends"))
    data_age = NEVER if portfolio.newest is None else max(0, as_of - portfolio.newest)
    return {
        "tenure": np.where(began == NEVER, NEVER, as_of - began),
        "dormant_days": np.where(found["last_issued"] == NEVER, NEVER, as_of - found["last_issued"]),
        "data_age": np.full(accounts.height, data_age, np.int64),
        "next_day": np.where(ahead == NEVER, NEVER, ahead + 1),
    }


def _shares(given: pl.DataFrame, found: Numbers, portfolio: Statistics) -> Numbers:
    owed, billed = found["open"], found["volume"]
    limit, has_limit = whole(given, "agreed_limit"), is_known(given["agreed_limit"])
    return {
        "utilisation": utilisation(found["exposure"], limit, has_limit & (found["prepaid"] == 0)),
        "overdue_share": ratio(found["overdue"], found["overdue"] + found["settled"]),
        "deductions_share": ratio(found["deductions"], billed),
        "days_sales_outstanding": ratio(owed.astype(np.float64) * YEAR, billed),
        "share_of_receivables": ratio(owed, np.full(len(owed), portfolio.open_total)),
    }


def utilisation(exposure: Int, limit: Int, counts: Bool) -> Float:
    """Exposure ÷ limit; 10 where something is owed on a limit of nothing; not a number where it does not count."""
    values = np.where(counts & (limit == 0), np.where(exposure > 0, 10.0, 0.0), np.nan)
    return np.divide(exposure, limit, out=values, where=counts & (limit > 0))


#: Days and their counts: null where they are `NEVER`, and 32 bits wide.
_DAYS = (
    "overdue_since next_due stretched_days first_issued last_issued last_paid tenure dormant_days data_age next_day"
).split()
#: What features are made of and nobody asks for.
_WITHIN = ("open", "settled", "deductions", "next_due")


def _column(name: str, values: npt.NDArray[Any]) -> pl.Series:
    if values.dtype == np.float64:
        return pl.Series(name, values, nan_to_null=True)
    return nullable(name, values, values != NEVER, pl.Int32) if name in _DAYS else pl.Series(name, values)


def _prepaid(tables: Tables, as_of: int) -> pl.DataFrame | None:
    """account_id, prepaid: 1 where the terms in force on the day are payment in advance, with one of his accounts."""
    terms = table(tables, "terms")
    if terms.is_empty():
        return None
    now = (
        terms.filter((pl.col("valid_from") <= as_of) & not_expired(as_of))
        .sort("valid_from")
        .group_by("account_id", pl.col(own_account(terms)).alias("own"), maintain_order=True)
    )
    newest = now.agg(pl.col("kind").last())
    paid = newest.filter(pl.col("kind") == "prepaid").unique("account_id", maintain_order=True)
    return paid.select("account_id", pl.lit(1, pl.Int64).alias("prepaid"))


def _agreed_limits(tables: Tables, state: Ledger, as_of: int) -> pl.DataFrame | None:
    """Limits that people set, in force on the day: the newest permanent one and all temporary ones beside it.

    Of a customer of several accounts the newest that was set since they are one; else the smallest of theirs.
    """
    rows = table(tables, "limits")
    if rows.is_empty():
        return None
    started = pl.col("valid_from").is_null() | (pl.col("valid_from") <= as_of)
    rows = rows.filter(started & not_expired(as_of) & (pl.col("kind") != "insured"))
    rows = state.rates.based(rows, as_of, amount="amount").drop_nulls("amount")
    ends = rows.group_by("account_id", maintain_order=True).agg(pl.col("valid_until").min().alias("limit_ends"))
    own = _in_force(rows.filter(pl.col("scope") == "account")).rename({"amount": "agreed_limit"})
    group = _in_force(rows.filter(pl.col("scope") == "group")).rename({"amount": "group_limit_own"})
    return ends.join(own, on="account_id", how="left").join(group, on="account_id", how="left")


def _in_force(rows: pl.DataFrame) -> pl.DataFrame:
    permanent = rows.filter(pl.col("kind") == "permanent").sort("valid_from", "limit_id", nulls_last=False)
    joined = "joined_at" if "joined_at" in rows.columns else "amount"
    own = permanent.with_columns(
        pl.col(own_account(rows)).alias("own"), before_joined(rows, "joined_at").alias("alone"),
        before_joined(rows).alias("early"), pl.col(joined).alias("at"),
    )  # fmt: skip
    own = own.group_by("account_id", "own", maintain_order=True).last()
    passing = rows.filter(pl.col("kind") == "temporary")
    of_before = passing.filter(before_joined(rows)).group_by("account_id", pl.col(own_account(rows)).alias("own"))
    own = _with_passing(own, of_before.agg(pl.col("amount").sum().alias("passing")))
    newest = _last(own.filter(~pl.col("early")), "account_id")
    # Accounts that joined together were one customer before the others came.
    early = own.join(newest, on="account_id", how="anti")
    agreed = _last(early.filter(~pl.col("alone")), "account_id", "at")
    least = early.filter(pl.col("alone")).group_by("account_id", "at", maintain_order=True).agg(pl.col("amount").min())
    least = pl.concat([agreed, least.join(agreed, on=["account_id", "at"], how="anti", nulls_equal=True)])
    least = least.group_by("account_id", maintain_order=True).agg(pl.col("amount").min())
    newest = pl.concat([newest, least])
    temporary = passing.filter(~before_joined(rows)).select("account_id", "amount")
    return pl.concat([newest, temporary]).group_by("account_id", maintain_order=True).agg(pl.col("amount").sum())


def _last(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """The newest amount; of one day the smallest."""
    order = rows.sort("valid_from", -pl.col("amount"), nulls_last=False, maintain_order=True)
    return order.group_by(*by, maintain_order=True).agg(pl.col("amount").last())


def _with_passing(own: pl.DataFrame, passing: pl.DataFrame) -> pl.DataFrame:
    """What accounts had for a time before they were one customer adds to what they had by themselves, and no more."""
    if passing.is_empty():
        return own
    joined = own.join(passing, on=["account_id", "own"], how="full", coalesce=True)
    return joined.with_columns(
        pl.when(pl.col("early").fill_null(value=True))
        .then(pl.col("amount").fill_null(0) + pl.col("passing").fill_null(0))
        .otherwise("amount")
        .alias("amount"),
        pl.col("early", "alone").fill_null(value=True),
    )
