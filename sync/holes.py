"""Holes in what was read, as a run and a turn of events look for them."""

from __future__ import annotations

from connector.policy import Checks
from sync.crm_connection import CrmConnection, micros
from sync.store import Store, holes
from sync.store.holes import Hole


def look(store: Store, link: CrmConnection, checks: Checks) -> list[Hole]:
    """Finds and keeps the holes there are now, with the customers concerned."""
    with store.write(link.name) as session:
        return holes.note(session, _yields(link), checks, micros(link.now()))


def count_rows(store: Store, link: CrmConnection) -> None:
    """Keeps how many rows each source has in each table, which the next look holds its own against."""
    with store.write(link.name) as session:
        holes.count_rows(session, _yields(link), micros(link.now()))


def _yields(link: CrmConnection) -> dict[str, list[str]]:
    return {name: part.tables() for name, part in link.mapping.sources.items()}
