"""A source of which a full read shows too little is not believed, and is listed until it is back or a person accepts."""

import json
from typing import Any

import pytest

from adapters.declarative.simulator.system import System
from tests.zixin.calls import document, run

#: Each costs a system of its own; the quick part has their like in test_holes and test_events.
pytestmark = pytest.mark.slow


def hide(system: System, name: str, most: int) -> dict[str, Any]:
    records = system.objects[name]
    hidden = {key: records.pop(key) for key in list(records)[most:]}
    assert len(hidden) > 3
    return hidden


def synced(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run("--json", "sync", *words)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("left", [0, 30])
def test_what_is_lost_is_listed_everywhere_until_it_is_back(
    system: System, left: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = len(system.objects["invoices"])
    hidden = hide(system, "invoices", left)

    code, done = synced(capsys, "--full")

    counts = {"stored": many, "shown": left, "missing": many - left}
    assert (code, done["receivables"], done["lost_from_sight"]) == (8, many, {"invoices": counts})
    # A sync that looks at changes only does not forget it.
    assert synced(capsys)[1]["lost_from_sight"] == {"invoices": counts}
    status = document(capsys, "status")
    assert [(row["source"], row["shown"]) for row in status["lost"]] == [("invoices", left)]
    checks = [row for row in document(capsys, "doctor")["checks"] if "out of sight" in row["en"]]
    assert {row["what"] for row in checks} == {"runs"}

    system.objects["invoices"].update(hidden)
    monkeypatch.setattr("sync.store.sight._AGAIN", 0)
    assert synced(capsys)[1]["lost_from_sight"] == {}
    assert document(capsys, "status")["lost"] == []


def test_a_person_accepts_the_count_and_it_holds_until_it_changes(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    many = len(system.objects["invoices"])
    hide(system, "invoices", 30)
    synced(capsys, "--full")

    assert run("accept", "invoices", "--by", "Li") == 0
    assert "30 of" in capsys.readouterr().out
    # The system is alive: there is one more by the time that it is read.
    first = next(iter(system.objects["invoices"].values()))
    system.put("invoices", "i9999999", {**first, "id": "i9999999", "number": "new"})
    code, done = synced(capsys)

    assert (code, done["receivables"], done["lost_from_sight"]) == (0, 31, {})
    assert many > 31
    hide(system, "invoices", 20)
    assert synced(capsys, "--full")[1]["lost_from_sight"]["invoices"]["missing"] == 11
    assert synced(capsys)[1]["receivables"] == 31


def test_a_read_that_told_wrong_of_itself_begins_anew(
    system: System, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.taking.RECORDS_A_TRANSACTION", 10)
    system.most = 10
    system.lies.order({"kind": "empty_object", "skip": 3})

    assert run("sync", "--full") != 0
    assert "without its records" in capsys.readouterr().err
    code, done = synced(capsys, "--full")

    assert (code, done["receivables"], done["lost_from_sight"]) == (0, 40, {})
    assert all(row["agrees"] for row in done["reconciled"])


def test_the_few_records_of_a_small_source_do_not_vanish_all_at_once(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in list(system.objects["invoices"])[2:]:
        system.drop("invoices", key)
    assert synced(capsys)[1]["receivables"] == 2
    system.objects["invoices"].clear()

    code, done = synced(capsys, "--full")

    assert (code, done["receivables"], done["lost_from_sight"]["invoices"]["missing"]) == (8, 2, 2)


def test_an_acceptance_is_of_those_records_and_of_no_others(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    hidden = hide(system, "invoices", 30)
    synced(capsys, "--full")
    assert run("accept", "invoices", "--by", "Li") == 0
    # Those are back, as many others are hidden, and one more of what was accepted stays away.
    away = next(iter(hidden))
    kept = dict(list(system.objects["invoices"].items())[10:])
    system.objects["invoices"] = {**kept, **{key: row for key, row in hidden.items() if key != away}}

    code, done = synced(capsys)

    assert (code, done["receivables"]) == (8, 39)
    assert done["lost_from_sight"]["invoices"] == {"stored": 39, "shown": 29, "missing": 10}


def test_an_acceptance_does_not_let_an_empty_list_close_the_rest(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    hide(system, "invoices", 3)
    synced(capsys, "--full")
    assert run("accept", "invoices", "--by", "Li") == 0
    system.objects["invoices"].clear()

    code, done = synced(capsys)

    assert (code, done["receivables"], done["lost_from_sight"]["invoices"]["missing"]) == (8, 3, 3)


def test_nothing_to_accept_says_what_there_is(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    hide(system, "invoices", 30)
    synced(capsys, "--full")

    assert run("accept", "payments") == 1
    message = capsys.readouterr().err
    assert "Nothing of the source payments is out of sight" in message
    assert "invoices" in message
