"""Pull: pages of a CRM into canonical tables, some thousand rows and their cursor in one transaction.

A crash costs a few pages of reading: the cursor that goes on is committed with the rows before it, and applying a
record twice is the same as once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import polars as pl

from connector.errors import Denied, Misconfigured, Problem
from connector.policy import Checks
from connector.ports import UNNAMED, Gone, Page
from connector.schema import TABLES
from mappings.apply import Applied, apply
from sync.crm_connection import CrmConnection, micros
from sync.store import Store, facts, holes, ledger, outbox, rejects, sight, sweeps
from sync.store.sight import LostSource

#: The connector file does not say how a record is asked for by its id.
_NO_WAY = "E-CONNECTOR-BY"
#: Problems of a read that began well and cannot be gone on with.
SPOILT = ("E-CRM-INCOMPLETE", "E-CRM-PAGES", "E-CRM-ENVELOPE", "E-CRM-GARBLED", "E-CRM-ANSWER", "E-CRM-OBJECT")

#: Clocks differ by so much without a word.
_TOLERANCE = timedelta(minutes=10)

#: Records a transaction: enough to make whole columns worth it, few enough that no other writer waits for long.
_RECORDS_A_TRANSACTION = 4_000

Progress = Callable[[str, int], None]


@dataclass(slots=True)
class Pulled:
    """What a pull brought."""

    #: Canonical rows by table.
    read: Counter[str] = field(default_factory=Counter)
    #: Records by source.
    records: Counter[str] = field(default_factory=Counter)
    #: Sources of which a full read showed too little to believe, in this run or before; nothing was closed for them.
    lost: list[LostSource] = field(default_factory=list)
    #: Of sources that were read from the start: (source, table, currency) → rows and amount that the CRM showed.
    whole: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    #: Sources that were read from the start → when that began.
    in_full: dict[str, int] = field(default_factory=dict)
    #: Sources that were read in full by themselves: missed (customers), finished, problem (a code, or null).
    swept: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Sources that the CRM keeps no modified time of: they are read from the start every time.
    untimed: list[str] = field(default_factory=list)
    #: Source → records that are dated after now, by our clock: they are read again until then.
    ahead: Counter[str] = field(default_factory=Counter)
    #: Records that were rejected.
    rejected: int = 0
    #: Accounts of which a fact changed.
    touched: set[str] = field(default_factory=set)
    #: Instant that the run began: nothing that it brings was known before.
    began: int = 0
    #: Accounts that the CRM no longer shows: deleted, or merged into another one.
    departed: set[str] = field(default_factory=set)


def silent(_source: str, _records: int) -> None:
    """Progress for whoever does not watch."""


def pull(
    store: Store, link: CrmConnection, checks: Checks, *, full: bool = False, tell: Progress = silent, began: int = 0
) -> Pulled:
    """Reads what changed since the last pull, source by source; `full` reads everything again.

    A source whose mapping changed is read again from the start; one that the CRM lacks and the mapping calls optional
    is left out, and is lost from sight where it was there before; so is one that the mapping no longer names. `checks`:
    which share of a source may be missing.
    """
    pulled = Pulled(began=began)
    for name, part in link.mapping.sources.items():
        try:
            _pull_source(store, link, name, checks, pulled, full=full, tell=tell)
        except Misconfigured as problem:
            if not (part.optional and problem.code == "E-CRM-OBJECT"):
                raise
            _absent(store, link, name, pulled)
    with store.write(link.name) as session:
        rejects.forget_unmapped(session, link.mapping.sources)
        unmapped = ledger.sources(session) - link.mapping.sources.keys() - {facts.OWN}
    for name in sorted(unmapped):
        # What nobody reads any more is not what the CRM says.
        _absent(store, link, name, pulled)
    _follow(store, link, pulled)
    with store.read(link.name) as session:
        pulled.lost = sight.open_sources(session)
    return pulled


def _absent(store: Store, link: CrmConnection, name: str, pulled: Pulled) -> None:
    """An optional source that the CRM no longer knows: what it brought is out of sight until a person accepts."""
    with store.read(link.name) as session:
        stored, before = ledger.records_stored(session, name), sight.of_source(session, name)
        is_accepted = before is not None and before.accepted is not None
        accepted = sight.missing(session, name) & stored if is_accepted else set()
    if accepted:
        _give_up(store, link, name, accepted, pulled)
    left, now = sorted(stored - accepted), micros(link.now())
    with store.write(link.name) as session:
        if left:
            since = now if before is None else before.since
            sight.note(session, LostSource(name, len(left), 0, len(left), since, now), left)
        elif before is not None:
            sight.clear(session, name)


def _give_up(store: Store, link: CrmConnection, name: str, records: Collection[str], pulled: Pulled) -> None:
    """A person took these for gone: so they are, and nobody misses them."""
    with store.write(link.name) as session:
        holes.expect_less(session, name, records)
    _close(store, link, name, sorted(records), pulled)


def _follow(store: Store, link: CrmConnection, pulled: Pulled) -> None:
    """Reads again what belonged to accounts that are gone: a merge moves it to another one, and tells nobody."""
    with store.read(link.name) as session:
        left = ledger.records_of(session, pulled.departed)
    for name, records in left.items():
        if name in link.mapping.sources:
            fetch(store, link, name, records, pulled)


def reread(store: Store, link: CrmConnection, accounts: Collection[str], checks: Checks, pulled: Pulled) -> set[str]:
    """Reads everything that belongs to these accounts again; returns whose facts changed, whoever's they are.

    What the store holds of them and a complete ledger no longer shows is read by id: it moved, or it is gone. Too many
    at once, by the policy's `checks`, are out of sight instead, until a full read has looked for them.
    """
    before = set(pulled.touched)
    for name, part in link.mapping.sources.items():
        owner = part.owner()
        if owner is None or not accounts:
            continue
        if owner == "id":
            fetch(store, link, name, sorted(accounts), pulled)
            continue
        seen: set[str] = set()
        complete = False
        try:
            for page in link.crm.ledger(link.mapping.source(name), owner, sorted(accounts)):
                take_in(store, link, page, micros(link.now()), None, pulled)
                seen |= {*page.frame["id"], *(misfit.record for misfit in page.misfits)}
                complete = page.complete
        except Misconfigured as problem:
            if not (part.optional and problem.code == "E-CRM-OBJECT"):
                raise
        if complete:
            with store.read(link.name) as session:
                stored = ledger.records_of(session, accounts).get(name, [])
            missing = [record for record in stored if record not in seen]
            if missing and not _doubted(store, link, name, missing, checks):
                fetch(store, link, name, missing, pulled)
    return pulled.touched - before


def _doubted(store: Store, link: CrmConnection, name: str, missing: Sequence[str], checks: Checks) -> bool:
    """Whether so many records are missing that nobody believes it; then they are out of sight."""
    if len(missing) <= checks.missing_least:
        return False
    with store.read(link.name) as session:
        stored = len(ledger.records_stored(session, name))
        lost = sight.missing(session, name) if _is_open(sight.of_source(session, name)) else set()
    every = lost | set(missing)
    if len(every) <= max(checks.missing_least, int(checks.lost_share * stored)):
        return False
    with store.write(link.name) as session:
        sight.doubt(session, LostSource(name, stored, stored - len(every), len(every), micros(link.now()), 0), every)
    return True


def _is_open(lost: LostSource | None) -> bool:
    return lost is not None and lost.accepted is None


def fetch(
    store: Store, link: CrmConnection, name: str, records: Sequence[str], pulled: Pulled, *, force: bool = False
) -> set[str]:
    """Reads records of a source again by their ids, and returns those that the CRM showed.

    `force`: what they show of our fields counts in any case.
    """
    texts: set[str] = set()
    with store.read(link.name) as session:
        lost = sight.missing(session, name) if _is_open(sight.of_source(session, name)) else set()
    for page in link.crm.fetch(link.mapping.source(name), records):
        # What is out of sight is not gone because it is not shown by its id either.
        page = replace(page, gone=tuple(item for item in page.gone if item.record not in lost)) if lost else page
        take_in(store, link, page, micros(link.now()), None, pulled, force=force)
        texts |= set(page.frame["id"].to_list())
    return texts


def _pull_source(
    store: Store, link: CrmConnection, name: str, checks: Checks, pulled: Pulled, *, full: bool, tell: Progress
) -> None:
    fingerprint = link.mapping.fingerprint(name)
    with store.read(link.name) as session:
        cursor = ledger.cursor(session, name)
        full = full or sight.is_due(sight.of_source(session, name), micros(link.now()))
        first_of_all = sweeps.of_source(session, name) is None
        bad = rejects.of_source(session, name)
        withholds = any(hole.source == name and hole.cause == "rejected" for hole in holes.open_(session))
    # One that says no id cannot be asked for; where it keeps customers waiting, everything is looked at again.
    rejected = sorted(record for record in bad if not record.startswith(UNNAMED))
    full = full or (withholds and len(rejected) < len(bad))
    known = cursor is not None and cursor.fingerprint == fingerprint
    # Rows that did not fit are looked at again: they may have been mended without a trace that we would be told of.
    if rejected and known and not full:
        _asked(store, link, name, rejected, pulled, closes=False)
    # Only the first read of all goes on where it was cut, though everything is to be read again.
    cut = cursor is not None and not cursor.complete
    go_on = known and cursor is not None and cursor.cursor != "" and (not full or (cut and first_of_all))
    began = micros(link.now())
    try:
        seen = _read_source(store, link, name, pulled, cursor.cursor if go_on and cursor else None, tell)
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


def _read_source(
    store: Store, link: CrmConnection, name: str, pulled: Pulled, begin: str | None, tell: Progress
) -> set[str]:
    """Reads all pages from there on; returns the records that they showed."""
    fingerprint = link.mapping.fingerprint(name)
    seen: set[str] = set()
    asked_at = begun_at = micros(link.now())
    for page in together(link.crm.read(link.mapping.source(name), begin)):
        at = ledger.Cursor(page.cursor, fingerprint, page.complete)
        applied = take_in(store, link, page, asked_at, at, pulled, begun_at=begun_at)
        if begin is None:
            _count(pulled, name, applied, seen)
        seen |= set(applied.records)
        tell(name, pulled.records[name])
        if page.complete and not page.cursor and _yields_facts(link, name):
            pulled.untimed.append(name)
        asked_at = micros(link.now())
    return seen


def together(pages: Iterable[Page]) -> Iterator[Page]:
    """Pages put together until they hold enough records; the cursor is that of the last.

    Rows of one record stay together where they follow each other: its later ones take the place of the earlier ones.
    """
    held: list[Page] = []
    for page in pages:
        full = sum(item.frame.height for item in held) >= _RECORDS_A_TRANSACTION
        if full and not _is_torn(held[-1], page):
            yield _join_pages(held)
            held = []
        held.append(page)
    if held:
        yield _join_pages(held)


def _is_torn(before: Page, after: Page) -> bool:
    """Whether a record's rows lie on both pages."""
    one, other = before.frame["id"], after.frame["id"]
    return bool(one.len() and other.len() and one[-1] == other[0])


