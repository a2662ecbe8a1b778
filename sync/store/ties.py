"""Which customer of a feed is which account of the CRM: what both sides say of each other's numbers.

An account says the number that a customer has in the feed, in a field that is declared as such. One that says none any
more keeps the customer that it had, until another account says that number: a debt is not got rid of by emptying a
field. Where two accounts say the same number, the one that said it first has the customer. Whose account changes is
due to be read again, in the transaction that changes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, select

from sync.store import identities, ledger, tables
from sync.store.dialect import batches, upsert
from sync.store.session import Reading, Writing


def say(session: Writing, feed: str, numbers: Mapping[str, str | None], now: int) -> set[str]:
    """What accounts say of their numbers in a feed: account_id → number, null where they say none.

    Returns the accounts that say something else now.
    """
    table = tables.feed_accounts
    before: dict[str, tuple[str, bool]] = {}
    for batch in batches(sorted(numbers)):
        these = and_(session.own(table), table.c.feed == feed, table.c.account_id.in_(batch))
        for row in session.tx.execute(select(table.c.account_id, table.c.number, table.c.said).where(these)):
            before[row.account_id] = (row.number, row.said)
    rows: list[dict[str, Any]] = []
    moved: set[str] = set()
    for account, number in numbers.items():
        had = before.get(account)
        if number is None and had is None:
            continue
        now_says = (number, True) if number is not None else (had[0] if had else "", False)
        if now_says != had:
            moved |= {now_says[0], *([had[0]] if had else [])}
            key = {"connection": session.connection, "feed": feed, "account_id": account}
            rows.append({**key, "number": now_says[0], "said": now_says[1], "since": now})
    upsert(session, table, rows, ["connection", "feed", "account_id"])
    set_due(session, feed, _customers_of(session, feed, moved), now)
    return {row["account_id"] for row in rows}


def gone(session: Writing, accounts: Collection[str], now: int) -> None:
    """These accounts are no more: their customers are nobody's until another account says their numbers."""
    table = tables.feed_accounts
    for batch in batches(sorted(accounts)):
        these = and_(session.own(table), table.c.account_id.in_(batch))
        moved: dict[str, set[str]] = {}
        for feed, number in session.tx.execute(select(table.c.feed, table.c.number).where(these)):
            moved.setdefault(feed, set()).add(number)
        session.tx.execute(delete(table).where(these))
        for feed, numbers in moved.items():
            set_due(session, feed, _customers_of(session, feed, numbers), now)


def say_customers(session: Writing, feed: str, told: Mapping[str, str | None], now: int) -> None:
    """What a feed's own customers say: customer → number, or account; one that says none any more keeps what it had."""
    table = tables.feed_customers
    before = {customer: text for customer, (text, _) in _said(session, feed, told).items()}
    moved = {customer: text for customer, text in told.items() if text is not None and before.get(customer) != text}
    key = {"connection": session.connection, "feed": feed}
    rows = [{**key, "customer": customer, "says": text, "account_id": None} for customer, text in moved.items()]
    upsert(session, table, rows, ["connection", "feed", "customer"])
    set_due(session, feed, moved, now)


@dataclass(frozen=True, slots=True)
class How:
    """How a feed's customers are tied to accounts."""

    #: The feed's customers say the account's id or number; else accounts say the customer's number.
    says_account: bool = False
    #: A customer of whom the feed tells no number is called by it himself.
    itself: bool = True


def accounts_of(session: Reading, feed: str, customers: Collection[str], how: How) -> dict[str, str]:
    """Customer of the feed → the account that he is; one whom nobody is tied to is missing.

    What a person said counts, else a number that both sides say, unless their tax ids contradict each other, else the
    tax id.
    """
    said = _said(session, feed, customers)
    if how.says_account:
        found = _by_account(session, said)
    else:
        numbers = {customer: text for customer, (text, _) in said.items()}
        if how.itself:
            numbers = {customer: numbers.get(customer, customer) for customer in customers}
        holders = _holders(session, feed, set(numbers.values()))
        found = {customer: holders[number] for customer, number in numbers.items() if number in holders}
    for customer in identities.contradicted(session, feed, found):
        del found[customer]
    found = identities.by_tax_id(session, feed, set(customers) - found.keys()) | found
    return found | identities.by_word(session, feed, customers)


def _by_account(session: Reading, said: Mapping[str, tuple[str, str | None]]) -> dict[str, str]:
    """By what the feed's customers say; one whose account has no number any more stays with it."""
    before = {account for _, account in said.values() if account}
    ids = ledger.ids_by_name(session, {text for text, _ in said.values()})
    numbers = ledger.numbers_of(session, before)
    result: dict[str, str] = {}
    for customer, (text, account) in said.items():
        number = numbers.get(account or "")
        # The one that had him first, as long as it says that number or none.
        if account is not None and (text in (account, number) or (text not in ids and number == account)):
            result[customer] = account
        elif text in ids:
            result[customer] = ids[text]
    return result


