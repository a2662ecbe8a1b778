"""What is owed as of a day, computed from amounts and allocations, never from a balance field.

Facts dated after the day do not count. An allocation is dated by its payment's `paid_on` or its adjustment's
`booked_on`; the clerk's `applied_on` counts for nothing. Source: docs/rules.md, "Open amounts and lateness".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.frame.columns import NEVER, Bool, Columns, Groups, Int, mul_div, nullable
from connector.scoring.frame.keys import owner_of
from connector.scoring.ledger.claims import Claims, claims
from connector.scoring.ledger.orders import unbilled
from connector.scoring.ledger.rates import Rates, base_currency
from connector.scoring.ledger.receipts import Receipts, receipts
from connector.scoring.ledger.rolling import floors, late_from, uncovered
from connector.scoring.ledger.settlement import Settling, settling


@dataclass(frozen=True, slots=True)
class OpenItems(Columns):
    """Live claims of which something is open, uncleared or contested. Amounts `_base` are 0 without a rate."""

    account: Int
    #: Row among the claims.
    claim: Int
    #: What is not discharged, in the claim's and in the base currency.
    open: Int
    open_base: Int
    #: Discharged, and not yet our money; commercial acceptances among it.
    uncleared_base: Int
    acceptances_base: Int
    #: In dispute, of the open amount; 0 of a credit.
    contested_base: Int
    #: 0 where it is not due, contested, a credit or below materiality.
    overdue_base: Int
    days_overdue: Int
    #: What of the open amount counts as late, and days since `late_from`; only where `late_open` > 0.
    arrears: Int
    arrears_base: Int
    late_open: Int


@dataclass(frozen=True, slots=True)
class Settlements(Columns):
    """What was discharged of a claim on a day; a residual that is left at last is no lateness and left out."""

    account: Int
    #: Row among the claims.
    claim: Int
    day: Int
    days_late: Int
    days_early: Int
    amount: Int
    amount_base: Int
    #: Of the whole claim.
    claim_base: Int


@dataclass(frozen=True, slots=True)
class Losses(Columns):
    """What was written off of a claim on a day, residuals left out."""

    account: Int
    day: Int
    written_off_base: Int


@dataclass(frozen=True)
class Ledger:
    """The state of all claims as of a day. Accounts are rows of `accounts`; one row more stands for everybody else."""

    #: Rates into the currency of every column that ends in `_base`.
    rates: Rates
    #: Ids of the accounts.
    accounts: pl.Series
    claims: Claims
    open_items: OpenItems
    settlements: Settlements
    written_off: Losses
    #: By account: money that settles nothing yet, and orders not billed yet; both ≥ 0.
    on_account: Int
    unbilled: Int
    #: The newest day of a claim, payment or adjustment; None: there is none.
    newest: int | None
    _receivables: pl.DataFrame

    @property
    def base(self) -> str:
        """Currency of every column that ends in `_base`."""
        return self.rates.base

    @property
    def height(self) -> int:
        """Rows of what is kept by account."""
        return len(self.accounts) + 1

    def due_basis(self, claim: Int) -> pl.Series:
        """How the due days of these claims are known."""
        basis = self._receivables["due_basis"].gather(self.claims.row[claim])
        return basis.set(pl.Series(self.claims.due_computed[claim]), "computed")

    @cached_property
    def items(self) -> pl.DataFrame:
        """One row a live claim: its columns, and those of `OpenItems`; null without a rate, or a due day."""
        live, size = self.claims, len(self.claims.row)
        numbers = {name: getattr(live, name) for name in ("issued", "due", "original_due", "amount", "amount_base")}
        for name in _OF_ITEM:
            numbers[name] = np.zeros(size, np.int64)
            numbers[name][self.open_items.claim] = getattr(self.open_items, name)
        columns = []
        for name, values in numbers.items():
            # Only of a due day is `NEVER` no value: an amount may be as large.
            is_known = values != NEVER if name in ("due", "original_due") else np.ones(size, bool)
            is_known = live.has_rate if name.endswith("_base") else is_known
            columns.append(nullable(name, values, is_known, pl.Int32 if name in _DAYS else pl.Int64))
        names = ("receivable_id", "account_id", "order_id", "number", "currency")
        return self._receivables.select(names)[live.row].with_columns(
            *columns,
            self.due_basis(np.arange(size)).alias("due_basis"),
            pl.Series("disputed", live.disputed),
            pl.Series("rate_missing", ~live.has_rate),
        )

    @cached_property
    def parts(self) -> pl.DataFrame:
        """One row a settlement: receivable_id, account_id, and its columns."""
        return self.frame_of(self.settlements)

    def frame_of(self, paid: Settlements) -> pl.DataFrame:
        """Some settlements as a frame: receivable_id, account_id, and their columns."""
        names = ("day", "days_late", "days_early", "amount", "amount_base", "claim_base")
        return self._receivables.select("receivable_id", "account_id")[self.claims.row[paid.claim]].with_columns(
            pl.Series(name, getattr(paid, name), pl.Int64).cast(pl.Int32 if name in _DAYS else pl.Int64)
            for name in names
        )


_OF_ITEM = (
    "open open_base uncleared_base acceptances_base contested_base overdue_base days_overdue arrears arrears_base"
    " late_open"
).split()
_DAYS = {"issued", "due", "original_due", "days_overdue", "late_open", "day", "days_late", "days_early"}


def ledger(tables: Tables, policy: Policy, as_of: int, base: str = "") -> Ledger:
    """Columns in: those of accounts, receivables, payments, allocations, adjustments, orders, terms, rates.

    Missing tables are empty. `base`: the portfolio's base currency; empty: the one that these tables tell, which are
    the whole portfolio then.
    """
    rates = Rates(table(tables, "rates"), base or base_currency(tables, policy.base_currency))
    accounts, receivables = table(tables, "accounts")["account_id"], table(tables, "receivables")
    live = claims(tables, accounts, policy, as_of, rates)
    ids = receivables["receivable_id"].gather(live.row)
    # A floor covers what is owed on its own account, of several of a customer.
    own_ids = receivables["of_account"].unique() if "of_account" in receivables.columns else accounts
    owned = live
    if own_ids is not accounts:
        owned = replace(live, account=owner_of(receivables["of_account"].gather(live.row), own_ids))
    floor = floors(table(tables, "terms"), own_ids, rates, as_of)
    come = receipts(tables, as_of)
    settled = settling(tables, live, come, rates)
    residual = ResidualTolerance(policy.minor(policy.materiality.stub, rates.base), policy.materiality.stub_share)
    since = live.late_from if floor is None else late_from(owned, floor, ids)
    settlements, losses = _settlements(settled, come, live, since, residual)
    items = _open_items(live, settled, come, residual, as_of)
    if floor is not None:
        items = _covered(items, owned, floor, ids)
    on_account = _on_account(tables, accounts, live, settled, come, items, rates, as_of)
    orders = unbilled(table(tables, "orders"), receivables["order_id"].gather(live.row), live, accounts, as_of, rates)
    newest = max((int(each.max()) for each in (live.issued, come.day[come.arrived]) if len(each)), default=None)
    return Ledger(rates, accounts, live, items, settlements, losses, on_account, orders, newest, receivables)


@dataclass(frozen=True, slots=True)
class ResidualTolerance:
    """What may stay open of a settled claim: so many minor units of the base currency, and that share of the claim."""

    amount_base: int
    share: float

    def covers(self, left: Int, left_base: Int, claim: Int) -> Bool:
        """Whether what is left of the claims is such a residual."""
        return (left_base <= self.amount_base) & (left <= claim * self.share)


def _based(amount: Int, claim: Int, claim_base: Int) -> Int:
    """Each amount's share of the claim's amount in the base currency, half up; 0 without a rate."""
    if not amount.any() or np.array_equal(claim, claim_base):
        return amount
    return mul_div(amount, claim_base, np.maximum(np.abs(claim), 1), half_up=True) * np.sign(claim)


def _settlements(
    settled: Settling, come: Receipts, live: Claims, late_from: Int, residual: ResidualTolerance
) -> tuple[Settlements, Losses]:
    """What was discharged of a claim on one day is one settlement, however many receipts brought it.

    Credits, and claims without a rate, are no evidence of how somebody pays.
    """
    settled = settled.take(((live.amount > 0) & live.has_rate)[settled.claim])
    claim, day, amount = settled.claim, settled.day, settled.amount
    # What does not pay is evidence only where it comes late.
    evident = amount * (come.pays[settled.receipt] | (day > late_from[claim]))
    lost = amount * come.writes_off[settled.receipt]
    before = live.amount[claim] - Groups(claim, len(live.amount)).running(amount) + amount
    first = np.flatnonzero(np.diff(claim, prepend=-1).astype(bool) | np.diff(day, prepend=-1).astype(bool))
    if len(first) < len(claim):
        claim, day, before = claim[first], day[first], before[first]
        evident, lost = (np.add.reduceat(each, first) for each in (evident, lost))
    whole, whole_base = live.amount[claim], live.amount_base[claim]
    evident_base, lost_base, before_base = (_based(each, whole, whole_base) for each in (evident, lost, before))
    counts = ~residual.covers(before, before_base, whole)
    account, original = live.account[claim], live.original_due[claim]
    late = np.maximum(day - late_from[claim], 0)
    early = np.where(original == NEVER, 0, np.maximum(original - day, 0))
    settlements = Settlements(account, claim, day, late, early, evident, evident_base, whole_base)
    return settlements.take(counts & (evident > 0)), Losses(account, day, lost_base).take(counts & (lost > 0))


def _open_items(live: Claims, settled: Settling, come: Receipts, residual: ResidualTolerance, as_of: int) -> OpenItems:
    groups, sign = Groups(settled.claim, len(live.amount)), np.sign(live.amount)
    later = come.cleared[settled.receipt] > as_of
    left = live.amount - groups.sum(settled.amount) * sign
    uncleared = groups.sum(settled.amount * later) * sign
    accepted = groups.sum(settled.amount * (later & come.acceptance[settled.receipt])) * sign
    rows = np.flatnonzero((left != 0) | (uncleared != 0))
    left, uncleared, accepted, live = left[rows], uncleared[rows], accepted[rows], live.take(rows)
    # Of a credit nothing is contested: it is never overdue.
    contested = np.maximum(np.minimum(left, live.contested), 0)
    overdue, arrears = left - contested, left - contested * live.at_fault
    left_base, uncleared_base, accepted_base, contested_base, overdue_base, arrears_base = (
        _based(each, live.amount, live.amount_base) for each in (left, uncleared, accepted, contested, overdue, arrears)
    )
    # Without a rate nobody knows whether it is small.
    owes, waits = (
        (each > 0) & ~(live.has_rate & residual.covers(each, each_base, live.amount))
        for each, each_base in ((overdue, overdue_base), (arrears, arrears_base))
    )
    # While our fault is argued about, what is not contested is as late as ever.
    since = np.where(live.at_fault & live.disputed, live.original_due, live.late_from)
    days_overdue = np.maximum(as_of - live.due, 0) * owes
    return OpenItems(
        live.account,
        rows,
        left,
        left_base,
        uncleared_base,
        accepted_base,
        contested_base,
        overdue_base * (days_overdue > 0),
        days_overdue,
        arrears,
        arrears_base,
        np.maximum(as_of - since, 0) * waits,
    )


def _covered(items: OpenItems, live: Claims, floor: Int, ids: pl.Series) -> OpenItems:
    """Items with what the floor covers taken out of `overdue_base` and of the arrears, the oldest first."""
    own = live.account[items.claim]
    of = (own, live.due[items.claim], ids.gather(items.claim), floor)
    rolling, late = floor[own] > 0, items.late_open > 0
    overdue = uncovered(items.overdue_base, items.days_overdue > 0, *of)
    arrears = uncovered(items.arrears_base, late, *of)
    # Only where it counts: of a credit, whose arrears are negative, it would be their square.
    share = mul_div(items.arrears * (rolling & late), arrears, np.maximum(items.arrears_base, 1))
    return replace(
        items,
        overdue_base=overdue,
        days_overdue=items.days_overdue * ~(rolling & (overdue == 0)),
        arrears=np.where(rolling & late, share, items.arrears),
        arrears_base=np.where(rolling & late, arrears, items.arrears_base),
        late_open=items.late_open * ~(rolling & (arrears == 0)),
    )


def _on_account(
    tables: Tables,
    accounts: pl.Series,
    live: Claims,
    settled: Settling,
    come: Receipts,
    items: OpenItems,
    rates: Rates,
    as_of: int,
) -> Int:
    """By account: payments and credit notes less what they settle, and open credits that stand as negative claims."""
    left = come.amount - Groups(settled.receipt, len(come.day)).sum(settled.used(live))
    rest = np.flatnonzero(come.arrived & come.credits & (left != 0))
    owners = pl.concat([table(tables, name).select("account_id", "currency") for name in ("payments", "adjustments")])
    rows = owners[rest].with_columns(pl.Series("left", left[rest]))
    amount, _ = rates.amounts(rows, "left", as_of)
    values = Groups(owner_of(rows["account_id"], accounts), len(accounts) + 1).sum(amount)
    credit = np.flatnonzero(items.open < 0)
    values -= Groups(items.account[credit], len(values)).sum(items.open_base[credit])
    return np.maximum(values, 0)
