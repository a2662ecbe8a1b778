"""Which accounts are one customer: what is said of them, and who they are by it.

Whatever is said is stored as it is said; who is one customer with whom is worked out anew, in the transaction that
changes a word, of everybody who hangs together with the accounts that it concerns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Column, Select, Table, and_, delete, exists, func, insert, select, tuple_

from connector.linking import MOST, Link, Said, linked
from connector.profiles import filled
from connector.schema import TABLES
from connector.tax_ids import TaxId, tax_id
from sync.store import identities, tables, ties
from sync.store.dialect import batches, upsert
from sync.store.ledger import OWN, bump, there
from sync.store.session import Reading, Writing
from sync.store.tables import FOREVER

#: States of a merge that a person has not refused.
_STANDS = ("told", "guessed", "accepted")


@dataclass(frozen=True, slots=True)
class Member:
    """An account of a customer who has several, or one that was merged into him."""

    customer: str
    by: str
    joined_at: int


def relink(session: Writing, accounts: Collection[str], now: int) -> set[str]:
    """Works out anew who is one customer with these accounts; returns those whose customer is another one now.

    `now`: microseconds since 1970 UTC. What is said of them is stored already. Their facts versions move: they are due
    to be scored.
    """
    if not accounts:
        return set()
    _keep_tax_ids(session, accounts, now)
    near = closure(session, accounts)
    before = members(session, near)
    _keep_vanished(session, before, now)
    found = linked(said(session, near)).links
    moved = _keep(session, before, found, now)
    bump(session, moved)
    return moved


def _keep_vanished(session: Writing, before: Mapping[str, Member], now: int) -> None:
    """An account that is gone was one of a customer's: what people decided about it stays with the others of his."""
    lost = before.keys() - there(session, before)
    known = {row.account_id for row in _merges(session, lost)}
    rows = []
    for account in sorted(lost - known):
        others = sorted(name for name, each in before.items() if each.customer == before[account].customer)
        into = next((name for name in others if name not in lost), None)
        if into is not None:
            rows.append({
                "connection": session.connection, "account_id": account, "into": into, "state": "told", "by": None,
                "since": now,
            })  # fmt: skip
    upsert(session, tables.merges, rows, ["connection", "account_id"])


def relink_numbers(session: Writing, feed: str, customers: Collection[str], now: int) -> set[str]:
    """Does so of accounts that say the number of one of these customers, of whom the feed has only now told."""
    said_of, fed = tables.feed_customers, tables.feed_accounts
    numbers = set(customers)
    for batch in batches(sorted(customers)):
        these = and_(session.own(said_of), said_of.c.feed == feed, said_of.c.customer.in_(batch))
        numbers |= set(session.tx.execute(select(said_of.c.says).where(these)).scalars())
    again: set[str] = set()
    for batch in batches(sorted(numbers)):
        these = and_(session.own(fed), fed.c.feed == feed, fed.c.number.in_(batch), fed.c.said)
        query = select(fed.c.number).where(these).group_by(fed.c.number).having(func.count() > 1)
        again |= set(session.tx.execute(query).scalars())
    query = select(fed.c.account_id).where(session.own(fed), fed.c.feed == feed, fed.c.said)
    return relink(session, _column(session, query, fed.c.number, again), now)


def catch_up(session: Writing, now: int) -> set[str]:
    """Does so of accounts at which nobody has looked yet: of a store of an earlier release."""
    known, own = tables.tax_ids, tables.customer_accounts
    names: set[str] = set()
    for name in ("accounts", "profiles"):
        mine = tables.CANONICAL[name]
        looked_at = exists().where(known.c.connection == mine.c.connection, known.c.account_id == mine.c.account_id)
        query = select(mine.c.account_id).where(session.own(mine), mine.c.tax_id.is_not(None), ~looked_at)
        names |= set(session.tx.execute(query).scalars())
    told = tables.CANONICAL["links"]
    linked_once = exists().where(own.c.connection == told.c.connection, own.c.account_id == told.c.account_id)
    several = select(told.c.customer_id).where(session.own(told)).group_by(told.c.customer_id)
    query = select(told.c.account_id).where(
        session.own(told), told.c.source != OWN, ~linked_once, told.c.customer_id.in_(several.having(func.count() > 1))
    )
    return relink(session, names | set(session.tx.execute(query).scalars()), now)


