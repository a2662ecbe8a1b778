"""What is owed as of a day, computed from amounts and allocations, never from a balance field.

Facts dated after the day do not count. An allocation is dated by its payment's `paid_on` or its adjustment's
`booked_on`; the clerk's `applied_on` counts for nothing. Source: design/tables.md, "Rules that are easy to get wrong".
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.claims import claims
from connector.scoring.orders import unbilled
from connector.scoring.rates import Rates, across, base_currency
from connector.scoring.rolling import cover, floors, judged_from

#: Adjustments that are a way of paying; any other is evidence only where it comes late: never better than paying then.
PAYING_KINDS = ("set_off",)
#: Instruments that are money only later → days they are taken to run where nothing says when: electronic bills run
#: six months at most (票据管理办法), a cheque may come back for a month.
_RUNS = {"bank_acceptance": 180, "commercial_acceptance": 180, "letter_of_credit": 90, "cheque": 30}


@dataclass(frozen=True, slots=True)
class Ledger:
    """The state of all claims as of a day."""

    #: Currency of every column that ends in `_base`.
    base: str
    #: Rates into it.
    rates: Rates
    #: One row a live claim: receivable_id, account_id, order_id, number, issued, due, original_due, due_basis,
    #: currency, amount, amount_base, open, open_base (not discharged), uncleared_base (discharged, not yet our money),
    #: acceptances_base (commercial acceptances among these), disputed, contested_base (of the open amount),
    #: overdue_base and days_overdue (0: not due, contested, a credit or below materiality), arrears, arrears_base and
    #: late_open (what of the open amount counts as late, and days since late_from; only where late_open > 0),
    #: rate_missing.
    items: pl.DataFrame
    #: One row a discharged part of a claim: receivable_id, account_id, day, days_late, days_early, amount, amount_base,
    #: amount_item_base. The last stub of a claim is left out: it is no lateness.
    parts: pl.DataFrame
    #: One row a claim and day of what was written off of it, stubs left out: account_id, day, written_off_base.
    losses: pl.DataFrame
    #: One row an account with money that settles nothing yet: account_id, on_account_base (≥ 0).
    credits: pl.DataFrame
    #: One row an account with orders: account_id, unbilled_base (≥ 0).
    orders: pl.DataFrame


def ledger(tables: Tables, policy: Policy, as_of: int) -> Ledger:
    """Columns in: those of receivables, payments, allocations, adjustments, rates; missing tables are empty."""
    base = base_currency(tables, policy.base_currency)
    rates = Rates(table(tables, "rates"), base)
    live = claims(tables, policy, as_of, rates)
    known = floors(table(tables, "terms"), rates, as_of)
    judged = judged_from(live, known)
    applied = _applied(tables, judged, as_of, rates)
    effective = _effective(applied)
    stub = policy.minor(policy.materiality.stub, base)
    small = Small(stub, policy.materiality.stub_share)
    items = cover(_open(live, effective, small, as_of), known)
    orders = unbilled(table(tables, "orders"), items, as_of, rates)
    credit = _credits(tables, items, effective, as_of, rates)
    parts, losses = _parts(effective, live, small)
    return Ledger(base, rates, items, parts, losses, credit, orders)


def received(tables: Tables, as_of: int) -> pl.DataFrame:
    """Payments made by the day and not returned by then."""
    returned = (pl.col("bounced_on") <= as_of).fill_null(value=False)
    return table(tables, "payments").filter((pl.col("paid_on") <= as_of) & ~returned)


def _dated(tables: Tables, as_of: int) -> pl.DataFrame:
    """Payments and adjustments by the day: their id, day, cleared_day, adjusted (kind), acceptance (commercial)."""
    run = pl.col("instrument").replace_strict(_RUNS, default=None, return_dtype=pl.Int32)
    bill = pl.when(run.is_not_null()).then(pl.coalesce("matures_on", pl.col("paid_on") + run))
    paid = received(tables, as_of).select(
        pl.col("payment_id"),
        pl.lit(None, pl.String).alias("adjustment_id"),
        pl.col("paid_on").alias("day"),
        pl.coalesce("cleared_on", bill, "paid_on").cast(pl.Int32).alias("cleared_day"),
        pl.lit(None, pl.String).alias("adjusted"),
        (pl.col("instrument") == "commercial_acceptance").fill_null(value=False).alias("acceptance"),
    )
    booked = table(tables, "adjustments").filter(pl.col("booked_on") <= as_of)
    adjusted = booked.select(
        pl.lit(None, pl.String).alias("payment_id"),
        pl.col("adjustment_id"),
        pl.col("booked_on").alias("day"),
        pl.col("booked_on").alias("cleared_day"),
        pl.when(~pl.col("kind").is_in(PAYING_KINDS)).then("kind").alias("adjusted"),
        pl.lit(value=False).alias("acceptance"),
    )
    return pl.concat([paid, adjusted])


def _applied(tables: Tables, claims: pl.DataFrame, as_of: int, rates: Rates) -> pl.DataFrame:
    """Allocations to live claims, dated, with amounts in the claim's currency; those without a rate are left out."""
    rows = table(tables, "allocations").filter(pl.col("receivable_id").is_not_null()).drop("currency", "applied_on")
    rows = rows.join(
        claims.select(
            "receivable_id", "account_id", "currency", pl.col("amount").alias("claimed"), "original_due", "late_from"
        ),
        on="receivable_id",
    )
    rows = rows.join(_dated(tables, as_of), on=["payment_id", "adjustment_id"], nulls_equal=True)
    rows = rows.with_columns(pl.coalesce("payment_currency", "currency").alias("payment_currency"))
    rows = rows.with_columns(
        rates.on(rows, "payment_currency", "day").alias("rate_paid"),
        rates.on(rows, "currency", "day").alias("rate_claim"),
    )
    crossed = across("payment_amount", ("payment_currency", "currency"), ("rate_paid", "rate_claim"))
    same = pl.when(pl.col("payment_currency") == pl.col("currency")).then(pl.col("payment_amount"))
    return rows.with_columns(pl.coalesce("amount", same, crossed).alias("amount")).filter(
        pl.col("amount").is_not_null()
    )


