"""How old what a feed brought is: when it was read to its end last, and since when it cannot be read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from sqlalchemy import select

from sync.store import tables
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


def read(session: Writing, feed: str, began: int) -> None:
    """It was read to its end, by a look that began then."""
    _save(session, FeedState(feed, began, None, began, None))


def away(session: Writing, feed: str, problem: str, now: int) -> None:
    """It cannot be read, by that problem."""
    before = of(session, feed)
    since = now if before.away_since is None else before.away_since
    _save(session, replace(before, away_since=since, tried_at=now, problem=problem))


def _save(session: Writing, state: FeedState) -> None:
    upsert(session, tables.feeds, [{"connection": session.connection, **asdict(state)}], ["connection", "feed"])
