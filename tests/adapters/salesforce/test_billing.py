"""The standard Invoice, Payment and PaymentLineInvoice: what is open is computed from what was applied."""

from decimal import Decimal
from pathlib import Path

from adapters.salesforce.simulator.org import Meta, Table
from connector.assessment import OUTPUT_FIELDS
from mappings.load import packaged
from sync.crm_connection import CrmConnection
from sync.run import run
from sync.store import Store
from tests.adapters.salesforce.double import SalesforceDouble, salesforce
from tests.connector.scoring.books import POLICY, books, day, invoice

FIELDS = {
    "Invoice": ("3tt", ("BillingAccountId", "DocumentNumber", "InvoiceDate", "DueDate", "Status", "TotalAmountWithTax", "Balance")),
    "Payment": ("0aQ", ("AccountId", "EffectiveDate", "Amount", "Status", "Balance")),
    "PaymentLineInvoice": ("1PL", ("InvoiceId", "PaymentId", "AssociatedAccountId", "Type", "EffectiveImpactAmount", "Amount")),
}  # fmt: skip


def standard(double: SalesforceDouble) -> str:
    """Standard billing objects beside an account; its id."""
    org = double.org
    system = {name: meta for name, meta in org.tables["Invoice__c"].fields.items() if not name.endswith("__c")}
    for name, (prefix, fields) in FIELDS.items():
        org.tables[name] = Table(name, prefix, {**system, **{each: Meta(each, each) for each in fields}}, label=name)
    account = next(iter(org.tables["Account"].records))
    claim = org.create("Invoice", {
        "BillingAccountId": account, "DocumentNumber": "INV-1", "InvoiceDate": "2025-01-01", "DueDate": "2025-01-31",
        "Status": "Posted", "TotalAmountWithTax": Decimal(1000), "Balance": Decimal(1000), "CurrencyIsoCode": "USD",
    })  # fmt: skip
    org.create("Invoice", {"BillingAccountId": account, "Status": "Draft", "TotalAmountWithTax": Decimal(9), "InvoiceDate": "2025-01-01"})  # fmt: skip
    paid = org.create("Payment", {"AccountId": account, "EffectiveDate": "2025-01-20", "Amount": Decimal(700), "Status": "Processed", "CurrencyIsoCode": "USD"})  # fmt: skip
    # 700 were applied, 300 of them taken back again by an unapplied line, whose effective impact is nothing.
    lines = (("Applied", 400), ("Applied", 0), ("Unapplied", 0))
    for kind, effective in lines:
        org.create("PaymentLineInvoice", {
            "InvoiceId": claim, "PaymentId": paid, "AssociatedAccountId": account, "Type": kind, "Amount": Decimal(300),
            "EffectiveImpactAmount": Decimal(effective), "CurrencyIsoCode": "USD",
        })  # fmt: skip
    return account


def test_open_amounts_come_from_effective_impact_and_never_from_balance(tmp_path: Path) -> None:
    with salesforce(books([invoice("I", 1_00, "2025-01-01", "2025-01-31")])) as double:
        account = standard(double)
        crm = double.crm()
        store = Store(tmp_path / "zixin.db")
        mapping = packaged("salesforce-billing").with_written(dict(crm.apply(OUTPUT_FIELDS)))
        link = CrmConnection("x", crm, mapping, crm.organisation())
        done = run(store, link, POLICY, day("2025-02-10"), language="en")
        store.close()

    row = next(row for row in done.assessed.to_dicts() if row["customer_id"] == account)
    # 600 are open, 300 of the payment lie on account and are set off against exposure.
    assert (row["overdue"], row["max_days_overdue"], row["exposure"]) == (600_00, 10, 300_00)
    assert done.rejected == 0
