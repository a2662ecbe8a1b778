"""The features of a customer, by the names of `connector.words.features`.

All amounts in minor units of the base currency, days as counts, shares 0 to 1. Open overdue items join an average
only where they raise it, so that falling due never helps and paying never hurts. Source: docs/scoring.md.
"""

from __future__ import annotations

import polars as pl

from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.company import finances, standing
from connector.scoring.conduct import conduct
from connector.scoring.cover import high_balance, secured
from connector.scoring.exact import divisor
from connector.scoring.group import with_groups
from connector.scoring.ledger import Ledger
from connector.scoring.tendency import Statistics, tendency
from connector.scoring.trade import trade
from connector.scoring.windows import RECENT, YEAR, lasts
from connector.words.features import CHAPTERS

#: Sums and counts: 0, not null, where there is nothing to add up, and so no sign of data.
ZEROS = tuple(
    "overdue open_items open uncleared unbilled prepaid volume on_account oldest_overdue material_overdue_days"
    " rate_missing due_unknown implausible bounced written_off history settled"
    " overdue_1_30 overdue_31_60 overdue_61_90 overdue_over_90 partial_payments late_items_90"
    " commercial_acceptances broken_promises bad_records bad_debts deductions secured".split()
)
#: Features that have a value without a single fact.
ALWAYS = (*ZEROS, "insolvency", "exposure", "group_exposure", "data_age", "external_age", "statement_age")
#: Features that only a statement gives.
FINANCIAL = tuple(next(chapter.features for chapter in CHAPTERS if "altman_z" in chapter.features))


def features(tables: Tables, state: Ledger, policy: Policy, portfolio: Statistics, as_of: int) -> pl.DataFrame:
    """One row an account of `accounts`: account_id, every feature, and what an assessment shows beside them.

    These are: settles (something was settled within a year), on_account, uncleared, overdue_since (day), agreed_limit
    (null: nobody has set one), next_day (the first on which a due day or a limit's last day has passed). A feature is
    null where there is nothing to compute it from; sums and counts are 0.
    """
    frame = tables["accounts"].select("account_id", "since")
    parts = (
        _owed(state, policy.minor(policy.materiality.overdue, state.base), as_of),
        _paid(state, policy.materiality.grace_days, as_of),
        _trend(state, as_of),
        tendency(state, policy.tendency, portfolio, as_of),
        state.credits.rename({"on_account_base": "on_account"}),
        _unbilled(state),
        _prepaid(tables, as_of),
        _agreed_limits(tables, state, as_of),
        conduct(tables, state, policy, as_of),
        trade(tables, state, as_of),
        standing(tables, state, policy, as_of),
        finances(tables, state, as_of),
        secured(tables, state, policy, as_of),
        high_balance(state, as_of) if _asks(policy, "high_balance") else None,
    )
    whole = frame.lazy()
    for part in parts:
        if part is not None:
            whole = whole.join(part.lazy(), on="account_id", how="left", maintain_order="left")
    frame = whole.collect()
    optional = {**dict.fromkeys(FINANCIAL, pl.Float64), **_OPTIONAL}
    frame = frame.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in optional.items() if name not in frame.columns
    )
    frame = frame.with_columns(pl.col(*ZEROS).fill_null(0))
    exposure = (pl.col("open") + pl.col("uncleared") + pl.col("unbilled") - pl.col("on_account")).clip(lower_bound=0)
    since = pl.when(pl.col("since") <= as_of).then(pl.col("since"))
    frame = frame.with_columns(
        exposure.alias("exposure"),
        (as_of - pl.min_horizontal(since, "first_issued")).alias("tenure"),
        (as_of - pl.col("last_issued")).alias("dormant_days"),
        pl.lit(None if portfolio.newest is None else max(0, as_of - portfolio.newest), pl.Int32).alias("data_age"),
        (pl.min_horizontal("next_due", "limit_ends", "secured_ends") + 1).alias("next_day"),
    )
    frame = with_groups(frame, tables["accounts"])
    fell_due = pl.col("overdue") + pl.col("settled")
    billed = pl.when(pl.col("volume") > 0).then("volume")
    frame = frame.with_columns(
        divisor(YEAR).alias("days_of_year"), divisor(max(portfolio.open_total, 1)).alias("all_open")
    )
    return frame.with_columns(
        used("exposure", "agreed_limit").alias("utilisation"),
        (pl.col("overdue") / pl.when(fell_due > 0).then(fell_due)).alias("overdue_share"),
        (pl.col("deductions") / billed).alias("deductions_share"),
        (pl.col("open").cast(pl.Float64) * pl.col("days_of_year") / billed).alias("days_sales_outstanding"),
        pl.when(portfolio.open_total > 0).then(pl.col("open") / pl.col("all_open")).alias("share_of_receivables"),
    ).drop("since", "open", "settled", "deductions", "days_of_year", "all_open")