def keep(session: Writing, feed: str, resolved: Mapping[str, str]) -> None:
    """Keeps which account each customer is, for the day on which nothing says it any more."""
    key = {"connection": session.connection, "feed": feed}
    rows = [
        {**key, "customer": customer, "says": text, "account_id": resolved[customer]}
        for customer, (text, account) in _said(session, feed, resolved).items()
        if account != resolved[customer]
    ]
    upsert(session, tables.feed_customers, rows, ["connection", "feed", "customer"])


def accounts_named(session: Reading, feed: str, names: Collection[str], how: How) -> dict[str, str]:
    """As `accounts_of`; whoever calls us may also name a customer by the number that accounts say."""
    result = accounts_of(session, feed, names, how)
    return {**_holders(session, feed, set(names) - result.keys()), **result}


def customers_of(session: Reading, feed: str, accounts: Collection[str], how: How) -> dict[str, set[str]]:
    """Account → all of its customers in the feed."""
    if how.says_account:
        numbers = ledger.numbers_of(session, accounts)
        texts = {name for account in accounts for name in (account, numbers.get(account)) if name}
        customers = _customers_of(session, feed, texts, bare=False) | _kept_by(session, feed, accounts)
    else:
        table = tables.feed_accounts
        found: set[str] = set()
        for batch in batches(sorted(accounts)):
            these = and_(session.own(table), table.c.feed == feed, table.c.account_id.in_(batch))
            found |= set(session.tx.execute(select(table.c.number).where(these)).scalars())
        customers = _customers_of(session, feed, found, bare=how.itself)
    customers |= identities.customers_of(session, feed, accounts)
    result: dict[str, set[str]] = {}
    for customer, account in accounts_of(session, feed, customers, how).items():
        if account in accounts:
            result.setdefault(account, set()).add(customer)
    return result


def _kept_by(session: Reading, feed: str, accounts: Collection[str]) -> set[str]:
    table = tables.feed_customers
    result: set[str] = set()
    for batch in batches(sorted(accounts)):
        these = and_(session.own(table), table.c.feed == feed, table.c.account_id.in_(batch))
        result |= set(session.tx.execute(select(table.c.customer).where(these)).scalars())
    return result


def renumbered(session: Writing, feed: str, numbers: Mapping[str, str | None], now: int) -> None:
    """Accounts of these ids have these numbers from now on: customers who say an old or a new one may be another's."""
    before = ledger.numbers_of(session, numbers)
    known = ledger.ever_there(session, numbers)
    texts: set[str] = set()
    for account, number in numbers.items():
        if account not in known:
            texts |= {account, *([number] if number else [])}
        elif before.get(account) != number:
            texts |= {name for name in (before.get(account), number) if name}
    set_due(session, feed, _customers_of(session, feed, texts, bare=False), now)


def unlisted(session: Writing, feed: str, listed: Collection[str], now: int) -> None:
    """Of customers that the feed does not list any more it says nothing."""
    table = tables.feed_customers
    mine = and_(session.own(table), table.c.feed == feed)
    left = set(session.tx.execute(select(table.c.customer).where(mine)).scalars()) - set(listed)
    for batch in batches(sorted(left)):
        session.tx.execute(delete(table).where(mine, table.c.customer.in_(batch)))
    set_due(session, feed, left, now)


def due(session: Reading, feed: str, *, known_by: int | None = None) -> set[str]:
    """Customers of a feed whose account changed, and whose facts have not been read again since."""
    table = tables.feed_due
    query = select(table.c.customer).where(session.own(table), table.c.feed == feed)
    query = query if known_by is None else query.where(table.c.since <= known_by)
    return set(session.tx.execute(query).scalars())


def done(session: Writing, feed: str, customers: Iterable[str], known_by: int) -> None:
    """Their facts were read again, by what was known of their accounts at that instant."""
    table = tables.feed_due
    for batch in batches(sorted(customers)):
        these = and_(session.own(table), table.c.feed == feed, table.c.customer.in_(batch), table.c.since <= known_by)
        session.tx.execute(delete(table).where(these))


def count(session: Reading, feed: str) -> tuple[int, int]:
    """Accounts that say a number of the feed's or kept one, and of these how many say none any more."""
    table = tables.feed_accounts
    query = select(func.count(), func.count().filter(~table.c.said)).where(session.own(table), table.c.feed == feed)
    row = session.tx.execute(query).one()
    return int(row[0]), int(row[1])


def clashing(session: Reading, feed: str) -> dict[str, str]:
    """Customer → the account that says his number and another tax id; of those of whom no person said anything."""
    fed, said = tables.feed_accounts, tables.feed_customers
    numbers = {row[0]: row[1] for row in session.tx.execute(
        select(fed.c.number, fed.c.account_id).where(session.own(fed), fed.c.feed == feed, fed.c.said)
    )}  # fmt: skip
    told = select(said.c.customer, said.c.says).where(session.own(said), said.c.feed == feed)
    by_number = {row[0]: row[1] for row in session.tx.execute(told)}
    named = {number: number for number in numbers if number not in by_number} | by_number
    found = {customer: numbers[number] for customer, number in named.items() if number in numbers}
    known = identities.by_word(session, feed, found)
    return {name: found[name] for name in sorted(identities.clashing(session, feed, found) - known.keys())}


