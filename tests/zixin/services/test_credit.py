"""The credit desk on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.story.house import TODAY, House
from tests.zixin.calls import run


def document(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert run(*words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_an_order_is_checked_with_reasons_and_ways_out(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    fits = document(capsys, "check", "A001", "100.50")
    over = document(capsys, "check", "A001", "1,000,000")

    assert (fits["answer"], fits["amount"], fits["limit"]) == ("needs_approval", "100.50", "5000.00")
    assert "stale" in [line["code"] for line in fits["reasons"]]
    assert over["answer"] == "block"
    assert "prepay" in [line["code"] for line in over["ways_out"]]
    assert run("check", "A001", "100", "--lang", "zh-CN") == 0
    assert "须审批" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("check", "NOBODY", "1"), 1, "no account NOBODY"),
        (("check", "A001", "-5"), 2, "No such option"),
        (("check", "A001", "0"), 1, "above 0"),
        (("check", "A001", "many"), 2, "is not an amount"),
        (("check", "A001", "5", "--currency", "CHF"), 1, "no rate from CHF into USD"),
        (("hold", "add", "A001", "--kind", "freeze", "--reason", "strategic_customer"), 2, "none of hold"),
        (("limit", "end", "L9"), 1, "in force or waits"),
    ],
)
def test_a_bad_call_says_what_to_try(
    rated: House, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, told: str
) -> None:
    assert run(*words) == code
    assert told in capsys.readouterr().err


def test_a_hold_is_added_counts_at_once_in_a_check_and_ends(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    result = document(capsys, "hold", "add", "A001", "--reason", "legal_advice", "--by", "ada")
    held = document(capsys, "check", "A001", "1")
    listed = document(capsys, "hold", "list", "A001")["decisions"]

    assert result["waits_for"] == []
    assert held["answer"] == "block"
    assert any("held: block (legal advice)" in line["en"] for line in held["reasons"])
    assert [(row["state"], row["by"], row["number"]) for row in listed] == [("in_force", "ada", "A001")]
    assert run("hold", "end", result["id"], "--by", "bob") == 0
    assert document(capsys, "check", "A001", "1")["answer"] != "block"
    assert document(capsys, "hold", "list")["decisions"][0]["state"] == "over"


def test_a_limit_above_the_policy_s_waits_for_another_person(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("limit", "add", "A002", "250000", "--reason", "security_given")
    result = document(capsys, *words, "--by", "ada")

    assert result["waits_for"] == ["limit"]
    assert run("limit", "approve", result["id"], "--by", "ada") == 1
    assert "somebody else" in capsys.readouterr().err
    assert run("limit", "approve", result["id"], "--by", "bob") == 0
    assert document(capsys, "check", "A002", "1")["limit"] == "250000.00"
    small = document(
        capsys,
        "limit",
        "add",
        "A002",
        "900",
        "--reason",
        "security_given",
        "--kind",
        "temporary",
        "--until",
        "2025-08-01",
    )
    assert small["waits_for"] == []
    assert document(capsys, "check", "A002", "1")["limit"] == "250900.00"
    assert run("limit", "list", "A002") == 0
    assert "900.00 USD" in capsys.readouterr().out


def test_an_override_that_waits_is_listed_and_rejected(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    rating = document(capsys, "check", "A004", "1")["rating"]
    order = ["AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C"]
    better = order[order.index(rating) - 1]
    result = document(capsys, "override", "add", "A004", better, "--reason", "data_correction", "--until", "2025-08-01")

    assert result["waits_for"] == ["upgrade"]
    assert document(capsys, "override", "list", "A004")["decisions"][0]["state"] == "waits"
    assert document(capsys, "check", "A004", "1")["rating"] == rating
    assert run("override", "end", result["id"]) == 0
    assert document(capsys, "override", "list", "A004")["decisions"] == []
    assert run("override", "approve", "A004", "--by", "bob") == 1


def test_a_flag_is_seen_and_something_is_done_about_it(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    up = document(capsys, "flags", "list", "A004")["flags"]
    assert {row["code"] for row in up} >= {"OVERDUE_30", "SLOWING"}
    assert all(row["acknowledged_by"] is None and row["measure_en"] for row in up)

    assert run("flags", "ack", "A004", "SLOWING", "--by", "ada", "--note", "knows") == 0
    result = document(capsys, "actions", "add", "A004", "call", "--flag", "SLOWING", "--owner", "bob")
    assert result["due"] == "2025-07-03"
    rated.sync(as_of="2025-07-05")
    seen = {row["code"]: row for row in document(capsys, "flags", "list", "A004")["flags"]}
    assert (seen["SLOWING"]["acknowledged_by"], seen["SLOWING"]["raised_on"]) == ("ada", "2025-06-30")
    assert document(capsys, "actions", "list")["actions"][0]["late"] is True

    assert run("actions", "done", result["id"], "--outcome", "pays on Friday") == 0
    # Finished, and in sight with its end.
    (finished,) = document(capsys, "actions", "list")["actions"]
    assert (finished["done_on"] is not None, finished["outcome"], finished["late"]) == (True, "pays on Friday", False)
    assert document(capsys, "actions", "list", "--all")["actions"][0]["outcome"] == "pays on Friday"
    assert run("actions", "done", result["id"], "--outcome", "again") == 1
    assert run("flags", "ack", "A004", "INSOLVENT") == 1
    assert run("flags", "list", "--lang", "zh-CN") == run("actions", "list", "--all") == 0
    assert "bob" in capsys.readouterr().out


def test_a_flag_that_falls_and_comes_again_has_a_new_life(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    number = "A004"
    before = {row["code"] for row in document(capsys, "flags", "list", number)["flags"]}
    for claim in rated.sim.org.modules["Invoices"].records.values():
        if claim["Account_Name"]["name"] == number:
            rated.sim.org.change("Invoices", claim["id"], {"Voided_On": "2025-06-30", "Status": "Cancelled"})
    rated.sync(as_of="2025-07-01")

    after = {row["code"] for row in document(capsys, "flags", "list", number)["flags"]}
    lives = document(capsys, "flags", "list", number, "--all")["flags"]
    gone = before - after
    assert gone
    assert {row["code"] for row in lives if row["cleared_on"] == "2025-07-01"} == gone


def test_what_if_shows_now_and_then(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    match = document(capsys, "what-if", "A004", "material_overdue_days=95", "utilisation=0.5")

    assert match["now"] != match["then"]
    assert "OVERDUE_90" in match["then"]["flags"]
    assert run("what-if", "A004", "material_overdue_days=95") == 0
    assert run("what-if", "A004", "utilisation") == 2
    assert run("what-if", "A004", "charm=1") == 1
    assert "no feature charm" in capsys.readouterr().err


def test_an_explanation_names_main_reasons_and_what_would_lift_the_rating(
    rated: House, capsys: pytest.CaptureFixture[str]
) -> None:
    match = document(capsys, "explain", "A004")

    assert 1 <= len(match["reasons"]) <= 3
    assert match["rise"]["rating"] == match["rating"]
    assert match["limit"]["terms"][0]["method"] == "needs"
    assert run("explain", "A004", "--lang", "zh-CN") == 0
    assert "6. " in capsys.readouterr().out


@pytest.mark.parametrize(("language", "words"), [("en", "What is open, by age"), ("zh-CN", "账龄")])
def test_a_report_is_one_page_without_anything_from_elsewhere(
    rated: House, capsys: pytest.CaptureFixture[str], tmp_path: Path, language: str, words: str
) -> None:
    rated.sync(as_of="2025-07-05")
    rated.sim.org.change("Accounts", rated.account("A004")["id"], {"Account_Name": "<script>alert(1)</script>"})
    rated.sync(as_of="2025-07-06")
    assert run("hold", "add", "A004", "--reason", "legal_advice", "--by", "ada") == 0
    file = tmp_path / "page.html"

    assert run("report", "A004", "--out", str(file), "--lang", language) == 0

    page = file.read_text(encoding="utf-8")
    assert words in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page
    for expected in ("OVERDUE_30", "<svg", "<path", "ada"):
        assert expected in page
    assert file.stat().st_mode & 0o077 == 0


def test_an_earlier_day_is_told_in_todays_words(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "A004", "--as-of", TODAY) == 0
    assert "that day's figures, in today's words" in capsys.readouterr().out
    assert run("explain", "A004") == 0
    assert "today's words" not in capsys.readouterr().out


def test_a_decision_shows_in_the_list_at_once_and_the_worst_grade_stands_first(
    rated: House, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {row["number"]: row for row in document(capsys, "list")["accounts"]}
    good = max(before, key=lambda number: before[number]["score"] or 0)
    assert before[good]["rating"] not in ("D", "NR")
    assert run("override", "add", good, "D", "--reason", "legal_advice", "--until", "2025-08-01", "--by", "ada") == 0

    rows = document(capsys, "list")["accounts"]

    assert (rows[0]["rating"], {row["number"] for row in rows if row["rating"] == "D"} >= {good}) == ("D", True)
    order = ["D", "C", "CC", "CCC", "B", "BB", "BBB", "A", "AA", "AAA", "NR"]
    places = [order.index(row["rating"]) for row in rows]
    assert places == sorted(places)
    # Nobody else moved, and nothing is stored of it before the next sync.
    assert {row["number"]: row["rating"] for row in rows} == {
        **{number: row["rating"] for number, row in before.items()}, good: "D"
    }  # fmt: skip
    assert run("list", "--rating", "D") == 0
    told = capsys.readouterr().out
    assert "D*" in told
    assert "decided since it was assessed" in told
    rated.sync()
    assert run("list", "--rating", "D") == 0
    assert "D*" not in capsys.readouterr().out


def test_what_was_noted_about_a_flag_stays_in_sight(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    flag = document(capsys, "flags", "list", "A004")["flags"][0]
    assert run("flags", "ack", "A004", flag["code"], "--note", "pays on Friday", "--by", "ada") == 0
    assert run("flags", "list", "A004") == 0
    assert "seen by ada: pays on Friday" in capsys.readouterr().out
