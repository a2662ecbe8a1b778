"""The credit desk: what people decide is checked by the policy's rules, stored as facts, and logged.

A decision counts like any other fact: from the next assessment on, in `explain` of an old day only if it was known
then. What a second person has to approve is not in force before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from connector.credit.decision_rules import Asked, checked, may_approve
from connector.errors import Misconfigured
from connector.policy import Policy
from sync.store import Store, facts, tables

#: Canonical table of decisions → its key.
_KEYS = {"decisions": "decision_id", "limits": "limit_id"}
_LIMITS = ("permanent", "temporary", "insured")


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of what a person asked for."""

    key: str
    #: Words of approvals.second_person that somebody else has to approve; none: it is in force.
    needs: tuple[str, ...]


def decide(
    store: Store, connection: str, account: str, asked: Asked, policy: Policy, *,
    rating: str | None, above: int | None, at: int,
) -> Decided:  # fmt: skip
    """Puts a decision into force, or lets it wait for another person. Raises Misconfigured by the policy's rules.

    `rating` and `above`: as `connector.credit.decision_rules.checked` takes them. `at`: microseconds since 1970 UTC.
    """
    needs = checked(asked, policy, rating, above)
    table = "limits" if asked.kind in _LIMITS else "decisions"
    with store.write() as tx:
        key = next_key(tx, connection, "L" if table == "limits" else "D")
        row = {**_row(asked, account, table), _KEYS[table]: key}
        if needs:
            body = {
                "connection": connection, "decision_id": key, "account_id": account, "table": table,
                "body": json.dumps(row), "needs": " ".join(needs), "by": asked.by, "asked_at": at,
            }  # fmt: skip
            tx.execute(insert(tables.asked).values(body))
        else:
            facts.put(tx, connection, table, row, at)
        log(tx, connection, account, key, "asked" if needs else "decided", asked.by, at, row)
    return Decided(key, needs)


def approve(store: Store, connection: str, key: str, by: str, policy: Policy, *, at: int) -> str:
    """Puts what waits into force in another person's name; returns the account."""
    with store.write() as tx:
        found = _waiting(tx, connection, key)
        may_approve(policy, found["by"], by)
        row = {**json.loads(found["body"]), "approved_by": by}
        facts.put(tx, connection, found["table"], row, at)
        _forget(tx, connection, key)
        log(tx, connection, found["account_id"], key, "approved", by, at, row)
    return str(found["account_id"])


def end(store: Store, connection: str, key: str, by: str, *, last: int, at: int) -> str:
    """Ends a decision: `last` is the last day that it counted. What still waits is rejected. Returns the account."""
    with store.write() as tx:
        for table, name in _KEYS.items():
            declared = tables.CANONICAL[table]
            query = select(declared).where(declared.c.connection == connection, declared.c[name] == key)
            row = tx.execute(query).mappings().one_or_none()
            if row is None:
                continue
            if row["source"] != facts.OWN:
                raise Misconfigured("E-DESK-CRM", key=key)
            facts.put(tx, connection, table, {**row, "valid_until": last}, at)
            log(tx, connection, row["account_id"], key, "ended", by, at, {"valid_until": last})
            return str(row["account_id"])
        found = _waiting(tx, connection, key)
        _forget(tx, connection, key)
        log(tx, connection, found["account_id"], key, "rejected", by, at, {})
        return str(found["account_id"])


def listed(tx: Connection, connection: str, account: str | None = None) -> list[dict[str, Any]]:
    """Decisions and limits, in force, ended or yet to start, then those that wait: a mapping each, `state` among it.

    state: stored, or waits.
    """
    rows: list[dict[str, Any]] = []
    for table, name in _KEYS.items():
        declared = tables.CANONICAL[table]
        query = select(declared).where(declared.c.connection == connection)
        if account is not None:
            query = query.where(declared.c.account_id == account)
        found = tx.execute(query.order_by(declared.c[name])).mappings()
        rows += [{**row, "key": row[name], "table": table, "state": "stored"} for row in found]
    waiting = select(tables.asked).where(tables.asked.c.connection == connection)
    if account is not None:
        waiting = waiting.where(tables.asked.c.account_id == account)
    for row in tx.execute(waiting.order_by(tables.asked.c.decision_id)).mappings():
        more = {"key": row["decision_id"], "table": row["table"], "state": "waits", "needs": row["needs"]}
        rows.append({**json.loads(row["body"]), **more, "by": row["by"], "source": facts.OWN})
    return rows


def log(
    tx: Connection, connection: str, account: str, subject: str, what: str, by: str, at: int, body: Mapping[str, Any]
) -> None:
    """Note who did what at the desk."""
    row = {
        "connection": connection, "account_id": account, "subject": subject, "what": what, "by": by, "at": at,
        "body": json.dumps(dict(body), ensure_ascii=False),
    }  # fmt: skip
    tx.execute(insert(tables.desk_log).values(row))


def history(tx: Connection, connection: str, account: str) -> list[dict[str, Any]]:
    """What was done about an account at the desk, newest first."""
    table = tables.desk_log
    query = select(table).where(table.c.connection == connection, table.c.account_id == account)
    rows = tx.execute(query.order_by(table.c.entry.desc())).mappings()
    return [{**row, "body": json.loads(row["body"])} for row in rows]


def _row(asked: Asked, account: str, table: str) -> dict[str, Any]:
    common = {"account_id": account, "kind": asked.kind, "valid_from": asked.first, "valid_until": asked.last}
    if table == "limits":
        amount = {"amount": asked.amount, "currency": asked.currency, "scope": asked.scope}
        return {**common, **amount, "approved_by": asked.by, "basis": asked.reason}
    return {**common, "value": asked.value, "reason": asked.reason, "by": asked.by}


def next_key(tx: Connection, connection: str, letter: str) -> str:
    """The next id of that letter: D1, D2, … Whatever had one stands in the log."""
    table = tables.desk_log
    subjects = select(table.c.subject).where(table.c.connection == connection, table.c.subject.like(f"{letter}%"))
    numbers = [int(subject[1:]) for subject in tx.execute(subjects).scalars() if subject[1:].isdigit()]
    return f"{letter}{max(numbers, default=0) + 1}"


def _waiting(tx: Connection, connection: str, key: str) -> dict[str, Any]:
    table = tables.asked
    query = select(table).where(table.c.connection == connection, table.c.decision_id == key)
    row = tx.execute(query).mappings().one_or_none()
    if row is None:
        raise Misconfigured("E-DESK-UNKNOWN", key=key, what="limit" if key.startswith("L") else "override")
    return dict(row)


def _forget(tx: Connection, connection: str, key: str) -> None:
    table = tables.asked
    tx.execute(delete(table).where(table.c.connection == connection, table.c.decision_id == key))
