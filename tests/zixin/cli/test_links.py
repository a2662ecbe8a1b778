"""Three accounts in two systems are one customer: two in the CRM, one in the books, and one of them is blacklisted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.connector.scoring.books import books, invoice, table
from tests.zixin.calls import Served, document, run, served

#: In the books customers are called K1 to K4.
BOOKS = books(
    [invoice(f"I{n}", 1000_00 + n, "2026-09-01", "2026-10-01", f"K{n % 4 + 1}") for n in range(40)],
    [(f"P{n}", f"I{n}", "2026-09-28", 1000_00 + n) for n in range(32)],
    account="K1",
)
BOOKS["accounts"] = BOOKS["accounts"].with_columns(
    pl.when(pl.col("account_id") == "K3").then(pl.lit("DE 129 273 398")).alias("tax_id")
)
ACCOUNTS = (
    ("north", "K1", "Nordwind GmbH", "DE136695976"),
    ("north2", "K1", "Nordwind", None),
    ("south", "K2", "Südwind AG", None),
    # In the books K3 bears that tax id; nobody says its number.
    ("east", None, "Ostwind", "DE129273398"),
    ("east2", None, "Ostwind (Hamburg)", None),
    ("south2", None, "SUEDWIND AG", None),
    ("west", None, "上海宏盛科技有限公司", None),
    ("west2", None, "上海市宏盛科技有限責任公司", None),
    ("west3", None, "宏盛科技（上海）有限公司", None),
)


#: The tax id of another company.
OTHER_ID = "DE811907980"


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> Iterator[Served]:
    """A CRM and an ERP beside it, connected and synced."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    names = ("account_id", "number", "name", "tax_id")
    rows: list[dict[str, object]] = [dict(zip(names, row, strict=True)) for row in ACCOUNTS]
    for row in rows:
        row |= getattr(request, "param", {}).get(row["account_id"], {})
    crm_accounts = table("accounts", *rows)
    with ExitStack() as ends:
        for name in ("zoho", "erp"):
            (tmp_path / name).mkdir()
        crm = ends.enter_context(served("zoho", {"accounts": crm_accounts}, tmp_path / "zoho"))
        erp = ends.enter_context(served("erpnext", BOOKS, tmp_path / "erp"))
        document(capsys, "connect", "zoho", "--settings", str(crm.file))
        document(
            capsys, "connect", "erpnext", "--as", "erp", "--feeds", "zoho", "--settings", str(erp.file),
            "--number", "Account_Number",
        )  # fmt: skip
        assert run("fields", "apply") == 0
        assert document(capsys, "sync")["state"] == "done"
        yield crm


