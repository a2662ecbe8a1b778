"""Who a feed's customers are where no number says it: by their tax ids, and by a person's word.

A person's word stands above a number, a proven tax id steps in where there is no number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import and_, delete, insert, select, tuple_

from connector.tax_ids import TaxId, contradict
from sync.store import tables
from sync.store.dialect import batches, upsert
from sync.store.session import Reading, Writing


def say_tax_ids(session: Writing, feed: str, told: Mapping[str, TaxId | None]) -> set[str]:
    """What a feed's customers say of their tax ids; returns those who say another one now."""
    table = tables.feed_tax_ids
    before = tax_ids(session, feed, told)
    moved = {customer for customer, now in told.items() if before.get(customer) != now}
    for batch in batches(sorted(moved)):
        session.tx.execute(delete(table).where(session.own(table), table.c.feed == feed, table.c.customer.in_(batch)))
    rows = [
        {
            "connection": session.connection, "feed": feed, "customer": customer, "scheme": now.scheme,
            "number": now.number, "is_proven": now.is_proven,
        }
        for customer in sorted(moved)
        if (now := told[customer]) is not None
    ]  # fmt: skip
    upsert(session, table, rows, ["connection", "feed", "customer"])
    return moved


def tax_ids(session: Reading, feed: str, customers: Collection[str]) -> dict[str, TaxId]:
    """Customer → the tax id that he says, as far as he says one."""
    table, result = tables.feed_tax_ids, dict[str, TaxId]()
    columns = (table.c.customer, table.c.scheme, table.c.number, table.c.is_proven)
    for batch in batches(sorted(customers)):
        these = and_(session.own(table), table.c.feed == feed, table.c.customer.in_(batch))
        result |= {row[0]: TaxId(*row[1:]) for row in session.tx.execute(select(*columns).where(these))}
    return result


def bearers(session: Reading, ids: Collection[TaxId]) -> dict[str, set[str]]:
    """Feed → its customers who bear one of these tax ids."""
    table, result = tables.feed_tax_ids, dict[str, set[str]]()
    for batch in batches(sorted({(each.scheme, each.number) for each in ids if each.is_proven})):
        these = and_(session.own(table), tuple_(table.c.scheme, table.c.number).in_(batch))
        for feed, customer in session.tx.execute(select(table.c.feed, table.c.customer).where(these)):
            result.setdefault(feed, set()).add(customer)
    return result


def by_tax_id(session: Reading, feed: str, customers: Collection[str]) -> dict[str, str]:
    """Customer → the account that bears his proven tax id, the first of several; who has none is missing.

    What an account bears because he is taken for it says nothing.
    """
    ids = {name: each for name, each in tax_ids(session, feed, customers).items() if each.is_proven}
    table, found = tables.tax_ids, dict[tuple[str, str], str]()
    for batch in batches(sorted({(each.scheme, each.number) for each in ids.values()})):
        these = and_(
            session.own(table), table.c.is_proven, table.c.own, tuple_(table.c.scheme, table.c.number).in_(batch)
        )
        query = select(table.c.scheme, table.c.number, table.c.account_id).where(these)
        for scheme, number, account in session.tx.execute(query.order_by(table.c.account_id.desc())):
            found[scheme, number] = account
    keys = {name: (each.scheme, each.number) for name, each in ids.items()}
    return {name: found[key] for name, key in keys.items() if key in found}


def see(session: Writing, feed: str, customers: Collection[str]) -> set[str]:
    """The feed has told of these customers; returns those of whom it had not before."""
    table, known = tables.feed_seen, set[str]()
    for batch in batches(sorted(customers)):
        these = and_(session.own(table), table.c.feed == feed, table.c.customer.in_(batch))
        known |= set(session.tx.execute(select(table.c.customer).where(these)).scalars())
    news = set(customers) - known
    key = {"connection": session.connection, "feed": feed}
    if news:
        session.tx.execute(insert(table), [{**key, "customer": name} for name in sorted(news)])
    return news