def _asks(policy: Policy, method: str) -> bool:
    return any(method in rules.limits.methods for rules in (policy, *policy.of_segments.values()))


#: Columns of tables that may have no rows.
_OPTIONAL = {
    "prepaid": pl.Int64,
    "secured": pl.Int64,
    "secured_ends": pl.Int32,
    "high_balance": pl.Int64,
    "agreed_limit": pl.Int64,
    "group_limit_own": pl.Int64,
    "limit_ends": pl.Int32,
}


def used(exposure: str, limit: str) -> pl.Expr:
    """Exposure ÷ limit; 10 where something is owed on a limit of nothing; null without a limit, and for the prepaid."""
    nothing = pl.when(pl.col(exposure) > 0).then(10.0).otherwise(0.0)
    share = pl.when(pl.col(limit) > 0).then(pl.col(exposure) / pl.col(limit)).when(pl.col(limit) == 0).then(nothing)
    return pl.when(pl.col("prepaid") == 0).then(share)


def _unbilled(state: Ledger) -> pl.DataFrame:
    return pl.DataFrame({"account_id": state.accounts, "unbilled": state.unbilled[:-1]})


def _prepaid(tables: Tables, as_of: int) -> pl.DataFrame | None:
    """account_id, prepaid: 1 where the terms in force on the day are payment in advance."""
    terms = table(tables, "terms")
    if terms.is_empty():
        return None
    now = (
        terms.filter((pl.col("valid_from") <= as_of) & lasts(as_of))
        .sort("valid_from")
        .group_by("account_id", maintain_order=True)
    )
    newest = now.agg(pl.col("kind").last())
    return newest.filter(pl.col("kind") == "prepaid").select("account_id", pl.lit(1, pl.Int64).alias("prepaid"))


def _owed(state: Ledger, material: int, as_of: int) -> pl.DataFrame:
    items = state.items.with_columns(pl.col("open_base").clip(lower_bound=0).alias("owed"))
    overdue, owed = pl.col("days_overdue") > 0, pl.col("owed")
    positive = pl.col("amount_base") > 0
    year, billed = positive & (pl.col("issued") > as_of - YEAR), pl.col("amount_base").cast(pl.Int128)
    sums = items.group_by("account_id", maintain_order=True).agg(
        owed.sum().alias("open"),
        pl.col("uncleared_base").sum().alias("uncleared"),
        pl.col("overdue_base").sum().alias("overdue"),
        pl.col("days_overdue").max().alias("oldest_overdue"),
        pl.col("due").filter(overdue).min().alias("overdue_since"),
        pl.col("due").filter((pl.col("open") > 0) & (pl.col("due") >= as_of)).min().alias("next_due"),
        (pl.col("open") > 0).sum().cast(pl.Int64).alias("open_items"),
        pl.col("contested_base").sum().alias("disputed"),
        pl.col("amount_base").filter(year).sum().alias("volume"),
        pl.col("rate_missing").sum().cast(pl.Int64).alias("rate_missing"),
        (pl.col("due_basis") == "unknown").filter(pl.col("open") > 0).sum().cast(pl.Int64).alias("due_unknown"),
        (pl.col("due") - pl.col("original_due")).filter(year).max().alias("stretched_days"),
        (pl.col("due") < pl.col("issued")).sum().cast(pl.Int64).alias("implausible"),
        pl.col("issued").min().alias("first_issued"),
        pl.col("issued").max().alias("last_issued"),
        # Days of credit, by amount, over the same year.
        (billed * (pl.col("due") - pl.col("issued")).clip(lower_bound=0)).filter(year).sum().alias("credit_days"),
    )
    # The age that a material amount has reached, what lies on account being held against the oldest: who owes nothing
    # in sum is not chased. An amount without a rate is taken to be material.
    aged = items.filter(overdue).join(state.credits, on="account_id", how="left")
    aged = aged.sort("days_overdue", descending=True)
    reached = pl.col("overdue_base").fill_null(material).cum_sum().over("account_id") - pl.col(
        "on_account_base"
    ).fill_null(0)
    ages = aged.filter(reached >= material).group_by("account_id", maintain_order=True).agg(
        pl.col("days_overdue").max().alias("material_overdue_days")
    )  # fmt: skip
    return (
        sums.join(ages, on="account_id", how="left")
        .with_columns(
            (pl.col("disputed") / pl.when(pl.col("open") > 0).then(pl.col("open"))).alias("disputed_share"),
            (pl.col("credit_days").cast(pl.Float64) / pl.when(pl.col("volume") > 0).then(pl.col("volume"))).alias(
                "terms_days"
            ),
        )
        .drop("disputed", "credit_days")
    )


