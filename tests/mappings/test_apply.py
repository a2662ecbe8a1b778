from datetime import date

import polars as pl
import pytest

from connector.errors import Misconfigured
from connector.ports import Organisation
from connector.schema import day_number
from mappings.apply import apply
from mappings.load import load, packaged

ORG = Organisation("x", "EUR")
ZOHO = packaged("zoho")


def page(source: str, *rows: dict[str, str]) -> pl.DataFrame:
    columns = ["id", "modified_at", *ZOHO.source(source).fields]
    return pl.DataFrame(
        [{name: row.get(name) for name in columns} for row in rows], schema=dict.fromkeys(columns, pl.String)
    )


def test_an_account_yields_itself_and_the_limit_that_people_agreed() -> None:
    frame = page(
        "accounts",
        {
            "id": "1",
            "modified_at": "2025-06-30T10:00:00+08:00",
            "Account_Name": "A",
            "Natural_Person": "true",
            "Agreed_Credit_Limit": "5000.5",
            "Credit_Rating": "AA",
        },
        {"id": "2", "Account_Name": "B", "Currency": "JPY", "Account_Number": "K7"},
    )

    done = apply(ZOHO, "accounts", frame, ORG)

    accounts = done.tables["accounts"].select("account_id", "number", "currency", "natural_person").rows()
    assert accounts == [("1", "1", "EUR", True), ("2", "K7", "JPY", None)]
    assert done.tables["limits"].select("limit_id", "amount", "currency", "kind").rows() == [
        ("1", 5000_50, "EUR", "permanent")
    ]
    assert done.tables["accounts"]["source_modified_at"].to_list() == [1751248800000000, None]
    assert done.observed is not None
    assert done.observed.select("account_id", "rating", "hold").rows() == [("1", "AA", None), ("2", None, None)]
    assert done.records == ["1", "2"]


def test_a_payment_yields_its_allocation_in_its_own_currency() -> None:
    frame = page(
        "payments",
        {"id": "7", "Account": "1", "Invoice": "9", "Paid_On": "2025-06-30", "Amount": "12.3", "Currency": "USD"},
        {"id": "8", "Account": "1", "Paid_On": "30/06/2025", "Amount": "12.3"},
    )

    done = apply(ZOHO, "payments", frame, ORG)

    assert done.tables["payments"].select("payment_id", "paid_on", "amount", "kind").rows() == [
        ("7", day_number(date(2025, 6, 30)), 12_30, "receipt")
    ]
    allocation = done.tables["allocations"].row(0, named=True)
    assert (allocation["receivable_id"], allocation["amount"], allocation["payment_amount"]) == ("9", None, 12_30)
    assert done.rejects.rows() == [("8", "payments", "paid_on", "30/06/2025", "not_a_day")]
    assert done.observed is None


@pytest.mark.parametrize(("given", "rate"), [("8", 125_000_000_000), ("0.5", 2 * 10**12), ("0", None), ("x", None)])
def test_rates_are_turned_round_and_nonsense_is_rejected(given: str, rate: int | None) -> None:
    frame = page(
        "currencies",
        {"id": "1", "iso_code": "CNY", "home_iso_code": "USD", "read_on": "2025-06-30", "exchange_rate": given},
    )

    done = apply(ZOHO, "currencies", frame, ORG)

    assert done.tables["rates"]["rate"].to_list() == ([] if rate is None else [rate])
    assert done.rejects.height == (rate is None)


def test_a_due_day_that_is_not_there_is_unknown() -> None:
    frame = page(
        "invoices",
        {"id": "1", "Account_Name": "1", "Invoice_Date": "2025-06-01", "Grand_Total": "1", "Due_Date": "2025-06-30"},
        {"id": "2", "Account_Name": "1", "Invoice_Date": "2025-06-01", "Grand_Total": "1"},
    )

    assert apply(ZOHO, "invoices", frame, ORG).tables["receivables"]["due_basis"].to_list() == ["given", "unknown"]


SMALL = """
version: 1
crm: x
sources:
  a:
    object: A
    yields:
      - table: accounts
        columns: {account_id: id, name: N, status: {from: S, values: {"1": open}, otherwise: closed}}
      - table: limits
        when: {field: L, in: ["5"]}
        columns: {limit_id: id, account_id: id, amount: {const: "5"}, currency: {const: $home}}
writes: {object: B, fields: {rating: R}}
"""


def test_values_are_translated_and_a_condition_may_name_them() -> None:
    mapping = load(SMALL, "x.yaml")
    frame = pl.DataFrame(
        {"id": ["1", "2"], "modified_at": [None, None], "N": ["n", "m"], "S": ["1", "2"], "L": ["5", "6"]},
        schema_overrides={"modified_at": pl.String},
    )

    done = apply(mapping, "a", frame, ORG)

    assert done.tables["accounts"]["status"].to_list() == ["open", "closed"]
    assert done.tables["limits"]["limit_id"].to_list() == ["1"]
    assert mapping.source("a").fields == ("N", "S", "L")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("table: accounts", "table: acounts", "no table of the name 'acounts'; did you mean 'accounts'"),
        ("name: N", "nam: N", "accounts has no column 'nam'; did you mean 'name'"),
        ("rating: R", "ratin: R", "zixin writes no field 'ratin'; did you mean 'rating'"),
        ("{const: $home}", "{const: $home, from: C}", "exactly one of from, const, present"),
        ("crm: x", "crn: x", "crm"),
    ],
)
def test_a_fault_in_a_mapping_is_named_with_a_way_out(old: str, new: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        load(SMALL.replace(old, new), "x.yaml")


def test_a_changed_mapping_has_another_fingerprint_and_the_names_read_back_replace_the_expected_ones() -> None:
    mapping = load(SMALL, "x.yaml")

    assert mapping.fingerprint("a") == load(SMALL, "y.yaml").fingerprint("a")
    assert mapping.fingerprint("a") != load(SMALL.replace("name: N", "name: M"), "x.yaml").fingerprint("a")
    assert mapping.with_written({"rating": "R1"}).writes.fields == {"rating": "R1"}


TWICE = """
version: 1
crm: x
sources:
  a:
    object: A
    yields:
      - table: limits
        when: [{field: L}]
        columns: {limit_id: id, account_id: id, amount: L, currency: {const: $home}}
      - table: limits
        when: [{field: M}]
        columns: {limit_id: K, account_id: id, amount: M, currency: {const: $home}}
writes: {object: B, fields: {rating: R}}
"""


def test_each_yield_of_a_table_counts_and_a_key_that_came_already_is_rejected() -> None:
    mapping = load(TWICE, "x.yaml")
    columns = {"id": ["1", "2", "3"], "L": ["5", None, "7"], "M": ["6", "8", "9"], "K": ["1b", "2b", "3"]}
    frame = pl.DataFrame({**columns, "modified_at": [None] * 3}, schema_overrides={"modified_at": pl.String})

    done = apply(mapping, "a", frame, ORG)

    assert sorted(done.tables["limits"].select("limit_id", "amount").rows()) == [
        ("1", 5_00), ("1b", 6_00), ("2b", 8_00), ("3", 7_00),
    ]  # fmt: skip
    assert done.rejects.select("record", "column", "reason").rows() == [("3", "limit_id", "id_twice")]
