from datetime import date
from pathlib import Path

import pytest

from connector.errors import Misconfigured
from connector.schema import day_number
from mappings.portfolio import Portfolio, read, read_part

FILES = {
    "accounts.csv": 'account_id,name,country,since\nA1,Ägir GmbH,DE,2020-01-01\nA2,"Zhang, 张",391,\n',
    "invoices.csv": "invoice_id,account_id,issued,due,amount,currency,disputed\n"
    "I1,A1,2025-01-01,2025-01-31,100.00,EUR,false\n"
    "I2,A1,2025-02-01,2025-03-03,50,EUR,true\n"
    "I3,A2,2025-02-01,,70,USD,\n",
    "payments.csv": "payment_id,account_id,invoice_id,paid_on,amount,currency\n"
    "P1,A1,I1,2025-01-20,60,EUR\nP1,A1,I2,2025-01-20,50,EUR\nP2,A2,,2025-02-20,5,USD\nP3,A2,I3,2025-02-21,9,EUR\n",
}


def folder(tmp_path: Path, **changed: str) -> Path:
    for name, text in {**FILES, **{f"{name}.csv": text for name, text in changed.items()}}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def faults(done: Portfolio) -> list[tuple[str, ...]]:
    return [(r["file"], r["record"], r["column"], r["value"], r["reason"]) for r in done.rejects.to_dicts()]


def test_one_payment_over_two_invoices_is_one_payment_and_two_allocations(tmp_path: Path) -> None:
    tables = read(folder(tmp_path)).tables

    assert dict(tables["payments"].select("payment_id", "amount").rows()) == {"P1": 11_000, "P2": 500, "P3": 900}
    assert tables["allocations"].select("allocation_id", "receivable_id", "amount", "payment_amount").rows() == [
        ("P1|I1", "I1", 6_000, 6_000),
        ("P1|I2", "I2", 5_000, 5_000),
        ("P3|I3", "I3", None, 900),  # Paid in another currency: only the payment's amount is known.
    ]


def test_a_bare_dispute_counts_from_the_day_after_due_and_an_empty_due_is_unknown(tmp_path: Path) -> None:
    rows = {row["receivable_id"]: row for row in read(folder(tmp_path)).tables["receivables"].to_dicts()}

    assert rows["I1"]["disputed_on"] is None
    assert rows["I2"]["disputed_on"] == day_number(date(2025, 3, 4))
    assert (rows["I3"]["due"], rows["I3"]["due_basis"]) == (None, "unknown")
    assert rows["I1"]["due_basis"] == "given"


def test_a_country_that_is_not_iso_is_listed_and_kept(tmp_path: Path) -> None:
    done = read(folder(tmp_path))

    assert done.tables["accounts"]["country"].to_list() == ["DE", "391"]
    assert done.notices.select("record", "value", "reason").rows() == [("3", "391", "not_iso")]
    assert faults(done) == []


def test_rows_that_do_not_fit_are_rejected_with_their_line(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        accounts='account_id,name\nA1,"two\nlines"\nA2,b\n\nA1,again\n',
        invoices="invoice_id,account_id,issued,due,amount,currency\nI1,A1,2025-01-01,2025-13-01,1,EUR\n"
        "I2,A9,2025-01-01,2025-01-02,1,EUR\nI3,A2,2025-01-01,2025-01-02,1,EUR\n",
        payments="payment_id,account_id,invoice_id,paid_on,amount,currency\nP1,A2,I3,2025-01-03,1,EUR\n"
        "P1,A2,I3,2025-01-03,1,EUR\nP1,A2,,2025-01-09,1,EUR\nP2,A2,I1,2025-01-03,1,EUR\n",
    )

    done = read(path)

    assert faults(done) == [
        ("accounts.csv", "6", "account_id", "A1", "id_twice"),
        ("invoices.csv", "2", "due", "2025-13-01", "not_a_day"),
        ("invoices.csv", "3", "account_id", "A9", "unknown_account"),
        ("payments.csv", "3", "payment_id", "P1", "id_twice"),
        ("payments.csv", "5", "invoice_id", "I1", "unknown_invoice"),
        ("payments.csv", "4", "paid_on", "2025-01-09", "other_row"),
    ]
    assert done.tables["payments"].select("payment_id", "amount").rows() == [("P1", 100)]


def test_further_tables_are_read_where_a_file_is_there(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        adjustments="adjustment_id,account_id,kind,booked_on,amount,currency\nC1,A1,credit_note,2025-02-02,5,EUR\n",
        allocations="adjustment_id,receivable_id,amount,currency\nC1,I1,5,EUR\nC1,I9,5,EUR\n",
        rates="currency,base,day,rate\nUSD,EUR,2025-01-01,0.9\n",
        limits="limit_id,account_id,amount,currency\nL1,A1,1000,EUR\nL2,A7,1000,EUR\n",
    )

    done = read(path)

    assert done.tables["allocations"]["allocation_id"].to_list()[-1] == "C1|I1"
    assert done.tables["rates"]["rate"].to_list() == [900_000_000_000]
    assert done.tables["limits"]["limit_id"].to_list() == ["L1"]
    assert [fault[4] for fault in faults(done)] == ["unknown_invoice", "unknown_account"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("invoices", b"invoice_id,account_id,issued,amount,currency\n", "no column due"),
        ("payments", b"payment_id,account_id\nP1,A1,extra\n", "line 2 has 3 cells, the header 2"),
        ("accounts", b"account_id,name\nA1,x\nA2,\xb9\xe3\n", "line 3 holds the byte 0xb9"),
        ("accounts", b"", "empty"),
        ("accounts", b'account_id,name\nA1,"x\n', "quote"),
    ],
)
def test_a_file_that_cannot_be_read_names_its_line_or_column(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = folder(tmp_path)
    (path / f"{name}.csv").write_bytes(content)

    with pytest.raises(Misconfigured, match=words):
        read(path)


def test_a_second_part_of_the_same_payment_and_invoice_counts_and_is_noticed(tmp_path: Path) -> None:
    head = "payment_id,account_id,invoice_id,paid_on,amount,currency\n"
    path = folder(tmp_path, payments=f"{head}P1,A1,I1,2025-01-25,40,EUR\nP1,A1,I1,2025-01-25,60,EUR\n")

    done = read(path)

    assert done.tables["payments"].select("payment_id", "amount").rows() == [("P1", 100_00)]
    assert done.tables["allocations"].select("allocation_id", "amount").rows() == [("P1|I1", 40_00), ("P1|I1|2", 60_00)]
    assert [(row["record"], row["reason"]) for row in done.notices.to_dicts()][-1] == ("3", "summed")
    assert done.rejects.is_empty()


def test_a_missing_file_says_what_a_folder_holds(tmp_path: Path) -> None:
    (folder(tmp_path) / "payments.csv").unlink()

    with pytest.raises(Misconfigured, match=r"payments\.csv is not there.*accounts\.csv, invoices\.csv"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"evidence_id;account_id;kind\nE1;A1;legal\n", "separated by ';'"),
        ("evidence_id,account_id\nE1,A1\n".encode("utf-16"), "it is UTF-16"),
    ],
)
def test_a_file_in_another_form_is_called_by_it(raw: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "evidence.csv").write_bytes(raw)
    with pytest.raises(Misconfigured, match=message):
        read_part(tmp_path)
