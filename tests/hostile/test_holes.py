"""Nothing is written on a picture with holes: the customers concerned wait for a person, the others do not."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.declarative.simulator.system import System
from tests.hostile.test_sight import hide, synced
from tests.zixin.calls import FORTY, document, run, served

#: Two of the ten customers, whose invoices are ten of forty; the tenth has none.
SOME = ("A1", "A2")


def spoil(system: System, *accounts: str, **values: Any) -> list[str]:
    """Another value in every invoice of these accounts, or of all."""
    ids = {row["id"] for row in system.objects["accounts"].values() if row["number"] in accounts or not accounts}
    rows = [key for key, row in system.objects["invoices"].items() if row["account_id"] in ids]
    for key in rows:
        old = system.objects["invoices"][key]
        system.put("invoices", key, {name: make(old) if callable(make) else make for name, make in values.items()})
    return rows


def in_words(row: dict[str, Any]) -> str:
    return f"{row['amount']} USD"


def shown(system: System) -> dict[str, Any]:
    """Number → what the CRM shows of our fields."""
    return {
        row["number"]: {name: value for name, value in row.items() if name.startswith("credit_")}
        for row in system.objects["accounts"].values()
    }


def owe_more(system: System) -> None:
    """Every customer has news: an invoice that is long overdue."""
    first = next(iter(system.objects["invoices"].values()))
    for number, key in enumerate(system.objects["accounts"]):
        added = {**first, "id": f"x{number}", "number": f"X{number}", "amount": Decimal("90000.00")}
        system.put("invoices", f"x{number}", {**added, "account_id": key})


def test_customers_whose_rows_do_not_fit_wait_and_the_others_are_written(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shown(system)
    owe_more(system)
    rows = spoil(system, *SOME, amount=in_words)

    code, done = synced(capsys)

    counts = {"rows": len(rows), "of": 50, "customers": 2}
    assert done["holes"] == [{"source": "invoices", "table": "receivables", "cause": "rejected", **counts}]
    assert (code, done["state"], done["withheld"], done["written"]) == (8, "withheld", 2, 8)
    moved = {number for number, fields in shown(system).items() if fields != before[number]}
    assert moved == set(before) - set(SOME)
    # The next one asks again, and tells the same.
    assert synced(capsys)[1]["withheld"] == 2
    status = document(capsys, "status")
    assert (status["withheld"], status["holes"][0]["customers"], status["last_state"]) == (2, 2, "withheld")
    assert [want["en"] for want in status["wants"] if status["last_run"] in want["en"]]

    spoil(system, *SOME, amount=lambda row: Decimal(str(row["amount"]).removesuffix(" USD")))
    code, done = synced(capsys)

    assert (code, done["holes"], done["written"]) == (0, [], 2)
    assert all(shown(system)[number] != before[number] for number in SOME)


def test_a_person_goes_on_without_what_is_missing_and_is_asked_again_about_more(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shown(system)
    spoil(system, *SOME, amount=in_words)
    run_id = synced(capsys)[1]["run"]

    done = document(capsys, "approve", run_id, "--by", "Li")

    assert (done["state"], done["holes"], done["written"]) == ("approved", [], 2)
    assert all(shown(system)[number] != before[number] for number in SOME)
    code, done = synced(capsys)
    assert (code, done["state"], done["rejected"] > 0) == (4, "done", True)
    # One more is no news; another customer's are.
    spoil(system, "A3", amount=in_words)
    code, done = synced(capsys)
    assert (code, done["withheld"], done["holes"][0]["customers"]) == (8, 1, 1)


def test_a_run_that_was_approved_once_is_not_approved_again(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(system, *SOME, amount=in_words)
    run_id = synced(capsys)[1]["run"]
    assert run("approve", run_id) == 4  # Rows do not fit, still.

    assert run("approve", run_id) == 1
    assert "does not wait" in capsys.readouterr().err


def test_a_mapping_that_loses_every_amount_writes_nobody(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    before = shown(system)
    spoil(system, amount=in_words)

    code, done = synced(capsys, "--full")

    assert (code, done["withheld"], done["written"], done["receivables"]) == (8, 9, 0, 0)
    assert shown(system) == before
    assert {row["number"]: row["rating"] for row in document(capsys, "list")["accounts"]}.keys() == before.keys()
    # Nothing of such a day is learnt about the portfolio: the mended day is like the day before.
    spoil(system, amount=lambda row: Decimal(str(row["amount"]).removesuffix(" USD")))
    code, done = synced(capsys)
    assert (code, done["written"], done["receivables"]) == (0, 0, 40)
    assert shown(system) == before


def test_rows_of_nobody_concern_everybody(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        first = next(iter(system.objects["invoices"].values()))
        system.put("invoices", f"n{number}", {**first, "id": f"n{number}", "number": "n", "account_id": None})

    code, done = synced(capsys)

    assert (code, done["holes"][0]["customers"], done["withheld"]) == (8, None, 10)


def test_few_that_do_not_fit_hold_nobody_back(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    for key in list(system.objects["invoices"])[:3]:
        system.put("invoices", key, {"amount": "1 USD"})

    code, done = synced(capsys)

    assert (code, done["holes"], done["withheld"], done["rejected"]) == (4, [], 0, 3)


def test_a_table_that_yields_none_any_more_holds_back_who_had_rows_in_it(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts = sorted({row["account_id"] for row in system.objects["invoices"].values()})
    for number in range(6):
        claim = next(row for row in system.objects["invoices"].values() if row["account_id"] == accounts[number])
        values = {"account_id": accounts[number], "paid_on": "2025-01-15", "amount": Decimal("50.00")}
        values["applied"] = [{"invoice_id": claim["id"], "amount": Decimal("50.00")}]
        system.put("payments", f"p{number}", {"id": f"p{number}", **values})
    code, done = synced(capsys)
    assert (code, done["payments"]) == (0, 6)
    before = shown(system)

    # A release of the system calls them otherwise.
    for key, row in list(system.objects["payments"].items()):
        system.put("payments", key, {"lines": row["applied"], "applied": []})
    code, done = synced(capsys)

    assert code == 8
    assert [(hole["cause"], hole["table"], hole["customers"]) for hole in done["holes"]] == [("gone", "allocations", 6)]
    assert shown(system) == before
    assert document(capsys, "approve", done["run"])["state"] == "approved"
    assert synced(capsys)[0] == 0


def test_what_is_lost_from_sight_is_released_by_accepting_the_source_alone(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = hide(system, "invoices", 20)
    owners = {row["account_id"] for row in hidden.values()}
    code, done = synced(capsys, "--full")
    assert (code, done["withheld"], done["holes"][0]["cause"]) == (8, len(owners), "lost")

    assert run("approve", done["run"]) == 1
    assert "zixin accept" in capsys.readouterr().err
    assert run("accept", "invoices", "--by", "Li") == 0
    code, done = synced(capsys)

    # What was accepted does not come back as rows that are gone.
    assert (code, done["holes"], done["receivables"]) == (0, [], 20)


def test_the_first_read_of_all_writes_nobody_whose_rows_do_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served("rest", FORTY, tmp_path) as up:
        system: System = up.made.application.state.system
        spoil(system, *SOME, amount=in_words)
        assert run("connect", "rest", "--settings", str(up.file)) == 0
        assert run("fields", "apply") == 0

        code, done = synced(capsys)

        assert (code, done["written"], done["withheld"]) == (8, 8, 2)
        written = {number for number, fields in shown(system).items() if fields.get("credit_rating")}
        assert written.isdisjoint(SOME)
        assert len(written) == 7