def customers_called(session: Reading, numbers: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the feeds' numbers that a customer there has: one that nobody has was typed to fill the field."""
    seen, said = tables.feed_seen, tables.feed_customers
    found: set[tuple[str, str]] = set()
    for batch in batches(sorted(numbers)):
        for table, column in ((seen, seen.c.customer), (said, said.c.says)):
            query = select(table.c.feed, column).where(session.own(table), tuple_(table.c.feed, column).in_(batch))
            found |= {(row[0], row[1]) for row in session.tx.execute(query)}
    return found


def by_word(session: Reading, feed: str, customers: Collection[str]) -> dict[str, str]:
    """Customer → the account that a person said he is."""
    table, result = tables.feed_words, dict[str, str]()
    for batch in batches(sorted(customers)):
        these = and_(session.own(table), table.c.feed == feed, table.c.customer.in_(batch))
        result |= {
            row[0]: row[1] for row in session.tx.execute(select(table.c.customer, table.c.account_id).where(these))
        }
    return result


def contradicted(session: Reading, feed: str, found: Mapping[str, str]) -> set[str]:
    """Those of the customers whose tax id contradicts that of the account which they would be taken for.

    Whoever was taken for it before stays with it: nobody gets rid of a debt by writing another tax id into a field.
    """
    clash = clashing(session, feed, found)
    table = tables.CANONICAL["profiles"]
    stays: set[str] = set()
    for batch in batches(sorted(clash)):
        query = select(table.c.profile_id, table.c.account_id).where(
            session.own(table), table.c.profile_id.in_([f"{feed}:{customer}" for customer in batch])
        )
        rows = [(row[0].removeprefix(f"{feed}:"), row[1]) for row in session.tx.execute(query)]
        stays |= {customer for customer, account in rows if found[customer] == account}
    return clash - stays


def clashing(session: Reading, feed: str, found: Mapping[str, str]) -> set[str]:
    """Customers whose tax id contradicts what their account's own record in the CRM says."""
    theirs = tax_ids(session, feed, found)
    table, ours = tables.tax_ids, dict[str, TaxId]()
    for batch in batches(sorted({found[customer] for customer in theirs})):
        these = and_(session.own(table), table.c.own, table.c.number != "", table.c.account_id.in_(batch))
        query = select(table.c.account_id, table.c.scheme, table.c.number, table.c.is_proven).where(these)
        ours |= {row[0]: TaxId(*row[1:]) for row in session.tx.execute(query)}
    return {customer for customer, said in theirs.items() if contradict(said, ours.get(found[customer]))}


def customers_of(session: Reading, feed: str, accounts: Collection[str]) -> set[str]:
    """Customers who may be these accounts by a tax id or a person's word."""
    mine, theirs, words = tables.tax_ids, tables.feed_tax_ids, tables.feed_words
    same = and_(
        theirs.c.connection == mine.c.connection, theirs.c.scheme == mine.c.scheme, theirs.c.number == mine.c.number
    )
    names: set[str] = set()
    for batch in batches(sorted(accounts)):
        query = select(theirs.c.customer).join(mine, same).where(
            session.own(theirs), theirs.c.feed == feed, mine.c.account_id.in_(batch), mine.c.is_proven
        )  # fmt: skip
        names |= set(session.tx.execute(query).scalars())
        told = select(words.c.customer).where(session.own(words), words.c.feed == feed, words.c.account_id.in_(batch))
        names |= set(session.tx.execute(told).scalars())
    return names


def word(session: Writing, feed: str, customer: str, account: str | None, by: str, now_us: int) -> None:
    """A person says that a feed's customer is this account; None: what he said before counts no more."""
    table = tables.feed_words
    session.tx.execute(delete(table).where(session.own(table), table.c.feed == feed, table.c.customer == customer))
    if account is not None:
        row = {"connection": session.connection, "feed": feed, "customer": customer, "account_id": account}
        upsert(session, table, [{**row, "by": by, "at": now_us}], ["connection", "feed", "customer"])


def words(session: Reading) -> list[tuple[str, str, str]]:
    """All that people said: feed, customer, account."""
    table = tables.feed_words
    query = select(table.c.feed, table.c.customer, table.c.account_id).where(session.own(table))
    return [(row[0], row[1], row[2]) for row in session.tx.execute(query.order_by(table.c.feed, table.c.customer))]


def forget(session: Writing, feed: str) -> None:
    """Nothing is known of that feed's customers any more."""
    for table in (tables.feed_tax_ids, tables.feed_words, tables.feed_seen):
        session.tx.execute(delete(table).where(session.own(table), table.c.feed == feed))
