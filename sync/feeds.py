"""Feeds: systems that are only read, beside the CRM. Whose customers they have, and what a change of that leads to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from connector.errors import Busy, Misconfigured, Problem
from connector.ports import Page, Source
from connector.schema import day_number
from sync.crm_connection import CrmConnection, micros
from sync.store import Store, feeds, ledger, links, ties
from sync.taking import Pulled, take_in

#: Columns that name a customer beside the one that a row belongs to.
_BESIDE = ("parent_id", "payer_id")
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
    """Reads the facts of customers whose account changed again; True: they are too many to be asked for, or cannot be.

    One whose facts cannot be read, though the feed answers, stays due, and keeps no other one waiting.
    """
    now = micros(link.now())
    with store.read(link.name) as session:
        due = sorted(ties.due(session, feed))
        if not due:
            return False
        # Of a source that was never read all is to come; one that was cut goes on, and has read some of them before.
        begun = [name for name in link.mapping.of_feed(feed) if ledger.cursor(session, name) is not None]
    if begun and len(due) > _ONE_BY_ONE:
        return True
    try:
        again = _asked_again(store, link, feed, begun, due, pulled) if begun else set(due)
    except Misconfigured as problem:
        if problem.code != "E-CONNECTOR-BY":
            raise
        return True
    if again:
        with store.write(link.name) as session:
            ties.done(session, feed, again, now)
    return False


def _asked_again(
    store: Store, link: CrmConnection, feed: str, sources: Sequence[str], due: Sequence[str], pulled: Pulled
) -> set[str]:
    """Reads these customers' facts, of whom there is one at least; returns those of whom that was done."""
    try:
        for name in sources:
            _read_of(store, link, name, due, pulled)
    except Problem as problem:
        if problem.code == "E-CONNECTOR-BY" or is_ours(problem) or not answers(link, feed):
            raise
        if len(due) == 1:
            return set()
        half = len(due) // 2
        parts = (due[:half], due[half:])
        return {each for part in parts for each in _asked_again(store, link, feed, sources, part, pulled)}
    return set(due)


def _read_of(store: Store, link: CrmConnection, name: str, customers: Sequence[str], pulled: Pulled) -> None:
    """What a source has of these customers, and what names them as a parent or a payer."""
    part = link.mapping.sources[name]
    owner = part.owner()
    others = {item.columns[column].field for item in part.yields for column in _BESIDE if column in item.columns}
    try:
        if owner is not None:
            for page in link.fetch(name, customers) if owner == "id" else link.ledger(name, owner, customers):
                take_in(store, link, page, micros(link.now()), None, pulled)
    except Misconfigured as problem:
        if not link.lacks(name, problem):
            raise
        return
    for field in sorted(each for each in others if each and each != owner):
        # Where it cannot be asked so, its next full read brings it.
        with suppress(Misconfigured):
            for page in link.ledger(name, field, customers):
                take_in(store, link, page, micros(link.now()), None, pulled)


def relink_all(store: Store, link: CrmConnection, pulled: Pulled) -> None:
    """The same of every feed that can be read, as far as they are asked one by one."""
    for feed in link.feeds:
        if not is_left_alone(store, link, feed, pulled):
            try:
                relink(store, link, feed, pulled)
            except Problem as problem:
                failed(store, link, feed, problem, pulled)


def ended(store: Store, link: CrmConnection, feed: str, began: int, pulled: Pulled, *, whole: bool) -> None:
    """The feed was read to its end: what it says is as it was then; `whole`: of every customer."""
    with store.write(link.name) as session:
        if whole:
            ties.done(session, feed, ties.due(session, feed, known_by=began), began)
        pulled.touched |= feeds.read(session, feed, began)


def away(store: Store, link: CrmConnection, feed: str, problem: Problem, pulled: Pulled) -> None:
    """A whole look at it failed: what it brought stands as it is. Raises the problem where it is none of the feed's."""
    if is_ours(problem):
        raise problem
    pulled.away[feed] = problem.code
    pulled.away_because[feed] = problem.text("en"), problem.text("zh-CN")
    with store.write(link.name) as session:
        read_at = feeds.of(session, feed).read_at
        read_on = None if read_at is None else day_number(link.day_of(read_at))
        feeds.away(session, feed, problem.code, micros(link.now()), link.mapping.of_feed(feed), read_on)


def failed(store: Store, link: CrmConnection, feed: str, problem: Problem, pulled: Pulled) -> None:
    """A look at single customers failed. A feed that says nothing at all is away from now on, and left alone a while.

    Where it answers all the same, these customers it is: `failing` says so. Raises the problem where it is ours.
    """
    if is_ours(problem):
        raise problem
    if answers(link, feed):
        pulled.failing[feed] = problem
    else:
        away(store, link, feed, problem, pulled)


def is_ours(problem: Problem) -> bool:
    """Whether the fault lies with our own store or clock."""
    return problem.code.startswith(_OURS) or isinstance(problem, Busy)


def any_is_back(store: Store, link: CrmConnection) -> bool:
    """Whether a feed answers that could not be read when everything was looked at last."""
    with store.read(link.name) as session:
        states = feeds.every(session)
    return any(states[feed].away_since is not None and answers(link, feed) for feed in link.feeds if feed in states)


def answers(link: CrmConnection, feed: str) -> bool:
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
        # What was merged into them is theirs, too.
        names = {name for each in links.together(session, accounts).values() for name in each}
        gone = names - ledger.there(session, names)
        found = ties.customers_of(session, feed, {*accounts, *gone}, link.tie(feed))
    return sorted({name for names in found.values() for name in names})


def accounts_named(store: Store, link: CrmConnection, feed: str, names: Collection[str]) -> dict[str, str]:
    """Customer of the feed, by its own name or number → the account that he is; missing: nobody is tied to it."""
    with store.read(link.name) as session:
        return ties.accounts_named(session, feed, names, link.tie(feed))


def take_customers(
    store: Store, link: CrmConnection, feed: str, pages: Iterable[Page], *, keep: bool, whole: bool = False
) -> None:
    """What the feed's own customers say, page by page; `keep`: a later read goes on from there.

    `whole`: of those whom the pages do not show nothing is said any more.
    """
    said = link.mapping.feeds[feed].customers
    if said is None:
        return
    name, seen = cursor_name(feed), set[str]()
    for page in pages:
        rows = page.frame.select("id", said.field).rows()
        told = {customer: (text or "").strip() or None for customer, text in rows}
        with store.write(link.name) as session:
            now = micros(link.now())
            ties.say_customers(session, feed, told, now)
            links.relink_numbers(session, feed, told.keys(), now)
            seen |= told.keys()
            if whole and page.complete:
                ties.unlisted(session, feed, seen, micros(link.now()))
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
        # Where customers may be called by the number itself, a list that they left says nothing of them any more.
        take_customers(store, link, feed, pages, keep=True, whole=link.tie(feed).itself and not go_on)
    except Misconfigured as problem:
        if problem.code != "E-CRM-OBJECT" or not link.tie(feed).itself:
            raise
        with store.write(link.name) as session:
            ties.unlisted(session, feed, (), micros(link.now()))


def _fingerprint(link: CrmConnection, feed: str) -> str:
    said = link.mapping.feeds[feed].customers
    return "" if said is None else f"{said.object}|{said.field}"
