"""From receipt to the written field, and how fast the drain is; the simulated CRM answers from this same machine.

PYTHONPATH=. python bench/live.py

A store of 120 customers beside a simulated Zoho. `receipt_to_field`: a customer pays, the CRM calls the door, and the
account's field is watched, one payment after the other; milliseconds. `drain_per_s`: 2,000 signed events that name 120
customers wait; how many are closed a second, reading, scoring and writing included. `accepted_per_s_drain_on`: how many
the door takes in meanwhile.
"""

from __future__ import annotations

import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.common import standard_webhooks
from tests.story.house import House, standing
from tests.story.test_drain import pay
from tests.story.test_serve import SECRET, served

PAYERS, EVENTS, CONNECTIONS = 28, 2_000, 32


def one_by_one(house: House) -> list[float]:
    """Milliseconds from a payment in the CRM to the account's changed field."""
    took = []
    for number in range(4, 4 + 4 * PAYERS, 4):
        name = f"A{number:03d}"
        assert house.account(name)["Credit_Overdue_Since"]
        started = time.perf_counter()
        pay(house, name)
        while house.account(name)["Credit_Overdue_Since"]:
            time.sleep(0.002)
        took.append(1000 * (time.perf_counter() - started))
    return sorted(took)


def burst(host: str) -> float:
    """Events a second that the door accepts."""
    stamp = int(datetime.now(UTC).timestamp())
    calls = []
    for n in range(EVENTS):
        body = json.dumps({"type": "payment.received", "data": {"account": f"A{n % 120:03d}"}}).encode()
        signature = standard_webhooks.sign(SECRET, f"m{n}", stamp, body)
        calls.append((body, {"webhook-id": f"m{n}", "webhook-timestamp": str(stamp), "webhook-signature": signature}))

    def send(first: int) -> None:
        link = HTTPConnection(host)
        for body, headers in calls[first::CONNECTIONS]:
            link.request("POST", "/hooks/sim", body, headers)
            answer = link.getresponse()
            answer.read()
            assert answer.status == 200

    started = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(send, range(CONNECTIONS)))
    return EVENTS / (time.perf_counter() - started)


def main() -> None:
    """Print one JSON line."""
    with TemporaryDirectory() as folder, standing(Path(folder)) as house:
        ahead = datetime(2025, 6, 30, 8, tzinfo=UTC) - datetime.now(UTC)
        house.sim.org.ahead_s = ahead.total_seconds()
        house.link.crm._http.skew_s = ahead.total_seconds()  # type: ignore[attr-defined]
        house.sync()
        house.sim.org.ahead_s = ahead.total_seconds() + 3600
        with served(house) as (made, origin):
            took = one_by_one(house)
            started = time.perf_counter()
            accepted = burst(origin.removeprefix("http://"))
            while made.ready().waiting:
                time.sleep(0.01)
            drained = EVENTS / (time.perf_counter() - started)
    told = {"p50_ms": round(statistics.median(took)), "p99_ms": round(took[-1]), "payments": len(took)}
    line = {"accepted_per_s_drain_on": round(accepted), "drain_per_s": round(drained)}
    print(json.dumps({"receipt_to_field": told, **line}))


if __name__ == "__main__":
    main()
