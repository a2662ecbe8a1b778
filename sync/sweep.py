"""Full reads by themselves: each source that is read by what changed, once in seven days, in slices.

What a delta cannot show is found so: rows that were committed late or without a trace, and rows that are gone. A slice
runs at the end of a sync, behind everything that the night is for, and gives way where the quota is short.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from connector.errors import Exhausted, Problem
from connector.instants import moment
from connector.policy import Checks
from connector.ports import Diagnostics, Page, Reads
from sync.crm_connection import CrmConnection, micros
from sync.missing import close_missing
from sync.pull import SPOILT
from sync.store import Store, ledger, rejects, sight, sweeps
from sync.store.sweeps import Sweep
from sync.taking import Pulled, take_in, together

#: A source is due so long after its last full read: within seven days, with a night to spare.
_EVERY = timedelta(days=6)
#: Records of a source that one sync reads so.
_SLICE = 200_000
#: Above this share of the CRM's quota a night leaves it to the next one.
_QUOTA_SHARE = 0.5
#: Records that changed so shortly before the run began are no fault of the delta.
_YOUNG = timedelta(minutes=15)


def sweep(store: Store, link: CrmConnection, checks: Checks, pulled: Pulled) -> None:
    """Reads the sources that are due, as far as a slice goes; notes what the reads of changes had missed.

    What it brings is rated by the next run; `pulled` learns what came of it.
    """
    own = Pulled(began=pulled.began, away=dict(pulled.away))
    _all(store, link, checks, own)
    pulled.swept = own.swept
    with store.read(link.name) as session:
        pulled.lost = sight.open_sources(session)


def _all(store: Store, link: CrmConnection, checks: Checks, pulled: Pulled) -> None:
    ahead = [due for name in link.mapping.sources if (due := _due(store, link, name)) is not None]
    # Each system's quota is its own.
    short: dict[str, bool] = {}
    for due in ahead:
        name = due.source
        feed = link.mapping.feed_of(name)
        if feed in pulled.away:
            continue
        try:
            if feed not in short:
                short[feed] = _is_short(link.reads(name))
            if short[feed]:
                continue
            _slice(store, link, due, checks, pulled)
        except Problem as problem:
            # The night is done; the next one goes on.
            pulled.swept[name] = {"missed": 0, "finished": False, "problem": problem.code}
            if problem.code in SPOILT and not link.lacks(name, problem):
                with store.write(link.name) as session:
                    sweeps.forget_seen(session, name)
                    sweeps.save(session, Sweep(name, micros(link.now()), None, "", due.fingerprint))
            if isinstance(problem, Exhausted):
                short[feed] = True


def noted(store: Store, link: CrmConnection, name: str, began: int) -> None:
    """A source was just read in full by the pull itself."""
    with store.write(link.name) as session:
        before = sweeps.of_source(session, name)
        missed = before.missed if before else 0
        sweeps.save(session, Sweep(name, began, micros(link.now()), "", link.mapping.fingerprint(name), missed))


def _due(store: Store, link: CrmConnection, name: str) -> Sweep | None:
    fingerprint, now = link.mapping.fingerprint(name), micros(link.now())
    with store.read(link.name) as session:
        cursor, last = ledger.cursor(session, name), sweeps.of_source(session, name)
    # One that is read whole every time, or has not been read yet, needs none.
    if cursor is None or not cursor.complete or not cursor.goes_on or cursor.fingerprint != fingerprint:
        return None
    if last is not None and last.fingerprint == fingerprint:
        if last.finished_at is None:
            return last
        age = now - last.finished_at
        # Of a clock that was ahead nobody knows how long ago it was.
        if 0 <= age < _EVERY / timedelta(microseconds=1):
            return None
    return Sweep(name, now, None, "", fingerprint)


def _is_short(crm: Reads) -> bool:
    quota = crm.quota() if isinstance(crm, Diagnostics) else None
    return quota is not None and quota[0] > _QUOTA_SHARE * quota[1]


def _slice(store: Store, link: CrmConnection, at: Sweep, checks: Checks, pulled: Pulled) -> None:
    name, read = at.source, 0
    if not at.cursor:
        with store.write(link.name) as session:
            sweeps.forget_seen(session, name)
            sweeps.save(session, at)
    asked_at = micros(link.now())
    for page in together(link.read(name, at.cursor or None)):
        missed, shown = 0, []
        for part, counts in _by_age(page, micros(link.now() - _YOUNG)):
            before = set(pulled.touched)
            applied = take_in(store, link, part, asked_at, None, pulled)
            missed += len(pulled.touched - before) if counts else 0
            shown += applied.records
        read += page.frame.height
        at = Sweep(name, at.began_at, None, page.cursor, at.fingerprint, at.missed + missed)
        with store.write(link.name) as session:
            sweeps.add_seen(session, name, shown)
            sweeps.save(session, at)
        pulled.swept[name] = {"missed": at.missed, "finished": False, "problem": None}
        if page.complete:
            _finish(store, link, at, checks, pulled)
            return
        if read >= _SLICE:
            return
        asked_at = micros(link.now())


def _finish(store: Store, link: CrmConnection, at: Sweep, checks: Checks, pulled: Pulled) -> None:
    """Closes what the whole read did not show, of the records that were there when it began."""
    with store.read(link.name) as session:
        seen = sweeps.seen(session, at.source)
    with store.write(link.name) as session:
        rejects.forget_unseen(session, at.source, seen)
    before = set(pulled.touched)
    close_missing(store, link, at.source, seen, checks, pulled, known_before=at.began_at)
    missed = at.missed + len(pulled.touched - before)
    with store.write(link.name) as session:
        pulled.swept[at.source] = {"missed": missed, "finished": True, "problem": None}
        ended = Sweep(at.source, at.began_at, micros(link.now()), "", at.fingerprint, missed)
        sweeps.save(session, ended)


def _by_age(page: Page, young: int) -> Iterator[tuple[Page, bool]]:
    """The page's rows that any delta must have brought, and those that changed too shortly ago; whether they count."""
    at = page.frame.select(moment(pl.col("modified_at")).cast(pl.Int64)).to_series()
    late = (at >= young).fill_null(value=False)
    yield Page(page.source, page.frame.filter(~late), page.gone, page.cursor, page.complete, page.misfits), True
    if late.any():
        yield Page(page.source, page.frame.filter(late), (), page.cursor, page.complete), False