def merged(session: Writing, gone: Mapping[str, str], shown: Collection[str], now: int, asked_at: int) -> set[str]:
    """What the CRM says of merges: account that is gone → the one that it was merged into; those that it shows again
    were merged into nothing. Returns the accounts that this is news of, both ends.

    `asked_at`: when it was asked; what was told since then is newer.
    """
    table, names = tables.merges, set[str]()
    again = {row.account_id: row.into for row in _merges(session, shown) if row.since <= asked_at}
    names |= set(again) | set(again.values())
    for batch in batches(sorted(again)):
        session.tx.execute(delete(table).where(session.own(table), table.c.account_id.in_(batch)))
    before = {row.account_id: row.into for row in _merges(session, gone) if row.state == "told"}
    news = {account: into for account, into in gone.items() if into not in ("", account, before.get(account))}
    key = {"connection": session.connection, "state": "told", "by": None, "since": now}
    upsert(
        session, table, [{**key, "account_id": account, "into": into} for account, into in news.items()],
        ["connection", "account_id"],
    )  # fmt: skip
    return names | set(news) | set(news.values())


def members(session: Reading, accounts: Collection[str]) -> dict[str, Member]:
    """Account → whose it is, of customers who have several; an account alone is missing."""
    table, result = tables.customer_accounts, dict[str, Member]()
    for batch in batches(sorted(accounts)):
        query = select(table.c.account_id, table.c.customer_id, table.c.by, table.c.joined_at).where(
            session.own(table), table.c.account_id.in_(batch), table.c.known_until == FOREVER
        )
        result |= {row[0]: Member(*row[1:]) for row in session.tx.execute(query)}
    return result


def accounts_of(session: Reading, account: str) -> list[str]:
    """All accounts of the customer that this one is of, itself among them, in order; also those merged into them."""
    return sorted(together(session, [account])[account])


def together(session: Reading, accounts: Collection[str]) -> dict[str, set[str]]:
    """Each of the accounts → all accounts of its customer, itself among them."""
    table = tables.customer_accounts
    customers = {name: each.customer for name, each in members(session, accounts).items()}
    theirs: dict[str, set[str]] = {}
    # Who is called so himself may be one to whom others were merged.
    for batch in batches(sorted({*customers.values(), *accounts})):
        query = select(table.c.customer_id, table.c.account_id).where(
            session.own(table), table.c.customer_id.in_(batch), table.c.known_until == FOREVER
        )
        for customer, name in session.tx.execute(query):
            theirs.setdefault(customer, {customer}).add(name)
    return {name: theirs.get(customers.get(name, name), {name}) for name in accounts}


def every(session: Reading) -> dict[str, Member]:
    """All accounts of customers who have several."""
    table = tables.customer_accounts
    query = select(table.c.account_id, table.c.customer_id, table.c.by, table.c.joined_at).where(
        session.own(table), table.c.known_until == FOREVER
    )
    return {row[0]: Member(*row[1:]) for row in session.tx.execute(query)}


def merged_into(session: Reading, account: str, among: Collection[str]) -> set[str]:
    """The account, and those of the accounts that were merged into it, or into one of them."""
    ways = {row.account_id: row.into for row in _merges(session, among) if row.state in _STANDS}
    names = {account}
    while more := {one for one, into in ways.items() if into in names} - names:
        names |= more
    return names


def with_merged(session: Reading, accounts: Collection[str]) -> set[str]:
    """The accounts, and all that were merged into one of them."""
    table, names, ahead = tables.merges, set(accounts), set(accounts)
    while ahead:
        query = select(table.c.account_id).where(session.own(table), table.c.state.in_(_STANDS))
        ahead = _column(session, query, table.c.into, ahead) - names
        names |= ahead
    return names


def words(session: Reading) -> dict[tuple[str, str], int]:
    """What people said of links: (account, other account, or the account itself where it stands alone) → when."""
    table = tables.CANONICAL["links"]
    query = select(table.c.account_id, table.c.customer_id, table.c.known_from)
    rows = session.tx.execute(query.where(session.own(table), table.c.source == OWN))
    return {(row[0], row[1]): row[2] for row in rows}


