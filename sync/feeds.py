"""Feeds: systems that are only read, beside the CRM. Whose customers they have, and what a change of that leads to."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from connector.errors import Busy, Misconfigured, Problem
from connector.ports import Page, Source
from connector.schema import day_number
from sync.crm_connection import CrmConnection, micros
from sync.store import Store, feeds, ledger, ties
from sync.taking import Pulled, take_in

#: So many customers are read again one by one; of more, everything is.
_ONE_BY_ONE = 500
#: Problems of our own store and clock.
_OURS = ("E-STORE", "E-CLOCK", "E-FEED-NONE")
#: A feed that could not be read is left alone for so long by whoever looks at single customers.
_LEAVE_ALONE_US = 60_000_000


def begin(store: Store, link: CrmConnection, feed: str, pulled: Pulled, *, full: bool) -> bool:
    """Reads which customers the feed has, and again the facts of those whose account changed.

    Returns whether so many changed, or it can so little be asked for them, that all of the feed is to be read again.
    """
    _customers(store, link, feed, full=full)
    return relink(store, link, feed, pulled)


def relink(store: Store, link: CrmConnection, feed: str, pulled: Pulled) -> bool:
    """Reads the facts of customers whose account changed again; True: they are too many to be asked for."""
    now = micros(link.now())
    with store.read(link.name) as session:
        due = ties.due(session, feed)
        sources = link.mapping.of_feed(feed)
        read = [name for name in sources if (at := ledger.cursor(session, name)) is not None and at.complete]
    if not due or len(due) > _ONE_BY_ONE:
        return bool(due)
    for name in read:
        owner = link.mapping.sources[name].owner()
        if owner is None:
            continue
        try:
            names = sorted(due)
            for page in link.fetch(name, names) if owner == "id" else link.ledger(name, owner, names):
                take_in(store, link, page, micros(link.now()), None, pulled)
        except Misconfigured as problem:
            if problem.code == "E-CONNECTOR-BY":
                # It cannot be asked for single customers.
                return True
            if not (link.mapping.sources[name].optional and problem.code == "E-CRM-OBJECT"):
                raise
    if len(read) == len(sources):
        with store.write(link.name) as session:
            ties.done(session, feed, due, now)
    return False


def relink_all(store: Store, link: CrmConnection, pulled: Pulled) -> None:
    """The same of every feed that can be read, as far as they are asked one by one."""
    for feed in link.feeds:
        if not is_left_alone(store, link, feed, pulled):
            try:
                relink(store, link, feed, pulled)
            except Problem as problem:
                failed(store, link, feed, problem, pulled)


def ended(store: Store, link: CrmConnection, feed: str, began: int) -> None:
    """The feed was read to its end: what it says is as it was then."""
    with store.write(link.name) as session:
        ties.done(session, feed, ties.due(session, feed, known_by=began), began)
        feeds.read(session, feed, began, link.mapping.of_feed(feed))


def away(store: Store, link: CrmConnection, feed: str, problem: Problem, pulled: Pulled) -> None:
    """A whole look at it failed: what it brought stands as it is. Raises the problem where it is none of the feed's."""
    if problem.code.startswith(_OURS) or isinstance(problem, Busy):
        raise problem
    pulled.away[feed] = problem.code
    with store.write(link.name) as session:
        read_at = feeds.of(session, feed).read_at
        read_on = None if read_at is None else day_number(link.day_of(read_at))
        feeds.away(session, feed, problem.code, micros(link.now()), link.mapping.of_feed(feed), read_on)


def failed(store: Store, link: CrmConnection, feed: str, problem: Problem, pulled: Pulled) -> None:
    """A look at single customers failed: it is left alone for a while.

    Raises the problem where it is none of the feed's, or where the feed answers all the same: then these customers it
    is, and no other.
    """
    if problem.code.startswith(_OURS) or isinstance(problem, Busy) or _answers(link, feed):
        raise problem
    pulled.away[feed] = problem.code
    with store.write(link.name) as session:
        feeds.failed(session, feed, problem.code, micros(link.now()))


def any_is_back(store: Store, link: CrmConnection) -> bool:
    """Whether a feed answers that could not be read when everything was looked at last."""
    with store.read(link.name) as session:
        states = feeds.every(session)
    return any(states[feed].away_since is not None and _answers(link, feed) for feed in link.feeds if feed in states)


def _answers(link: CrmConnection, feed: str) -> bool:
    """Whether a feed says who it is."""
    try:
        link.feeds[feed].crm.organisation()
    except Problem:
        return False
    return True


def is_left_alone(store: Store, link: CrmConnection, feed: str, pulled: Pulled) -> bool:
    """Whether it could not be read a moment ago: single customers do not wait for it again and again."""
    if feed in pulled.away:
        return True
    with store.read(link.name) as session:
        state = feeds.of(session, feed)
    if state.problem is None or state.tried_at is None:
        return False
    if 0 <= micros(link.now()) - state.tried_at < _LEAVE_ALONE_US:
        pulled.away[feed] = state.problem or ""
        return True
    return False


def customers_of(store: Store, link: CrmConnection, feed: str, accounts: Collection[str]) -> list[str]:
    """The customers of the feed that these accounts are."""
    with store.read(link.name) as session:
        found = ties.customers_of(session, feed, accounts, says_account=link.says_account(feed))
    return sorted({name for names in found.values() for name in names})


def accounts_named(store: Store, link: CrmConnection, feed: str, names: Collection[str]) -> dict[str, str]:
    """Customer of the feed, by its own name or number → the account that he is; missing: nobody is tied to it."""
    with store.read(link.name) as session:
        return ties.accounts_named(session, feed, names, says_account=link.says_account(feed))


def take_customers(store: Store, link: CrmConnection, feed: str, pages: Iterable[Page], *, keep: bool) -> None:
    """What the feed's own customers say, page by page; `keep`: a later read goes on from there."""
    said = link.mapping.feeds[feed].customers
    if said is None:
        return
    name = cursor_name(feed)
    for page in pages:
        rows = page.frame.select("id", said.field).rows()
        told = {customer: (text or "").strip() or None for customer, text in rows}
        with store.write(link.name) as session:
            ties.say_customers(session, feed, told, micros(link.now()))
            if keep:
                at = ledger.Cursor(page.cursor, _fingerprint(link, feed), page.complete)
                ledger.save_cursor(session, name, at, micros(link.now()))


def cursor_name(feed: str) -> str:
    """Under which the read of a feed's customers is noted."""
    return f"{feed}:customers"


def customers_source(link: CrmConnection, feed: str) -> Source | None:
    """The feed's own object of customers, as its adapter reads it; None: its records say the number themselves."""
    said = link.mapping.feeds[feed].customers
    return None if said is None else Source(cursor_name(feed), said.object, (said.field,))


def _customers(store: Store, link: CrmConnection, feed: str, *, full: bool) -> None:
    source = customers_source(link, feed)
    if source is None:
        return
    with store.read(link.name) as session:
        at = ledger.cursor(session, source.name)
    go_on = at is not None and not full and at.fingerprint == _fingerprint(link, feed) and at.cursor
    try:
        pages = link.feeds[feed].crm.read(source, at.cursor if at is not None and go_on else None)
        take_customers(store, link, feed, pages, keep=True)
    except Misconfigured as problem:
        # A folder without a file of customers calls them by the number.
        if problem.code != "E-CRM-OBJECT":
            raise


def _fingerprint(link: CrmConnection, feed: str) -> str:
    said = link.mapping.feeds[feed].customers
    return "" if said is None else f"{said.object}|{said.field}"
