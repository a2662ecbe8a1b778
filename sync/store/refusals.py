"""What the CRM refused of what is wanted: accounts as a whole, or fields of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select, update

from connector.ports import Outcome
from sync.store import tables
from sync.store.facts import batches


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the CRM refused of an account."""

    words: str
    #: Canonical names of the fields that it refused; empty: it refused the account as a whole.
    fields: tuple[str, ...] = ()


def open_(tx: Connection, connection: str) -> dict[str, Refusal]:
    """account_id → what the CRM said when it refused what is wanted now, or fields of it."""
    table = tables.wanted
    query = select(table.c.account_id, table.c.refusal).where(
        table.c.connection == connection, table.c.refusal.is_not(None)
    )
    return {row.account_id: _read(row.refusal) for row in tx.execute(query)}


def by_field(tx: Connection, connection: str) -> dict[str, int]:
    """Canonical name of a field → accounts of which the CRM refused it."""
    return dict(Counter(name for each in open_(tx, connection).values() for name in each.fields))


def reopen(tx: Connection, connection: str, among: Sequence[str] | None = None) -> None:
    """What the CRM refused is planned again; `among`: of these accounts only."""
    table = tables.wanted
    these = and_(table.c.connection == connection, table.c.refusal.is_not(None))
    for some in [None] if among is None else batches(among):
        also = these if some is None else and_(these, table.c.account_id.in_(some))
        tx.execute(update(table).where(also).values(pending=True))


def kept(outcome: Outcome) -> str | None:
    """As `wanted` keeps it; None: nothing was refused.

    The words; where the fields are known, JSON of fields and words.
    """
    if outcome.state == "taken" and not outcome.fields:
        return None
    words = outcome.refusal or ""
    return json.dumps({"fields": outcome.fields, "words": words}, ensure_ascii=False) if outcome.fields else words


def _read(text: str) -> Refusal:
    if not text.startswith('{"fields": '):
        return Refusal(text)
    told = json.loads(text)
    return Refusal(told["words"], tuple(told["fields"]))