def tax_ids(session: Reading, accounts: Collection[str] | None = None) -> dict[str, TaxId]:
    """Account → the tax id that it bears, as far as it says one; of these accounts, or of all."""
    table, result = tables.tax_ids, dict[str, TaxId]()
    query = select(table.c.account_id, table.c.scheme, table.c.number, table.c.is_proven)
    query = query.where(session.own(table), table.c.number != "")
    for batch in [None] if accounts is None else batches(sorted(accounts)):
        rows = session.tx.execute(query if batch is None else query.where(table.c.account_id.in_(batch)))
        result |= {row[0]: TaxId(row[1], row[2], row[3]) for row in rows}
    return result


def closure(session: Reading, accounts: Collection[str]) -> set[str]:
    """The accounts and everybody who hangs together with them by anything that is said, or was so until now."""
    known: set[str] = set()
    ahead = set(accounts)
    while ahead:
        known |= ahead
        ahead = set(_neighbours(session, ahead)) - known
    return known


def said(session: Reading, accounts: Collection[str]) -> Said:
    """What is said of these accounts; they are all that hang together."""
    names = sorted(accounts)
    account = tables.CANONICAL["accounts"]
    live = _column(session, select(account.c.account_id).where(session.own(account)), account.c.account_id, names)
    fed, sayings = tables.feed_accounts, list[tuple[str, str, int, str]]()
    for batch in batches(names):
        query = select(fed.c.feed, fed.c.number, fed.c.since, fed.c.account_id).where(
            session.own(fed), fed.c.account_id.in_(batch), fed.c.number != ""
        )
        sayings += [(row[0], row[1], row[2], row[3]) for row in session.tx.execute(query)]
    real = identities.customers_called(session, {(feed, number) for feed, number, _, _ in sayings})
    numbers: dict[str, list[str]] = {}
    for feed, number, _, name in sorted(sayings):
        if (feed, number) in real:
            numbers.setdefault(f"{feed}:{number}", []).append(name)
    joined, alone = set[tuple[str, str]](), set[str]()
    for name, customer, by, source in sorted(_words(session, names)):
        if by == "person" and name == customer:
            alone |= {name} if source == OWN else set()
        elif by == "person":
            joined.add((name, customer))
        else:
            numbers.setdefault(f"={customer}", [customer]).append(name)
    merges = [row for row in _merges(session, names) if row.state in _STANDS]
    guessed = {row.account_id: row.into for row in merges if row.state == "guessed"}
    merged = {row.account_id: row.into for row in merges if row.account_id not in guessed}
    return Said(set(live), tax_ids(session, names), numbers, joined, alone, merged, guessed)


def vetoed(session: Reading) -> dict[str, list[str]]:
    """Number of another system → accounts that it does not join, because their tax ids contradict what it joins."""
    fed, told = tables.feed_accounts, tables.CANONICAL["links"]
    again = select(fed.c.feed, fed.c.number).where(session.own(fed), fed.c.said)
    again = again.group_by(fed.c.feed, fed.c.number).having(func.count() > 1)
    query = select(fed.c.account_id).where(session.own(fed), fed.c.said, tuple_(fed.c.feed, fed.c.number).in_(again))
    names = set(session.tx.execute(query).scalars())
    names |= set(session.tx.execute(select(told.c.account_id).where(session.own(told))).scalars())
    found = linked(said(session, closure(session, names)))
    return {number: sorted(found.vetoed[number]) for number in sorted(found.vetoed)}


def _words(session: Reading, names: Collection[str]) -> Iterator[tuple[str, str, str, str]]:
    """account_id, customer_id, by, source of what is said of links of these accounts."""
    table = tables.CANONICAL["links"]
    for batch in batches(sorted(names)):
        query = select(table.c.account_id, table.c.customer_id, table.c.by, table.c.source)
        yield from (
            (row[0], row[1], row[2], row[3])
            for row in session.tx.execute(query.where(session.own(table), table.c.account_id.in_(batch)))
        )


