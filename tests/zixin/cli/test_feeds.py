"""An admin attaches an ERP and a folder beside the CRM, looks at what they bring, and takes one away again."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.connector.scoring.books import books, invoice
from tests.zixin.calls import Served, document, run, served

WHOLE = books(
    [invoice(f"I{n}", 100_00 + n, "2025-01-01", "2025-01-31", f"A{n % 9}") for n in range(40)],
    [(f"P{n}", f"I{n}", "2025-02-05", 100_00 + n) for n in range(40)],
)


@dataclass
class Place:
    crm: Served
    erp: Served
    folder: Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Zoho with the accounts, ERPNext with everything, a folder of judgements; nothing is connected yet."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    facts = tmp_path / "facts"
    facts.mkdir()
    day = (datetime.now(UTC).date() - timedelta(days=30)).isoformat()
    (facts / "evidence.csv").write_text(
        f"evidence_id,account_id,kind,observed_on,value\nE1,A2,legal,{day},bankruptcy\nE2,Z9,legal,{day},sued\n"
    )
    for name in ("zoho", "erp"):
        (tmp_path / name).mkdir()
    with ExitStack() as ends:
        crm = ends.enter_context(served("zoho", {"accounts": WHOLE["accounts"]}, tmp_path / "zoho"))
        erp = ends.enter_context(served("erpnext", WHOLE, tmp_path / "erp"))
        yield Place(crm, erp, facts)


def attach(place: Place, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """CRM, ERP and folder, as docs/sources.md has it; what connecting them said, by name."""
    folder = place.folder.parent / "folder.yaml"
    folder.write_text(json.dumps({"path": str(place.folder)}))
    folder.chmod(0o600)
    said = {"zoho": document(capsys, "connect", "zoho", "--settings", str(place.crm.file))}
    erp = ("connect", "erpnext", "--as", "erp", "--feeds", "zoho", "--settings", str(place.erp.file))
    said["erp"] = document(capsys, *erp, "--number", "Account_Number")
    said["files"] = document(
        capsys, "connect", "folder", "--as", "files", "--feeds", "zoho", "--settings", str(folder),
        "--number", "Account_Number",
    )  # fmt: skip
    assert run("fields", "apply") == 0
    capsys.readouterr()
    return said


def test_from_three_systems_to_ratings(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    said = attach(place, capsys)
    words = "\n".join(line["en"] for line in said["erp"]["lines"])
    assert "accounts say the customer's number in Account_Number" in words
    assert "are read from erp from now on, no longer from zoho" in words
    assert "brings profiles, limits, receivables" in words

    assert run("map", "check") == 0, capsys.readouterr().out
    out = capsys.readouterr().out
    assert "erp.invoices 40" in out
    done = document(capsys, "sync")
    assert (done["accounts"], done["receivables"], done["rejected"], done["away"]) == (10, 40, 0, {})
    # A court's notice about somebody whom no account names is told, and is no fault.
    assert done["strangers"] == {"files.evidence": {"rows": 1, "customers": 1}}
    assert done["left_out"]["tables"]
    match = document(capsys, "explain", "A2")
    assert (match["rating"], match["same"]) == ("D", True)
    assert {each["source"] for each in match["facts"]["settled"]} == {"erp.invoices"}
    assert {each["source"] for each in match["sources"]} >= {"accounts", "erp.invoices", "files.evidence"}
    status = document(capsys, "status")
    assert [each["feed"] for each in status["feeds"]] == ["erp", "files"]
    assert all(each["read_at"] and not each["away_since"] for each in status["feeds"])
    assert run("doctor") in (0, 1)
    assert "10 accounts have facts of it; 10 say a number" in capsys.readouterr().out


def test_a_feed_is_taken_away_with_its_facts_and_says_first_what_that_changes(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    attach(place, capsys)
    assert run("sync") == 0, capsys.readouterr()
    capsys.readouterr()
    assert document(capsys, "explain", "A2")["rating"] == "D"

    assert run("disconnect", "files", "--no-input") == 0
    out = capsys.readouterr().out
    assert "files brought 1 evidence, of 1 customers" in out
    assert "moves 1 of 10 customers" in out
    assert "nothing was changed" in out
    assert document(capsys, "explain", "A2")["rating"] == "D"

    assert run("disconnect", "files", "--yes", "--no-input") == 0
    capsys.readouterr()
    done = document(capsys, "sync")
    assert (done["state"], done["strangers"]) == ("done", {})
    assert document(capsys, "explain", "A2")["rating"] != "D"
    assert [each["feed"] for each in document(capsys, "status")["feeds"]] == ["erp"]
    # Once more there is nothing to take away.
    assert run("disconnect", "files", "--yes", "--no-input") == 1
    assert run("disconnect", "zoho", "--yes", "--no-input") == 1


def test_a_feed_needs_a_crm_and_a_name_of_its_own(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("connect", "erpnext", "--feeds", "zoho", "--settings", str(place.erp.file))
    assert run(*words) == 1
    assert "connect the CRM first" in capsys.readouterr().err
    run("connect", "zoho", "--settings", str(place.crm.file))
    assert run(*words, "--as", "zoho") == 1
    assert run(*words, "--as", "Our ERP") == 1
    assert run(*words, "--as", "erp", "--tables", "evidence") == 1
    assert "evidence" in capsys.readouterr().err
    assert run(*words, "--as", "erp") == 0
    # The CRM is connected again: what feeds it stays.
    assert run("connect", "zoho", "--settings", str(place.crm.file)) == 0
    assert run("hooks", "secret", "new", "--of", "erp") == 0
