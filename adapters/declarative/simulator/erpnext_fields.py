"""Fields of the doctypes that the simulated ERPNext has. Source: erpnext/*/doctype/*.json, versions 13 to 15."""

from __future__ import annotations

#: Doctype → type → fields, as far as zixin reads them.
FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "Sales Invoice": {
        "Link": ("customer", "company", "currency", "return_against"),
        "Date": ("posting_date", "due_date"),
        "Currency": ("grand_total",),
        "Check": ("is_return",),
    },
    "Payment Entry": {
        "Select": ("payment_type",),
        "Link": ("company", "party_type", "paid_from_account_currency", "mode_of_payment"),
        "Dynamic Link": ("party",),
        "Date": ("posting_date", "clearance_date"),
        "Currency": ("paid_amount",),
    },
    "Sales Order": {
        "Link": ("customer", "company", "currency"),
        "Date": ("transaction_date",),
        "Currency": ("grand_total",),
        "Percent": ("per_billed",),
        "Select": ("status",),
    },
    "Customer Credit Limit": {"Link": ("company",), "Currency": ("credit_limit",), "Data": ("parent",)},
    "Currency Exchange": {"Date": ("date",), "Link": ("from_currency", "to_currency"), "Float": ("exchange_rate",)},
}
LINKS = {
    "customer": "Customer",
    "company": "Company",
    "currency": "Currency",
    "return_against": "Sales Invoice",
    "paid_from_account_currency": "Currency",
    "from_currency": "Currency",
    "to_currency": "Currency",
    "payment_type": "Receive\nPay\nInternal Transfer",
    "mode_of_payment": "Mode of Payment",
    "status": "Draft\nOn Hold\nTo Pay\nTo Deliver and Bill\nTo Bill\nTo Deliver\nCompleted\nCancelled\nClosed",
}
