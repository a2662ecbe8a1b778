"""Fills a simulated organisation from canonical tables: accounts, invoices, payments and credit notes.

Zoho CRM's own invoices carry no payments; payments stand in a custom module, one record an allocation, and credit
notes in another. Source: reference on Zoho, section 3. An account_id becomes the account's number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from adapters.zoho.simulator.org import FieldMeta, Module, Org, number
from connector import money
from connector.schema import TABLES, day_of

_ACCOUNTS = (
    FieldMeta("Account_Name", "Account Name", length=200),
    FieldMeta("Account_Number", "Account Number", length=100),
    FieldMeta("Parent_Account", "Parent Account", "lookup", target="Accounts"),
    FieldMeta("Owner", "Account Owner", "ownerlookup"),
    FieldMeta("Currency", "Currency", "picklist"),
    FieldMeta("Billing_Country", "Billing Country"),
    FieldMeta("Industry", "Industry", "picklist"),
    FieldMeta("Tax_ID", "Tax ID", length=64),
    FieldMeta("Customer_Since", "Customer Since", "date"),
    FieldMeta("Natural_Person", "Natural Person", "boolean"),
    FieldMeta("Agreed_Credit_Limit", "Agreed Credit Limit", "currency"),
    FieldMeta("Agreed_Limit_Until", "Agreed Limit Until", "date"),
)
_INVOICES = (
    FieldMeta("Subject", "Subject"),
    FieldMeta("Invoice_Number", "Invoice Number"),
    FieldMeta("Account_Name", "Account Name", "lookup", target="Accounts"),
    FieldMeta("Invoice_Date", "Invoice Date", "date"),
    FieldMeta("Due_Date", "Due Date", "date"),
    FieldMeta("Original_Due_Date", "Original Due Date", "date"),
    FieldMeta("Grand_Total", "Grand Total", "currency"),
    FieldMeta("Currency", "Currency", "picklist"),
    FieldMeta("Status", "Status", "picklist"),
    FieldMeta("Disputed_On", "Disputed On", "date"),
    FieldMeta("Dispute_Closed_On", "Dispute Closed On", "date"),
    FieldMeta("Voided_On", "Voided On", "date"),
)
_PAYMENTS = (
    FieldMeta("Name", "Payment Number"),
    FieldMeta("Account", "Account", "lookup", target="Accounts"),
    FieldMeta("Invoice", "Invoice", "lookup", target="Invoices"),
    FieldMeta("Paid_On", "Paid On", "date"),
    FieldMeta("Amount", "Amount", "currency"),
    FieldMeta("Currency", "Currency", "picklist"),
    FieldMeta("Kind", "Kind", "picklist"),
    FieldMeta("Instrument", "Instrument", "picklist"),
    FieldMeta("Matures_On", "Matures On", "date"),
    FieldMeta("Cleared_On", "Cleared On", "date"),
    FieldMeta("Bounced_On", "Bounced On", "date"),
)
_NOTES = (
    FieldMeta("Name", "Note Number"),
    FieldMeta("Account", "Account", "lookup", target="Accounts"),
    FieldMeta("Invoice", "Invoice", "lookup", target="Invoices"),
    FieldMeta("Booked_On", "Booked On", "date"),
    FieldMeta("Amount", "Amount", "currency"),
    FieldMeta("Currency", "Currency", "picklist"),
    FieldMeta("Kind", "Kind", "picklist"),
)


def fill(org: Org, tables: Mapping[str, pl.DataFrame]) -> None:
    """Put the tables' rows into the organisation's modules. Columns in: those of the canonical tables."""
    for name, fields in (
        ("Accounts", _ACCOUNTS), ("Invoices", _INVOICES), ("Customer_Payments", _PAYMENTS), ("Credit_Notes", _NOTES),
    ):  # fmt: skip
        org.modules[name] = Module(name, {meta.api_name: meta for meta in fields})
    accounts = _accounts(org, tables)
    invoices = _invoices(org, tables, accounts)
    _settlements(org, tables, accounts, invoices)
    _currencies(org, tables)


def _accounts(org: Org, tables: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    limits = {row["account_id"]: row for row in _rows(tables, "limits") if row["scope"] == "account"}
    ids: dict[str, str] = {}
    rows = list(_rows(tables, "accounts"))
    for row in rows:
        limit = limits.get(row["account_id"])
        currency = row["currency"] or (limit["currency"] if limit else None)
        ids[row["account_id"]] = org.create(
            "Accounts",
            {
                "Account_Name": row["name"], "Account_Number": row["number"] or row["account_id"],
                "Currency": currency or org.currency, "Billing_Country": row["country"], "Industry": row["industry"],
                "Tax_ID": row["tax_id"], "Customer_Since": _day(row["since"]),
                "Natural_Person": bool(row["natural_person"]), "Parent_Account": None,
                "Agreed_Credit_Limit": _amount(limit["amount"], limit["currency"]) if limit else None,
                "Agreed_Limit_Until": _day(limit["valid_until"]) if limit else None,
            },
        )  # fmt: skip
    for row in rows:
        if row["parent_id"] in ids:
            org.modules["Accounts"].records[ids[row["account_id"]]]["Parent_Account"] = _lookup(
                org, "Accounts", ids[row["parent_id"]], "Account_Name"
            )
    return ids


def _invoices(org: Org, tables: Mapping[str, pl.DataFrame], accounts: Mapping[str, str]) -> dict[str, str]:
    ids: dict[str, str] = {}
    for row in _rows(tables, "receivables"):
        ids[row["receivable_id"]] = org.create(
            "Invoices",
            {
                "Subject": row["number"], "Invoice_Number": row["number"] or row["receivable_id"],
                "Account_Name": _lookup(org, "Accounts", accounts[row["account_id"]], "Account_Name"),
                "Invoice_Date": _day(row["issued"]), "Due_Date": _day(row["due"]),
                "Original_Due_Date": _day(row["original_due"]),
                "Grand_Total": _amount(row["amount"], row["currency"]), "Currency": row["currency"],
                "Status": "Cancelled" if row["voided_on"] is not None else "Created",
                "Disputed_On": _day(row["disputed_on"]), "Dispute_Closed_On": _day(row["dispute_closed_on"]),
                "Voided_On": _day(row["voided_on"]),
            },
        )  # fmt: skip
    return ids


def _settlements(
    org: Org, tables: Mapping[str, pl.DataFrame], accounts: Mapping[str, str], invoices: Mapping[str, str]
) -> None:
    """One record an allocation, and one for what a payment or a note leaves unapplied."""
    applied: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(tables, "allocations"):
        applied.setdefault(row["payment_id"] or row["adjustment_id"], []).append(row)
    for row in _rows(tables, "payments"):
        values = {
            "Paid_On": _day(row["paid_on"]), "Kind": row["kind"], "Instrument": row["instrument"],
            "Matures_On": _day(row["matures_on"]), "Cleared_On": _day(row["cleared_on"]),
            "Bounced_On": _day(row["bounced_on"]),
        }  # fmt: skip
        _spread(org, "Customer_Payments", row["payment_id"], row, applied, values, accounts, invoices)
    for row in _rows(tables, "adjustments"):
        values = {"Booked_On": _day(row["booked_on"]), "Kind": row["kind"]}
        _spread(org, "Credit_Notes", row["adjustment_id"], row, applied, values, accounts, invoices)


def _spread(
    org: Org,
    module: str,
    key: str,
    row: Mapping[str, Any],
    applied: Mapping[str, list[dict[str, Any]]],
    values: Mapping[str, Any],
    accounts: Mapping[str, str],
    invoices: Mapping[str, str],
) -> None:
    common = {
        "Name": key, "Currency": row["currency"],
        "Account": _lookup(org, "Accounts", accounts[row["account_id"]], "Account_Name"), **values,
    }  # fmt: skip
    left = row["amount"]
    for part in applied.get(key, []):
        amount = part["payment_amount"] if part["payment_amount"] is not None else part["amount"]
        left -= amount
        invoice = _lookup(org, "Invoices", invoices[part["receivable_id"]], "Subject")
        org.create(module, {**common, "Invoice": invoice, "Amount": _amount(amount, row["currency"])})
    if left or not applied.get(key):
        org.create(module, {**common, "Invoice": None, "Amount": _amount(left, row["currency"])})


def _currencies(org: Org, tables: Mapping[str, pl.DataFrame]) -> None:
    """Zoho lists units of a currency for one of the home currency; a folder gives the inverse."""
    for row in sorted(_rows(tables, "rates"), key=lambda row: row["day"]):
        if row["base"] == org.currency:
            inverse = Decimal(10) ** money.RATE_SCALE / Decimal(row["rate"])
            org.exchange_rates[row["currency"]] = f"{inverse:.9f}"


def _rows(tables: Mapping[str, pl.DataFrame], name: str) -> Iterator[dict[str, Any]]:
    return iter(tables.get(name, TABLES[name].empty()).to_dicts())


def _lookup(org: Org, module: str, record: str, name: str) -> dict[str, Any]:
    return {"name": org.modules[module].records[record][name], "id": record}


def _day(value: int | None) -> str | None:
    return None if value is None else day_of(value).isoformat()


def _amount(minor: int, currency: str) -> msgspec.Raw:
    return number(f"{money.from_minor(minor, currency):f}")
