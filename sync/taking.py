"""What is read goes into the store: a page in one transaction with the cursor that goes on from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import polars as pl

from connector.errors import Problem
from connector.ports import Page
from connector.tax_ids import TaxId, tax_id
from mappings.apply import Applied, Ties, apply
from sync.crm_connection import CrmConnection, micros
from sync.store import Store, facts, feeds, identities, ledger, links, outbox, sayings, sight, ties
from sync.store.session import Writing
from sync.store.sight import LostSource

#: Tables that say which accounts are one customer.
LINKING = frozenset({"accounts", "profiles", "links"})
#: Clocks differ by so much without a word.
_TOLERANCE = timedelta(minutes=10)

#: Records a transaction: enough to make whole columns worth it, few enough that no other writer waits for long.
RECORDS_A_TRANSACTION = 4_000


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
    #: Accounts of which a fact changed.
    touched: set[str] = field(default_factory=set)
    #: Instant that the run began: nothing that it brings was known before.
    began: int = 0
    #: Optional sources that are not there.
    absent: set[str] = field(default_factory=set)
    #: Feed → code of the problem that keeps it away.
    away: dict[str, str] = field(default_factory=dict)
    #: Feed → what happened and what to try, in English and Chinese, of a whole look in this run.
    away_because: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Feed → the problem of a look at single customers, though it answers.
    failing: dict[str, Problem] = field(default_factory=dict)
    #: Accounts whose customer is another one than before, or has other accounts.
    relinked: set[str] = field(default_factory=set)
    #: Accounts that the CRM no longer shows: deleted, or merged into another one.
    departed: set[str] = field(default_factory=set)


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
    resolved: dict[str, str] = {}
    told_of: set[str] = set()
    _say_tax_ids(store, link, page)
    organisation, tied = link.organisation_of(page.source), _ties(store, link, page.source, resolved, told_of)
    applied = apply(link.mapping, page.source, page.frame, organisation, link.time_zone, tied)
    applied = applied.with_misfits(page.misfits)
    if ahead := applied.modified.filter(pl.col("at") > micros(link.now() + _TOLERANCE)).height:
        pulled.ahead[page.source] += ahead
    now = max(micros(link.now()), pulled.began)
    with store.write(link.name) as session:
        asked = max(asked_at if begun_at is None else begun_at, pulled.began)
        _renumber(session, link, page, applied, now)
        touched = facts.apply_page(session, page.source, applied, page.gone, now, asked)
        said = _say_numbers(session, link, page, applied, now) | _say_merges(session, link, page, applied, now, asked)
        if said or not LINKING.isdisjoint(applied.tables):
            moved = links.relink(session, touched | said, now)
            touched, pulled.relinked = touched | moved, pulled.relinked | moved
        if told_of and (news := identities.see(session, link.mapping.feed_of(page.source), told_of)):
            moved = links.relink_numbers(session, link.mapping.feed_of(page.source), news, now)
            touched, pulled.relinked = touched | moved, pulled.relinked | moved
        pulled.touched |= touched
        if resolved:
            ties.keep(session, link.mapping.feed_of(page.source), resolved)
        if applied.observed is not None and applied.observed.height:
            outbox.observe(session, applied.observed, asked_at, force=force)
        if cursor is not None:
            ledger.save_cursor(session, page.source, cursor, now)
    if any(item.table == "accounts" for item in link.mapping.sources[page.source].yields):
        pulled.departed |= {item.record for item in page.gone}
    pulled.records[page.source] += len(applied.records)
    for table, frame in applied.tables.items():
        pulled.read[table] += frame.height
    return applied


def _say_tax_ids(store: Store, link: CrmConnection, page: Page) -> None:
    """What a feed's customers say of their tax ids, before it is asked which accounts they are."""
    feed = link.mapping.feed_of(page.source)
    items = link.mapping.sources[page.source].yields if feed else ()
    told: dict[str, TaxId | None] = {}
    for item in items:
        named = [item.columns[name].field for name in ("account_id", "tax_id") if name in item.columns]
        if item.table != "profiles" or len(named) < 2 or None in named:
            continue
        country = item.columns["country"].field if "country" in item.columns else None
        lands = page.frame[country].to_list() if country else [None] * page.frame.height
        for customer, text, land in zip(*(page.frame[str(name)] for name in named), lands, strict=True):
            told |= {} if customer is None else {customer: tax_id(text, land)}
    if not told:
        return
    with store.write(link.name) as session:
        moved = identities.say_tax_ids(session, feed, told)
        # In a first read of all, their facts are still to come.
        if feeds.of(session, feed).read_at is not None:
            ties.set_due(session, feed, moved, micros(link.now()))


