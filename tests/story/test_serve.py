"""Live: a change in the CRM reaches its account's fields through the door, the inbox, the drain and the push."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from adapters.common import standard_webhooks
from adapters.zoho.simulator.org import Org
from sync import inbox
from sync.store import outbox
from tests.connector.scoring.books import POLICY
from tests.story.events import of, pay
from tests.story.house import House
from tests.story.serving import SECRET, served
from tests.waiting import ANSWER_S, wait_for
from zixin.compose import Workspace as Opened
from zixin.logs import JsonLines
from zixin.services.loops import Serving, seconds_until


def overdue_since(house: House, number: str, day: str | None) -> None:
    """Wait until the account shows that day."""
    wait_for(
        f"Credit_Overdue_Since of {number} to be {day}",
        lambda: house.account(number).get("Credit_Overdue_Since"),
        lambda seen: seen == day,
    )


def settled(house: House) -> None:
    """Wait until nothing is on its way: no notification, no event, no write.

    Each move is counted once it is done. Two looks with the same counts had no move between them, and what they saw one
    after the other was true at once.
    """
    looks: list[dict[str, Any]] = [{}]

    def look() -> dict[str, Any]:
        notified = list(house.sim.org.notified.values())
        with house.store.read("sim") as session:
            seen = {**inbox.count_by_state(session), "to write": outbox.pending(session)}
        seen |= {"notified": len(notified), "on their way": notified.count(None), "lost": notified.count(0)}
        seen |= {"writes": house.sim.org.calls.get("write", 0)}
        looks.append(seen)
        return seen

    def still(seen: dict[str, Any]) -> bool:
        return seen == looks[-2] and not (seen["waiting"] or seen["to write"] or seen["on their way"])

    wait_for("all that was changed to be told, scored and written", look, still, pause_s=0.1)


def test_a_payment_shows_on_the_account_within_seconds_and_our_own_write_is_no_news(live: House) -> None:
    with served(live) as (_, origin):
        writes = live.sim.org.calls["write"]
        pay(live, "A004")
        overdue_since(live, "A004", None)
        # Writing it back was told to us, too, and changed nothing: it settles.
        settled(live)
        assert live.sim.org.calls["write"] == writes + 1
        assert requests.get(f"{origin}/readyz", timeout=ANSWER_S).json() == {
            "ready": True,
            "waiting": 0,
            "dead": 0,
            "threads": True,
            "stalled_s": 0.0,
        }


def test_a_workflow_that_touches_what_we_write_and_tells_us_ends_after_one_write(
    live: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MinnPost/object-sync-for-salesforce #445: each write fired the hook that caused the next one."""
    org = live.sim.org
    plain = Org.change

    def touching(self: Org, module: str, record: str, values: Mapping[str, Any]) -> None:
        plain(self, module, record, values)
        if module == "Accounts":
            plain(self, module, record, {"Last_Touched": self.stamp()})

    monkeypatch.setattr(Org, "change", touching)
    with served(live):
        before = org.calls["write"]
        pay(live, "A004")
        overdue_since(live, "A004", None)
        settled(live)
        # A repetition of the touch itself, minutes later by the CRM's clock, is no news either.
        for _turn in range(3):
            org.ahead_s += 600
            touching(org, "Accounts", live.account("A004")["id"], {})
            settled(live)
        assert (org.calls["write"] - before, "Last_Touched" in live.account("A004")) == (1, True)


def test_our_own_format_names_an_account_by_its_number(live: House) -> None:
    with served(live, subscribed=False) as (_, origin):
        pay(live, "A004")
        body, stamp = b'{"type":"payment.received","data":{"account":"A004"}}', int(datetime.now(UTC).timestamp())
        signature = standard_webhooks.sign(SECRET, "m1", stamp, body)
        headers = {"webhook-id": "m1", "webhook-timestamp": str(stamp), "webhook-signature": signature}
        assert requests.post(f"{origin}/hooks/sim", data=body, headers=headers, timeout=ANSWER_S).status_code == 200
        overdue_since(live, "A004", None)


def test_where_nobody_can_reach_us_polling_does_the_same(live: House) -> None:
    with served(live, subscribed=False, poll_s=0.1):
        claim = of(live, "Invoices", "A003")[-1]
        live.sim.org.change("Invoices", claim["id"], {"Due_Date": "2025-01-15", "Original_Due_Date": "2025-01-15"})
        record = next(row for row in of(live, "Customer_Payments", "A003") if row["Invoice"]["id"] == claim["id"])
        live.sim.org.delete("Customer_Payments", record["id"])
        overdue_since(live, "A003", "2025-01-15")


def test_a_storm_does_not_end_the_service(live: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zixin.services.loops._AFTER_PROBLEM_S", 0.1)
    with served(live, subscribed=False, poll_s=0.1) as (serving, _):
        live.sim.control("faults", api="coql", status=503, times=12)
        pay(live, "A004")
        overdue_since(live, "A004", None)
        assert serving.ready().ready


def test_while_paused_nothing_is_written_and_afterwards_what_waited_is(
    live: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "zixin.serve")
    monkeypatch.setattr("zixin.services.loops._IDLE_S", 0.1)
    switch = live.store.path.parent / "paused"
    switch.touch()
    with served(live, subscribed=False, poll_s=0.1) as (serving, _):
        pay(live, "A004")
        # Said after the push, which is where the switch counts.
        wait_for(
            "a poll that scored",
            lambda: caplog.messages,
            lambda seen: any("scored 1, written 0" in line for line in seen),
        )
        assert live.account("A004")["Credit_Overdue_Since"] == "2025-05-20"
        switch.unlink()
        serving._push_again = 0.0
        # Nothing else has to happen.
        overdue_since(live, "A004", None)


def test_an_error_that_nobody_foresaw_leaves_its_trace_and_no_values(
    live: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise KeyError("Ms Li")

    monkeypatch.setattr("zixin.services.loops.drain", breaks)
    monkeypatch.setattr("zixin.services.loops._AFTER_PROBLEM_S", 0.05)
    with served(live, subscribed=False) as (serving, _):
        messages = wait_for("the error", lambda: [line for line in caplog.messages if "KeyError" in line])
        assert serving.ready().ready

    assert "test_serve.py:" in messages[0]
    assert "breaks, loops.py:" in messages[0]
    assert "Ms Li" not in caplog.text


def test_the_night_comes_at_its_hour() -> None:
    noon = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    assert seconds_until("12:30", noon) == 1_800
    assert seconds_until("12:00", noon) == 86_400
    assert seconds_until("02:00", noon) == 14 * 3_600


def test_the_night_runs_a_sync_and_forgets_old_events(
    live: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("zixin.services.loops.seconds_until", lambda *_: 0.0)
    serving = Serving("default", Opened(live.store, live.link, POLICY, "en", (SECRET,)), nightly="02:00")
    pay(live, "A004")

    assert serving._night() == 1.0

    assert live.account("A004")["Credit_Overdue_Since"] is None


def test_logs_say_what_happened_and_no_more() -> None:
    line = JsonLines().format(logging.makeLogRecord({"name": "zixin.serve", "msg": "closed %d", "args": (3,)}))
    other = JsonLines().format(logging.makeLogRecord({"name": "sqlalchemy", "msg": "values (%s)", "args": ("Ms Li",)}))

    assert json.loads(line)["message"] == "closed 3"
    assert "Ms Li" not in other