def _effective(applied: pl.DataFrame) -> pl.DataFrame:
    """Parts that really settle: earliest first, up to the claim's amount, less what was taken back since."""
    # Amounts of a claim and its settlements count along the claim's own sign: a credit of −100 is settled by −100.
    rows = applied.with_columns((pl.col("amount") * pl.col("claimed").sign()).alias("along"))
    cap = pl.min_horizontal(pl.col("along").sum().over("receivable_id").clip(lower_bound=0), pl.col("claimed").abs())
    rows = rows.with_columns(cap.alias("cap")).filter(pl.col("along") > 0).sort("day", "allocation_id")
    reached = pl.col("along").cum_sum().over("receivable_id")
    taken = pl.min_horizontal(reached, "cap") - pl.min_horizontal(reached - pl.col("along"), "cap")
    rows = rows.with_columns(taken.alias("along")).filter(pl.col("along") > 0)
    return rows.with_columns((pl.col("along") * pl.col("claimed").sign()).alias("amount"))


@dataclass(frozen=True, slots=True)
class Small:
    """What may stay open of a settled claim: so many minor units of the base currency, and that share of the claim."""

    stub: int
    share: float

    def of(self, left: str) -> pl.Expr:
        """Whether the amount is such a stub. Columns: amount of the claim, left, left + "_base"."""
        small = (pl.col(f"{left}_base") <= self.stub) & (pl.col(left) <= pl.col("amount") * self.share)
        return small.fill_null(value=False)


