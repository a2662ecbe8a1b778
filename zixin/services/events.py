"""Events that came in: listed, and worked on again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sync import inbox
from sync.crm_connection import instant, micros
from zixin import compose

State = Literal["waiting", "done", "dead"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event as the inbox has it."""

    event_id: str
    state: str
    received_at: datetime
    attempts: int
    #: Not worked on before this.
    next_at: datetime
    #: Why it was put off or given up.
    cause: str | None
    #: None: it is open.
    closed_at: datetime | None


def deliveries(profile: str, state: State | None, limit: int) -> tuple[Delivery, ...]:
    """The newest events, newest first; None: of every state."""
    with compose.open_store(profile) as (store, name), store.read(name) as session:
        return tuple(_delivery(row) for row in inbox.deliveries(session, state, limit))


def resend(profile: str, event: str, now: datetime) -> int:
    """Events that were given up wait again: the one of that id, or all where it is empty; how many."""
    with compose.open_store(profile) as (store, name), store.write(name) as session:
        dead = [row["event_id"] for row in inbox.deliveries(session, "dead", 10**6)]
        return inbox.resend(session, [key for key in dead if event in ("", key)], micros(now))


def _delivery(row: dict[str, Any]) -> Delivery:
    closed = row["closed_at"]
    return Delivery(
        row["event_id"],
        row["state"],
        instant(row["received_at"]),
        row["attempts"],
        instant(row["next_at"]),
        row["cause"],
        None if closed is None else instant(closed),
    )
