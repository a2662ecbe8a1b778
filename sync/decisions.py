"""The credit desk: what people decide is checked by the policy's rules, stored as facts, and logged.

A decision counts like any other fact: from the next assessment on, in `explain` of an old day only if it was known
then. What a second person has to approve is not in force before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from connector.credit.decision_rules import Asked, check_request, may_approve
from connector.errors import Misconfigured
from connector.policy import Policy
from sync.store import Store, facts, ledger, tables
from sync.store.session import Reading, Writing

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
    store: Store,
    connection: str,
    account: str,
    asked: Asked,
    policy: Policy,
    *,
    rating: str | None,
    above: int | None,
    now_us: int,
) -> Decided:
    """Puts a decision into force, or lets it wait for another person. Raises Misconfigured by the policy's rules.

    `rating` and `above`: as `connector.credit.decision_rules.check_request` takes them. `now_us`: microseconds
    since 1970 UTC.
    """
    needs = check_request(asked, policy, rating, above)
    table = "limits" if asked.kind in _LIMITS else "decisions"
    with store.write(connection) as session:
        key = next_key(session, "L" if table == "limits" else "D")
        row = {**_row(asked, account, table), _KEYS[table]: key}
        if needs:
            body = {
                "connection": connection,
                "decision_id": key,
                "account_id": account,
                "table": table,
                "body": json.dumps(row),
                "needs": " ".join(needs),
                "by": asked.by,
                "asked_at": now_us,
            }
            session.tx.execute(insert(tables.asked).values(body))
        else:
            facts.put_row(session, table, row, now_us)
        log(session, account, key, "asked" if needs else "decided", asked.by, now_us, row)
    return Decided(key, needs)


def approve(store: Store, connection: str, key: str, by: str, policy: Policy, *, now_us: int) -> str:
    """Puts what waits into force in another person's name; returns the account."""
    with store.write(connection) as session:
        result = _waiting_request(session, key)
        may_approve(policy, result["by"], by)
        row = {**json.loads(result["body"]), "approved_by": by}
        facts.put_row(session, result["table"], row, now_us)
        _forget(session, key)
        log(session, result["account_id"], key, "approved", by, now_us, row)
    return str(result["account_id"])


def end(store: Store, connection: str, key: str, by: str, *, last: int, now_us: int) -> str:
    """Ends a decision: `last` is the last day that it counted. What still waits is rejected. Returns the account."""
    with store.write(connection) as session:
        for table, name in _KEYS.items():
            declared = tables.CANONICAL[table]
            query = select(declared).where(declared.c.connection == connection, declared.c[name] == key)
            row = session.tx.execute(query).mappings().one_or_none()
            if row is None:
                continue
            if row["source"] != ledger.OWN:
                raise Misconfigured("E-DESK-CRM", key=key)
            facts.put_row(session, table, {**row, "valid_until": last}, now_us)
            log(session, row["account_id"], key, "ended", by, now_us, {"valid_until": last})
            return str(row["account_id"])
        result = _waiting_request(session, key)
        _forget(session, key)
        log(session, result["account_id"], key, "rejected", by, now_us, {})
        return str(result["account_id"])


def list_decisions(session: Reading, account: str | None = None) -> list[dict[str, Any]]:
    """Decisions and limits, in force, ended or yet to start, then those that wait: a mapping each, `state` among it.

    state: stored, or waits.
    """
    rows: list[dict[str, Any]] = []
    for table, name in _KEYS.items():
        declared = tables.CANONICAL[table]
        query = select(declared).where(session.own(declared))
        if account is not None:
            query = query.where(declared.c.account_id == account)
        mapping_result = session.tx.execute(query.order_by(declared.c[name])).mappings()
        rows += [{**row, "key": row[name], "table": table, "state": "stored"} for row in mapping_result]
    waiting = select(tables.asked).where(session.own(tables.asked))
    if account is not None:
        waiting = waiting.where(tables.asked.c.account_id == account)
    for row in session.tx.execute(waiting.order_by(tables.asked.c.decision_id)).mappings():
        more = {"key": row["decision_id"], "table": row["table"], "state": "waits", "needs": row["needs"]}
        rows.append({**json.loads(row["body"]), **more, "by": row["by"], "source": ledger.OWN})
    return rows


def log(session: Writing, account: str, subject: str, what: str, by: str, now_us: int, body: Mapping[str, Any]) -> None:
    """Note who did what at the desk."""
    row = {
        "connection": session.connection,
        "account_id": account,
        "subject": subject,
        "what": what,
        "by": by,
        "at": now_us,
        "body": json.dumps(dict(body), ensure_ascii=False),
    }
    session.tx.execute(insert(tables.desk_log).values(row))


def history(session: Reading, account: str) -> list[dict[str, Any]]:
    """What was done about an account at the desk, newest first."""
    table = tables.desk_log
    query = select(table).where(session.own(table), table.c.account_id == account)
    rows = session.tx.execute(query.order_by(table.c.entry.desc())).mappings()
    return [{**row, "body": json.loads(row["body"])} for row in rows]


def _row(asked: Asked, account: str, table: str) -> dict[str, Any]:
    common = {"account_id": account, "kind": asked.kind, "valid_from": asked.first, "valid_until": asked.last}
    if table == "limits":
        amount = {"amount": asked.amount, "currency": asked.currency, "scope": asked.scope}
        return {**common, **amount, "approved_by": asked.by, "basis": asked.reason}
    return {**common, "value": asked.value, "reason": asked.reason, "by": asked.by}


def next_key(session: Reading, letter: str) -> str:
    """The next id of that letter: D1, D2, … Whatever had one stands in the log."""
    table = tables.desk_log
    subjects = select(table.c.subject).where(session.own(table), table.c.subject.like(f"{letter}%"))
    numbers = [int(subject[1:]) for subject in session.tx.execute(subjects).scalars() if subject[1:].isdigit()]
    return f"{letter}{max(numbers, default=0) + 1}"


def _waiting_request(session: Reading, key: str) -> dict[str, Any]:
    table = tables.asked
    query = select(table).where(session.own(table), table.c.decision_id == key)
    row = session.tx.execute(query).mappings().one_or_none()
    if row is None:
        raise Misconfigured("E-DESK-UNKNOWN", key=key, what="limit" if key.startswith("L") else "override")
    return dict(row)


def _forget(session: Writing, key: str) -> None:
    table = tables.asked
    session.tx.execute(delete(table).where(session.own(table), table.c.decision_id == key))