def listing(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    capsys.readouterr()
    assert run("list", *words) == 0
    return capsys.readouterr().out.splitlines()


def standing(capsys: pytest.CaptureFixture[str], account: str) -> dict[str, Any]:
    told: dict[str, Any] = document(capsys, "explain", account)
    return {**told, "exposure": told["limit"]["exposure"]}


def test_one_number_is_one_customer_and_the_strictest_hold_wins(
    place: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    north, second, south = (standing(capsys, name) for name in ("Nordwind GmbH", "Nordwind", "Südwind AG"))
    assert north["exposure"] == second["exposure"] != "0.00"
    assert (north["rating"], north["hold"]) == (second["rating"], second["hold"])
    assert "one customer together with" in north["reasons"][0]["en"]
    assert "与" in second["reasons"][0]["zh"]
    assert not any("one customer" in line["en"] for line in south["reasons"])

    reason = ("--reason", "legal_advice")
    assert run("hold", "add", "Nordwind", "--kind", "blacklist", *reason) == 0, capsys.readouterr()
    capsys.readouterr()
    assert document(capsys, "sync")["state"] == "done"
    assert [standing(capsys, name)["hold"] for name in ("Nordwind GmbH", "Nordwind")] == ["block", "block"]
    assert standing(capsys, "Südwind AG")["hold"] != "block"

    listed = document(capsys, "links", "list")
    assert [(row["name"], row["by"]) for row in listed["rows"]] == [
        ("Nordwind GmbH", "field"), ("Nordwind", "field"),
    ]  # fmt: skip
    assert run("links", "list") == 0
    assert "same number elsewhere" in capsys.readouterr().out
    # Whoever adds up a list takes one row a customer.
    rows = [line.split(",") for line in listing(capsys, "--csv")]
    assert len({line[-1] for line in rows if "Nordwind" in line[1]}) == 1
    assert sum("=2 accounts" in line for line in listing(capsys)) == 2


@pytest.mark.slow
def test_unlinking_gives_each_its_own_facts_back_and_says_so_first(
    place: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("hold", "add", "Nordwind", "--kind", "blacklist", "--reason", "legal_advice") == 0
    document(capsys, "sync")
    before = standing(capsys, "Nordwind GmbH")["exposure"]
    assert run("links", "remove", "Nordwind", "--no-input") == 0
    out = capsys.readouterr().out
    assert "hold block → approve" in out
    assert "nothing was changed: zixin links remove Nordwind --yes" in out
    assert standing(capsys, "Nordwind GmbH")["hold"] == "block"

    assert document(capsys, "links", "remove", "Nordwind", "--yes")["done"] is True
    assert document(capsys, "sync")["state"] == "done"
    # The number's facts stay with the account that said it first.
    assert [standing(capsys, name)["exposure"] for name in ("Nordwind GmbH", "Nordwind")] == [before, "0.00"]
    assert [standing(capsys, name)["hold"] for name in ("Nordwind GmbH", "Nordwind")] == ["approve", "block"]
    assert len(document(capsys, "links", "list")["alone"]) == 1


def test_a_person_joins_what_nothing_else_does(place: Served, capsys: pytest.CaptureFixture[str]) -> None:
    changes = document(capsys, "links", "add", "Ostwind", "Ostwind (Hamburg)")
    assert changes["done"] is False
    assert {each["name"] for each in changes["changes"]} == {"Ostwind", "Ostwind (Hamburg)"}
    assert run("links", "add", "Ostwind", "Ostwind (Hamburg)", "--yes", "--by", "amy", "--lang", "zh-CN") == 0
    assert "合为一个客户" in capsys.readouterr().out
    document(capsys, "sync")
    assert standing(capsys, "Ostwind")["exposure"] == standing(capsys, "Ostwind (Hamburg)")["exposure"]
    assert run("links", "add", "Ostwind", "Ostwind (Hamburg)", "--yes") != 0
    assert "one customer already" in capsys.readouterr().err
    assert run("links", "add", "Ostwind", "Ostwind", "--yes") != 0
    assert "the same account" in capsys.readouterr().err
    assert run("links", "remove", "Südwind AG", "--yes") != 0
    assert "has no other accounts" in capsys.readouterr().err


@pytest.mark.parametrize("place", [{"north2": {"tax_id": OTHER_ID}}], indirect=True)
def test_differing_tax_ids_veto_a_number_and_it_is_said(place: Served, capsys: pytest.CaptureFixture[str]) -> None:
    listed = document(capsys, "links", "list")
    assert listed["rows"] == []
    assert [each["number"] for each in listed["vetoed"]] == ["erp:K1"]
    assert run("links", "list") == 0
    assert "joins nobody" in capsys.readouterr().out


@pytest.mark.slow
def test_names_propose_and_a_person_says(place: Served, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = {frozenset((each["one_name"], each["other_name"])) for each in proposed(capsys)}
    south, west = ("Südwind AG", "SUEDWIND AG"), ("上海宏盛科技有限公司", "上海市宏盛科技有限責任公司")
    # Who is one customer already is none that could be, and a place in brackets makes another company.
    assert pairs == {frozenset(south), frozenset(west)}
    assert run("duplicates", "list") == 0
    assert "same name" in capsys.readouterr().out

    assert run("duplicates", "accept", *south, "--no-input") == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert document(capsys, "duplicates", "accept", *south, "--yes")["done"] is True
    assert run("duplicates", "reject", *west) == 0
    assert "are two customers" in capsys.readouterr().out
    assert proposed(capsys) == []
    assert run("duplicates", "list", "--lang", "zh-CN") == 0
    assert "没有疑似重复的客户" in capsys.readouterr().out
    assert run("duplicates", "reject", *south, "--yes") != 0
    assert "one customer already" in capsys.readouterr().err
    document(capsys, "sync")
    assert standing(capsys, south[0])["exposure"] == standing(capsys, south[1])["exposure"] != "0.00"
    # Who is joined after all is joined, and proposed again once he leaves.
    assert run("links", "add", *west, "--yes") == 0
    assert run("links", "remove", west[0], "--yes") == 0
    assert {each["one_name"] for each in proposed(capsys)} == set(west[:1])


def proposed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(capsys, "duplicates", "list")["duplicates"]
    return found


def test_a_name_that_several_bear_names_nobody(place: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("links", "add", "K1", "Ostwind") != 0
    assert "Several accounts are called K1" in capsys.readouterr().err


@pytest.mark.slow
def test_a_customer_of_the_books_is_tied_by_the_tax_id_and_by_a_person(
    place: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert standing(capsys, "Ostwind")["exposure"] != "0.00"
    hamburg = "Ostwind (Hamburg)"
    assert standing(capsys, hamburg)["exposure"] == "0.00"
    done = document(capsys, "sync")
    assert done["strangers"]["erp.invoices"]["customers"] == 1
    assert run("links", "add", hamburg, "erp:K4") == 0
    assert "erp:K4 is Ostwind (Hamburg); the next zixin sync reads its facts again" in capsys.readouterr().out
    assert document(capsys, "sync")["strangers"] == {}
    assert standing(capsys, hamburg)["exposure"] != "0.00"
    assert document(capsys, "links", "list")["tied"][0]["customer"] == "erp:K4"
    assert run("links", "add", hamburg, "erp:K4") != 0
    assert "already" in capsys.readouterr().err
    # A person's word stands above the number; and who bears the tax id of another account is one customer with it.
    assert run("links", "add", hamburg, "erp:K2") == 0
    assert run("links", "add", hamburg, "erp:K3") == 0
    document(capsys, "sync")
    assert standing(capsys, "Südwind AG")["exposure"] == "0.00"
    assert standing(capsys, "Ostwind")["exposure"] == standing(capsys, hamburg)["exposure"]
    for customer in ("erp:K2", "erp:K3"):
        assert run("links", "remove", customer) == 0
    capsys.readouterr()
    done = document(capsys, "sync")
    assert done["state"] == "done", done
    assert standing(capsys, "Ostwind")["exposure"] != "0.00"
    assert standing(capsys, "Südwind AG")["exposure"] != "0.00"
    assert standing(capsys, hamburg)["exposure"] not in ("0.00", standing(capsys, "Ostwind")["exposure"])
    assert run("links", "remove", "erp:K3") != 0


@pytest.mark.slow
@pytest.mark.parametrize("place", [{"south": {"number": "K3", "tax_id": OTHER_ID}}], indirect=True)
def test_a_number_is_no_tie_where_the_tax_ids_differ(place: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert standing(capsys, "Südwind AG")["exposure"] == "0.00"
    # By the tax id he is somebody else.
    assert standing(capsys, "Ostwind")["exposure"] != "0.00"
    run("doctor")
    assert "say one number and different tax ids" in capsys.readouterr().out
    assert run("links", "add", "Südwind AG", "erp:K3") == 0
    document(capsys, "sync")
    assert standing(capsys, "Südwind AG")["exposure"] != "0.00"
    run("doctor")
    assert "say one number and different tax ids" not in capsys.readouterr().out
