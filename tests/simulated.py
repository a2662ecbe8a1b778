"""A simulated Zoho over real HTTP, and an adapter that talks to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from threading import Lock, get_ident
from typing import Any

import polars as pl
import requests

from adapters.common.http import RetryPolicy
from adapters.simulation.serving import serve_in_thread
from adapters.zoho.auth import Credentials
from adapters.zoho.crm import Zoho
from adapters.zoho.simulator.fill import fill
from adapters.zoho.simulator.org import Org
from adapters.zoho.simulator.server import application
from tests.connector.scoring.books import books, invoice
from tests.waiting import ANSWER_S


class Slots:
    """Tokens shared by the threads of one test."""

    #: False: simulators' clocks are what they show, and nothing that we go by.
    declared = True

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        """`clock`: a simulator's, as it declares it."""
        self._lock, self._clock = Lock(), clock
        self._kept: tuple[str, datetime] | None = None

    @contextmanager
    def token(self, name: str) -> Iterator[Slots]:
        with self._lock:
            yield self

    def now(self) -> datetime:
        return self._clock() if self._clock and self.declared else datetime.now(UTC)

    def take(self, name: str, amount: int, cap: int | None) -> None:
        """Nobody else spends."""

    def get(self) -> tuple[str, datetime] | None:
        return self._kept

    def put(self, token: str, expires_at: datetime) -> None:
        self._kept = (token, expires_at)


def impatient(attempts: int = 4) -> RetryPolicy:
    """Waits for nothing and counts parts of an answer, not time: one that takes twenty to come in trickles."""
    looks: defaultdict[int, count[int]] = defaultdict(count)
    return RetryPolicy(
        attempts=attempts, answer_s=20, sleep=lambda _: None, clock=lambda: float(next(looks[get_ident()]))
    )


@dataclass
class Sim:
    """A simulator that runs, and how to reach it."""

    org: Org
    origin: str

    def crm(self, **changed: str) -> Zoho:
        values = {
            "accounts_server": self.origin,
            "api_domain": self.origin,
            "client_id": self.org.client_id,
            "client_secret": self.org.client_secret,
            "refresh_token": self.org.refresh_token,
            **changed,
        }
        return Zoho(Credentials(**values), Slots(self.org.now), patience=impatient())

    def control(self, action: str, **body: Any) -> Any:
        return requests.post(
            f"{self.origin}/control/{self.org.control_token}/{action}", json=body, timeout=ANSWER_S
        ).json()


@contextmanager
def simulated_zoho(tables: Mapping[str, pl.DataFrame] | None = None, kept: Org | None = None) -> Iterator[Sim]:
    """A simulated Zoho that is filled with these tables, or with 450 invoices of seven accounts; or `kept` as it is."""
    org = kept or Org()
    claims = [invoice(f"I{n}", 100_00 + n, "2025-01-01", "2025-01-31", f"A{n % 7}") for n in range(450)]
    small = books(claims, [("P0", "I0", "2025-01-20", 100_00), ("P0", "I1", "2025-01-20", 50_00)], "A0")
    if kept is None:
        fill(org, small if tables is None else tables)
    with serve_in_thread(application(org)) as origin:
        yield Sim(org, origin)
