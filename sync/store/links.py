"""Which accounts are one customer: what is said of them, and who they are by it.

Whatever is said is stored as it is said; who is one customer with whom is worked out anew, in the transaction that
changes a word, of everybody who hangs together with the accounts that it concerns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, delete, exists, func, insert, select

from connector.linking import Link, linked
from connector.profiles import filled
from connector.tax_ids import TaxId, tax_id
from sync.store import identities, tables, ties
from sync.store.dialect import batches, upsert
from sync.store.ledger import OWN, bump, rows_of, there
from sync.store.sayings import closure, column_of, merges_of, said, tax_ids
from sync.store.session import Reading, Writing
from sync.store.tables import FOREVER


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
    known = {row.account_id for row in merges_of(session, lost)}
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
    return relink(session, column_of(session, query, fed.c.number, again), now)


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
    frames = {name: rows_of(session, name, names) for name in ("accounts", "profiles")}
    frame = filled(frames["accounts"], frames["profiles"]).select("account_id", "tax_id", "country")
    own = set(frames["accounts"].drop_nulls("tax_id")["account_id"])
    table, rows = tables.tax_ids, []
    for account, text, country in frame.drop_nulls("tax_id").iter_rows():
        told = tax_id(text, country) or TaxId("", "", is_proven=False)
        row = {"scheme": told.scheme, "number": told.number, "is_proven": told.is_proven, "own": account in own}
        rows.append({"connection": session.connection, "account_id": account, **row})
    # Who says none any more keeps the one that he said: nobody is another customer because a field was emptied.
    own_query = select(table.c.account_id).where(session.own(table), table.c.own)
    said_own = column_of(session, own_query, table.c.account_id, names)
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
