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
from connector.scoring.keys import found, summed
from connector.scoring.orders import unbilled
from connector.scoring.rates import Rates, across, base_currency
from connector.scoring.rolling import cover, floors, judged_from
from connector.scoring.spread import spread

#: Adjustments that are a way of paying; any other is evidence only where it comes late: never better than paying then.
PAYING_KINDS = ("set_off",)
#: Adjustments of which an unused rest is money on account.
CREDIT_KINDS = ("credit_note", "rebate", "discount")
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
    #: The newest day of a claim, payment or adjustment; None: there is none.
    newest: int | None = None


def ledger(tables: Tables, policy: Policy, as_of: int, base: str = "") -> Ledger:
    """Columns in: those of receivables, payments, allocations, adjustments, rates; missing tables are empty.

    `base`: the portfolio's base currency; empty: the one that these tables tell, which are the whole portfolio then.
    """
    base = base or base_currency(tables, policy.base_currency)
    rates = Rates(table(tables, "rates"), base)
    live = claims(tables, policy, as_of, rates)
    known = floors(table(tables, "terms"), rates, as_of)
    judged = judged_from(live, known)
    come = _come(tables, as_of)
    applied = _applied(tables, judged, come, rates)
    effective = _effective(applied)
    stub = policy.minor(policy.materiality.stub, base)
    small = Small(stub, policy.materiality.stub_share)
    items = cover(_open(live, effective, small, as_of), known)
    orders = unbilled(table(tables, "orders"), items, as_of, rates)
    credit = _credits(come, items, effective, as_of, rates)
    parts, losses = _parts(effective, live, small)
    days = [day for day in (items["issued"].max(), come["day"].max()) if isinstance(day, int)]
    return Ledger(base, rates, items, parts, losses, credit, orders, max(days, default=None))


def received(tables: Tables, as_of: int) -> pl.DataFrame:
    """Payments made by the day and not returned by then."""
    returned = (pl.col("bounced_on") <= as_of).fill_null(value=False)
    return table(tables, "payments").filter((pl.col("paid_on") <= as_of) & ~returned)


def _come(tables: Tables, as_of: int) -> pl.DataFrame:
    """Payments and adjustments by the day, which settle claims.

    Columns out: id, account_id, currency, amount, day, cleared_day, adjusted (kind of an adjustment that is no way of
    paying), acceptance (commercial), booked (an adjustment), credit (what is left of it is money on account).
    """
    run = pl.col("instrument").replace_strict(_RUNS, default=None, return_dtype=pl.Int32)
    bill = pl.when(run.is_not_null()).then(pl.coalesce("matures_on", pl.col("paid_on") + run))
    owner = ("account_id", "currency", "amount")
    paid = received(tables, as_of).select(
        pl.col("payment_id").alias("id"),
        *owner,
        pl.col("paid_on").alias("day"),
        pl.coalesce("cleared_on", bill, "paid_on").cast(pl.Int32).alias("cleared_day"),
        pl.lit(None, pl.String).alias("adjusted"),
        (pl.col("instrument") == "commercial_acceptance").fill_null(value=False).alias("acceptance"),
        pl.lit(value=False).alias("booked"),
        pl.lit(value=True).alias("credit"),
    )
    booked = table(tables, "adjustments").filter(pl.col("booked_on") <= as_of)
    if booked.is_empty():
        return paid
    adjusted = booked.select(
        pl.col("adjustment_id").alias("id"),
        *owner,
        pl.col("booked_on").alias("day"),
        pl.col("booked_on").alias("cleared_day"),
        pl.when(~pl.col("kind").is_in(PAYING_KINDS)).then("kind").alias("adjusted"),
        pl.lit(value=False).alias("acceptance"),
        pl.lit(value=True).alias("booked"),
        pl.col("kind").is_in(CREDIT_KINDS).alias("credit"),
    )
    return pl.concat([paid, adjusted])