def _based(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """The same with name + "_base": each amount's share of the claim's amount_base."""
    size = pl.col("amount").abs().clip(lower_bound=1)
    for name in names:
        share = pl.col(name).cast(pl.Int128) * pl.col("amount_base")
        part = (share + size // 2) // size * pl.col("amount").sign()
        frame = frame.with_columns(part.cast(pl.Int64).alias(f"{name}_base"))
    return frame


def _parts(effective: pl.DataFrame, live: pl.DataFrame, small: Small) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parts and losses. What was discharged of a claim on one day is one part, however many payments brought it."""
    # Claims without a rate are no evidence of how somebody pays.
    claims_of = live.filter(pl.col("amount_base").is_not_null()).select("receivable_id", "amount", "amount_base")
    rows = effective.filter(pl.col("claimed") > 0).rename({"amount": "taken"}).join(claims_of, on="receivable_id")
    late = (pl.col("day") > pl.col("late_from")).fill_null(value=False)
    judged = pl.col("adjusted").is_null() | late
    days = (
        rows.sort("day", "allocation_id")
        .group_by("receivable_id", "day", maintain_order=True)
        .agg(
            pl.col("account_id", "amount", "amount_base", "original_due", "late_from").first(),
            pl.col("taken").sum().alias("gone"),
            pl.col("taken").filter(judged).sum(),
            pl.col("taken").filter(pl.col("adjusted") == "write_off").sum().alias("written_off"),
        )
    )
    before = pl.col("amount") - pl.col("gone").cum_sum().over("receivable_id") + pl.col("gone")
    days = _based(days.with_columns(before.alias("before")), "taken", "written_off", "before")
    days = days.filter(~small.of("before"))
    parts = days.filter(pl.col("taken") > 0).select(
        "receivable_id",
        "account_id",
        "day",
        (pl.col("day") - pl.col("late_from")).clip(lower_bound=0).fill_null(0).alias("days_late"),
        (pl.col("original_due") - pl.col("day")).clip(lower_bound=0).fill_null(0).alias("days_early"),
        pl.col("taken").alias("amount"),
        pl.col("taken_base").alias("amount_base"),
        pl.col("amount_base").alias("amount_item_base"),
    )
    losses = days.filter(pl.col("written_off") > 0).select("account_id", "day", "written_off_base")
    return parts, losses


def _open(live: pl.DataFrame, parts: pl.DataFrame, small: Small, as_of: int) -> pl.DataFrame:
    later = pl.col("cleared_day") > as_of
    settled = parts.group_by("receivable_id").agg(
        pl.col("amount").sum().alias("settled"),
        pl.col("amount").filter(later).sum().alias("uncleared"),
        pl.col("amount").filter(later & pl.col("acceptance")).sum().alias("acceptances"),
    )
    rows = live.join(settled, on="receivable_id", how="left", maintain_order="left").with_columns(
        (pl.col("amount") - pl.col("settled").fill_null(0)).alias("open"),
        pl.col("uncleared", "acceptances").fill_null(0),
    )
    contested = pl.min_horizontal(pl.col("open").clip(lower_bound=0), pl.col("contested"))
    excused = pl.when("at_fault").then(contested).otherwise(0)
    rows = rows.with_columns(
        contested.alias("contested"),
        (pl.col("open") - contested).alias("overdue"),
        (pl.col("open") - excused).alias("arrears"),
    )
    rows = _based(rows, "open", "uncleared", "acceptances", "contested", "overdue", "arrears")
    # While our fault is argued about, what is not contested is as late as ever.
    since = pl.when(pl.col("at_fault") & pl.col("disputed")).then("original_due").otherwise("late_from")
    owes = {name: (pl.col(name) > 0) & ~small.of(name) for name in ("overdue", "arrears")}
    overdue = pl.when(owes["overdue"]).then((as_of - pl.col("due")).clip(lower_bound=0)).fill_null(0)
    late = pl.when(owes["arrears"]).then((as_of - since).clip(lower_bound=0)).fill_null(0)
    rows = rows.with_columns(overdue.cast(pl.Int32).alias("days_overdue"), late.cast(pl.Int32).alias("late_open"))
    return rows.with_columns(
        pl.when(pl.col("days_overdue") > 0).then("overdue_base").otherwise(0).alias("overdue_base")
    ).select(
        "receivable_id", "account_id", "order_id", "number", "issued", "due", "original_due", "due_basis", "currency",
        "amount", "amount_base", "open", "open_base", "uncleared_base", "acceptances_base", "disputed",
        "contested_base", "overdue_base", "days_overdue", "arrears", "arrears_base", "late_open", "rate_missing",
    )  # fmt: skip


def _credits(tables: Tables, items: pl.DataFrame, parts: pl.DataFrame, as_of: int, rates: Rates) -> pl.DataFrame:
    """Payments and credit notes less what they settle, and open credits that stand as negative claims."""
    notes = table(tables, "adjustments").filter(
        (pl.col("booked_on") <= as_of) & (pl.col("kind").is_in(["credit_note", "rebate", "discount"]))
    )
    come = pl.concat(
        [
            received(tables, as_of).select("account_id", pl.col("payment_id").alias("id"), "amount", "currency"),
            notes.select("account_id", pl.col("adjustment_id").alias("id"), "amount", "currency"),
        ]
    )
    # In the payment's own currency: what is settled of a claim in another one is that share of the allocated payment.
    gone = parts.select(
        pl.coalesce("payment_id", "adjustment_id").alias("id"),
        pl.when(pl.col("payment_currency") == pl.col("currency"))
        .then(pl.col("amount"))
        .otherwise(pl.coalesce("payment_amount", "amount"))
        .alias("used"),
    )
    left = come.join(gone.group_by("id").agg(pl.col("used").sum()), on="id", how="left").with_columns(
        (pl.col("amount") - pl.col("used").fill_null(0)).alias("left")
    )
    left = left.with_columns(rates.on(left, "currency", as_of).alias("rate"))
    money_left = left.select("account_id", rates.into_base("left", "currency", "rate").alias("on_account_base"))
    negative = items.filter(pl.col("open") < 0).select("account_id", (-pl.col("open_base")).alias("on_account_base"))
    whole = pl.concat([money_left, negative]).group_by("account_id").agg(pl.col("on_account_base").sum())
    return whole.with_columns(pl.col("on_account_base").clip(lower_bound=0)).filter(pl.col("on_account_base") > 0)