def _merges(session: Reading, names: Collection[str]) -> Iterator[Any]:
    table = tables.merges
    for batch in batches(sorted(names)):
        yield from session.tx.execute(select(table).where(session.own(table), table.c.account_id.in_(batch)))


def _neighbours(session: Reading, accounts: Collection[str]) -> Iterator[str]:
    """Who hangs together with one of these accounts directly."""
    own, tax, fed = tables.customer_accounts, tables.tax_ids, tables.feed_accounts
    told, merged = tables.CANONICAL["links"], tables.merges
    yield from _sharing(session, own, ("customer_id",), accounts, own.c.known_until == FOREVER, named=True)
    yield from _sharing(session, tax, ("scheme", "number"), accounts, tax.c.is_proven)
    yield from _sharing(session, fed, ("feed", "number"), accounts, fed.c.number != "")
    yield from _sharing(session, told, ("customer_id",), accounts, named=True)
    yield from _sharing(session, merged, ("into",), accounts, named=True)


def _sharing(
    session: Reading, table: Table, by: tuple[str, ...], accounts: Collection[str], *where: Any, named: bool = False
) -> Iterator[str]:
    """Accounts that say in these columns what the given ones say; `named`: a column names an account itself."""
    columns = [table.c[name] for name in by]
    keys: set[tuple[str, ...]] = set()
    for batch in batches(sorted(accounts)):
        query = select(*columns).where(session.own(table), *where, table.c.account_id.in_(batch))
        keys |= {tuple(row) for row in session.tx.execute(query.distinct())}
    if named:
        yield from (key[0] for key in keys)
        keys |= {(name,) for name in accounts}
    crowded = _crowded(session, table, columns, keys, where) if len(by) > 1 else set()
    own = tables.customer_accounts
    linked_now = exists().where(
        own.c.connection == table.c.connection, own.c.account_id == table.c.account_id, own.c.known_until == FOREVER
    )
    for key in sorted(crowded):
        # Of what too many share only those who were one customer by it until now are looked at.
        these = and_(*(column == value for column, value in zip(columns, key, strict=True)))
        query = select(table.c.account_id).where(session.own(table), *where, these, linked_now)
        yield from session.tx.execute(query).scalars()
    for some in batches(sorted(keys - crowded)):
        these = tuple_(*columns).in_(some) if len(by) > 1 else columns[0].in_([key[0] for key in some])
        yield from session.tx.execute(select(table.c.account_id).where(session.own(table), *where, these)).scalars()


def _crowded(
    session: Reading, table: Table, columns: Sequence[Column[Any]], keys: Collection[tuple[str, ...]],
    where: Sequence[Any],
) -> set[tuple[str, ...]]:  # fmt: skip
    """Those that too many say. The one who makes them too many is looked at with the others, who part by that."""
    found: set[tuple[str, ...]] = set()
    for some in batches(sorted(keys)):
        query = select(*columns).where(session.own(table), *where, tuple_(*columns).in_(some))
        query = query.group_by(*columns).having(func.count() > MOST + 1)
        found |= {tuple(row) for row in session.tx.execute(query)}
    return found


def _column(session: Reading, query: Select[Any], column: Column[Any], names: Collection[str]) -> set[str]:
    return {
        value
        for batch in batches(sorted(names))
        for value in session.tx.execute(query.where(column.in_(batch))).scalars()
    }


def _keep(session: Writing, before: Mapping[str, Member], found: Mapping[str, Link], now: int) -> set[str]:
    """Stores who is whose from now on; returns the accounts whose customer is another one, or has other accounts."""
    was, is_now = _sets(before.items()), _sets(found.items())
    rows, ended, moved = [], [], set[str]()
    for account in sorted(was.keys() | is_now.keys()):
        had, has = before.get(account), found.get(account)
        others, theirs = (each.get(account, frozenset({account})) for each in (was, is_now))
        # Of one that only looks merged less acts than of one that is.
        only_looks = [each is not None and each.by == "guess" for each in (had, has)]
        if others != theirs or only_looks[0] != only_looks[1]:
            moved |= {account, *theirs}
        # The largest part that was one before takes the others in.
        parts = {was[name] & theirs for name in theirs if name in was}
        base = min(parts, key=lambda each: (-len(each), min(each)), default=frozenset[str]())
        since = had.joined_at if had is not None and account in base else now
        new = None if has is None else Member(has.customer, has.by, since)
        if new == had:
            continue
        ended += [account] if had is not None else []
        if new is not None:
            rows.append((account, new))
    _end(session, ended, now)
    key = {"connection": session.connection, "known_from": now, "known_until": FOREVER}
    made = [
        {**key, "account_id": account, "customer_id": new.customer, "by": new.by, "joined_at": new.joined_at}
        for account, new in rows
    ]
    upsert(session, tables.customer_accounts, made, ["connection", "account_id", "known_until", "known_from"])
    return moved