def _join_pages(pages: Sequence[Page]) -> Page:
    last = pages[-1]
    gone = tuple(item for page in pages for item in page.gone)
    misfits = tuple(item for page in pages for item in page.misfits)
    return Page(last.source, pl.concat([page.frame for page in pages]), gone, last.cursor, last.complete, misfits)


def _yields_facts(link: CrmConnection, name: str) -> bool:
    # A rate of an older day is not shown again, and stays.
    return any(item.table != "rates" for item in link.mapping.sources[name].yields)


def take_in(
    store: Store,
    link: CrmConnection,
    page: Page,
    asked_at: int,
    cursor: ledger.Cursor | None,
    pulled: Pulled,
    *,
    force: bool = False,
    begun_at: int | None = None,
) -> Applied:
    """Stores what a page yields, in one transaction with the cursor that goes on from it.

    `asked_at`: when the page was asked for, in microseconds since 1970 UTC by our clock; `begun_at`: when its read
    began, in which a record may come twice. `force`: what it shows of our fields counts in any case.
    """
    applied = apply(link.mapping, page.source, page.frame, link.organisation, link.time_zone)
    applied = applied.with_misfits(page.misfits)
    if ahead := applied.modified.filter(pl.col("at") > micros(link.now() + _TOLERANCE)).height:
        pulled.ahead[page.source] += ahead
    now = max(micros(link.now()), pulled.began)
    with store.write(link.name) as session:
        asked = max(asked_at if begun_at is None else begun_at, pulled.began)
        pulled.touched |= facts.apply_page(session, page.source, applied, page.gone, now, asked)
        if applied.observed is not None and applied.observed.height:
            outbox.observe(session, applied.observed, asked_at, force=force)
        if cursor is not None:
            ledger.save_cursor(session, page.source, cursor, now)
    if any(item.table == "accounts" for item in link.mapping.sources[page.source].yields):
        pulled.departed |= {item.record for item in page.gone}
    pulled.rejected += applied.rejects["record"].n_unique()
    pulled.records[page.source] += len(applied.records)
    for table, frame in applied.tables.items():
        pulled.read[table] += frame.height
    return applied


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


