"""Holes in what was read, as a run and a turn of events look for them."""

from __future__ import annotations

from dataclasses import dataclass

from connector.policy import Checks
from sync.crm_connection import CrmConnection, micros
from sync.store import Store, due_looks, holes
from sync.store.holes import Counts


@dataclass(frozen=True, slots=True)
class Look:
    """When somebody looked for holes, and the rows there were then where nothing was wrong."""

    at: int
    counts: Counts


def look(store: Store, link: CrmConnection, checks: Checks) -> Look:
    """Finds and keeps the holes there are now, with the customers concerned."""
    yields = {name: part.tables() for name, part in link.mapping.sources.items()}
    with store.write(link.name) as session:
        now = micros(link.now())
        return Look(now, holes.note(session, yields, checks, now))


def look_if_due(store: Store, link: CrmConnection, checks: Checks) -> bool:
    """As `look`, where something may have made a hole, or mended one, since the last look; whether it was."""
    with store.read(link.name) as session:
        due = due_looks.is_due(session)
    if due:
        look(store, link, checks)
    return due


def expect(store: Store, link: CrmConnection, looked: Look) -> None:
    """The run has passed: what it saw is what the next look holds its own against."""
    with store.write(link.name) as session:
        holes.save_counts(session, looked.counts, looked.at)
