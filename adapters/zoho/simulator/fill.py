"""Fills a simulated organisation from canonical tables: accounts, invoices, payments and credit notes.

Zoho CRM's own invoices carry no payments; payments stand in a custom module, one record per allocation, and credit
notes in another. Source: docs/zoho.md. An account_id becomes the account's number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from adapters.simulation.books import Books, books
from adapters.zoho.simulator.org import FieldMeta, Module, Org, number

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
    results = books(tables)
    accounts = _accounts(org, results)
    invoices = _invoices(org, results, accounts)
    _settlements(org, results, accounts, invoices)
    # Zoho lists units of a currency for one of the home currency; a folder gives the inverse.
    for row in sorted(results.rates, key=lambda row: str(row["day"])):
        if row["base"] == org.currency:
            org.exchange_rates[row["currency"]] = f"{1 / row['rate']:.9f}"


def _accounts(org: Org, told: Books) -> dict[str, str]:
    ids: dict[str, str] = {}
    rows = told.accounts.values()
    for row in rows:
        limit = told.limits.get(row["account_id"])
        currency = row["currency"] or (limit["currency"] if limit else None)
        ids[row["account_id"]] = org.create(
            "Accounts",
            {
                "Account_Name": row["name"], "Account_Number": row["number"] or row["account_id"],
                "Currency": currency or org.currency, "Billing_Country": row["country"], "Industry": row["industry"],
                "Tax_ID": row["tax_id"], "Customer_Since": row["since"],
                "Natural_Person": bool(row["natural_person"]), "Parent_Account": None,
                "Agreed_Credit_Limit": _amount(limit["amount"]) if limit else None,
                "Agreed_Limit_Until": limit["valid_until"] if limit else None,
            },
        )  # fmt: skip
    for row in rows:
        if row["parent_id"] in ids:
            org.modules["Accounts"].records[ids[row["account_id"]]]["Parent_Account"] = _lookup(
                org, "Accounts", ids[row["parent_id"]], "Account_Name"
            )
    return ids


def _invoices(org: Org, told: Books, accounts: Mapping[str, str]) -> dict[str, str]:
    ids: dict[str, str] = {}
    for row in told.receivables.values():
        ids[row["receivable_id"]] = org.create(
            "Invoices",
            {
                "Subject": row["number"], "Invoice_Number": row["number"] or row["receivable_id"],
                "Account_Name": _lookup(org, "Accounts", accounts[row["account_id"]], "Account_Name"),
                "Invoice_Date": row["issued"], "Due_Date": row["due"],
                "Original_Due_Date": row["original_due"],
                "Grand_Total": _amount(row["amount"]), "Currency": row["currency"],
                "Status": "Cancelled" if row["voided_on"] is not None else "Created",
                "Disputed_On": row["disputed_on"], "Dispute_Closed_On": row["dispute_closed_on"],
                "Voided_On": row["voided_on"],
            },
        )  # fmt: skip
    return ids


def _settlements(org: Org, told: Books, accounts: Mapping[str, str], invoices: Mapping[str, str]) -> None:
    """One record per allocation, and one for what a payment or a note leaves unapplied."""
    for key, row in told.payments.items():
        values = {
            "Paid_On": row["paid_on"], "Kind": row["kind"], "Instrument": row["instrument"],
            "Matures_On": row["matures_on"], "Cleared_On": row["cleared_on"], "Bounced_On": row["bounced_on"],
        }  # fmt: skip
        _spread(org, "Customer_Payments", told.parts(key), row, {"Name": key, **values}, accounts, invoices)
    for key, row in told.adjustments.items():
        values = {"Name": key, "Booked_On": row["booked_on"], "Kind": row["kind"]}
        _spread(org, "Credit_Notes", told.parts(key), row, values, accounts, invoices)


def _spread(
    org: Org, module: str, parts: Iterable[tuple[str | None, Decimal]], row: Mapping[str, Any],
    values: Mapping[str, Any], accounts: Mapping[str, str], invoices: Mapping[str, str],
) -> None:  # fmt: skip
    account = _lookup(org, "Accounts", accounts[row["account_id"]], "Account_Name")
    for claim, amount in parts:
        invoice = _lookup(org, "Invoices", invoices[claim], "Subject") if claim else None
        results = {"Account": account, "Invoice": invoice, "Amount": _amount(amount), "Currency": row["currency"]}
        org.create(module, {**values, **results})


def _lookup(org: Org, module: str, record: str, name: str) -> dict[str, Any]:
    return {"name": org.modules[module].records[record][name], "id": record}


def _amount(amount: Decimal) -> msgspec.Raw:
    return number(f"{amount:f}")
