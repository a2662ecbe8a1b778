"""The door as its callers meet it: acknowledged means committed, and nobody learns why he was refused more than that."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from adapters.common import standard_webhooks
from adapters.simulation.serving import serve_in_thread
from adapters.zoho import hook
from connector.errors import Misconfigured
from sync import inbox
from sync.store import Store
from tests.waiting import ANSWER_S
from zixin.services.intake import TOKEN_CALLS_AN_HOUR, Intake, Ready, WebhookRoute
from zixin.web.webhooks import MOST_BYTES, application

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Door:
    """A door that runs, and who rang."""

    def __init__(self, origin: str, store: Store) -> None:
        self.origin, self.store, self.woken = origin, store, 0

    def wake(self) -> None:
        self.woken += 1

    def post(self, body: bytes, headers: dict[str, str] | None = None, to: str = "sim") -> requests.Response:
        return requests.post(f"{self.origin}/hooks/{to}", data=body, headers=headers, timeout=ANSWER_S)

    def signed(self, key: str, **data: str) -> requests.Response:
        body, stamp = (
            json.dumps({"type": "payment.received", "data": data}).encode(),
            int(datetime.now(UTC).timestamp()),
        )
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(stamp),
            "webhook-signature": standard_webhooks.sign(SECRET, key, stamp, body),
        }
        return self.post(body, headers)

    def waiting(self) -> list[inbox.Waiting]:
        with self.store.read("sim") as session:
            return inbox.waiting_events(session, 2**60)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    store = Store(tmp_path / "zixin.db")
    writer = inbox.InboxWriter(store)
    result = Door("", store)
    routes = {"sim": WebhookRoute("sim", [SECRET], hook.verify), "own": WebhookRoute("own", [SECRET], None)}
    with serve_in_thread(
        application(Intake(routes, writer, result.wake), lambda: Ready(result.woken == 0, 0, 0, threads=True))
    ) as origin:
        result.origin = origin
        yield result
    writer.close()
    store.close()


def test_a_signed_event_is_committed_before_it_is_answered_and_once(door: Door) -> None:
    first, again = door.signed("m1", account="K1"), door.signed("m1", account="K1")

    assert (first.status_code, again.status_code) == (200, 200)
    assert [item.event.accounts for item in door.waiting()] == [("K1",)]
    assert door.woken == 1


def test_a_notification_with_a_bare_token_has_a_budget_beyond_which_it_waits(door: Door) -> None:
    def told(n: int) -> bytes:
        return json.dumps({"token": SECRET, "module": "Invoices", "ids": ["5"], "server_time": n}).encode()

    codes = {door.post(told(n)).status_code for n in range(TOKEN_CALLS_AN_HOUR + 2)}

    assert codes == {200}
    with door.store.read("sim") as session:
        now = round(datetime.now(UTC).timestamp() * 1_000_000)
        assert len(inbox.waiting_events(session, now)) == TOKEN_CALLS_AN_HOUR
        assert len(inbox.waiting_events(session, now + 3_601_000_000)) == TOKEN_CALLS_AN_HOUR + 2


@pytest.mark.parametrize(
    ("body", "headers", "to", "code"),
    [
        (b"{}", {}, "sim", 401),
        (b"{}", {"webhook-id": "x", "webhook-timestamp": "now"}, "sim", 401),
        (b"{}", {}, "own", 401),
        (b"{}", {}, "nobody", 401),
        (b"\xff\xfe", {}, "sim", 401),
        (b"x" * (MOST_BYTES + 1), {}, "sim", 413),
    ],
)
def test_what_cannot_be_trusted_is_refused_and_leaves_nothing(
    door: Door, body: bytes, headers: dict[str, str], to: str, code: int
) -> None:
    answer = door.post(body, headers, to)

    assert answer.status_code == code
    assert SECRET not in answer.text
    assert door.waiting() == []


def test_a_secret_in_the_path_stands_for_the_header_of_who_can_set_none(tmp_path: Path) -> None:
    from functools import partial

    from adapters.salesforce import hook as salesforce
    from tests.adapters.salesforce.test_org import ORG, outbound

    store = Store(tmp_path / "zixin.db")
    writer = inbox.InboxWriter(store)
    route = WebhookRoute("org", [SECRET], partial(salesforce.verify, organisation=ORG))
    with serve_in_thread(
        application(Intake({"org": route}, writer, lambda: None), lambda: Ready(True, 0, 0, True))
    ) as origin:
        good = requests.post(f"{origin}/hooks/org/{SECRET}", data=outbound(), timeout=ANSWER_S)
        bad = requests.post(f"{origin}/hooks/org/{SECRET}x", data=outbound(), timeout=ANSWER_S)
        none = requests.post(f"{origin}/hooks/org", data=outbound(), timeout=ANSWER_S)
    writer.close()
    with store.read("org") as session:
        waiting = inbox.waiting_events(session, 2**60)
    store.close()

    assert (good.status_code, bad.status_code, none.status_code) == (200, 401, 401)
    assert "<Ack>true</Ack>" in good.text
    assert [item.event.object for item in waiting] == ["Payment__c"]


def test_a_long_body_of_unknown_length_is_not_read_to_its_end(door: Door) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(2 * MOST_BYTES // 1024):
            yield b"x" * 1024

    assert requests.post(f"{door.origin}/hooks/sim", data=endless(), timeout=ANSWER_S).status_code == 413


def test_what_could_not_be_committed_is_not_acknowledged(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> Any:
        raise Misconfigured("E-STORE-FULL", path="x")

    monkeypatch.setattr(door.store, "write", full)

    answer = door.signed("m1", account="K1")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_health_and_readiness(door: Door) -> None:
    assert requests.get(f"{door.origin}/healthz", timeout=ANSWER_S).text == "ok\n"
    assert requests.get(f"{door.origin}/readyz", timeout=ANSWER_S).status_code == 200
    assert requests.get(f"{door.origin}/healthz?deep", timeout=ANSWER_S).json()["stalled_s"] == 0
    door.wake()
    assert requests.get(f"{door.origin}/readyz", timeout=ANSWER_S).status_code == 503
    assert requests.get(f"{door.origin}/hooks/sim", timeout=ANSWER_S).status_code == 405
