"""How old what a feed brought is: when it was read to its end last, and since when it cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import select

from sync.store import ledger, outages, tables
from sync.store.dialect import upsert
from sync.store.session import Reading, Writing


@dataclass(frozen=True, slots=True)
class FeedState:
    """Of one feed. Times are microseconds since 1970 UTC."""

    feed: str
    #: When its last whole look began; None: it has not been read to its end yet.
    read_at: int | None = None
    #: Since when it cannot be read; None: it can.
    away_since: int | None = None
    #: When it was tried last.
    tried_at: int | None = None
    #: Code of the problem that keeps it away.
    problem: str | None = None


def every(session: Reading) -> dict[str, FeedState]:
    """Feed → how it stands, of all that were ever tried."""
    table = tables.feeds
    columns = [table.c[name] for name in FeedState.__dataclass_fields__]
    rows = session.tx.execute(select(*columns).where(session.own(table)).order_by(table.c.feed))
    return {row.feed: FeedState(*row) for row in rows}


def of(session: Reading, feed: str) -> FeedState:
    """How that feed stands."""
    return every(session).get(feed, FeedState(feed))


def read(session: Writing, feed: str, began: int, sources: Sequence[str]) -> None:
    """It was read to its end, by a look that began then; who depends on it is due where it was away."""
    if of(session, feed).away_since is not None:
        ledger.bump(session, outages.dependents(session, feed, sources))
        outages.end(session, feed, began)
    _save(session, FeedState(feed, began, None, began, None))


def away(
    session: Writing, feed: str, problem: str, now: int, sources: Sequence[str], read_on: int | None
) -> None:  # fmt: skip
    """A whole look at it failed by that problem: from now on what it brought is old, and who depends on it is due.

    read_on: the business day of `read_at`.
    """
    before = of(session, feed)
    if before.away_since is None:
        ledger.bump(session, outages.dependents(session, feed, sources))
        outages.begin(session, feed, sources, read_on, now)
    since = now if before.away_since is None else before.away_since
    _save(session, replace(before, away_since=since, tried_at=now, problem=problem))


def failed(session: Writing, feed: str, problem: str, now: int) -> None:
    """A look at single customers failed by that problem; the next whole look tells whether it is away."""
    _save(session, replace(of(session, feed), tried_at=now, problem=problem))


def _save(session: Writing, state: FeedState) -> None:
    upsert(session, tables.feeds, [{"connection": session.connection, **asdict(state)}], ["connection", "feed"])
