"""What a source has and no mapping takes is named, with counts."""

import polars as pl

from connector.schema import TABLES
from mappings.left_out import LeftOut, Unread, of_objects, of_tables, unbrought
from mappings.load import packaged

ZOHO = packaged("zoho")


def table(name: str, *rows: dict[str, object]) -> pl.DataFrame:
    """Rows of a canonical table, null where they say nothing."""
    schema = TABLES[name].schema()
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def left(**tables: pl.DataFrame) -> list[LeftOut]:
    return of_tables(ZOHO, tables)


def test_a_table_that_nothing_yields_is_left_out_whole() -> None:
    rows = table("evidence", {"evidence_id": "E1", "kind": "legal"}, {"evidence_id": "E2", "kind": "news"})
    assert left(evidence=rows) == [LeftOut("evidence", "", 2)]
    assert left(evidence=rows.clear()) == []


def test_a_column_is_left_out_with_the_values_that_say_something() -> None:
    rows = table(
        "accounts",
        {"account_id": "A", "name": "A", "founded_on": 1},
        {"account_id": "B", "name": "B", "segment": "export"},
        {"account_id": "C", "name": "C", "founded_on": 3, "natural_person": False},
    )
    assert left(accounts=rows) == [LeftOut("accounts", "segment", 1), LeftOut("accounts", "founded_on", 2)]


def test_what_stands_in_anyway_and_what_a_rule_says_itself_is_not_left_out() -> None:
    rows = table(
        "receivables",
        {"receivable_id": "1", "kind": "invoice", "component": "trade", "due_basis": "given"},
        {"receivable_id": "2", "kind": "invoice", "component": "retention", "due_basis": "unknown"},
    )
    assert left(receivables=rows) == [LeftOut("receivables", "component", 1)]
    # ERPNext's mapping calls each claim an instalment: an invoice's kind is lost there, an instalment's is not.
    both = table("receivables", {"kind": "instalment", "due_basis": "given"}, {"kind": "opening", "due_basis": "given"})
    assert of_tables(packaged("erpnext"), {"receivables": both}) == [LeftOut("receivables", "kind", 1)]


def test_one_field_of_an_account_holds_one_agreed_limit() -> None:
    rows = table(
        "limits",
        {"limit_id": "1", "account_id": "A", "scope": "account", "kind": "permanent"},
        {"limit_id": "2", "account_id": "A", "scope": "account", "kind": "insured"},
        {"limit_id": "3", "account_id": "B", "scope": "group", "kind": "permanent"},
    )
    assert left(limits=rows) == [
        LeftOut("limits", "scope", 1), LeftOut("limits", "kind", 1), LeftOut("limits", "limit_id", 1),
    ]  # fmt: skip


def test_fields_that_no_source_reads_are_named_but_for_our_own() -> None:
    fields = {"Accounts": ["id", "Account_Name", "Parent_Account", "Website", "Rating", "Credit_Rating"]}
    assert of_objects(ZOHO, fields | {"Leads": ["Name"]}) == [Unread("Accounts", ("Website", "Rating"), 5)]


def test_tables_that_nothing_brings_are_named() -> None:
    assert "evidence" in unbrought(ZOHO)
    assert "statements" in unbrought(ZOHO)
    assert not {"accounts", "receivables", "decisions", "links"} & set(unbrought(ZOHO))


def test_what_names_the_order_names_its_claims() -> None:
    rows = table("allocations", {"allocation_id": "1", "receivable_id": "I1", "payment_id": "P1", "payment_amount": 5})
    assert of_tables(packaged("erpnext"), {"allocations": rows}) == []
