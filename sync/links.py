"""What a person says of links: that two accounts are one customer, or that an account is one of its own.

A word counts like any other fact: from the next assessment on, in `explain` of an old day only if it was known then.
Every word stands in the log.
"""

from __future__ import annotations

import itertools

from sqlalchemy import and_, delete, or_, select

from connector.errors import Misconfigured
from sync.decisions import log
from sync.store import facts, identities, links, sayings, tables, ties
from sync.store.dialect import upsert
from sync.store.ledger import OWN, there
from sync.store.session import Reading, Writing


def join(session: Writing, one: str, other: str, by: str, *, now_us: int) -> set[str]:
    """The two are one customer from now on; returns the accounts whose customer is another one now.

    `now_us`: microseconds since 1970 UTC. Raises Misconfigured for an account and itself, and where they are one
    customer already.
    """
    if one == other:
        raise Misconfigured("E-LINK-SELF", account=one)
    if other in links.accounts_of(session, one):
        raise Misconfigured("E-LINK-THERE", one=one, other=other)
    first, second = sorted((one, other))
    # Whoever was taken out before is put in again.
    _forget(session, [(one, one), (other, other)], now_us)
    table = tables.not_duplicates
    session.tx.execute(delete(table).where(session.own(table), table.c.account_id == first, table.c.other_id == second))
    _say(session, second, first, now_us)
    moved = links.relink(session, {one, other}, now_us)
    ties.shared_due(session, {one, other}, now_us)
    for account, to in ((one, other), (other, one)):
        log(session, account, to, "linked", by, now_us, {"with": to})
    return moved


def part(session: Writing, account: str, by: str, *, now_us: int) -> set[str]:
    """The account is a customer of its own from now on, whatever would join it by itself; the others stay together.

    Returns the accounts whose customer is another one now. Raises Misconfigured where it has no other accounts, or
    where the CRM itself says so.
    """
    others = sorted(there(session, links.accounts_of(session, account)) - {account})
    if not others:
        raise Misconfigured("E-LINK-NONE", account=account)
    # What was merged into it leaves with it.
    own = sayings.with_merged(session, [account])
    pairs = [pair for name in own for pair in _joined(session, name)]
    near = sorted({name for pair in pairs for name in pair} - own)
    _forget(session, pairs, now_us)
    # Whom a person joined through this account stay joined.
    for one, next_one in itertools.pairwise(near):
        _say(session, next_one, one, now_us)
    _say(session, account, account, now_us)
    moved = links.relink(session, {account, *others}, now_us)
    ties.shared_due(session, {account}, now_us)
    if any(name in others for name in links.accounts_of(session, account)):
        raise Misconfigured("E-LINK-TOLD", account=account)
    log(session, account, account, "parted", by, now_us, {"from": others})
    return moved


def tie(session: Writing, feed: str, customer: str, account: str | None, by: str, *, now_us: int) -> None:
    """A feed's customer is this account, whatever else says who he is; None: what a person said counts no more.

    His facts are read again by the next sync.
    """
    before = identities.by_word(session, feed, [customer]).get(customer)
    if before == account:
        raise Misconfigured(
            "E-LINK-NONE" if account is None else "E-LINK-THERE",
            account=f"{feed}:{customer}", one=f"{feed}:{customer}", other=account or "",
        )  # fmt: skip
    identities.word(session, feed, customer, account, by, now_us)
    ties.set_due(session, feed, [customer], now_us)
    what = "untied" if account is None else "tied"
    log(session, account or before or "", f"{feed}:{customer}", what, by, now_us, {"before": before})


def not_the_same(session: Writing, one: str, other: str, by: str, *, now_us: int) -> None:
    """They only look alike: nobody proposes them as one customer again."""
    first, second = sorted((one, other))
    row = {"connection": session.connection, "account_id": first, "other_id": second, "by": by, "at": now_us}
    upsert(session, tables.not_duplicates, [row], ["connection", "account_id", "other_id"])
    for account, to in ((one, other), (other, one)):
        log(session, account, to, "not_the_same", by, now_us, {"as": to})


def never_the_same(session: Reading) -> set[tuple[str, str]]:
    """Pairs of which a person said so, each in order."""
    table = tables.not_duplicates
    query = select(table.c.account_id, table.c.other_id).where(session.own(table))
    return {(row[0], row[1]) for row in session.tx.execute(query)}


def _joined(session: Reading, account: str) -> list[tuple[str, str]]:
    table = tables.CANONICAL["links"]
    mine = or_(table.c.account_id == account, table.c.customer_id == account)
    query = select(table.c.account_id, table.c.customer_id).where(
        and_(session.own(table), table.c.source == OWN, mine, table.c.account_id != table.c.customer_id)
    )
    return [(row[0], row[1]) for row in session.tx.execute(query)]


def _say(session: Writing, account: str, customer: str, now_us: int) -> None:
    facts.put_row(session, "links", {"account_id": account, "customer_id": customer, "by": "person"}, now_us)


def _forget(session: Writing, pairs: list[tuple[str, str]], now_us: int) -> None:
    facts.remove(session, OWN, [facts.record_of("links", pair) for pair in pairs], now_us)
