"""Accounts that are gone and that people decided about: where they were merged into, when the CRM does not say.

An account whose claims all went to one other account looks as if it had been merged into that one. Until a person says
so, what holds acts there, and nothing else of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select, update

from connector.errors import Misconfigured
from sync.decisions import log
from sync.store import ledger, links, tables
from sync.store.dialect import batches, upsert
from sync.store.session import Reading, Writing

#: Claims that moved so long before their account was gone moved with it: an event may be quicker than the other.
_BEFORE_US = 3 * 24 * 3600 * 1_000_000


def guess(session: Writing, now_us: int) -> set[str]:
    """Notes where accounts went that are gone without a word; returns the accounts whose customer is another one now.

    Looked at are those that people decided about and of which nobody has said anything yet.
    """
    lost = vanished(session)
    table = tables.merges
    rows_ = session.tx.execute(select(table.c.account_id, table.c.into, table.c.state).where(session.own(table)))
    into_of = {row[0]: row[1] if row[2] != "rejected" else row[0] for row in rows_}
    known = set(into_of)
    # What was merged into one that is gone itself went on with it.
    ends = {_end(account, into_of) for account in lost & known}
    lost |= ends - ledger.there(session, ends)
    found = {account: into for account in sorted(lost - known) if (into := _went_to(session, account))}
    key = {"connection": session.connection, "state": "guessed", "by": None, "since": now_us}
    rows = [{**key, "account_id": account, "into": into} for account, into in found.items()]
    upsert(session, table, rows, ["connection", "account_id"])
    return links.relink(session, {*found, *found.values()}, now_us)


def _end(account: str, into_of: Mapping[str, str]) -> str:
    seen: set[str] = set()
    while account in into_of and account not in seen:
        seen.add(account)
        account = into_of[account]
    return account


def vanished(session: Reading) -> set[str]:
    """Accounts that people decided about, and that there are no more."""
    decided = ledger.decided(session)
    return decided - ledger.there(session, decided)


def orphaned(session: Reading) -> set[str]:
    """Those of them that went nowhere: what was decided about them concerns nobody any more."""
    lost = vanished(session)
    return lost - links.members(session, lost).keys()


def guesses(session: Reading, *, answered: bool = False) -> dict[str, str]:
    """Account that is gone → the one that it looks merged into, of those that wait for a person.

    `answered`: also those of which one said yes, who may still say no.
    """
    table, states = tables.merges, ("guessed", "accepted") if answered else ("guessed",)
    query = select(table.c.account_id, table.c.into).where(session.own(table), table.c.state.in_(states))
    return {row[0]: row[1] for row in session.tx.execute(query.order_by(table.c.account_id))}


def answer(session: Writing, account: str, by: str, *, yes: bool, now_us: int) -> str:
    """A person says whether it was merged so; returns the account that it looked merged into."""
    into = guesses(session, answered=not yes).get(account)
    if into is None:
        raise Misconfigured("E-LINK-NONE", account=account)
    table, state = tables.merges, "accepted" if yes else "rejected"
    session.tx.execute(
        update(table).where(session.own(table), table.c.account_id == account).values(state=state, by=by, since=now_us)
    )
    links.relink(session, {account, into}, now_us)
    log(session, account, into, "merged" if yes else "not_merged", by, now_us, {"into": into})
    return into


def _went_to(session: Reading, account: str) -> str | None:
    """The one account that all claims went to which this one had when it was last there; None: there is no such one."""
    past = tables.PAST["accounts"]
    query = select(func.max(past.c.known_until)).where(session.own(past), past.c.account_id == account)
    gone_at = session.tx.execute(query).scalar_one()
    claims, before = tables.CANONICAL["receivables"], tables.PAST["receivables"]
    query = select(claims.c.receivable_id).where(session.own(claims), claims.c.account_id == account).limit(1)
    if gone_at is None or session.tx.execute(query).first() is not None:
        return None
    query = select(before.c.receivable_id).where(
        session.own(before), before.c.account_id == account, before.c.known_until >= gone_at - _BEFORE_US
    )
    moved = set(session.tx.execute(query).scalars())
    owners: set[str] = set()
    there = 0
    for batch in batches(sorted(moved)):
        query = select(claims.c.receivable_id, claims.c.account_id).where(
            session.own(claims), claims.c.receivable_id.in_(batch)
        )
        rows = session.tx.execute(query).all()
        there += len(rows)
        owners |= {row[1] for row in rows}
    return owners.pop() if len(owners) == 1 and there == len(moved) else None