def _late_items(state: Ledger) -> pl.DataFrame:
    late = state.items.filter(pl.col("late_open") > 0).drop_nulls("arrears_base")
    return late.select(
        "account_id",
        pl.col("arrears_base").alias("amount"),
        pl.col("late_open").alias("late"),
        part_of("arrears_base", "amount_base"),
    )


def part_of(amount: str, whole: str) -> pl.Expr:
    """`part`: the share of its claim in millionths, for averages item by item."""
    return (pl.col(amount).cast(pl.Int128) * 10**6 // pl.col(whole)).cast(pl.Int64).alias("part")


def _paid(state: Ledger, grace: int, as_of: int) -> pl.DataFrame:
    """Settles (something was settled), settled (amount), days_beyond_terms, on_time_share, late_15_share and losses."""
    year = state.parts.filter(pl.col("day") > as_of - YEAR)
    settled = year.select(
        "account_id",
        pl.col("amount_base").alias("amount"),
        pl.col("days_late").alias("late"),
        part_of("amount_base", "claim_base"),
    )
    late = _late_items(state)
    whole = pl.concat([settled, late.filter(pl.col("late") > grace)])
    shares = whole.group_by("account_id", maintain_order=True).agg(
        pl.col("amount").sum().alias("paid"),
        pl.col("amount").filter(pl.col("late") <= grace).sum().alias("on_time"),
    )
    serious = pl.concat([settled, late.filter(pl.col("late") > 15)]).group_by("account_id", maintain_order=True).agg(
        pl.col("amount").sum().alias("counted"), pl.col("amount").filter(pl.col("late") > 15).sum().alias("serious")
    )  # fmt: skip
    lost = state.losses.filter(pl.col("day") > as_of - YEAR).group_by("account_id", maintain_order=True)
    settles = year.group_by("account_id", maintain_order=True).agg(
        pl.lit(value=True).alias("settles"),
        pl.col("amount_base").sum().alias("settled"),
        pl.col("day").max().alias("last_paid"),
    )
    frame = shares.join(serious, on="account_id", how="full", coalesce=True)
    written_off = lost.agg(pl.col("written_off_base").sum().alias("written_off"))
    frame = frame.join(written_off, on="account_id", how="full", coalesce=True)
    frame = frame.join(beyond_terms(settled, late), on="account_id", how="full", coalesce=True)
    by_item = beyond_terms(settled, late, "part").rename({"beyond": "average_days_late"})
    frame = frame.join(by_item, on="account_id", how="left")
    frame = frame.join(settles, on="account_id", how="left")
    return frame.select(
        "account_id",
        pl.col("settles").fill_null(value=False),
        "settled",
        "last_paid",
        pl.col("beyond").alias("days_beyond_terms"),
        "average_days_late",
        (pl.col("on_time") / pl.when(pl.col("paid") > 0).then(pl.col("paid"))).alias("on_time_share"),
        (pl.col("serious") / pl.when(pl.col("counted") > 0).then(pl.col("counted"))).alias("late_15_share"),
        "written_off",
    )


def beyond_terms(settled: pl.DataFrame, late: pl.DataFrame, by: str = "amount") -> pl.DataFrame:
    """Average days late, weighted by `by`: account_id, beyond; an open late item joins only where it raises it.

    Columns in, of both: account_id, `by`, late (days). Taken latest first, an item joins while it is later than the
    average so far; once one does not, none after it does.
    """
    paid, owed = (rows.lazy().select("account_id", pl.col(by).alias("amount"), "late") for rows in (settled, late))
    amount = pl.col("amount").cast(pl.Int128)
    days = amount * pl.col("late")
    sums = paid.group_by("account_id", maintain_order=True).agg(amount.sum(), days.sum().alias("days"))
    had = sums.rename({"amount": "had", "days": "had_days"})
    rows = owed.sort("late", descending=True).join(had, on="account_id", how="left", maintain_order="left")
    before = amount.cum_sum().over("account_id") - amount
    before_days = days.cum_sum().over("account_id") - days
    earlier, earlier_days = pl.col("had").fill_null(0) + before, pl.col("had_days").fill_null(0) + before_days
    joining = rows.filter(pl.col("late") * earlier >= earlier_days).select("account_id", amount, days.alias("days"))
    whole = pl.concat([sums, joining]).group_by("account_id", maintain_order=True).agg(pl.col("amount", "days").sum())
    beyond = pl.col("days").cast(pl.Float64) / pl.col("amount").cast(pl.Float64)
    return whole.filter(pl.col("amount") > 0).select("account_id", beyond.alias("beyond")).collect()


def _trend(state: Ledger, as_of: int) -> pl.DataFrame:
    """Change in days beyond terms: the last 90 days with what is open, against the 275 before."""
    year = state.parts.filter(pl.col("day") > as_of - YEAR)
    year = year.select("account_id", "day", pl.col("amount_base").alias("amount"), pl.col("days_late").alias("late"))
    recent = year.filter(pl.col("day") > as_of - RECENT).drop("day")
    earlier = year.filter(pl.col("day") <= as_of - RECENT).drop("day")
    now = beyond_terms(recent, _late_items(state))
    then = beyond_terms(earlier, earlier.clear()).rename({"beyond": "then"})
    return now.join(then, on="account_id").select("account_id", (pl.col("beyond") - pl.col("then")).alias("trend"))


def _agreed_limits(tables: Tables, state: Ledger, as_of: int) -> pl.DataFrame | None:
    """Limits that people set, in force on the day: the newest permanent one and all temporary ones beside it."""
    rows = table(tables, "limits")
    if rows.is_empty():
        return None
    started = pl.col("valid_from").is_null() | (pl.col("valid_from") <= as_of)
    rows = rows.filter(started & lasts(as_of) & (pl.col("kind") != "insured"))
    rows = state.rates.based(rows, as_of, amount="amount").drop_nulls("amount")
    ends = rows.group_by("account_id", maintain_order=True).agg(pl.col("valid_until").min().alias("limit_ends"))
    own = _in_force(rows.filter(pl.col("scope") == "account")).rename({"amount": "agreed_limit"})
    group = _in_force(rows.filter(pl.col("scope") == "group")).rename({"amount": "group_limit_own"})
    return ends.join(own, on="account_id", how="left").join(group, on="account_id", how="left")


def _in_force(rows: pl.DataFrame) -> pl.DataFrame:
    permanent = rows.filter(pl.col("kind") == "permanent").sort("valid_from", "limit_id", nulls_last=False)
    newest = permanent.group_by("account_id", maintain_order=True).agg(pl.col("amount").last())
    temporary = rows.filter(pl.col("kind") == "temporary").select("account_id", "amount")
    return pl.concat([newest, temporary]).group_by("account_id", maintain_order=True).agg(pl.col("amount").sum())
