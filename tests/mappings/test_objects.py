"""Which table of a database holds what, by names in three languages."""

import pytest

from connector.ports import Described, Field
from mappings.matching import suggest
from mappings.objects import places


def described(name: str, **fields: str) -> Described:
    return Described(name, tuple(Field(each, each, type_, writable=False) for each, type_ in fields.items()))


INVOICES = described(
    "ar.tblRechnung", ReNr="text", Kundennummer="text", Rechnungsdatum="date", Fälligkeitsdatum="date",
    Bruttobetrag="numeric", Nettobetrag="numeric", Währung="text",
)  # fmt: skip
LINES = described("ar.invoice_lines", id="reference", invoice_id="reference", product="text", amount="numeric")
CUSTOMERS = described("dbo.Customers", CustomerNo="text", CustomerName="text", VATNumber="text", Country="text")
ITEMS = described("artikel", id="reference", bezeichnung="text", preis="numeric")
LOG = described("import_log", id="reference", started_at="datetime", message="text")
RECEIPTS = described("ods_收款单", 单据号="text", 客户编码="text", 收款日期="date", 收款金额="numeric", 币种="text")


def test_each_table_is_proposed_for_what_it_fits_best_and_others_for_nothing() -> None:
    found = places([LINES, ITEMS, LOG, CUSTOMERS, INVOICES, RECEIPTS])

    assert {table: [each.object for each in some] for table, some in found.items()} == {
        "accounts": ["dbo.Customers"], "receivables": ["ar.tblRechnung"], "payments": ["ods_收款单"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("account_id", "Kundennummer"), ("issued", "Rechnungsdatum"), ("due", "Fälligkeitsdatum"),
        ("amount", "Bruttobetrag"), ("currency", "Währung"),
    ],
)  # fmt: skip
def test_german_columns_are_found(column: str, field: str) -> None:
    best = {each.column: each.candidates[0].field for each in suggest("receivables", INVOICES) if each.candidates}

    assert best[column] == field


def test_a_reference_is_told_by_the_key_that_it_is_called_as_or_by_pointing_there_alone() -> None:
    fields = (
        Field("DebNr", "DebNr", "reference", writable=False),
        Field("beleg", "beleg", "reference", writable=False, target="ar.re"),
        Field("wert", "wert", "numeric", writable=False),
    )
    table = Described("ar.ausgleich", fields)
    places_ = {"accounts": "ar.deb", "receivables": "ar.re"}

    found = {
        each.column: each.candidates[0].field
        for name in ("payments", "allocations")
        for each in suggest(name, table, objects=places_, keys={"accounts": "debnr"})
        if each.candidates
    }

    assert (found["account_id"], found["receivable_id"]) == ("DebNr", "beleg")
