"""Which customer of a feed is which account of the CRM: what both sides say of each other's numbers.

An account says the number that a customer has in the feed, in a field that is declared as such. One that says none any
more keeps the customer that it had, until another account says that number: a debt is not got rid of by emptying a
field. Where two accounts say the same number, the one that said it first has the customer. Whose account changes is
due to be read again, in the transaction that changes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import and_, delete, func, select

from sync.store import ledger, tables
from sync.store.dialect import upsert
from sync.store.ledger import batches
from sync.store.session import Reading, Writing


def say(session: Writing, feed: str, numbers: Mapping[str, str | None], now: int) -> None:
    """What accounts say of their numbers in a feed: account_id → number, null where they say none."""
    table = tables.feed_accounts
    before: dict[str, tuple[str, bool]] = {}
    for batch in batches(sorted(numbers)):
        these = and_(session.own(table), table.c.feed == feed, table.c.account_id.in_(batch))
        for row in session.tx.execute(select(table.c.account_id, table.c.number, table.c.said).where(these)):
            before[row.account_id] = (row.number, row.said)
    rows, moved = [], set()
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
    _due(session, feed, _customers_of(session, feed, moved), now)


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
            _due(session, feed, _customers_of(session, feed, numbers), now)


def say_customers(session: Writing, feed: str, told: Mapping[str, str | None], now: int) -> None:
    """What a feed's own customers say: customer → number, or account; one that says none any more keeps what it had."""
    table = tables.feed_customers
    before: dict[str, str] = {}
    for batch in batches(sorted(told)):
        these = and_(session.own(table), table.c.feed == feed, table.c.customer.in_(batch))
        before |= {row[0]: row[1] for row in session.tx.execute(select(table.c.customer, table.c.says).where(these))}
    moved = {customer: text for customer, text in told.items() if text is not None and before.get(customer) != text}
    key = {"connection": session.connection, "feed": feed}
    rows = [{**key, "customer": customer, "says": text} for customer, text in moved.items()]
    upsert(session, table, rows, ["connection", "feed", "customer"])
    _due(session, feed, moved, now)


def accounts_of(session: Reading, feed: str, customers: Collection[str], *, says_account: bool) -> dict[str, str]:
    """Customer of the feed → the account that he is; one whom nobody is tied to is missing.

    `says_account`: the feed's customers say the account's id or number, else accounts say the customer's number.
    """
    said = _said(session, feed, customers)
    if says_account:
        ids = ledger.ids_by_name(session, set(said.values()))
        return {customer: ids[text] for customer, text in said.items() if text in ids}
    # Where the feed has no customers of its own to read, its records say the number itself.
    numbers = said if said or _tells(session, feed) else {customer: customer for customer in customers}
    holders = _holders(session, feed, set(numbers.values()))
    return {customer: holders[number] for customer, number in numbers.items() if number in holders}


def accounts_named(session: Reading, feed: str, names: Collection[str], *, says_account: bool) -> dict[str, str]:
    """As `accounts_of`; whoever calls us may also name a customer by the number that accounts say."""
    result = accounts_of(session, feed, names, says_account=says_account)
    return {**_holders(session, feed, set(names) - result.keys()), **result}


def customers_of(
    session: Reading, feed: str, accounts: Collection[str], *, says_account: bool
) -> dict[str, set[str]]:  # fmt: skip
    """Account → all of its customers in the feed."""
    if says_account:
        numbers = ledger.numbers_of(session, accounts)
        texts = {name for account in accounts for name in (account, numbers.get(account)) if name}
        customers = _customers_of(session, feed, texts, bare=False)
    else:
        table = tables.feed_accounts
        found: set[str] = set()
        for batch in batches(sorted(accounts)):
            these = and_(session.own(table), table.c.feed == feed, table.c.account_id.in_(batch))
            found |= set(session.tx.execute(select(table.c.number).where(these)).scalars())
        customers = _customers_of(session, feed, found)
    result: dict[str, set[str]] = {}
    for customer, account in accounts_of(session, feed, customers, says_account=says_account).items():
        if account in accounts:
            result.setdefault(account, set()).add(customer)
    return result


def appeared(session: Writing, feed: str, texts: Collection[str], now: int) -> None:
    """Ids and numbers of accounts that nobody had before: the feed's customers who say one are tied from now on."""
    fresh = set(texts) - ledger.ids_by_name(session, texts).keys()
    _due(session, feed, _customers_of(session, feed, fresh, bare=False), now)


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


def said_twice(session: Reading, feed: str) -> dict[str, list[str]]:
    """Number → the accounts that say it, where they are several; the first has the customer."""
    table = tables.feed_accounts
    mine = and_(session.own(table), table.c.feed == feed, table.c.said)
    again = select(table.c.number).where(mine).group_by(table.c.number).having(func.count() > 1)
    result: dict[str, list[str]] = {}
    query = select(table.c.number, table.c.account_id).where(mine, table.c.number.in_(again))
    for number, account in session.tx.execute(query.order_by(table.c.number, table.c.since, table.c.account_id)):
        result.setdefault(number, []).append(account)
    return result


def forget(session: Writing, feed: str) -> None:
    """Nothing is known of that feed any more."""
    for table in (tables.feed_accounts, tables.feed_customers, tables.feed_due, tables.feeds, tables.outages):
        session.tx.execute(delete(table).where(session.own(table), table.c.feed == feed))


def _holders(session: Reading, feed: str, numbers: Collection[str]) -> dict[str, str]:
    """Number → the account that has it: of those that say it now the first that did, else of those that said it."""
    table = tables.feed_accounts
    result: dict[str, str] = {}
    for batch in batches(sorted(numbers)):
        these = and_(session.own(table), table.c.feed == feed, table.c.number.in_(batch))
        query = select(table.c.number, table.c.account_id).where(these)
        for number, account in session.tx.execute(
            query.order_by(table.c.said.desc(), table.c.since, table.c.account_id)
        ):
            result.setdefault(number, account)
    return result


def _said(session: Reading, feed: str, customers: Collection[str]) -> dict[str, str]:
    table = tables.feed_customers
    result: dict[str, str] = {}
    for batch in batches(sorted(customers)):
        these = and_(session.own(table), table.c.feed == feed, table.c.customer.in_(batch))
        result |= {row[0]: row[1] for row in session.tx.execute(select(table.c.customer, table.c.says).where(these))}
    return result


def _customers_of(session: Reading, feed: str, texts: Collection[str], *, bare: bool = True) -> set[str]:
    """Customers who say one of these; with `bare` those of that name, where the feed's customers say nothing."""
    table = tables.feed_customers
    result: set[str] = set(texts) if bare and not _tells(session, feed) else set()
    for batch in batches(sorted(texts)):
        these = and_(session.own(table), table.c.feed == feed, table.c.says.in_(batch))
        result |= set(session.tx.execute(select(table.c.customer).where(these)).scalars())
    return result


def _tells(session: Reading, feed: str) -> bool:
    """Whether any customer of the feed says something."""
    table = tables.feed_customers
    query = select(table.c.customer).where(session.own(table), table.c.feed == feed).limit(1)
    return session.tx.execute(query).first() is not None


def _due(session: Writing, feed: str, customers: Iterable[str], now: int) -> None:
    names = ("connection", "feed", "customer", "since")
    rows = [{"connection": session.connection, "feed": feed, "customer": name, "since": now} for name in customers]
    upsert(session, tables.feed_due, rows, list(names[:3]))
