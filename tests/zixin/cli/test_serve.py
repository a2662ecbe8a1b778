"""What an operator types beside `serve`."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.ports import Event
from sync import inbox
from tests.story.house import House
from tests.zixin.calls import run
from zixin.config import connections
from zixin.services import status


def document(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run(*words, "--json") == code
    return json.loads(capsys.readouterr().out)


def test_status_says_when_it_last_worked_and_what_wants_a_person(
    rated: House, capsys: pytest.CaptureFixture[str]
) -> None:
    match = document(capsys, "status", code=0 if fresh(rated) else 1)
    assert (match["accounts"], match["newest_day"], match["dead_events"]) == (120, "2025-06-30", 0)

    later = status.of("default", datetime.now(UTC) + timedelta(days=400))
    assert any("no run has ended well" in line.en for line in later.wants)
    with rated.store.write("sim") as session:
        inbox.take_in(session, [Event("e1", "Invoices", ("1",))], 1)
        for _ in range(8):
            inbox.reschedule(session, [inbox.Waiting(Event("e1"), 1, 7)], "E-CRM-DOWN", 1)
    assert run("pause") == 0
    payload = document(capsys, "status", code=1)
    assert payload["paused"] is True
    assert any("given up" in line["en"] for line in payload["wants"])
    assert run("status", "--lang", "zh-CN") == 1
    assert "zixin resume" in capsys.readouterr().out


def fresh(rated: House) -> bool:
    return not status.of("default", datetime.now(UTC)).wants


def test_dead_events_are_listed_and_sent_again(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    with rated.store.write("sim") as session:
        inbox.take_in(session, [Event("e1", "Invoices", ("1",)), Event("e2", "Invoices", ("2",))], 1)
        inbox.reschedule(session, [inbox.Waiting(Event("e1"), 1, 7)], "E-CRM-DOWN", 1)

    dead = document(capsys, "hooks", "deliveries", "--state", "dead")["deliveries"]
    assert [(row["event_id"], row["cause"]) for row in dead] == [("e1", "E-CRM-DOWN")]
    assert run("hooks", "deliveries") == 0
    assert "e2" in capsys.readouterr().out
    assert document(capsys, "hooks", "resend")["resent"] == 1
    assert document(capsys, "hooks", "resend", "e1")["resent"] == 0
    assert run("hooks", "deliveries", "--state", "odd") == 2


def test_a_secret_is_new_or_rotated_and_shown_once(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    path = rated.store.path.parent / "connections.json"
    first = document(capsys, "hooks", "secret", "new")["secret"]
    second = document(capsys, "hooks", "secret", "rotate")["secret"]
    assert connections.first("default")[1].secrets == (second, first)
    third = document(capsys, "hooks", "secret", "new")["secret"]

    assert connections.first("default")[1].secrets == (third,)
    assert third not in path.read_text()
    assert len({first, second, third}) == 3
    assert len(third) <= 50
    assert path.stat().st_mode & 0o077 == 0
    assert run("serve", "--nightly", "25:00") == 2


def test_pausing_and_resuming(rated: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pause") == 0
    assert rated.sync(as_of="2025-07-02").pushed.deferred > 0
    assert run("resume") == run("resume") == 0
    assert "writes again" in capsys.readouterr().out
    assert rated.sync(as_of="2025-07-02").pushed.written > 0
