"""Which payment or adjustment settles what of which claim."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from connector.schema import Tables, table
from connector.scoring.frame.columns import NEVER, Bool, Columns, Groups, Int, is_known, true, whole
from connector.scoring.frame.keys import in_order, row_index_of
from connector.scoring.ledger.claims import Claims
from connector.scoring.ledger.rates import Rates, across
from connector.scoring.ledger.receipts import Receipts
from connector.scoring.ledger.spread import spread


@dataclass(frozen=True, slots=True)
class Settling(Columns):
    """What allocations settle of live claims, in order of the claim, the day and the allocation's id."""

    #: Row among the claims; row among the receipts; the receipt's day.
    claim: Int
    receipt: Int
    day: Int
    #: In the claim's currency, along the claim's own sign: what settles −100 of a credit of −100 is 100 here.
    amount: Int
    #: Whether the receipt is in another currency and says what of it is used; and what that is.
    in_other: Bool
    other_amount: Int

    def used(self, live: Claims) -> Int:
        """What each takes of its receipt, in the receipt's own currency."""
        return np.where(self.in_other, self.other_amount, self.amount * np.sign(live.amount)[self.claim])


def settling(tables: Tables, live: Claims, come: Receipts, rates: Rates) -> Settling:
    """Columns in: those of allocations, and the ids of what they join.

    Allocations without a rate into their claim's currency are left out. The earliest settle a claim, up to its amount,
    less what was taken back since.
    """
    rows, claim, receipt = _join_claims(tables, live, come)
    amount, in_other = _amounts(tables, rows, live.row[claim], come.day[receipt], rates)
    has_amount = is_known(amount)
    if not has_amount.all():
        rows, claim, receipt, in_other = (
            rows.filter(has_amount),
            claim[has_amount],
            receipt[has_amount],
            in_other[has_amount],
        )
        amount = amount.drop_nulls()
    along = amount.to_numpy() * np.sign(live.amount)[claim]
    in_other = in_other & is_known(rows["payment_amount"])
    result = Settling(claim, receipt, come.day[receipt], along, in_other, whole(rows, "payment_amount"))
    order = in_order(rows["allocation_id"], claim, result.day)
    return _effective(result if (np.diff(order) == 1).all() else result.take(order), live)


def _join_claims(tables: Tables, live: Claims, come: Receipts) -> tuple[pl.DataFrame, Int, Int]:
    """Allocations of what arrived to live claims, with the rows of claim and receipt."""
    rows, payments = table(tables, "allocations"), table(tables, "payments")["payment_id"]
    if rows["receivable_id"].null_count():
        rows = spread(rows, *_to_spread(tables, live, come))
    receivables = table(tables, "receivables")["receivable_id"]
    # One more than there are: an id that is not there has row −1.
    live_row = np.full(len(receivables) + 1, -1, np.int64)
    live_row[live.row] = np.arange(len(live.row))
    claim = live_row[row_index_of(rows["receivable_id"], receivables)]
    receipt = row_index_of(rows["payment_id"], payments)
    noted = ~is_known(rows["payment_id"])
    if noted.any():
        # Adjustments stand behind the payments; one may bear a payment's id.
        row = row_index_of(rows["adjustment_id"], table(tables, "adjustments")["adjustment_id"])
        receipt = np.where(noted & (row >= 0), row + len(payments), receipt)
    counts = (claim >= 0) & (receipt >= 0)
    counts[counts] = come.arrived[receipt[counts]]
    rows = rows.select("allocation_id", "amount", "payment_amount", "payment_currency")
    return (rows, claim, receipt) if counts.all() else (rows.filter(counts), claim[counts], receipt[counts])


def _to_spread(tables: Tables, live: Claims, come: Receipts) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Live claims and what arrived, as `spread` reads them."""
    due = pl.Series("due", live.due).set(pl.Series(live.due == NEVER), None)
    names = ("receivable_id", "order_id", "amount", "currency")
    claimed = table(tables, "receivables").select(names)[live.row].with_columns(due)
    payments, adjustments = table(tables, "payments")["payment_id"], table(tables, "adjustments")["adjustment_id"]
    ids = pl.concat([payments.alias("id"), adjustments.alias("id")])
    booked = np.arange(len(ids)) >= len(payments)
    return claimed, pl.DataFrame({"id": ids, "booked": booked, "day": come.day}).filter(come.arrived)


def _amounts(tables: Tables, rows: pl.DataFrame, receivable: Int, day: Int, rates: Rates) -> tuple[pl.Series, Bool]:
    """Amounts in the claims' currencies, null without a rate; and whether the receipt is in another one."""
    receivables, column = table(tables, "receivables"), rows["payment_currency"]
    if rates.only_base(receivables, "currency") and (column.is_null() | (column == rates.base)).all():
        return rows.select(pl.coalesce("amount", "payment_amount").alias("amount"))["amount"], np.zeros(len(rows), bool)
    rows = rows.with_columns(receivables["currency"].gather(receivable).alias("currency"), pl.Series("day", day))
    rows = rows.with_columns(pl.coalesce("payment_currency", "currency").alias("payment_currency"))
    rows = rows.with_columns(
        rates.on(rows, "payment_currency", "day").alias("rate_paid"),
        rates.on(rows, "currency", "day").alias("rate_claim"),
    )
    crossed = across("payment_amount", ("payment_currency", "currency"), ("rate_paid", "rate_claim"))
    same = pl.when(pl.col("payment_currency") == pl.col("currency")).then(pl.col("payment_amount"))
    frame = rows.select(
        pl.coalesce("amount", same, crossed).alias("amount"),
        (pl.col("payment_currency") != pl.col("currency")).alias("other"),
    )
    return frame["amount"], true(frame["other"])


def _effective(found: Settling, live: Claims) -> Settling:
    """Earliest first, up to the claim's amount, less what was taken back since."""
    groups, size = Groups(found.claim, len(live.amount)), np.abs(live.amount)[found.claim]
    taken = np.minimum(found.amount, size)
    # Most claims are settled in one piece.
    rows = np.flatnonzero(groups.sizes[found.claim] > 1)
    if len(rows):
        claim, along = found.claim[rows], found.amount[rows]
        most = np.minimum(np.maximum(groups.sum(found.amount)[claim], 0), size[rows])
        given = np.maximum(along, 0)
        reached = Groups(claim, groups.height).running(given)
        taken[rows] = np.minimum(reached, most) - np.minimum(reached - given, most)
    return replace(found, amount=taken).take(taken > 0)
