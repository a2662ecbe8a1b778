"""Pull: pages of a CRM into canonical tables, some thousand rows and their cursor in one transaction.

A crash costs a few pages of reading: the cursor that goes on is committed with the rows before it, and applying a
record twice is the same as once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import polars as pl

from connector.errors import Misconfigured, Problem
from connector.policy import Checks
from connector.ports import UNNAMED, Snapshots
from connector.schema import TABLES
from mappings.apply import Applied
from sync import feeds, survivors
from sync.crm_connection import CrmConnection, micros
from sync.missing import absent, asked, close_missing, doubted
from sync.store import Store, holes, ledger, links, rejects, sight, sweeps
from sync.store import feeds as feed_states
from sync.taking import Pulled, take_in, together

#: Problems of a read that began well and cannot be gone on with.
SPOILT = (
    "E-TABLE-TWICE",
    "E-CRM-INCOMPLETE",
    "E-CRM-PAGES",
    "E-CRM-ENVELOPE",
    "E-CRM-GARBLED",
    "E-CRM-ANSWER",
    "E-CRM-OBJECT",
)

Progress = Callable[[str, int], None]


def silent(_source: str, _records: int) -> None:
    """Progress for whoever does not watch."""


def pull(
    store: Store, link: CrmConnection, checks: Checks, *, full: bool = False, tell: Progress = silent, began: int = 0
) -> Pulled:
    """Reads what changed since the last pull, source by source; `full` reads everything again.

    A source whose mapping changed is read again from the start; one that the CRM lacks and the mapping calls optional
    is left out, and is lost from sight where it was there before; so is one that the mapping no longer names. `checks`:
    which share of a source may be missing. The CRM's accounts come first, then the feeds, then the rest of the CRM; a
    feed that cannot be read keeps nobody waiting: what it brought stands, and `away` says so.
    """
    pulled = Pulled(began=began)
    with store.write(link.name) as session:
        feed_states.keep_only(session, link.feeds, micros(link.now()))
        now = micros(link.now())
        pulled.touched |= links.catch_up(session, now)
    whole: dict[str, bool] = {}
    started: dict[str, int] = {}
    for name in link.mapping.order():
        feed = link.feed(name)
        if feed is None:
            _pull_one(store, link, name, checks, pulled, full=full, tell=tell)
            continue
        if feed.name in pulled.away:
            continue
        try:
            if feed.name not in started:
                whole[feed.name] = feeds.begin(store, link, feed.name, pulled, full=full)
                started[feed.name] = micros(link.now())
            _pull_one(store, link, name, checks, pulled, full=full, afresh=whole[feed.name], tell=tell)
        except Problem as problem:
            feeds.away(store, link, feed.name, problem, pulled)
    for each in started.keys() - pulled.away.keys():
        feeds.ended(store, link, each, started[each], pulled, whole=full or whole[each])
    with store.write(link.name) as session:
        rejects.forget_unmapped(session, link.mapping.sources)
        unmapped = ledger.sources(session) - link.mapping.sources.keys() - {ledger.OWN}
    for name in sorted(unmapped):
        # What nobody reads any more is not what the CRM says.
        absent(store, link, name, pulled)
    _follow(store, link, pulled)
    _guess(store, link, pulled)
    with store.read(link.name) as session:
        pulled.lost = sight.open_sources(session)
    return pulled


def _pull_one(
    store: Store, link: CrmConnection, name: str, checks: Checks, pulled: Pulled, *,
    full: bool, tell: Progress, afresh: bool = False,
) -> None:  # fmt: skip
    """`afresh`: from the very start, though a first read of all was cut."""
    try:
        _pull_source(store, link, name, checks, pulled, full=full or afresh, afresh=afresh, tell=tell)
    except Misconfigured as problem:
        if not link.lacks(name, problem):
            raise
        pulled.absent.add(name)
        absent(store, link, name, pulled)


def _ask_rejected(store: Store, link: CrmConnection, name: str, records: Sequence[str], pulled: Pulled) -> None:
    """Looks at rows again that did not fit; one that cannot be read, though the system answers, stays as it is."""
    try:
        asked(store, link, name, records, pulled, closes=False)
    except Problem as problem:
        if feeds.is_ours(problem):
            raise
        link.reads(name).organisation()


def _follow(store: Store, link: CrmConnection, pulled: Pulled) -> None:
    """Reads again what belonged to accounts that are gone: a merge moves it to another one, and tells nobody."""
    with store.read(link.name) as session:
        left = ledger.records_of(session, pulled.departed)
    for name, records in left.items():
        if name in link.mapping.sources and link.mapping.feed_of(name) not in pulled.away:
            asked(store, link, name, records, pulled, closes=False)


def _guess(store: Store, link: CrmConnection, pulled: Pulled) -> None:
    """Where accounts went that people decided about, and that the CRM says nothing of."""
    with store.write(link.name) as session:
        now = micros(link.now())
        pulled.touched |= survivors.guess(session, now)


def reread(store: Store, link: CrmConnection, accounts: Collection[str], checks: Checks, pulled: Pulled) -> set[str]:
    """Reads everything that belongs to these accounts again; returns whose facts changed, whoever's they are.

    What the store holds of them and a complete ledger no longer shows is read by id: it moved, or it is gone. Too many
    at once, by the policy's `checks`, are out of sight instead, until a full read has looked for them.
    """
    before = set(pulled.touched)
    customers: dict[str, list[str]] = {}
    for name in link.mapping.order() if accounts else ():
        feed = link.mapping.feed_of(name)
        if not feed:
            _reread_source(store, link, name, accounts, sorted(accounts), checks, pulled)
        elif not feeds.is_left_alone(store, link, feed, pulled):
            try:
                if feed not in customers:
                    # The CRM's accounts come first: what they say of their numbers is known by now.
                    feeds.relink(store, link, feed, pulled)
                    customers[feed] = feeds.customers_of(store, link, feed, accounts)
                _reread_source(store, link, name, accounts, customers[feed], checks, pulled)
            except Problem as problem:
                feeds.failed(store, link, feed, problem, pulled)
    if pulled.departed:
        _guess(store, link, pulled)
    return pulled.touched - before


def _reread_source(
    store: Store,
    link: CrmConnection,
    name: str,
    accounts: Collection[str],
    customers: Sequence[str],
    checks: Checks,
    pulled: Pulled,
) -> None:
    """Everything of one source that belongs to these accounts; customers: as its system calls them."""
    owner = link.mapping.sources[name].owner()
    if owner is None:
        return
    if owner == "id":
        asked(store, link, name, customers, pulled, closes=False)
        return
    seen: set[str] = set()
    # Of an account that is nobody there, nothing is there.
    complete = not customers
    try:
        for page in link.ledger(name, owner, customers) if customers else ():
            take_in(store, link, page, micros(link.now()), None, pulled)
            seen |= {*page.frame["id"], *(misfit.record for misfit in page.misfits)}
            complete = page.complete
    except Misconfigured as problem:
        if not link.lacks(name, problem):
            raise
    if complete:
        with store.read(link.name) as session:
            stored = ledger.records_of(session, accounts).get(name, [])
        missing = [record for record in stored if record not in seen]
        if missing and not doubted(store, link, name, missing, checks):
            asked(store, link, name, missing, pulled)


def _pull_source(
    store: Store, link: CrmConnection, name: str, checks: Checks, pulled: Pulled, *,
    full: bool, afresh: bool, tell: Progress,
) -> None:  # fmt: skip
    fingerprint = link.mapping.fingerprint(name)
    with store.read(link.name) as session:
        cursor = ledger.cursor(session, name)
        full = full or sight.is_due(sight.of_source(session, name), micros(link.now()))
        first_of_all = sweeps.of_source(session, name) is None
        # A feed's rows of somebody whom no account names are read again when one does.
        bad = rejects.of_source(session, name, but=rejects.STRANGER if link.mapping.feed_of(name) else "")
        withholds = any(hole.source == name and hole.cause == "rejected" for hole in holes.open_(session))
    # One that says no id cannot be asked for; where it keeps customers waiting, everything is looked at again.
    rejected = sorted(record for record in bad if not record.startswith(UNNAMED))
    full = full or (withholds and len(rejected) < len(bad))
    known = cursor is not None and cursor.fingerprint == fingerprint
    # Rows that did not fit are looked at again: they may have been mended without a trace that we would be told of.
    if rejected and known and not full:
        _ask_rejected(store, link, name, rejected, pulled)
    # Only the first read of all goes on where it was cut, though everything is to be read again.
    cut = cursor is not None and not cursor.complete and not afresh
    now_like = _snapshot(link, name)
    # What is only compared as a whole is read as a whole: else what is gone would not show.
    go_on = known and cursor is not None and cursor.goes_on and (not full or (cut and first_of_all)) and not now_like
    began = micros(link.now())
    if now_like and known and cursor is not None and cursor.complete and cursor.cursor == now_like and not full:
        # Nothing of it changed.
        return
    try:
        seen = _read_source(store, link, name, pulled, cursor.cursor if go_on and cursor else None, tell, now_like)
    except Problem as problem:
        if problem.code in SPOILT:
            # A read that told wrong of itself is not gone on with: the next one begins where this one did.
            back = cursor if cursor is not None and known and cursor.complete else None
            with store.write(link.name) as session:
                ledger.save_cursor(
                    session, name, back or ledger.Cursor("", fingerprint, complete=False), micros(link.now())
                )
        raise
    if go_on:
        if first_of_all and cut:
            pulled.in_full[name] = began
        return
    with store.write(link.name) as session:
        rejects.forget_unseen(session, name, seen)
    if cursor is not None and _yields_facts(link, name):
        close_missing(store, link, name, seen, checks, pulled)
    pulled.in_full[name] = began


def _snapshot(link: CrmConnection, name: str) -> str:
    """What its object is like, where the system can tell; empty: it cannot, or tells modified times."""
    crm = link.reads(name)
    told = crm.snapshot(link.mapping.source(name)) if isinstance(crm, Snapshots) else ""
    return f"{ledger.SNAPSHOT}{told}" if told else ""


def _read_source(
    store: Store, link: CrmConnection, name: str, pulled: Pulled, begin: str | None, tell: Progress, now_like: str
) -> set[str]:
    """Reads all pages from there on; returns the records that they showed. `now_like`: kept for an object untimed."""
    fingerprint = link.mapping.fingerprint(name)
    seen: set[str] = set()
    asked_at = begun_at = micros(link.now())
    for page in together(link.read(name, begin)):
        untimed = page.complete and not page.cursor
        at = ledger.Cursor(now_like if untimed else page.cursor, fingerprint, page.complete)
        applied = take_in(store, link, page, asked_at, at, pulled, begun_at=begun_at)
        if begin is None:
            _count(pulled, name, applied, seen)
        seen |= set(applied.records)
        tell(name, pulled.records[name])
        if untimed and not now_like and _yields_facts(link, name):
            pulled.untimed.append(name)
        asked_at = micros(link.now())
    return seen


def _yields_facts(link: CrmConnection, name: str) -> bool:
    # A rate of an older day is not shown again, and stays.
    return any(item.table != "rates" for item in link.mapping.sources[name].yields)


def _count(pulled: Pulled, source: str, applied: Applied, seen: set[str]) -> None:
    """Count what the CRM showed; a record that moved onto a later page while it was read counts once."""
    for table, frame in applied.tables.items():
        # A set answers at once; a column of all that was seen would be walked for every page.
        fresh = frame.unique(list(TABLES[table].key), keep="last", maintain_order=True)
        fresh = fresh.filter(pl.Series([record not in seen for record in fresh["source_id"]], dtype=pl.Boolean))
        for currency, rows, amount in ledger.sums(fresh).iter_rows():
            values = pulled.whole.setdefault((source, table, currency), [0, 0])
            values[0] += rows
            values[1] += amount
