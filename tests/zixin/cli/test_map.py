"""`zixin map`: a CRM that looks otherwise than the shipped mapping is mapped, checked and read."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.connector.scoring.books import books, invoice
from tests.zixin.calls import document, run, served
from zixin.config import connections, settings

BOOKS = books(
    [invoice(f"I{n}", 100_00 + n, "2025-01-01", "2025-01-31", f"A{n % 9}") for n in range(40)],
    [(f"P{n}", f"I{n}", "2025-02-05", 100_00 + n) for n in range(30)],
)


@pytest.fixture
def org(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A simulated Zoho that is connected."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served("zoho", BOOKS, tmp_path) as up:
        assert run("connect", "zoho", "--settings", str(up.file)) == 0
        yield up.made.application.state.org


def renamed(org: Any, module: str, old: str, new: str, label: str) -> None:
    """As an admin does: the id stays."""
    fields = org.modules[module].fields
    fields[new] = replace(fields.pop(old), api_name=new, label=label)
    for row in org.modules[module].records.values():
        row[new] = row.pop(old, None)


def test_a_crm_with_other_names_is_mapped_and_read(org: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("map", "check") == 0
    renamed(org, "Invoices", "Invoice_Date", "Billed_On", "开票日期")
    renamed(org, "Invoices", "Due_Date", "field17", "付款到期日")
    renamed(org, "Invoices", "Grand_Total", "Gross_Amount", "Gross Amount")
    renamed(org, "Accounts", "Account_Number", "Customer_Code", "Customer code")
    renamed(org, "Customer_Payments", "Paid_On", "Receipt_Date", "Receipt date")

    assert run("map", "check") == 1
    match = document(capsys, "map", "check")["findings"]
    assert {row["field"] for row in match if row["severe"]} >= {"Invoice_Date", "Due_Date", "Grand_Total"}

    result = {(row["table"], row["column"]): row for row in document(capsys, "map", "suggest")["suggested"]}
    due = result["receivables", "due"]["candidates"][0]
    assert (due["field"], due["samples"][0]) == ("field17", "2025-01-31")
    assert result["receivables", "amount"]["candidates"][0]["field"] == "Gross_Amount"
    assert "付款到期日" in due["zh"]

    written = document(capsys, "map", "suggest", "--write")
    assert set(written["written"]) >= {
        "invoices: receivables.issued = Billed_On",
        "invoices: receivables.due = field17",
        "invoices: receivables.amount = Gross_Amount",
        "accounts: accounts.number = Customer_Code",
        "payments: payments.paid_on = Receipt_Date",
    }
    text = Path(written["file"]).read_text()
    assert text.startswith("# Based on mappings/zoho.yaml, zixin ")
    # Comments and what else a rule says stay; the due basis reads the same field.
    assert "# The limit that people agreed." in text
    assert "{from: Customer_Code, default: $id}" in text


def test_what_the_mapping_leaves_out_is_taken_only_when_asked(org: Any, capsys: pytest.CaptureFixture[str]) -> None:
    org.modules["Invoices"].fields["Salesperson"] = replace(
        org.modules["Accounts"].fields["Owner"], api_name="Salesperson", label="销售员", target="users"
    )
    assert run("map", "suggest") == 0
    message = capsys.readouterr().out
    assert "further columns" in message
    assert "Salesperson" not in message
    assert document(capsys, "map", "suggest", "--write")["written"] == []
    assert document(capsys, "map", "suggest", "--write", "--all")["written"] == [
        "invoices: receivables.rep_id = Salesperson"
    ]
    assert run("map", "check") == 0


def test_from_other_names_to_ratings(org: Any, capsys: pytest.CaptureFixture[str]) -> None:
    renamed(org, "Invoices", "Grand_Total", "Gross_Amount", "Gross Amount")
    renamed(org, "Customer_Payments", "Paid_On", "Receipt_Date", "Receipt date")
    assert run("map", "suggest", "--write") == 0
    assert run("map", "check") == 0
    assert run("fields", "apply") == 0
    done = document(capsys, "sync")
    assert (done["receivables"], done["payments"], done["rejected"]) == (40, 30, 0)


def test_renamed_and_retyped_fields_are_told_by_their_ids(org: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fields = org.modules["Invoices"].fields
    assert run("map", "suggest", "--write") == 0
    before = copy.deepcopy(org.modules["Invoices"].fields)
    renamed(org, "Invoices", "Due_Date", "Pay_By", "Pay by")
    fields["Invoice_Date"] = replace(fields["Invoice_Date"], type="text")
    fields["Grand_Total"] = replace(fields["Grand_Total"], type="boolean")
    result = {row["field"]: row for row in document(capsys, "map", "check")["findings"]}
    assert (result["Due_Date"]["what"], result["Due_Date"]["en"]) == ("renamed", "Due_Date is called Pay_By now")
    assert result["Invoice_Date"]["what"] == "retyped"
    assert result["Grand_Total"]["severe"]
    org.modules["Invoices"].fields = before
    assert run("map", "check") == 0
    del org.modules["Credit_Notes"]
    del org.modules["Invoices"]
    assert "Invoices" in {row["field"] for row in document(capsys, "map", "check")["findings"]}


def test_choices_that_nobody_translates_and_fields_that_cannot_be_written(
    org: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fields", "apply") == 0
    stored = connections.read("default")["zoho"].fields
    org.modules["Accounts"].fields[stored["limit"]].read_only = True
    fields = org.modules["Customer_Payments"].fields
    fields["Instrument"] = replace(fields["Instrument"], options=("cash", "Blockchain"))
    pairs = {(row["what"], row["field"]) for row in document(capsys, "map", "check")["findings"]}
    assert ("unwritable", stored["limit"]) in pairs
    assert ("untranslated", "Instrument") in pairs


def test_one_record_on_its_way(org: Any, capsys: pytest.CaptureFixture[str]) -> None:
    record = next(key for key, row in org.modules["Invoices"].records.items() if row["Due_Date"])
    payload = document(capsys, "map", "test", "--record", record, "--source", "invoices")
    assert payload["record"]["Due_Date"] == "2025-01-31"
    assert payload["rows"]["receivables"][0]["receivable_id"] == record
    assert payload["rejected"] == []
    assert run("map", "test", "--record", record, "--source", "invoices") == 0
    assert "→ receivables" in capsys.readouterr().out
    assert run("map", "test", "--record", "99") == 1
    assert run("map", "test", "--record", "99", "--source", "orders") == 2
    assert run("map", "suggest", "--object", "invoices") == 2
    assert run("map", "suggest", "--object", "orders=Deals") == 1
    assert run("map", "suggest", "--object", "invoices=Deals", "--all") == 1
    assert "no object Deals" in capsys.readouterr().err
    assert not (settings.profile_folder("default") / "zoho.yaml").exists()


def test_check_casts_real_records_and_says_why_they_fail(org: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "map", "check")["records"] == {
        "currencies": 0, "accounts": 10, "invoices": 40, "payments": 30, "credit_notes": 0
    }  # fmt: skip
    for row in org.modules["Invoices"].records.values():
        row["Currency"] = "US Dollar"

    assert run("map", "check") == 1
    told = capsys.readouterr().out
    assert "read and cast:" in told
    assert "Currency → receivables.currency: none of 40 fits" in told
    assert run("--lang", "zh-CN", "map", "check") == 1
    assert "可能原因" in capsys.readouterr().out
    assert run("map", "check", "--records", "0") == 0


def test_a_field_of_zixin_s_own_is_never_proposed(org: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fields", "apply") == 0
    ours = set(connections.read("default")["zoho"].fields.values())
    # Somebody has taken the agreed limit out: ours is called much the same, and holds no fact.
    for name in ("Agreed_Limit", "Credit_Limit_Agreed"):
        org.modules["Accounts"].fields.pop(name, None)
    # One that we made and the mapping no longer writes bears our mark.
    copied = org.modules["Accounts"].fields[connections.read("default")["zoho"].fields["limit"]]
    org.modules["Accounts"].fields["Customer_Limit"] = replace(copied, api_name="Customer_Limit", label="Credit limit")

    suggested = document(capsys, "map", "suggest", "--all")["suggested"]

    proposed = {one["field"] for row in suggested for one in row["candidates"]}
    assert proposed.isdisjoint(ours | {"Customer_Limit"})
    assert proposed


def test_what_does_not_cast_is_not_proposed_and_words_are_to_be_translated(
    org: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed(org, "Invoices", "Grand_Total", "Gross_Amount", "Gross Amount")
    renamed(org, "Customer_Payments", "Kind", "Payment_Kind", "Kind")
    fields = org.modules["Invoices"].fields
    fields["Gross_Amount"] = replace(fields["Gross_Amount"], type="text")
    for row in org.modules["Invoices"].records.values():
        row["Gross_Amount"] = "1.234,50"
    for row in org.modules["Customer_Payments"].records.values():
        row["Payment_Kind"] = "Zahlung"

    rows = document(capsys, "map", "suggest")["suggested"]

    result = {(row["table"], row["column"]): row for row in rows}
    assert "Gross_Amount" not in [one["field"] for one in result["receivables", "amount"]["candidates"]]
    kind = result["payments", "kind"]
    assert "Payment_Kind" not in [one["field"] for one in kind["candidates"]]
    assert kind["untranslated"] == [{"field": "Payment_Kind", "values": ["Zahlung"]}]
    assert run("map", "suggest") == 0
    assert "Payment_Kind says Zahlung: translate them by `values`" in capsys.readouterr().out


def test_what_hangs_on_a_renamed_field_moves_with_it(org: Any, capsys: pytest.CaptureFixture[str]) -> None:
    renamed(org, "Invoices", "Due_Date", "Pay_By", "Due date")
    renamed(org, "Accounts", "Agreed_Credit_Limit", "Kreditlimit", "Agreed credit limit")

    assert run("map", "suggest", "--write") == 0

    text = (settings.profile_folder("default") / "zoho.yaml").read_text()
    assert "present: Pay_By" in text
    assert "field: Kreditlimit" in text


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A simulated system of ours that is connected."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served("rest", BOOKS, tmp_path) as up:
        assert run("connect", "rest", "--settings", str(up.file)) == 0
        yield up.made.application.state.system


def test_references_to_nobody_are_found(system: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for row in system.objects["invoices"].values():
        row["account_id"] = f"The company {row['account_id']}"

    assert run("map", "check") == 1

    assert "account_id → account_id: none of 9 values is the id of a record of accounts" in capsys.readouterr().out


def test_later_pages_and_records_without_an_id_are_seen(system: Any, capsys: pytest.CaptureFixture[str]) -> None:
    system.most = 10
    rows = list(system.objects["invoices"].values())
    for row in rows[25:]:
        row["amount"] = "1.234,50"
    for row in list(system.objects["payments"].values())[:4]:
        row["id"] = None

    findings = document(capsys, "map", "check")["findings"]

    told = [row["en"] for row in findings if row["severe"]]
    assert any(words.startswith("amount → receivables.amount: 15 of 40 do not fit") for words in told)
    assert any("4 of 30 records cannot be taken: the record says no id" in words for words in told)
