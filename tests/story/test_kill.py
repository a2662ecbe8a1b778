"""kill -9 of the service while signed events come in: none that was acknowledged is lost, and the end is the same."""

import json
import os
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from operator import le
from pathlib import Path
from typing import Any

import pytest
import requests

from adapters.common import standard_webhooks
from sync import inbox
from tests.story.events import of, pay
from tests.story.house import House
from tests.waiting import ANSWER_S, wait_for
from zixin.config import connections
from zixin.config.connections import ConnectionConfig

pytestmark = pytest.mark.apart

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Service:
    """`zixin serve` in a process of its own, on a profile beside the simulated CRM."""

    def __init__(self, house: House, home: Path) -> None:
        self.env = {**os.environ, "ZIXIN_HOME": str(home)}
        credentials = {
            "accounts_server": house.sim.origin,
            "api_domain": house.sim.origin,
            "client_id": house.sim.org.client_id,
            "client_secret": house.sim.org.client_secret,
            "refresh_token": house.sim.org.refresh_token,
        }
        fields = house.link.mapping.writes.fields
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ZIXIN_HOME", str(home))
            ahead_s = house.sim.org.ahead_s
            config = ConnectionConfig("zoho", credentials, "en", fields, (SECRET,), clock_ahead_s=ahead_s)
            connections.keep("default", {"sim": config})
        self.origin = ""
        self.process: Any = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "zixin", "serve", "--port", "0"],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.origin = json.loads(self.process.stdout.readline())["origin"]

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def send(self, key: str, account: str) -> bool:
        """Whether it was acknowledged."""
        body = json.dumps({"type": "payment.received", "data": {"account": account}}).encode()
        stamp = int(datetime.now(UTC).timestamp())
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(stamp),
            "webhook-signature": standard_webhooks.sign(SECRET, key, stamp, body),
        }
        try:
            url = f"{self.origin}/hooks/sim"
            return requests.post(url, data=body, headers=headers, timeout=ANSWER_S).status_code == 200
        except requests.RequestException:
            return False


@pytest.fixture
def service(live: House, tmp_path: Path) -> Any:
    # The house's store stands in the folder of the profile.
    home = tmp_path / "home"
    (home / "default").mkdir(parents=True)
    for file in tmp_path.glob("zixin.db*"):
        (home / "default" / file.name).symlink_to(file)
    result = Service(live, home)
    yield result
    result.kill()


@pytest.mark.parametrize(("events", "kills"), [(400, 3), pytest.param(5_000, 10, marks=pytest.mark.slow)])
def test_no_acknowledged_event_is_lost_though_the_service_is_killed(
    live: House, service: Service, events: int, kills: int
) -> None:
    chance = random.Random(7)
    numbers = [f"A{n:03d}" for n in range(0, 120, 4)]
    live.store.close()
    service.start()
    acknowledged: set[str] = set()
    # The last one when all are acknowledged and many are still in work.
    at = [*sorted(chance.sample(range(10, events), kills - 1)), events]
    deaths = threading.Thread(target=_killings, args=(service, at, acknowledged))
    deaths.start()

    def deliver(n: int) -> None:
        number = numbers[n % len(numbers)]
        if n < len(numbers):
            pay(live, number)
        wait_for(f"event {n} to be acknowledged", lambda: service.send(f"e{n}", number))
        acknowledged.add(f"e{n}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(deliver, range(events)))
    deaths.join()
    assert len(acknowledged) == events
    wait_for(
        "all events to be closed",
        lambda: requests.get(f"{service.origin}/readyz", timeout=ANSWER_S).json(),
        lambda seen: not seen["waiting"],
        limit_s=600,
        pause_s=0.2,
    )
    # Closed is stored; written comes right after, and a kill between the two is made up for.
    wait_for(
        "no account that paid to show an overdue day",
        lambda: [number for number in numbers if overdue(live, number)],
        lambda late: not late,
    )
    service.kill()

    with live.store.read("sim") as session:
        closed = {row["event_id"] for row in inbox.deliveries(session, "done", 10**6)}
    assert acknowledged <= closed
    # What an undisturbed run would make of the same facts is what stands there.
    assert live.sync(full=True).pushed.written == 0
    assert of(live, "Invoices", "A000")


def overdue(house: House, number: str) -> bool:
    return house.account(number)["Credit_Overdue_Since"] is not None


def _killings(service: Service, at: list[int], acknowledged: set[str]) -> None:
    for count in at:
        wait_for(f"{count} acknowledged events", lambda: len(acknowledged), partial(le, count), pause_s=0.002)
        service.kill()
        service.start()
