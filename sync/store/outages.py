"""Outages of feeds: from when until when one could not be read, and who depends on what it brought."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

import polars as pl
from sqlalchemy import or_, select, update

from connector.scoring.features.freshness import FRESHNESS
from sync.store import tables
from sync.store.dialect import upsert
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
    wanted = None if accounts is None else set(accounts)
    for feed, read_on, sources in session.tx.execute(query).all():
        for account in dependents(session, feed, json.loads(sources)):
            if wanted is None or account in wanted:
                before = oldest.get(account, read_on)
                oldest[account] = None if before is None or read_on is None else min(before, read_on)
    return pl.DataFrame(sorted(oldest.items()), schema=FRESHNESS, orient="row")


def sources(session: Reading) -> dict[str, int]:
    """Source → since when the feed that it lies in cannot be read; those that can be are missing."""
    table = tables.outages
    query = select(table.c.sources, table.c.away_since).where(session.own(table), table.c.back_at.is_(None))
    return {name: since for names, since in session.tx.execute(query) for name in json.loads(names)}


def dependents(session: Reading, feed: str, sources: Collection[str]) -> set[str]:
    """Accounts that are a customer of the feed, or of which a fact came from it."""
    said, customers, accounts = tables.feed_accounts, tables.feed_customers, tables.CANONICAL["accounts"]
    queries = [select(said.c.account_id).where(session.own(said), said.c.feed == feed)]
    texts = select(customers.c.says).where(session.own(customers), customers.c.feed == feed)
    queries += [
        select(accounts.c.account_id).where(session.own(accounts), column.in_(texts))
        for column in (accounts.c.account_id, accounts.c.number)
    ]
    for table in tables.CANONICAL.values():
        if "account_id" in table.c:
            mine = (session.own(table), table.c.source.in_(sorted(sources)))
            queries.append(select(table.c.account_id).where(*mine).distinct())
    return {account for query in queries for account in session.tx.execute(query).scalars() if account}
