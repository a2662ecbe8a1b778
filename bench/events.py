"""Accepted events per second: signed, verified, committed with synchronous = FULL; beside one commit an event.

PYTHONPATH=. python bench/events.py

32 connections, bodies signed beforehand, one server process, the drain off. Prints events a second, p50 and p99 of the
answer in milliseconds, and CPU seconds of the server an event.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapters.common import standard_webhooks
from sync import inbox
from sync.store import Store
from zixin.services.intake import Intake, Ready, WebhookRoute
from zixin.web.server import serve
from zixin.web.webhooks import application

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENTS, CONNECTIONS = 4_000, 32


class OneByOne(inbox.InboxWriter):
    """What a simple door does: every call commits for itself."""

    def _work(self) -> None:
        while (item := self._asked.get()) is not None:
            self._commit([item])


def server(path: str, kind: str, pipe: Any) -> None:
    """Serve until killed; the origin goes through the pipe."""
    clerk = (inbox.InboxWriter if kind == "together" else OneByOne)(Store(Path(path)))
    app = application(
        Intake({"sim": WebhookRoute("sim", [SECRET], None)}, clerk, lambda: None), lambda: Ready(True, 0, 0, True)
    )
    serve(app, 0, pipe.send)


def main() -> None:
    """Print one JSON line per kind."""
    for kind in ("together", "one by one"):
        with TemporaryDirectory() as folder:
            here, there = multiprocessing.Pipe()
            process = multiprocessing.Process(target=server, args=(f"{folder}/zixin.db", kind, there), daemon=True)
            process.start()
            host = str(here.recv()).removeprefix("http://")
            stamp = int(datetime.now(UTC).timestamp())
            calls = []
            for n in range(EVENTS):
                body = json.dumps({"type": "payment.received", "data": {"account": f"K{n % 500}"}}).encode()
                signature = standard_webhooks.sign(SECRET, f"m{n}", stamp, body)
                calls.append(
                    (body, {"webhook-id": f"m{n}", "webhook-timestamp": str(stamp), "webhook-signature": signature})
                )

            def send(some: list[Any], host: str = host) -> list[float]:
                link, took = HTTPConnection(host), []
                for body, headers in some:
                    started = time.perf_counter()
                    link.request("POST", "/hooks/sim", body, headers)
                    answer = link.getresponse()
                    answer.read()
                    assert answer.status == 200
                    took.append(time.perf_counter() - started)
                return took

            started = time.perf_counter()
            with ThreadPoolExecutor(CONNECTIONS) as threads:
                took = [
                    t for part in threads.map(send, [calls[n::CONNECTIONS] for n in range(CONNECTIONS)]) for t in part
                ]
            wall = time.perf_counter() - started
            ticks = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            cpu = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
            took.sort()
            print(
                json.dumps(
                    {
                        "kind": kind,
                        "events_per_s": round(EVENTS / wall),
                        "p50_ms": round(1000 * statistics.median(took), 1),
                        "p99_ms": round(1000 * took[int(len(took) * 0.99)], 1),
                        "cpu_ms_per_event": round(1000 * cpu / EVENTS, 2),
                    }
                )
            )
            process.kill()


if __name__ == "__main__":
    main()
