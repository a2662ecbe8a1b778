"""The canonical tables, declared once: columns, kinds, units, what null means, keys.

Kinds and how they travel: `text` and `choice` are strings; `money` is Int64 minor units of the currency in the
column that `Column.of` names; `day` is Int32 days since 1970-01-01; `instant` is Int64 microseconds since 1970 UTC;
`flag` is a boolean; `count` is Int64; `ratio` is Float64; `rate` is Int64, in units of 10^-12;
`currency` is an ISO 4217 code. Every canonical row also has
the columns of `TRACE`. A further table is one entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal

import polars as pl

Kind = Literal["text", "choice", "money", "day", "instant", "flag", "count", "ratio", "rate", "currency"]

EPOCH = date(1970, 1, 1)

DTYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "choice": pl.String(),
    "money": pl.Int64(),
    "day": pl.Int32(),
    "instant": pl.Int64(),
    "flag": pl.Boolean(),
    "count": pl.Int64(),
    "ratio": pl.Float64(),
    "rate": pl.Int64(),
    "currency": pl.String(),
}


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=number)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a canonical table."""

    name: str
    kind: Kind
    #: What it says; the unit where it is not the kind's own.
    meaning: str
    #: What null means; None: never null, a row without it is rejected.
    null: str | None = "unknown"
    #: The values of a `choice`.
    options: tuple[str, ...] = ()
    #: The column that holds the currency of a `money`.
    of: str = "currency"
    #: What stands in where a source says nothing, as text.
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One canonical table."""

    name: str
    #: Key within a connection.
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def names(self) -> tuple[str, ...]:
        """Column names, in order, without those of `TRACE`."""
        return tuple(column.name for column in self.columns)

    def schema(self) -> dict[str, pl.DataType]:
        """Polars types of the columns, without those of `TRACE`."""
        return {column.name: DTYPES[column.kind] for column in self.columns}

    def empty(self) -> pl.DataFrame:
        """No rows, all columns, those of `TRACE` included."""
        return pl.DataFrame(schema={**self.schema(), **{c.name: DTYPES[c.kind] for c in TRACE}})


#: Where a row comes from; the store fills all but the second to fourth.
TRACE: tuple[Column, ...] = (
    Column("connection", "text", "name of the connection", None),
    Column("source", "text", "source of the mapping it was read by", None),
    Column("source_id", "text", "id of the record it was read from", None),
    Column("source_modified_at", "instant", "when the CRM last changed the record", "the CRM does not say"),
    Column("known_from", "instant", "when zixin first heard of it", None),
    Column("deleted_on", "day", "day the record went", "still there"),
)


def _text(name: str, meaning: str, null: str | None = "unknown") -> Column:
    return Column(name, "text", meaning, null)


def _day(name: str, meaning: str, null: str | None = "unknown") -> Column:
    return Column(name, "day", meaning, null)


def _money(name: str, meaning: str, null: str | None = "unknown") -> Column:
    return Column(name, "money", meaning, null)


def _choice(name: str, meaning: str, options: str, null: str | None = "unknown", default: str | None = None) -> Column:
    return Column(name, "choice", meaning, null, tuple(options.split()), default=default)


def _owner(meaning: str = "account it belongs to") -> Column:
    return _text("account_id", meaning, None)


def _currency(null: str | None = None) -> Column:
    return Column("currency", "currency", "ISO 4217 code of the row's amounts", null)


WHO = (
    Table(
        "accounts",
        ("account_id",),
        (
            _text("account_id", "the CRM's id of the account", None),
            _text("number", "what people call it by: an account or customer number", "its id"),
            _text("name", "name of the customer", None),
            _text("tax_id", "统一社会信用代码, VAT number"),
            _text("parent_id", "account of the parent company, same connection", "no parent"),
            _text("owner_id", "user who owns the account"),
            _text("country", "ISO 3166 alpha-2; anything else is listed, not rejected"),
            _text("industry", "industry as the CRM words it"),
            _text("segment", "segment of the policy", "the policy's default segment"),
            Column("currency", "currency", "currency the customer is dealt with in", "base currency"),
            _day("since", "customer since"),
            _day("founded_on", "day the company was founded"),
            Column("natural_person", "flag", "a natural person, not a company", "a company"),
            _money("registered_capital", "registered capital, in `currency`"),
            _text("status", "status as the CRM words it"),
        ),
    ),
    Table(
        "profiles",
        ("profile_id",),
        (
            _text("profile_id", "id of the customer in the system that knows it", None),
            _owner("account that it is about"),
            _text("tax_id", "统一社会信用代码, VAT number"),
            _text("parent_id", "account of the parent company", "no parent"),
            _text("country", "ISO 3166 alpha-2"),
            _text("industry", "industry as that system words it"),
            _text("segment", "segment of the policy"),
            _currency("no amount"),
            _day("since", "customer since"),
            _day("founded_on", "day the company was founded"),
            Column("natural_person", "flag", "a natural person, not a company"),
            _money("registered_capital", "registered capital, in `currency`"),
            _text("status", "status as that system words it"),
        ),
    ),
    Table(
        "links",
        ("account_id", "customer_id"),
        (
            _owner("account that is linked"),
            _text("customer_id", "customer it is an account of: another account, or a number shared", None),
            _choice("by", "what linked it", "merge guess field tax_id person", None, "field"),
        ),
    ),
)

OWED = (
    Table(
        "receivables",
        ("receivable_id",),
        (
            _text("receivable_id", "the CRM's id", None),
            _owner(),
            _choice("kind", "what is owed", "invoice instalment order opening", None, "invoice"),
            _choice("component", "part of the claim", "trade retention advance interest", None, "trade"),
            _text("number", "number printed on the document"),
            _text("order_id", "order it bills", "bills no order"),
            _text("seller_id", "selling entity", "the only one"),
            _text("rep_id", "sales rep"),
            _day("issued", "day of issue", None),
            _day("due", "day it falls due", "not yet due"),
            _day("original_due", "first due day, before any extension", "never moved: `due`"),
            _choice("due_basis", "how `due` is known", "given computed unknown", None, "given"),
            _money("amount", "gross amount", None),
            _currency(),
            _day(
                "disputed_on",
                "day the dispute was raised, or first seen",
                "not disputed",
            ),
            _day("dispute_closed_on", "day the dispute ended", "open, or never"),
            _money("disputed_amount", "part in dispute", "all of it"),
            _choice("dispute_fault", "whose fault it was found to be", "ours theirs"),
            _day("voided_on", "day it was voided", "valid"),
            _text("supersedes_id", "receivable it takes the place of", "none"),
        ),
    ),
    Table(
        "payments",
        ("payment_id",),
        (
            _text("payment_id", "the CRM's id, or the number its records share", None),
            _owner("account it settles"),
            _text("payer_id", "account that paid", "the account itself"),
            _day("paid_on", "day the payer paid, or handed over the instrument", None),
            _money("amount", "amount", None),
            _currency(),
            _choice("kind", "what it is", "receipt advance refund", None, "receipt"),
            _choice(
                "instrument",
                "means of payment",
                "cash bank_acceptance commercial_acceptance cheque letter_of_credit set_off",
                None,
                "cash",
            ),
            _day("matures_on", "day a bill falls due", "no bill, or unknown"),
            _day("cleared_on", "day the money was ours", "cash: `paid_on`; a bill: `matures_on`"),
            _day("bounced_on", "day it was returned unpaid", "not bounced"),
            _day("recourse_until", "last day the bank may come back to us", "no recourse"),
        ),
    ),
    Table(
        "adjustments",
        ("adjustment_id",),
        (
            _text("adjustment_id", "the CRM's id", None),
            _owner(),
            _choice(
                "kind",
                "what it is",
                "credit_note discount rebate deduction fee withholding exchange write_off recovery set_off",
                None,
                "credit_note",
            ),
            _day("booked_on", "day it was booked", None),
            _money("amount", "amount taken off", None),
            _currency(),
            _text("reason", "reason code"),
        ),
    ),
    Table(
        "allocations",
        ("allocation_id",),
        (
            _text("allocation_id", "the CRM's id, or the ids of both its ends", None),
            _text("receivable_id", "receivable it settles", "settles an order"),
            _text("order_id", "order it settles, spread over its receivables", "settles a receivable"),
            _text("payment_id", "payment it comes from", "comes from an adjustment"),
            _text("adjustment_id", "adjustment it comes from", "comes from a payment"),
            _day("applied_on", "day the clerk booked it; counts for neither lateness nor exposure"),
            _money("amount", "in the receivable's currency; negative: taken back", "only the payment's is known"),
            _currency("the receivable's"),
            Column("payment_amount", "money", "in the payment's currency", "same as `amount`", of="payment_currency"),
            Column("payment_currency", "currency", "ISO 4217 code of `payment_amount`", "same as `currency`"),
        ),
    ),
    Table(
        "orders",
        ("order_id",),
        (
            _text("order_id", "the CRM's id", None),
            _owner(),
            _text("seller_id", "selling entity", "the only one"),
            _text("rep_id", "sales rep"),
            _day("ordered_on", "day of the order", None),
            _money("amount", "gross amount", None),
            _currency(),
            _money("billed_amount", "billed so far, where receivables do not carry the order", "from receivables"),
            _day("shipped_on", "day of shipment", "not shipped"),
            _day("cancelled_on", "day it was cancelled", "valid"),
        ),
    ),
    Table(
        "contracts",
        ("contract_id",),
        (
            _text("contract_id", "the CRM's id", None),
            _owner(),
            _day("signed_on", "day of signature"),
            _day("starts_on", "first day"),
            _day("ends_on", "last day", "open end"),
            _money("value", "value"),
            _currency("no value"),
            _day("fulfilled_on", "day it was fulfilled", "running"),
            _day("breached_on", "day it was breached", "not breached"),
            _text("breach", "what was breached", "not breached"),
        ),
    ),
)

AGREED = (
    Table(
        "terms",
        ("account_id", "seller_id", "valid_from"),
        (
            _owner(),
            Column("seller_id", "text", "selling entity; empty text: all", None, default=""),
            _day("valid_from", "first day", None),
            _day("valid_until", "last day", "open end"),
            _choice("kind", "kind of terms", "net eom cutoff prepaid cod acceptance rolling", None),
            Column("days", "count", "days from the kind's start", "0"),
            Column("cutoff_day", "count", "day of month that closes a period", "month end"),
            Column("pay_day", "count", "day of month that is paid on", "any"),
            _money("floor_amount", "rolling terms: balance that is not due", "0"),
            _currency("no amount"),
        ),
    ),
    Table(
        "limits",
        ("limit_id",),
        (
            _text("limit_id", "id", None),
            _owner(),
            _text("seller_id", "selling entity", "all"),
            _choice("scope", "whom it covers", "account group", None, "account"),
            _choice("kind", "kind", "permanent temporary insured", None, "permanent"),
            _money("amount", "limit", None),
            _currency(),
            _day("valid_from", "first day", "always was"),
            _day("valid_until", "last day", "open end"),
            _text("approved_by", "who approved it"),
            _text("basis", "what it rests on"),
        ),
    ),
    Table(
        "securities",
        ("security_id",),
        (
            _text("security_id", "id", None),
            _owner(),
            _choice("kind", "kind", "insurance guarantee mortgage deposit letter_of_credit", None),
            _text("provider_id", "who gives it"),
            _money("amount", "amount", None),
            _currency(),
            Column("coverage", "ratio", "share of a loss it covers, 0 to 1", "1"),
            _day("valid_from", "first day", "always was"),
            _day("valid_until", "last day", "open end"),
        ),
    ),
    Table(
        "promises",
        ("promise_id",),
        (
            _text("promise_id", "id", None),
            _owner(),
            _text("receivable_id", "receivable it is about", "the whole balance"),
            _text("plan_id", "instalment plan it belongs to", "none"),
            _day("made_on", "day it was given", None),
            _day("due", "day promised", None),
            _money("amount", "amount promised", None),
            _currency(),
        ),
    ),
)

KNOWN = (
    Table(
        "statements",
        ("account_id", "period_end", "consolidated"),
        (
            _owner(),
            _day("period_end", "last day of the period", None),
            Column("months", "count", "months of the period", "12"),
            _day("published_on", "day it was known", "period end"),
            Column("audited", "flag", "audited", "not audited"),
            Column("consolidated", "flag", "of the group", None),
            _currency(),
            *(
                _money(name, name.replace("_", " "))
                for name in (
                    "total_assets current_assets cash receivables inventory total_liabilities current_liabilities"
                    " equity retained_earnings revenue cost_of_sales ebit interest_expense net_profit"
                    " operating_cash_flow market_value"
                ).split()
            ),
        ),
    ),
    Table(
        "evidence",
        ("evidence_id",),
        (
            _text("evidence_id", "id", None),
            _owner(),
            _choice("kind", "kind", "bureau legal tax management industry partner news visit", None),
            _day("observed_on", "day it was observed", None),
            _day("valid_until", "last day it counts", "the policy says"),
            _text("value", "what was observed: a score or a code", None),
            _money("amount", "amount at stake"),
            _currency("no amount"),
            Column("weight", "ratio", "weight among its kind", "1"),
            _text("provider", "who says so"),
            _text("note", "free text; never written back"),
        ),
    ),
    Table(
        "reconciliations",
        ("account_id", "period_end", "currency"),
        (
            _owner(),
            _day("period_end", "day reconciled", None),
            _money("balance", "balance we claim", None),
            _currency(),
            _day("confirmed_on", "day the customer confirmed", "not confirmed"),
            _money("difference", "their balance less ours", "none stated"),
        ),
    ),
)

DECIDED = (
    Table(
        "decisions",
        ("decision_id",),
        (
            _text("decision_id", "id", None),
            _owner(),
            _choice("kind", "kind", "override hold release blacklist cash_only legal confirmation", None),
            _text(
                "value", "rating of an override or a confirmation, hold of a hold or a release", "the kind says it all"
            ),
            _text("reason", "reason code or words"),
            _text("by", "who decided"),
            _text("approved_by", "who approved", "nobody yet, or not needed"),
            _day("valid_from", "first day", "always was"),
            _day("valid_until", "last day", "until somebody ends it"),
        ),
    ),
    Table(
        "actions",
        ("action_id",),
        (
            _text("action_id", "id", None),
            _owner(),
            _text("flag", "flag it answers", "none"),
            _text("measure", "measure taken", None),
            _text("owner", "who does it"),
            _day("due", "by when"),
            _day("done_on", "day it was done", "open"),
            _text("outcome", "what came of it", "open"),
        ),
    ),
)

WORLD = (
    Table(
        "rates",
        ("currency", "base", "day"),
        (
            _currency(),
            Column("base", "currency", "ISO 4217 code", None),
            _day("day", "day it holds from", None),
            Column("rate", "rate", "units of `base` for one unit of `currency`", None),
        ),
    ),
)

#: Canonical tables by name, as they travel; one that nobody filled may be missing.
Tables = Mapping[str, pl.DataFrame]

TABLES: dict[str, Table] = {table.name: table for table in (*WHO, *OWED, *AGREED, *KNOWN, *DECIDED, *WORLD)}


def table(tables: Tables, name: str) -> pl.DataFrame:
    """That table, or no rows of it."""
    return tables[name] if name in tables else _empty(name)


@cache
def _empty(name: str) -> pl.DataFrame:
    return TABLES[name].empty()
