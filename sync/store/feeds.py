"""How old what a feed brought is: when it was read to its end last, and since when it cannot be read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import select

from sync.store import ledger, outages, ratings, tables
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


def read(session: Writing, feed: str, began: int) -> set[str]:
    """It was read to its end, by a look that began then.

    Returns whoever was assessed while it was away: they are due.
    """
    due: set[str] = set()
    if of(session, feed).away_since is not None:
        outages.end(session, feed, began)
        due = ratings.noticed(session, "source_away")
        ledger.bump(session, due)
    _save(session, FeedState(feed, began, None, began, None))
    return due


def away(session: Writing, feed: str, problem: str, now: int, sources: Sequence[str], read_on: int | None) -> None:
    """A look at it failed by that problem: from now on what it brought is old. read_on: the day of `read_at`."""
    before = of(session, feed)
    if before.away_since is None:
        outages.begin(session, feed, sources, read_on, now)
    since = now if before.away_since is None else before.away_since
    _save(session, replace(before, away_since=since, tried_at=now, problem=problem))


def keep_only(session: Writing, feeds: Collection[str], now: int) -> None:
    """Feeds that there are; of any other one nobody waits for what it says."""
    for feed, state in every(session).items():
        if feed not in feeds and state.away_since is not None:
            outages.end(session, feed, now)
            ledger.bump(session, ratings.noticed(session, "source_away"))
            _save(session, replace(state, away_since=None, problem=None))


def _save(session: Writing, state: FeedState) -> None:
    upsert(session, tables.feeds, [{"connection": session.connection, **asdict(state)}], ["connection", "feed"])
