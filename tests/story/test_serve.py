"""Live: a change in the CRM reaches its account's fields through the door, the inbox, the drain and the push."""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from adapters import webhooks
from adapters.serving import running
from adapters.zoho.simulator.org import Org
from app.compose import House as Opened
from app.logs import JsonLines
from app.serve import Serving, seconds_until
from tests.connector.scoring.books import POLICY
from tests.story.house import House
from tests.story.test_drain import live, of, pay

__all__ = ["live"]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@contextmanager
def served(house: House, *, subscribed: bool = True, **how: Any) -> Iterator[tuple[Serving, str]]:
    opened = Opened(house.store, house.link, POLICY, "en", (SECRET,))
    made = Serving("default", opened, **how)
    app = made.start()
    try:
        with running(app) as origin:
            if subscribed:
                made.public_url = origin
                assert made.renew() > 86_400
            yield made, origin
    finally:
        made.stop()


def until(condition: Any, seconds: float = 10) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_payment_shows_on_the_account_within_seconds_and_our_own_write_is_no_news(live: House) -> None:
    with served(live) as (made, origin):
        pay(live, "A004")
        assert until(lambda: live.account("A004")["Credit_Overdue_Since"] is None)
        # Writing it back was told to us, too, and changed nothing: it settles.
        assert until(lambda: made.ready()["waiting"] == 0)
        writes = live.sim.org.calls["write"]
        time.sleep(0.5)
        assert live.sim.org.calls["write"] == writes
        assert requests.get(f"{origin}/readyz", timeout=5).json() == {
            "ready": True, "waiting": 0, "dead": 0, "threads": True,
        }  # fmt: skip


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
    with served(live) as (made, _):
        before = org.calls["write"]
        pay(live, "A004")
        assert until(lambda: live.account("A004")["Credit_Overdue_Since"] is None)
        for _turn in range(6):
            org.ahead_s += 600
            time.sleep(0.2)
        assert until(lambda: made.ready()["waiting"] == 0)
        assert (org.calls["write"] - before, "Last_Touched" in live.account("A004")) == (1, True)


def test_our_own_format_names_an_account_by_its_number(live: House) -> None:
    with served(live, subscribed=False) as (_, origin):
        pay(live, "A004")
        body, stamp = b'{"type":"payment.received","data":{"account":"A004"}}', int(datetime.now(UTC).timestamp())
        signature = webhooks.sign(SECRET, "m1", stamp, body)
        headers = {"webhook-id": "m1", "webhook-timestamp": str(stamp), "webhook-signature": signature}
        assert requests.post(f"{origin}/hooks/sim", data=body, headers=headers, timeout=5).status_code == 200
        assert until(lambda: live.account("A004")["Credit_Overdue_Since"] is None)


def test_where_nobody_can_reach_us_polling_does_the_same(live: House) -> None:
    with served(live, subscribed=False, poll_s=0.1):
        claim = of(live, "Invoices", "A003")[-1]
        live.sim.org.change("Invoices", claim["id"], {"Due_Date": "2025-01-15", "Original_Due_Date": "2025-01-15"})
        record = next(row for row in of(live, "Customer_Payments", "A003") if row["Invoice"]["id"] == claim["id"])
        live.sim.org.delete("Customer_Payments", record["id"])
        assert until(lambda: live.account("A003").get("Credit_Overdue_Since") == "2025-01-15")


def test_a_storm_does_not_end_the_service(live: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.serve._AFTER_PROBLEM_S", 0.1)
    with served(live, subscribed=False, poll_s=0.1) as (made, _):
        live.sim.control("faults", api="coql", status=503, times=12)
        pay(live, "A004")
        assert until(lambda: live.account("A004")["Credit_Overdue_Since"] is None, 20)
        assert made.ready()["ready"]


def test_while_paused_nothing_is_written_and_afterwards_what_waited_is(live: House) -> None:
    switch = live.store.path.parent / "paused"
    switch.touch()
    with served(live, subscribed=False, poll_s=0.1) as (made, _):
        pay(live, "A004")
        time.sleep(1)
        assert live.account("A004")["Credit_Overdue_Since"] == "2025-05-20"
        switch.unlink()
        made._push_again = 0.0
        # Nothing else has to happen.
        assert until(lambda: live.account("A004")["Credit_Overdue_Since"] is None)


def test_the_night_comes_at_its_hour() -> None:
    noon = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    assert seconds_until("12:30", noon) == 1_800
    assert seconds_until("12:00", noon) == 86_400
    assert seconds_until("02:00", noon) == 14 * 3_600


def test_the_night_runs_a_sync_and_forgets_old_events(
    live: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("app.serve.seconds_until", lambda *_: 0.0)
    made = Serving("default", Opened(live.store, live.link, POLICY, "en", (SECRET,)), nightly="02:00")
    pay(live, "A004")

    assert made._night() == 1.0

    assert live.account("A004")["Credit_Overdue_Since"] is None


def test_logs_say_what_happened_and_no_more() -> None:
    line = JsonLines().format(logging.makeLogRecord({"name": "zixin.serve", "msg": "closed %d", "args": (3,)}))
    other = JsonLines().format(logging.makeLogRecord({"name": "sqlalchemy", "msg": "values (%s)", "args": ("Ms Li",)}))

    assert json.loads(line)["message"] == "closed 3"
    assert "Ms Li" not in other