def close_missing(
    store: Store,
    link: CrmConnection,
    name: str,
    seen: set[str],
    checks: Checks,
    pulled: Pulled,
    *,
    known_before: int | None = None,
) -> None:
    """Stored records that a full read did not show are read by id: gone for good, or only moved.

    Too many at once, by the policy's `checks`, are believed by nobody but a person: those that he accepted are gone,
    whatever answers by id.
    Nor are those believed that we may not ask for. `known_before`: only of rows that were known by then.
    """
    with store.read(link.name) as session:
        stored, before = ledger.records_stored(session, name, known_before), sight.of_source(session, name)
    missing = sorted(stored - seen)
    few = max(checks.missing_least, int(checks.lost_share * len(stored)))
    if before is not None and before.accepted is not None:
        with store.read(link.name) as session:
            given_up = sight.missing(session, name) & set(missing)
        _give_up(store, link, name, given_up, pulled)
        stored, missing = stored - given_up, sorted(set(missing) - given_up)
    # Of a source that shows nothing at all, no few are believed either.
    lost = len(missing) > (few if seen else 1)
    if missing and not lost:
        lost = not _asked(store, link, name, missing, pulled)
    now = micros(link.now())
    with store.write(link.name) as session:
        if lost:
            since = now if before is None else before.since
            sight.note(session, LostSource(name, len(stored), len(seen), len(missing), since, now), missing)
        elif before is not None:
            sight.clear(session, name)


