"""Fills a simulated org from canonical tables: standard accounts, custom objects for invoices, payments and notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from adapters.salesforce.simulator.org import Meta, Org, Table
from adapters.simulation.books import Books, books

_SYSTEM = (
    Meta("Id", "Record ID", "id", 18, updateable=False),
    Meta("IsDeleted", "Deleted", "boolean", updateable=False),
    Meta("CreatedDate", "Created Date", "datetime", updateable=False),
    Meta("LastModifiedDate", "Last Modified Date", "datetime", updateable=False),
    Meta("SystemModstamp", "System Modstamp", "datetime", updateable=False),
    Meta("CurrencyIsoCode", "Currency ISO Code", "picklist", 3),
)


def _money(name: str, label: str) -> Meta:
    return Meta(name, label, "currency")


def _date(name: str, label: str) -> Meta:
    return Meta(name, label, "date")


_ACCOUNT = (
    Meta("Name", "Account Name"), Meta("AccountNumber", "Account Number", length=40),
    Meta("ParentId", "Parent Account ID", "reference", 18, reference="Account"),
    Meta("MasterRecordId", "Master Record ID", "reference", 18, reference="Account", updateable=False),
    Meta("OwnerId", "Owner ID", "reference", 18, reference="User"),
    Meta("BillingCountryCode", "Billing Country Code", "picklist", 10), Meta("Industry", "Industry", "picklist"),
    Meta("IsPersonAccount", "Is Person Account", "boolean", updateable=False), Meta("Phone", "Account Phone", "phone"),
    Meta("Tax_ID__c", "Tax ID"), _date("Customer_Since__c", "Customer Since"),
    _money("Agreed_Credit_Limit__c", "Agreed Credit Limit"), _date("Agreed_Limit_Until__c", "Agreed Limit Until"),
)  # fmt: skip
_LINK = Meta("Account__c", "Account", "reference", 18, reference="Account")
_CLAIM = Meta("Invoice__c", "Invoice", "reference", 18, reference="Invoice__c")
_INVOICE = (
    Meta("Name", "Invoice Number"), _LINK, _date("Invoice_Date__c", "Invoice Date"), _date("Due_Date__c", "Due Date"),
    _date("Original_Due_Date__c", "Original Due Date"), _money("Total__c", "Total"),
    _date("Disputed_On__c", "Disputed On"), _date("Dispute_Closed_On__c", "Dispute Closed On"),
    _date("Voided_On__c", "Voided On"),
)  # fmt: skip
_PAYMENT = (
    Meta("Name", "Payment Number"), _LINK, _CLAIM, _date("Paid_On__c", "Paid On"), _money("Amount__c", "Amount"),
    Meta("Kind__c", "Kind", "picklist"), Meta("Instrument__c", "Instrument", "picklist"),
    _date("Matures_On__c", "Matures On"), _date("Cleared_On__c", "Cleared On"), _date("Bounced_On__c", "Bounced On"),
)  # fmt: skip
_NOTE = (
    Meta("Name", "Note Number"), _LINK, _CLAIM, _date("Booked_On__c", "Booked On"), _money("Amount__c", "Amount"),
    Meta("Kind__c", "Kind", "picklist"),
)  # fmt: skip
_PERMISSIONS = (
    "PermissionsApiEnabled",
    "PermissionsViewAllData",
    "PermissionsCustomizeApplication",
    "PermissionsManageProfilesPermissionsets",
)
_OTHERS: dict[str, tuple[str, tuple[Meta, ...]]] = {
    "Organization": (
        "00D", (Meta("Name", "Name"), Meta("InstanceName", "Instance"), Meta("IsSandbox", "Sandbox", "boolean"),
                Meta("TrialExpirationDate", "Trial ends", "datetime"), Meta("NamespacePrefix", "Namespace"),
                Meta("OrganizationType", "Edition")),
    ),
    "User": ("005", (Meta("Username", "Username"), Meta("Name", "Name"))),
    "PermissionSet": ("0PS", (
        Meta("Name", "Name"), Meta("Label", "Label"), Meta("PermissionsModifyAllData", "Modify All", "boolean"),
    )),
    # Of the Tooling API. A field's name there has no suffix.
    "CustomField": ("00N", (Meta("DeveloperName", "Name"), Meta("TableEnumOrId", "Object"))),
    "PermissionSetAssignment": ("0Pa", (Meta("AssigneeId", "Assignee"), Meta("PermissionSetId", "Permission Set"))),
    "FieldPermissions": (
        "01k", (Meta("ParentId", "Parent"), Meta("SobjectType", "Object"), Meta("Field", "Field"),
                Meta("PermissionsRead", "Read", "boolean"), Meta("PermissionsEdit", "Edit", "boolean")),
    ),
    # What the user of the token may do, one record. Source: object reference, UserPermissionAccess.
    "UserPermissionAccess": ("0xx", tuple(Meta(name, name, "boolean") for name in _PERMISSIONS)),
    "CurrencyType": (
        "01L", (Meta("IsoCode", "Code"), Meta("ConversionRate", "Rate", "double"),
                Meta("IsCorporate", "Corporate", "boolean"), Meta("IsActive", "Active", "boolean")),
    ),
    "DatedConversionRate": (
        "04w", (Meta("IsoCode", "Code"), Meta("ConversionRate", "Rate", "double"), _date("StartDate", "Start Date"),
                _date("NextStartDate", "Next Start Date")),
    ),
}  # fmt: skip


def fill(org: Org, tables: Mapping[str, pl.DataFrame]) -> None:
    """Put the tables' rows in. Columns in: those of the canonical tables. An account_id becomes the AccountNumber."""
    objects = {
        "Account": ("001", _ACCOUNT), "Invoice__c": ("a00", _INVOICE), "Payment__c": ("a01", _PAYMENT),
        "Credit_Note__c": ("a02", _NOTE), **_OTHERS,
    }  # fmt: skip
    for name, (prefix, fields) in objects.items():
        org.tables[name] = Table(name, prefix, {meta.name: meta for meta in (*_SYSTEM, *fields)}, label=name)
    org.create("Organization", {
        "Name": org.name, "InstanceName": "SIM1", "IsSandbox": False, "OrganizationType": "Enterprise Edition",
    })  # fmt: skip
    org.create("User", {"Username": org.username, "Name": "Integration"})
    org.create("UserPermissionAccess", dict.fromkeys(_PERMISSIONS, True))
    org.create("CurrencyType", {"IsoCode": org.currency, "ConversionRate": 1, "IsCorporate": True, "IsActive": True})
    results = books(tables)
    accounts = _accounts(org, results)
    claims = {
        row["receivable_id"]: org.create("Invoice__c", {
            "Name": row["number"] or row["receivable_id"], "Account__c": accounts[row["account_id"]],
            "Invoice_Date__c": row["issued"], "Due_Date__c": row["due"],
            "Original_Due_Date__c": row["original_due"], "Total__c": row["amount"],
            "CurrencyIsoCode": row["currency"], "Disputed_On__c": row["disputed_on"],
            "Dispute_Closed_On__c": row["dispute_closed_on"], "Voided_On__c": row["voided_on"],
        })
        for row in results.receivables.values()
    }  # fmt: skip
    _settlements(org, results, accounts, claims)
    for row in results.rates:
        if row["base"] == org.currency:
            org.create("DatedConversionRate", {
                "IsoCode": row["currency"], "ConversionRate": round(1 / row["rate"], 9), "StartDate": row["day"],
            })  # fmt: skip