def _sets(links: Iterable[tuple[str, Member | Link]]) -> dict[str, frozenset[str]]:
    """Account → all accounts of its customer, those that he is called by among them."""
    result: dict[str, set[str]] = {}
    for account, link in links:
        result.setdefault(link.customer, {link.customer}).add(account)
    return {name: frozenset(names) for names in result.values() for name in names}


def _end(session: Writing, accounts: Collection[str], now: int) -> None:
    """From now on these accounts are nobody's; that they were until now stays known."""
    table = tables.customer_accounts
    for batch in batches(sorted(accounts)):
        these = and_(session.own(table), table.c.account_id.in_(batch), table.c.known_until == FOREVER)
        rows = [dict(row) for row in session.tx.execute(select(table).where(these)).mappings()]
        session.tx.execute(delete(table).where(these))
        past = [{**row, "known_until": now} for row in rows if row["known_from"] < now]
        if past:
            upsert(session, table, past, ["connection", "account_id", "known_until", "known_from"])


def _keep_tax_ids(session: Writing, accounts: Collection[str], now: int) -> None:
    """Keeps the one form of what these accounts say of their tax ids, or a system that knows them.

    A feed's customers who bear one that an account says now, or no longer says, are due to be read again.
    """
    names, before = sorted(accounts), tax_ids(session, accounts)
    frames = {name: _rows(session, name, names) for name in ("accounts", "profiles")}
    frame = filled(frames["accounts"], frames["profiles"]).select("account_id", "tax_id", "country")
    own = set(frames["accounts"].drop_nulls("tax_id")["account_id"])
    table, rows = tables.tax_ids, []
    for account, text, country in frame.drop_nulls("tax_id").iter_rows():
        told = tax_id(text, country) or TaxId("", "", is_proven=False)
        row = {"scheme": told.scheme, "number": told.number, "is_proven": told.is_proven, "own": account in own}
        rows.append({"connection": session.connection, "account_id": account, **row})
    # Who says none any more keeps the one that he said: nobody is another customer because a field was emptied.
    own_query = select(table.c.account_id).where(session.own(table), table.c.own)
    said_own = _column(session, own_query, table.c.account_id, names)
    silent = (there(session, said_own) - {row["account_id"] for row in rows if row["number"]}) & before.keys()
    rows = [row for row in rows if row["account_id"] not in silent]
    for batch in batches(sorted(set(names) - silent)):
        session.tx.execute(delete(table).where(session.own(table), table.c.account_id.in_(batch)))
    for start in range(0, len(rows), 1_000):
        session.tx.execute(insert(table), rows[start : start + 1_000])
    after = tax_ids(session, accounts)
    changed = [name for name in names if before.get(name) != after.get(name)]
    moved = {each[name] for name in changed for each in (before, after) if name in each}
    for feed, customers in identities.bearers(session, moved).items():
        ties.set_due(session, feed, customers, now)


def _rows(session: Reading, name: str, accounts: Collection[str]) -> pl.DataFrame:
    table, columns = tables.CANONICAL[name], TABLES[name].names()
    rows: list[tuple[object, ...]] = []
    for batch in batches(accounts):
        query = select(*(table.c[column] for column in columns)).where(
            session.own(table), table.c.account_id.in_(batch), table.c.deleted_on.is_(None)
        )
        rows += [tuple(row) for row in session.tx.execute(query)]
    return pl.DataFrame(rows, schema=TABLES[name].schema(), orient="row")
