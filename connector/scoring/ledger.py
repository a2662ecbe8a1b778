"""What is owed as of a day, computed from amounts and allocations, never from a balance field.

Facts dated after the day do not count. An allocation is dated by its payment's `paid_on` or its adjustment's
`booked_on`; the clerk's `applied_on` counts for nothing. Source: design/tables.md, "Rules that are easy to get wrong".
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.orders import unbilled
from connector.scoring.rates import Rates, across, base_currency
from connector.scoring.terms import due_by_terms

#: Adjustments that leave the lateness of what they took off standing.
LATE_KINDS = ("write_off",)
#: Adjustments that are a way of paying.
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
    #: disputed, days_overdue (0: not due, disputed, a credit or below materiality), late_open (days since
    #: original_due, or 0), rate_missing.
    items: pl.DataFrame
    #: One row a discharged part of a claim: receivable_id, account_id, day, days_late, days_early, amount, amount_base,
    #: amount_item_base, written_off.
    parts: pl.DataFrame
    #: One row an account with money that settles nothing yet: account_id, on_account_base (≥ 0).
    credits: pl.DataFrame
    #: One row an account with orders: account_id, unbilled_base (≥ 0).
    orders: pl.DataFrame


def ledger(tables: Tables, policy: Policy, as_of: int) -> Ledger:
    """Columns in: those of receivables, payments, allocations, adjustments, rates; missing tables are empty."""
    base = base_currency(tables, policy.base_currency)
    rates = Rates(table(tables, "rates"), base)
    claims = _claims(tables, policy, as_of, rates)
    applied = _applied(tables, claims, as_of, rates)
    effective = _effective(applied)
    items = _open(claims, effective, policy.minor(policy.materiality.stub, base), policy.materiality.stub_share, as_of)
    orders = unbilled(table(tables, "orders"), items, as_of, rates)
    credit = _credits(tables, items, effective, as_of, rates)
    return Ledger(base, rates, items, _parts(effective, claims), credit, orders)


def _claims(tables: Tables, policy: Policy, as_of: int, rates: Rates) -> pl.DataFrame:
    """Receivables issued and not voided by the day, with their due days filled and their amounts in base currency."""
    issued = pl.col("issued") <= as_of
    live = table(tables, "receivables").filter(issued & (pl.col("voided_on").is_null() | (pl.col("voided_on") > as_of)))
    # Without a due day: the agreed terms; without these the policy's, and listed as "due unknown".
    agreed = due_by_terms(live, table(tables, "terms"))
    silent = pl.col("due").is_null() & (pl.col("due_basis") == "unknown")
    basis = pl.when(silent & agreed.is_not_null()).then(pl.lit("computed")).otherwise("due_basis")
    guessed = pl.when(silent).then(pl.coalesce(agreed, pl.col("issued") + policy.terms.days))
    due = pl.coalesce("due", guessed).cast(pl.Int32)
    closed = pl.col("dispute_closed_on").is_not_null() & (pl.col("dispute_closed_on") <= as_of)
    frame = live.with_columns(
        due.alias("due"),
        basis.alias("due_basis"),
        pl.coalesce("original_due", due).cast(pl.Int32).alias("original_due"),
        ((pl.col("disputed_on") <= as_of).fill_null(False) & ~closed).alias("disputed"),
    )
    frame = frame.with_columns(rates.on(frame, "currency", as_of).alias("rate"))
    return frame.with_columns(
        rates.into_base("amount", "currency", "rate").alias("amount_base"),
        pl.col("rate").is_null().alias("rate_missing"),
    )


def _paid(tables: Tables, as_of: int) -> pl.DataFrame:
    """Payments made by the day and not returned by then."""
    returned = (pl.col("bounced_on") <= as_of).fill_null(value=False)
    return table(tables, "payments").filter((pl.col("paid_on") <= as_of) & ~returned)


def _dated(tables: Tables, as_of: int) -> pl.DataFrame:
    """Payments and adjustments by the day: payment_id or adjustment_id, day, cleared_day, judged, written_off."""
    run = pl.col("instrument").replace_strict(_RUNS, default=None, return_dtype=pl.Int32)
    bill = pl.when(run.is_not_null()).then(pl.coalesce("matures_on", pl.col("paid_on") + run))
    paid = _paid(tables, as_of).select(
        pl.col("payment_id"),
        pl.lit(None, pl.String).alias("adjustment_id"),
        pl.col("paid_on").alias("day"),
        pl.coalesce("cleared_on", bill, "paid_on").cast(pl.Int32).alias("cleared_day"),
        pl.lit(True).alias("judged"),
        pl.lit(False).alias("written_off"),
    )
    booked = table(tables, "adjustments").filter(pl.col("booked_on") <= as_of)
    adjusted = booked.select(
        pl.lit(None, pl.String).alias("payment_id"),
        pl.col("adjustment_id"),
        pl.col("booked_on").alias("day"),
        pl.col("booked_on").alias("cleared_day"),
        pl.col("kind").is_in(PAYING_KINDS + LATE_KINDS).alias("judged"),
        pl.col("kind").is_in(LATE_KINDS).alias("written_off"),
    )
    return pl.concat([paid, adjusted])


def _applied(tables: Tables, claims: pl.DataFrame, as_of: int, rates: Rates) -> pl.DataFrame:
    """Allocations to live claims, dated, with amounts in the claim's currency; those without a rate are left out."""
    rows = table(tables, "allocations").filter(pl.col("receivable_id").is_not_null()).drop("currency", "applied_on")
    rows = rows.join(
        claims.select("receivable_id", "account_id", "currency", pl.col("amount").alias("claimed"), "original_due"),
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


def _parts(effective: pl.DataFrame, claims: pl.DataFrame) -> pl.DataFrame:
    """What was discharged of a claim on one day is one part, however many payments brought it."""
    judged = effective.filter(pl.col("judged") & (pl.col("claimed") > 0))
    days = judged.group_by("receivable_id", "day", "written_off", maintain_order=True).agg(
        pl.col("account_id", "claimed", "original_due").first(), pl.col("amount").sum()
    )
    whole = claims.select("receivable_id", pl.col("amount_base").alias("amount_item_base"))
    # Claims without a rate are no evidence of how somebody pays.
    parts = days.join(whole, on="receivable_id", maintain_order="left").filter(pl.col("amount_item_base").is_not_null())
    share = pl.col("amount").cast(pl.Int128) * pl.col("amount_item_base")
    late = pl.col("day") - pl.col("original_due")
    return parts.select(
        "receivable_id",
        "account_id",
        "day",
        late.clip(lower_bound=0).fill_null(0).alias("days_late"),
        (-late).clip(lower_bound=0).fill_null(0).alias("days_early"),
        "amount",
        ((share + pl.col("claimed") // 2) // pl.col("claimed")).cast(pl.Int64).alias("amount_base"),
        "amount_item_base",
        "written_off",
    )


def _open(claims: pl.DataFrame, parts: pl.DataFrame, stub: int, stub_share: float, as_of: int) -> pl.DataFrame:
    settled = parts.group_by("receivable_id").agg(
        pl.col("amount").sum().alias("settled"),
        pl.col("amount").filter(pl.col("cleared_day") > as_of).sum().alias("uncleared"),
    )
    rows = claims.join(settled, on="receivable_id", how="left", maintain_order="left").with_columns(
        (pl.col("amount") - pl.col("settled").fill_null(0)).alias("open"), pl.col("uncleared").fill_null(0)
    )
    size = pl.col("amount").abs().clip(lower_bound=1)
    for name in ("open", "uncleared"):
        share = pl.col(name).cast(pl.Int128) * pl.col("amount_base")
        part = (share + size // 2) // size * pl.col("amount").sign()
        rows = rows.with_columns(part.cast(pl.Int64).alias(f"{name}_base"))
    # A stub is no lateness: at most the policy's amount, and at most its share of the claim.
    small = (pl.col("open_base") <= stub) & (pl.col("open") <= pl.col("amount") * stub_share)
    counts = (pl.col("open") > 0) & ~small.fill_null(False)
    overdue = pl.when(counts & ~pl.col("disputed")).then((as_of - pl.col("due")).clip(lower_bound=0))
    late = pl.when(counts).then((as_of - pl.col("original_due")).clip(lower_bound=0))
    return rows.with_columns(
        overdue.fill_null(0).cast(pl.Int32).alias("days_overdue"), late.fill_null(0).cast(pl.Int32).alias("late_open")
    ).select(
        "receivable_id", "account_id", "order_id", "number", "issued", "due", "original_due", "due_basis", "currency",
        "amount", "amount_base", "open", "open_base", "uncleared_base", "disputed", "days_overdue", "late_open",
        "rate_missing",
    )  # fmt: skip


def _credits(tables: Tables, items: pl.DataFrame, parts: pl.DataFrame, as_of: int, rates: Rates) -> pl.DataFrame:
    """Payments and credit notes less what they settle, and open credits that stand as negative claims."""
    notes = table(tables, "adjustments").filter(
        (pl.col("booked_on") <= as_of) & (pl.col("kind").is_in(["credit_note", "rebate", "discount"]))
    )
    come = pl.concat(
        [
            _paid(tables, as_of).select("account_id", pl.col("payment_id").alias("id"), "amount", "currency"),
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
