"""What is said of links: numbers, tax ids, mapped links, merges and a person's words, as they were said."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Select, Table, and_, delete, exists, func, select, tuple_

from connector.linking import MOST, Said, linked
from connector.tax_ids import TaxId
from sync.store import identities, tables
from sync.store.dialect import batches, upsert
from sync.store.ledger import OWN
from sync.store.session import Reading, Writing
from sync.store.tables import FOREVER

#: States of a merge that a person has not refused.
STANDS = ("told", "guessed", "accepted")


def merged(session: Writing, gone: Mapping[str, str], shown: Collection[str], now: int, asked_at: int) -> set[str]:
    """What the CRM says of merges: account that is gone → the one that it was merged into; those that it shows again
    were merged into nothing. Returns the accounts that this is news of, both ends.

    `asked_at`: when it was asked; what was told since then is newer.
    """
    table, names = tables.merges, set[str]()
    again = {row.account_id: row.into for row in merges_of(session, shown) if row.since <= asked_at}
    names |= set(again) | set(again.values())
    for batch in batches(sorted(again)):
        session.tx.execute(delete(table).where(session.own(table), table.c.account_id.in_(batch)))
    before = {row.account_id: row.into for row in merges_of(session, gone) if row.state == "told"}
    news = {account: into for account, into in gone.items() if into not in ("", account, before.get(account))}
    key = {"connection": session.connection, "state": "told", "by": None, "since": now}
    upsert(
        session, table, [{**key, "account_id": account, "into": into} for account, into in news.items()],
        ["connection", "account_id"],
    )  # fmt: skip
    return names | set(news) | set(news.values())


def with_merged(session: Reading, accounts: Collection[str]) -> set[str]:
    """The accounts, and all that were merged into one of them."""
    table, names, ahead = tables.merges, set(accounts), set(accounts)
    while ahead:
        query = select(table.c.account_id).where(session.own(table), table.c.state.in_(STANDS))
        ahead = column_of(session, query, table.c.into, ahead) - names
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
    live = column_of(session, select(account.c.account_id).where(session.own(account)), account.c.account_id, names)
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
    merges = [row for row in merges_of(session, names) if row.state in STANDS]
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


def merges_of(session: Reading, names: Collection[str]) -> Iterator[Any]:
    """Rows of `merges` of these accounts."""
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


def column_of(session: Reading, query: Select[Any], column: Column[Any], names: Collection[str]) -> set[str]:
    """What a query finds where the column is one of the names."""
    return {
        value
        for batch in batches(sorted(names))
        for value in session.tx.execute(query.where(column.in_(batch))).scalars()
    }
