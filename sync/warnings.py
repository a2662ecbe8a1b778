"""The life of warning flags: raised, acknowledged, cleared; and the actions taken about them.

A flag that falls and is raised again begins a new life, which nobody has acknowledged yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import and_, or_, select, update

from connector.errors import Misconfigured
from sync import decisions
from sync.store import facts, tables
from sync.store.dialect import batches, upsert
from sync.store.session import Reading, Writing

_KEY = ["connection", "account_id", "code", "raised_on"]

#: A day that never comes.
_NEVER = 2**30


def live(session: Writing, rows: Iterable[Mapping[str, Any]]) -> None:
    """Raise and clear by new assessments: customer_id, as_of, flags (code, severity, since)."""
    table = tables.flags
    result = {row["customer_id"]: row for row in rows}
    up: dict[str, dict[str, Mapping[str, Any]]] = {}
    for batch in batches(result):
        query = select(table).where(session.own(table), table.c.account_id.in_(batch), table.c.cleared_on.is_(None))
        for life in session.tx.execute(query).mappings():
            up.setdefault(life["account_id"], {})[life["code"]] = dict(life)
    raised, cleared = [], []
    for account, row in result.items():
        known = up.get(account, {})
        now = {flag["code"]: flag for flag in row["flags"]}
        for code, flag in now.items():
            if code not in known:
                raised.append(
                    {
                        "connection": session.connection,
                        "account_id": account,
                        "code": code,
                        "raised_on": flag["since"],
                        "severity": flag["severity"],
                        "cleared_on": None,
                    }
                )
        cleared += [{**known[code], "cleared_on": row["as_of"]} for code in known.keys() - now.keys()]
    upsert(session, table, raised, _KEY)
    upsert(session, table, cleared, _KEY)


def list_flags(
    session: Reading, account: str | None = None, *, over: bool = False, since: int | None = None
) -> list[dict[str, Any]]:
    """Flags that are up, or with `over` those that were, too; gravest first, then the oldest.

    `since`: also those that somebody saw and that are down since that day or a later one: what he noted stays in sight.
    """
    table = tables.flags
    query = select(table).where(session.own(table))
    if account is not None:
        query = query.where(table.c.account_id == account)
    if not over:
        seen = and_(table.c.acknowledged_by.is_not(None), table.c.cleared_on >= (since or _NEVER))
        query = query.where(or_(table.c.cleared_on.is_(None), seen))
    rank = {"critical": 0, "warning": 1, "info": 2}
    rows = [dict(row) for row in session.tx.execute(query).mappings()]
    return sorted(rows, key=lambda row: (rank[row["severity"]], row["raised_on"], row["account_id"], row["code"]))


def acknowledge(session: Writing, account: str, code: str, by: str, note: str | None, *, now_us: int) -> None:
    """Somebody has seen a flag that is up. Raises Misconfigured where it is not."""
    table = tables.flags
    this = and_(
        session.own(table),
        table.c.account_id == account,
        table.c.code == code,
        table.c.cleared_on.is_(None),
    )
    done = session.tx.execute(update(table).where(this).values(acknowledged_by=by, acknowledged_at=now_us, note=note))
    if done.rowcount == 0:
        raise Misconfigured("E-FLAG-DOWN", flag=code, account=account)
    decisions.log(session, account, code, "acknowledged", by, now_us, {"note": note})


def act(
    session: Writing,
    account: str,
    measure: str,
    *,
    flag: str | None,
    owner: str | None,
    due: int | None,
    by: str,
    now_us: int,
) -> str:
    """A measure that somebody is to take; returns its id."""
    key = decisions.next_key(session, "T")
    row = {
        "action_id": key,
        "account_id": account,
        "flag": flag,
        "measure": measure,
        "owner": owner,
        "due": due,
        "done_on": None,
        "outcome": None,
    }
    facts.put_row(session, "actions", row, now_us)
    decisions.log(session, account, key, "planned", by, now_us, row)
    return key


def done(session: Writing, key: str, outcome: str, *, on: int, by: str, now_us: int) -> str:
    """A measure was taken, with that outcome; returns the account. Raises Misconfigured where it is not open."""
    table = tables.CANONICAL["actions"]
    this = and_(session.own(table), table.c.action_id == key, table.c.done_on.is_(None))
    row = session.tx.execute(select(table).where(this)).mappings().one_or_none()
    if row is None:
        raise Misconfigured("E-ACTION-UNKNOWN", key=key)
    facts.put_row(session, "actions", {**row, "done_on": on, "outcome": outcome}, now_us)
    decisions.log(session, row["account_id"], key, "done", by, now_us, {"outcome": outcome})
    return str(row["account_id"])


def actions(
    session: Reading, account: str | None = None, *, over: bool = False, since: int | None = None
) -> list[dict[str, Any]]:
    """Measures that are open, or with `over` those that were taken, too; by when they are due.

    `since`: also those that were taken on that day or a later one.
    """
    table = tables.CANONICAL["actions"]
    query = select(table).where(session.own(table))
    if account is not None:
        query = query.where(table.c.account_id == account)
    if not over:
        query = query.where(or_(table.c.done_on.is_(None), table.c.done_on >= (since or _NEVER)))
    return [dict(row) for row in session.tx.execute(query.order_by(table.c.due, table.c.action_id)).mappings()]