def _names_accounts(link: CrmConnection, page: Page, applied: Applied) -> bool:
    """Whether the page is one of the CRM's accounts, and a feed has customers who are some."""
    return bool(link.mapping.feeds) and "accounts" in applied.tables and not link.mapping.feed_of(page.source)


def _renumber(session: Writing, link: CrmConnection, page: Page, applied: Applied, now: int) -> None:
    """Accounts that are new or called otherwise: customers who say them may be another's. Before they are stored."""
    if not _names_accounts(link, page, applied):
        return
    numbers = dict(applied.tables["accounts"].select("account_id", "number").rows())
    for feed in link.mapping.feeds:
        if link.tie(feed).says_account:
            ties.renumbered(session, feed, numbers, now)


def _say_numbers(session: Writing, link: CrmConnection, page: Page, applied: Applied, now: int) -> set[str]:
    """What accounts say of who they are in the feeds; once they are stored, so that an older page says nothing.

    Returns the accounts that say something else now.
    """
    if not _names_accounts(link, page, applied):
        return set()
    shown = dict(applied.tables["accounts"].select("account_id", "source_modified_at").rows())
    stored = ledger.modified_at(session, shown)
    older = {account for account, at in shown.items() if (stored.get(account) or 0) > (at or 0)}
    names: set[str] = set()
    for feed, frame in applied.numbers.items():
        names |= ties.say(session, feed, {account: said for account, said in frame.rows() if account not in older}, now)
    # Of an account that was merged into another one the customers are that one's.
    lost = {item.record for item in page.gone if not item.into}
    ties.gone(session, sayings.with_merged(session, lost), now)
    return names


def _say_merges(
    session: Writing, link: CrmConnection, page: Page, applied: Applied, now: int, asked_at: int
) -> set[str]:  # fmt: skip
    """Which accounts the CRM merged into others; returns those that this is news of."""
    if "accounts" not in applied.tables or link.mapping.feed_of(page.source):
        return set()
    gone = {item.record: item.into for item in page.gone if item.into}
    return sayings.merged(session, gone, applied.tables["accounts"]["account_id"].to_list(), now, asked_at)


def _ties(
    store: Store, link: CrmConnection, name: str, resolved: dict[str, str], told_of: set[str]
) -> Ties | None:  # fmt: skip
    """How a source's names are ours; None: it is the CRM's own.

    `resolved`: takes what is to be kept; `told_of`: the customers that the page names.
    """
    feed = link.mapping.feed_of(name)
    if not feed:
        return None

    def accounts(customers: Collection[str]) -> dict[str, str]:
        with store.read(link.name) as session:
            found = ties.accounts_of(session, feed, customers, link.tie(feed))
        told_of.update(customers)
        resolved.update(found if link.tie(feed).says_account else {})
        return found

    def claims(numbers: Collection[str]) -> dict[str, str]:
        with store.read(link.name) as session:
            return ledger.claims_by_number(session, numbers)

    return Ties(accounts, None if feed in link.mapping.systems().get("receivables", ()) else claims)


def fetch(
    store: Store, link: CrmConnection, name: str, records: Sequence[str], pulled: Pulled, *, force: bool = False
) -> set[str]:
    """Reads records of a source again by their ids, and returns those that the CRM showed.

    `force`: what they show of our fields counts in any case.
    """
    texts: set[str] = set()
    with store.read(link.name) as session:
        lost = sight.out_of_sight(session, name)
    for page in link.fetch(name, records):
        # What is out of sight is not gone because it is not shown by its id either.
        page = replace(page, gone=tuple(item for item in page.gone if item.record not in lost)) if lost else page
        take_in(store, link, page, micros(link.now()), None, pulled, force=force)
        texts |= set(page.frame["id"].to_list())
    return texts


def together(pages: Iterable[Page]) -> Iterator[Page]:
    """Pages put together until they hold enough records; the cursor is that of the last.

    Rows of one record stay together where they follow each other: its later ones take the place of the earlier ones.
    """
    held: list[Page] = []
    for page in pages:
        full = sum(item.frame.height for item in held) >= RECORDS_A_TRANSACTION
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