def untie(session: Writing, feed: str) -> set[str]:
    """Nobody is tied to that feed's customers any more; how old its facts are stays known. Returns whoever was."""
    table = tables.feed_accounts
    said = select(table.c.account_id).where(session.own(table), table.c.feed == feed)
    names = set(session.tx.execute(said).scalars())
    for table in (tables.feed_accounts, tables.feed_customers, tables.feed_due):
        session.tx.execute(delete(table).where(session.own(table), table.c.feed == feed))
    return names


def forget(session: Writing, feed: str) -> set[str]:
    """Nothing is known of that feed any more. Returns the accounts that were tied to its customers."""
    names = untie(session, feed)
    identities.forget(session, feed)
    for table in (tables.feeds, tables.outages):
        session.tx.execute(delete(table).where(session.own(table), table.c.feed == feed))
    return names


def _holders(session: Reading, feed: str, numbers: Collection[str]) -> dict[str, str]:
    """Number → the account that has it: of those that say it now the first that did, else the last that did."""
    table = tables.feed_accounts
    found: dict[str, list[tuple[bool, int, str]]] = {}
    for batch in batches(sorted(numbers)):
        these = and_(session.own(table), table.c.feed == feed, table.c.number.in_(batch))
        query = select(table.c.number, table.c.said, table.c.since, table.c.account_id).where(these)
        for number, said, since, account in session.tx.execute(query):
            found.setdefault(number, []).append((not said, since if said else -since, account))
    # Whom a person took out has the customer only where nobody else says his number.
    alone = _alone(session, {account for claims in found.values() if len(claims) > 1 for _, _, account in claims})
    return {number: min(claims, key=lambda each: (each[2] in alone, each))[2] for number, claims in found.items()}


def _alone(session: Reading, accounts: Collection[str]) -> set[str]:
    table, names = tables.CANONICAL["links"], set[str]()
    for batch in batches(sorted(accounts)):
        query = select(table.c.account_id).where(
            session.own(table), table.c.source == ledger.OWN, table.c.account_id.in_(batch),
            table.c.account_id == table.c.customer_id,
        )  # fmt: skip
        names |= set(session.tx.execute(query).scalars())
    return names


def shared_due(session: Writing, accounts: Collection[str], now: int) -> None:
    """A person said something of these accounts: of a number that others say, too, another may have the customer."""
    table = tables.feed_accounts
    moved: dict[str, set[str]] = {}
    for batch in batches(sorted(accounts)):
        these = and_(session.own(table), table.c.account_id.in_(batch), table.c.number != "")
        for feed, number in session.tx.execute(select(table.c.feed, table.c.number).where(these)):
            moved.setdefault(feed, set()).add(number)
    for feed, numbers in moved.items():
        again = select(table.c.number).where(session.own(table), table.c.feed == feed)
        again = again.group_by(table.c.number).having(func.count() > 1)
        shared = {
            number
            for batch in batches(sorted(numbers))
            for number in session.tx.execute(again.where(table.c.number.in_(batch))).scalars()
        }
        set_due(session, feed, _customers_of(session, feed, shared), now)


def _said(session: Reading, feed: str, customers: Collection[str]) -> dict[str, tuple[str, str | None]]:
    """Customer → what he says, and which account he was last."""
    table = tables.feed_customers
    result: dict[str, tuple[str, str | None]] = {}
    columns = (table.c.customer, table.c.says, table.c.account_id)
    for batch in batches(sorted(customers)):
        these = and_(session.own(table), table.c.feed == feed, table.c.customer.in_(batch))
        result |= {row[0]: (row[1], row[2]) for row in session.tx.execute(select(*columns).where(these))}
    return result


def _customers_of(session: Reading, feed: str, texts: Collection[str], *, bare: bool = True) -> set[str]:
    """Customers who say one of these; with `bare` those who may be called so themselves."""
    table = tables.feed_customers
    result: set[str] = set(texts) if bare else set()
    for batch in batches(sorted(texts)):
        these = and_(session.own(table), table.c.feed == feed, table.c.says.in_(batch))
        result |= set(session.tx.execute(select(table.c.customer).where(these)).scalars())
    return result


def set_due(session: Writing, feed: str, customers: Iterable[str], now: int) -> None:
    """The account of these customers is another one, or may be: their facts are to be read again."""
    names = ("connection", "feed", "customer", "since")
    rows = [{"connection": session.connection, "feed": feed, "customer": name, "since": now} for name in customers]
    upsert(session, tables.feed_due, rows, list(names[:3]))