def _asked(
    store: Store, link: CrmConnection, name: str, missing: Sequence[str], pulled: Pulled, *, closes: bool = True
) -> bool:
    """Reads these by id; False: the system does not let us. `closes`: where it cannot be asked so, they are gone."""
    try:
        fetch(store, link, name, missing, pulled)
    except Denied as problem:
        if problem.code != "E-CRM-PERMISSION":
            raise
        return False
    except Misconfigured as problem:
        if problem.code != _NO_WAY:
            raise
        if not closes:
            return True
        # The list is all that tells.
        _close(store, link, name, missing, pulled)
    return True


def _close(store: Store, link: CrmConnection, name: str, records: Sequence[str], pulled: Pulled) -> None:
    """These are gone, whatever answers by their ids."""
    if name not in link.mapping.sources:
        with store.write(link.name) as session:
            pulled.touched |= facts.remove(session, name, records, micros(link.now()))
        return
    for start in range(0, len(records), _RECORDS_A_TRANSACTION):
        gone = tuple(Gone(record, "deleted") for record in records[start : start + _RECORDS_A_TRANSACTION])
        take_in(store, link, _empty(link, name, gone), micros(link.now()), None, pulled)


def _empty(link: CrmConnection, name: str, gone: tuple[Gone, ...]) -> Page:
    columns = ["id", "modified_at", *link.mapping.source(name).fields]
    return Page(name, pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), gone, "", complete=True)
