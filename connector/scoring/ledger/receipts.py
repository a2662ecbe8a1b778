"""What came in of each kind: payments, and adjustments that take something off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from connector.schema import Tables, table
from connector.scoring.frame.columns import NEVER, Bool, Columns, Int, days, is_known, true, whole

#: Adjustments that are a way of paying; any other is evidence only where it comes late: never better than paying then.
PAYING_KINDS = ("set_off",)
#: Adjustments of which an unused rest is money on account.
CREDIT_KINDS = ("credit_note", "rebate", "discount")
#: Instruments that are money only later → days they are taken to run where nothing says when: electronic bills run
#: six months at most (票据管理办法), a cheque may come back for a month.
_RUNS = {"bank_acceptance": 180, "commercial_acceptance": 180, "letter_of_credit": 90, "cheque": 30}


@dataclass(frozen=True, slots=True)
class Receipts(Columns):
    """All payments of the table, then all adjustments of theirs, in that order."""

    #: Whether it is there by the day: made by then, and not returned by then.
    arrived: Bool
    day: Int
    #: The day from which the money is ours.
    cleared: Int
    amount: Int
    #: Whether it is money or a way of paying; whether it writes off.
    pays: Bool
    writes_off: Bool
    #: A commercial acceptance.
    acceptance: Bool
    #: Whether what is left of it is money on account.
    credits: Bool


def received(tables: Tables, as_of: int) -> pl.DataFrame:
    """Payments made by the day and not returned by then."""
    payments = table(tables, "payments")
    return payments.filter(_arrived(payments, as_of))


def _arrived(payments: pl.DataFrame, as_of: int) -> Bool:
    return (days(payments, "paid_on") <= as_of) & (days(payments, "bounced_on") > as_of)


def receipts(tables: Tables, as_of: int) -> Receipts:
    """Columns in: those of payments and adjustments."""
    paid, booked = _payments(table(tables, "payments"), as_of), _adjustments(table(tables, "adjustments"), as_of)
    return paid.followed_by(booked) if len(booked.day) else paid


def _payments(frame: pl.DataFrame, as_of: int) -> Receipts:
    day, none = days(frame, "paid_on"), np.zeros(frame.height, bool)
    acceptance = true(frame["instrument"] == "commercial_acceptance")
    arrived, cleared = _arrived(frame, as_of), _cleared(frame, day)
    return Receipts(arrived, day, cleared, whole(frame, "amount"), ~none, none, acceptance, ~none)


def _cleared(frame: pl.DataFrame, day: Int) -> Int:
    """The day told; else that on which a bill matures or is taken to have run out; else that of the payment."""
    values = days(frame, "cleared_on")
    runs = frame["instrument"].replace_strict(_RUNS, default=None, return_dtype=pl.Int64)
    if runs.null_count() < len(runs):
        matures = days(frame, "matures_on")
        bill = np.where(matures == NEVER, day + whole(runs.to_frame("runs"), "runs"), matures)
        day = np.where(is_known(runs), bill, day)
    return np.where(values == NEVER, day, values)


def _adjustments(frame: pl.DataFrame, as_of: int) -> Receipts:
    day, none, kind = days(frame, "booked_on"), np.zeros(frame.height, bool), frame["kind"]
    pays, credit = (true(kind.is_in(kinds)) for kinds in (PAYING_KINDS, CREDIT_KINDS))
    return Receipts(day <= as_of, day, day, whole(frame, "amount"), pays, true(kind == "write_off"), none, credit)
