"""Where an account's facts come from: which source, how many rows, how old."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from sync.store import links, outages, tables
from sync.store.dialect import batches
from sync.store.session import Reading


@dataclass(frozen=True, slots=True)
class Origin:
    """Rows of one table that one source brought. Times are microseconds since 1970 UTC."""

    source: str
    table: str
    rows: int
    #: When zixin first heard of the newest of them.
    newest_at: int
    #: When the source was read last; None: it is no source of a system, people entered it.
    read_at: int | None
    #: Since when the feed that it lies in cannot be read; None: it can.
    away_since: int | None


def of_account(session: Reading, account: str) -> list[Origin]:
    """What is known of the account's customer now, by source and table: of all of his accounts together.

    What settles their claims is counted with the payments.
    """
    names = links.accounts_of(session, account)
    cursors = tables.cursors
    whens = session.tx.execute(select(cursors.c.source, cursors.c.read_at).where(session.own(cursors)))
    read = {row[0]: row[1] for row in whens}
    away = outages.sources(session)
    result = []
    for name, table in tables.CANONICAL.items():
        if "account_id" not in table.c:
            continue
        query = select(table.c.source, func.count(), func.max(table.c.known_from))
        query = query.where(session.own(table), table.c.account_id.in_(names), table.c.deleted_on.is_(None))
        for source, rows, newest in session.tx.execute(query.group_by(table.c.source)):
            result.append(Origin(source, name, rows, newest, read.get(source), away.get(source)))
    return sorted(result, key=lambda each: (each.source, list(tables.CANONICAL).index(each.table)))


def of_claims(session: Reading, claims: Collection[str]) -> dict[str, str]:
    """receivable_id → the source that brought it, or did last."""
    result: dict[str, str] = {}
    for table in (tables.PAST["receivables"], tables.CANONICAL["receivables"]):
        for batch in batches(sorted(claims)):
            query = select(table.c.receivable_id, table.c.source).where(
                session.own(table), table.c.receivable_id.in_(batch)
            )
            result |= {row[0]: row[1] for row in session.tx.execute(query)}
    return result