def _accounts(org: Org, told: Books) -> dict[str, str]:
    ids: dict[str, str] = {}
    rows = told.accounts.values()
    for row in rows:
        limit = told.limits.get(row["account_id"])
        ids[row["account_id"]] = org.create("Account", {
            "Name": row["name"], "AccountNumber": row["number"] or row["account_id"], "Tax_ID__c": row["tax_id"],
            "BillingCountryCode": row["country"], "Industry": row["industry"],
            "CurrencyIsoCode": row["currency"] or (limit["currency"] if limit else None) or org.currency,
            "Customer_Since__c": row["since"], "IsPersonAccount": bool(row["natural_person"]), "ParentId": None,
            "Agreed_Credit_Limit__c": limit["amount"] if limit else None,
            "Agreed_Limit_Until__c": limit["valid_until"] if limit else None,
        })  # fmt: skip
    for row in rows:
        if row["parent_id"] in ids:
            org.table("Account").records[ids[row["account_id"]]]["ParentId"] = ids[row["parent_id"]]
    return ids


def _settlements(org: Org, told: Books, accounts: Mapping[str, str], claims: Mapping[str, str]) -> None:
    """One record per allocation, and one for what a payment or a note leaves unapplied."""
    for key, row in told.payments.items():
        values = {
            "Paid_On__c": row["paid_on"], "Instrument__c": row["instrument"], "Matures_On__c": row["matures_on"],
            "Cleared_On__c": row["cleared_on"], "Bounced_On__c": row["bounced_on"],
        }  # fmt: skip
        _spread(org, "Payment__c", key, row, told, values, accounts, claims)
    for key, row in told.adjustments.items():
        _spread(org, "Credit_Note__c", key, row, told, {"Booked_On__c": row["booked_on"]}, accounts, claims)


def _spread(
    org: Org, object_: str, key: str, row: Mapping[str, Any], told: Books, values: Mapping[str, Any],
    accounts: Mapping[str, str], claims: Mapping[str, str],
) -> None:  # fmt: skip
    common = {"Name": key, "Account__c": accounts[row["account_id"]], "Kind__c": row["kind"], **values}
    for claim, amount in told.parts(key):
        results = {"CurrencyIsoCode": row["currency"], "Invoice__c": claims[claim] if claim else None}
        org.create(object_, {**common, **results, "Amount__c": amount})
