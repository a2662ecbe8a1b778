"""Outages of feeds: from when until when one could not be read, and who depends on what it brought."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

import polars as pl
from sqlalchemy import or_, select, true, update

from connector.scoring.features.freshness import FRESHNESS
from sync.store import tables
from sync.store.dialect import batches, upsert
from sync.store.session import Reading, Writing


def begin(session: Writing, feed: str, sources: Iterable[str], read_on: int | None, now: int) -> None:
    """The feed cannot be read from now on; sources: the mapping's, that lie in it. read_on: day it was read last."""
    key = {"connection": session.connection, "feed": feed, "away_since": now}
    row = {**key, "back_at": None, "read_on": read_on, "sources": json.dumps(sorted(sources))}
    upsert(session, tables.outages, [row], list(key))


def end(session: Writing, feed: str, now: int) -> None:
    """It can be read again."""
    table = tables.outages
    these = (session.own(table), table.c.feed == feed, table.c.back_at.is_(None))
    session.tx.execute(update(table).where(*these).values(back_at=now))


def freshness(session: Reading, accounts: Collection[str] | None = None, known_at: int | None = None) -> pl.DataFrame:
    """Columns of `FRESHNESS`: who depends on a feed that cannot be read, or could not at that instant."""
    table = tables.outages
    query = select(table.c.feed, table.c.read_on, table.c.sources).where(session.own(table))
    if known_at is None:
        query = query.where(table.c.back_at.is_(None))
    else:
        query = query.where(table.c.away_since <= known_at, or_(table.c.back_at.is_(None), table.c.back_at > known_at))
    oldest: dict[str, int | None] = {}
    for feed, read_on, names in session.tx.execute(query).all():
        for account in dependents(session, feed, json.loads(names), accounts, never_read=read_on is None):
            before = oldest.get(account, read_on)
            oldest[account] = None if before is None or read_on is None else min(before, read_on)
    return pl.DataFrame(sorted(oldest.items()), schema=FRESHNESS, orient="row")


def sources(session: Reading) -> dict[str, int]:
    """Source → since when the feed that it lies in cannot be read; those that can be are missing."""
    table = tables.outages
    query = select(table.c.sources, table.c.away_since).where(session.own(table), table.c.back_at.is_(None))
    return {name: since for names, since in session.tx.execute(query) for name in json.loads(names)}


def dependents(
    session: Reading, feed: str, sources: Collection[str], among: Collection[str] | None = None, *, never_read: bool
) -> set[str]:
    """Accounts that are a customer of the feed, or of which a fact came from it; `among`: only of these.

    Of a feed that was never read and of whose customers nothing is known, everybody may be one.
    """
    said, customers, accounts = tables.feed_accounts, tables.feed_customers, tables.CANONICAL["accounts"]
    texts = select(customers.c.says).where(session.own(customers), customers.c.feed == feed)
    wheres = [(said.c.account_id, session.own(said), said.c.feed == feed)]
    wheres += [(accounts.c.account_id, session.own(accounts), column.in_(texts)) for column in _NAMES]
    wheres += [(customers.c.account_id, session.own(customers), customers.c.feed == feed)]
    for table in tables.CANONICAL.values():
        if "account_id" in table.c:
            wheres.append((table.c.account_id, session.own(table), table.c.source.in_(sorted(sources))))
    told = session.tx.execute(select(said.c.account_id).where(*wheres[0][1:]).limit(1)).first()
    told = told or session.tx.execute(texts.limit(1)).first()
    if never_read and told is None:
        wheres = [(accounts.c.account_id, session.own(accounts), true())]
    names: set[str] = set()
    for column, *where in wheres:
        for batch in [None] if among is None else batches(sorted(among)):
            these = where if batch is None else [*where, column.in_(batch)]
            names |= set(session.tx.execute(select(column).where(*these).distinct()).scalars())
    return {name for name in names if name}


_NAMES = (tables.CANONICAL["accounts"].c.account_id, tables.CANONICAL["accounts"].c.number)
