"""The live claims of a day: due days filled, disputes judged, amounts in base currency.

Source: docs/rules.md, "Open amounts and lateness", "Disputes".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from connector.policy import Policy
from connector.schema import Tables, table
from connector.scoring.frame.columns import NEVER, Bool, Columns, Int, days, is_known, true, whole
from connector.scoring.frame.keys import owner_of
from connector.scoring.ledger.rates import Rates
from connector.scoring.ledger.terms import due_by_terms


@dataclass(frozen=True, slots=True)
class Claims(Columns):
    """Receivables issued and not voided by the day, in the order of the table."""

    #: Row of the receivable in its table.
    row: Int
    #: Row of the account among the accounts; their count: none of them.
    account: Int
    issued: Int
    #: The claim's own, else by the agreed or the policy's terms; `NEVER`: not yet due.
    due: Int
    original_due: Int
    #: Whether `due` comes from agreed terms.
    due_computed: Bool
    amount: Int
    #: 0 without a rate.
    amount_base: Int
    has_rate: Bool
    #: Whether a dispute is in force, what of the amount it is about (0 without one), and whether it is our own doing.
    disputed: Bool
    contested: Int
    at_fault: Bool
    #: The day after which lateness counts.
    late_from: Int


def claims(tables: Tables, accounts: pl.Series, policy: Policy, as_of: int, rates: Rates) -> Claims:
    """Columns in: those of receivables and terms. `accounts`: the ids that `Claims.account` counts in."""
    frame = table(tables, "receivables").select(_NEEDED)
    live = np.flatnonzero((days(frame, "issued") <= as_of) & (days(frame, "voided_on") > as_of))
    if len(live) < frame.height:
        frame = frame[live]
    issued, amount = days(frame, "issued"), whole(frame, "amount")
    due, computed = _due(frame, issued, table(tables, "terms"), policy)
    original = days(frame, "original_due")
    original = np.where(original == NEVER, due, original)
    dispute = _disputes(frame, amount, original, policy.exposure.disputes.max_days, as_of)
    amount_base, has_rate = rates.amounts(frame, "amount", as_of)
    account = owner_of(frame["account_id"], accounts)
    return Claims(live, account, issued, due, original, computed, amount, amount_base, has_rate, *dispute)


_NEEDED = (
    "account_id seller_id component issued due original_due due_basis amount currency voided_on disputed_on"
    " dispute_closed_on disputed_amount dispute_fault"
).split()


def _due(frame: pl.DataFrame, issued: Int, terms: pl.DataFrame, policy: Policy) -> tuple[Int, Bool]:
    """Without a due day: by the agreed terms, which is said; without these by the policy's."""
    due = days(frame, "due")
    unknown = (due == NEVER) & true(frame["due_basis"] == "unknown")
    # Nearly always every claim says its day.
    if not unknown.any():
        return due, unknown
    # A retention is kept back beyond the terms of the trade: these say nothing about it.
    retained = true(frame["component"] == "retention")
    agreed = np.full(len(due), NEVER, np.int64)
    if not terms.is_empty():
        agreed = days(due_by_terms(frame, terms).to_frame("due"), "due")
    by_terms = unknown & ~retained & (agreed != NEVER)
    usual = issued + np.where(retained, policy.terms.retention_days, policy.terms.days)
    return np.where(by_terms, agreed, np.where(unknown, usual, due)), by_terms


def _disputes(
    frame: pl.DataFrame, amount: Int, original_due: Int, max_days: int, as_of: int
) -> tuple[Bool, Int, Bool, Int]:
    """Columns `disputed`, `contested`, `at_fault` and `late_from` of the claims.

    A dispute ends when it is closed, and by itself after `max_days`. While it lasts the contested amount is not
    overdue. Where the fault is ours no lateness counts before its end, for who pays then as for who waits; else the
    item is as late as any other.
    """
    since = days(frame, "disputed_on")
    began = since <= as_of
    if not began.any():
        return began, np.zeros_like(amount), began, original_due
    closed = days(frame, "dispute_closed_on")
    end = np.minimum(np.where(closed <= as_of, closed, NEVER), since + max_days)
    disputed = began & (end > as_of)
    ours = began & true(frame["dispute_fault"] == "ours")
    size = np.abs(amount)
    said = np.where(is_known(frame["disputed_amount"]), np.abs(whole(frame, "disputed_amount")), size)
    contested = np.where(disputed, np.minimum(said, size) * np.sign(amount), 0)
    # A claim that is not due yet is late from the dispute's end.
    later = np.where(original_due == NEVER, end, np.maximum(original_due, end))
    return disputed, contested, ours, np.where(ours, later, original_due)