def _applied(tables: Tables, live: pl.DataFrame, come: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    """Allocations to live claims, dated, with amounts in the claim's currency; those without a rate are left out.

    Columns in, of `come`: those of `_come`. Columns out: claim and source (row numbers of `live` and `come`),
    allocation_id, amount, payment_amount, payment_currency, currency, claimed, original_due, late_from, day,
    cleared_day, adjusted, acceptance.
    """
    rows = spread(table(tables, "allocations"), live, come).select(
        "allocation_id", "receivable_id", pl.coalesce("payment_id", "adjustment_id").alias("id"),
        pl.col("payment_id").is_null().alias("booked"), "amount", "payment_amount", "payment_currency",
    )  # fmt: skip
    claim = found(rows["receivable_id"], live["receivable_id"])
    # A payment and an adjustment may bear the same id. Payments stand first in `come`.
    source = _source(rows, come) if rows["booked"].any() else found(rows["id"], come.filter(~pl.col("booked"))["id"])
    both = claim.is_not_null() & source.is_not_null()
    claim, source = claim.filter(both), source.filter(both)
    rows = rows.drop("receivable_id", "id", "booked").filter(both).with_columns(
        claim.alias("claim"),
        source.alias("source"),
        *(live[old].gather(claim).alias(new) for old, new in _OF_CLAIM.items()),
        *(come[name].gather(source) for name in ("day", "cleared_day", "adjusted", "acceptance")),
    )  # fmt: skip
    told = pl.coalesce("payment_currency", "currency")
    rows = rows.with_columns(told.alias("payment_currency"))
    if rates.only_base(rows, "currency") and rates.only_base(rows, "payment_currency"):
        return rows.with_columns(pl.coalesce("amount", "payment_amount").alias("amount")).drop_nulls("amount")
    rows = rows.with_columns(
        rates.on(rows, "payment_currency", "day").alias("rate_paid"),
        rates.on(rows, "currency", "day").alias("rate_claim"),
    )
    crossed = across("payment_amount", ("payment_currency", "currency"), ("rate_paid", "rate_claim"))
    same = pl.when(pl.col("payment_currency") == pl.col("currency")).then(pl.col("payment_amount"))
    amounts = rows.with_columns(pl.coalesce("amount", same, crossed).alias("amount"))
    return amounts.drop_nulls("amount").drop("rate_paid", "rate_claim")


def _source(rows: pl.DataFrame, come: pl.DataFrame) -> pl.Series:
    """Row number in `come` of each allocation's payment or adjustment; null: none."""
    marked = [
        frame.select(pl.when("booked").then(pl.lit("a|")).otherwise(pl.lit("p|")) + pl.col("id"))["literal"]
        for frame in (rows, come)
    ]
    return found(*marked)


_OF_CLAIM = {"currency": "currency", "amount": "claimed", "original_due": "original_due", "late_from": "late_from"}


def _effective(applied: pl.DataFrame) -> pl.DataFrame:
    """Parts that really settle: earliest first, up to the claim's amount, less what was taken back since."""
    # Amounts of a claim and its settlements count along the claim's own sign: a credit of −100 is settled by −100.
    along, claimed = pl.col("along"), pl.col("claimed")
    rows = applied.with_columns(
        (pl.col("amount") * claimed.sign()).alias("along"), pl.col("claim").is_unique().alias("sole")
    )
    # Most claims are settled in one piece.
    sole = rows.filter("sole").with_columns(pl.min_horizontal(along, claimed.abs()).alias("along"))
    several = rows.filter(~pl.col("sole"))
    cap = pl.min_horizontal(along.sum().over("claim").clip(lower_bound=0), claimed.abs())
    several = several.with_columns(cap.alias("cap")).filter(along > 0).sort("day", "allocation_id")
    reached = along.cum_sum().over("claim")
    taken = pl.min_horizontal(reached, "cap") - pl.min_horizontal(reached - along, "cap")
    several = several.with_columns(taken.alias("along")).drop("cap")
    return pl.concat([sole, several]).filter(along > 0).with_columns((along * claimed.sign()).alias("amount"))


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
    if (frame["amount"] == frame["amount_base"]).all(ignore_nulls=False):
        return frame.with_columns(pl.col(name).alias(f"{name}_base") for name in names)
    size = pl.col("amount").abs().clip(lower_bound=1)
    shares = {name: pl.col(name).cast(pl.Int128) * pl.col("amount_base") for name in names}
    return frame.with_columns(
        ((share + size // 2) // size * pl.col("amount").sign()).cast(pl.Int64).alias(f"{name}_base")
        for name, share in shares.items()
    )


def _parts(effective: pl.DataFrame, live: pl.DataFrame, small: Small) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parts and losses. What was discharged of a claim on one day is one part, however many payments brought it."""
    taken = pl.col("taken")
    rows = effective.filter(pl.col("claimed") > 0).rename({"claimed": "whole", "amount": "taken"})
    late = (pl.col("day") > pl.col("late_from")).fill_null(value=False)
    rows = rows.with_columns(
        pl.when(pl.col("adjusted").is_null() | late).then(taken).otherwise(0).alias("counts"),
        pl.when(pl.col("adjusted") == "write_off").then(taken).otherwise(0).alias("written_off"),
    )
    kept = ("claim", "day", "whole", "original_due", "late_from", "taken", "counts", "written_off")
    sole = rows.filter("sole").select(*kept, pl.col("whole").alias("before"))
    days = rows.filter(~pl.col("sole")).sort("day", "allocation_id").group_by("claim", "day", maintain_order=True)
    several = days.agg(
        pl.col("whole", "original_due", "late_from").first(), pl.col("taken", "counts", "written_off").sum()
    )
    left = pl.col("whole") - taken.cum_sum().over("claim") + taken
    whole = pl.concat([sole, several.select(*kept).with_columns(left.alias("before"))])
    # Claims without a rate are no evidence of how somebody pays.
    about = (live[name].gather(whole["claim"]) for name in ("receivable_id", "account_id", "amount", "amount_base"))
    whole = whole.with_columns(*about).drop_nulls("amount_base")
    whole = _based(whole, "counts", "written_off", "before").filter(~small.of("before"))
    parts = whole.filter(pl.col("counts") > 0).select(
        "receivable_id",
        "account_id",
        "day",
        (pl.col("day") - pl.col("late_from")).clip(lower_bound=0).fill_null(0).alias("days_late"),
        (pl.col("original_due") - pl.col("day")).clip(lower_bound=0).fill_null(0).alias("days_early"),
        pl.col("counts").alias("amount"),
        pl.col("counts_base").alias("amount_base"),
        pl.col("amount_base").alias("amount_item_base"),
    )
    losses = whole.filter(pl.col("written_off") > 0).select("account_id", "day", "written_off_base")
    return parts, losses


def _open(live: pl.DataFrame, parts: pl.DataFrame, small: Small, as_of: int) -> pl.DataFrame:
    later = parts.filter(pl.col("cleared_day") > as_of)
    rows = live.with_columns(
        (pl.col("amount") - summed(parts, "claim", "amount", live.height, "sole")).alias("open"),
        summed(later, "claim", "amount", live.height, "sole").alias("uncleared"),
        summed(later.filter("acceptance"), "claim", "amount", live.height, "sole").alias("acceptances"),
    )
    # Of a credit nothing is contested: it is never overdue.
    contested = pl.min_horizontal(pl.col("open"), pl.col("contested")).clip(lower_bound=0)
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


def _credits(come: pl.DataFrame, items: pl.DataFrame, parts: pl.DataFrame, as_of: int, rates: Rates) -> pl.DataFrame:
    """Payments and credit notes less what they settle, and open credits that stand as negative claims."""
    # In the payment's own currency: what is settled of a claim in another one is that share of the allocated payment.
    used = parts.select(
        "source",
        pl.when(pl.col("payment_currency") == pl.col("currency"))
        .then(pl.col("amount"))
        .otherwise(pl.coalesce("payment_amount", "amount"))
        .alias("used"),
    )
    left = come.with_columns((pl.col("amount") - summed(used, "source", "used", come.height)).alias("left"))
    rest = left.filter(pl.col("credit") & (pl.col("left") != 0))
    money_left = rates.based(rest, as_of, on_account_base="left").select("account_id", "on_account_base")
    negative = items.filter(pl.col("open") < 0).select("account_id", (-pl.col("open_base")).alias("on_account_base"))
    whole = (
        pl.concat([money_left, negative])
        .group_by("account_id", maintain_order=True)
        .agg(pl.col("on_account_base").sum())
    )
    return whole.with_columns(pl.col("on_account_base").clip(lower_bound=0)).filter(pl.col("on_account_base") > 0)
