"""What the CRM should show, what was sent, what it shows, and what is on its way: wanted, sent, observed, flights."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Table, and_, bindparam, delete, func, select, update

from connector.plan import AccountOutcome, Planned, PlanRow, Settled
from sync.store import refusals, tables
from sync.store.dialect import batches, upsert
from sync.store.session import Reading, Writing

_KEY = ["connection", "account_id"]


def want(session: Writing, rows: Sequence[Mapping[str, Any]]) -> None:
    """What the CRM should show: account_id, as_of, facts_version, next_day, shows. Never moves to an earlier day."""
    table = tables.desired
    stored: dict[str, Any] = {}
    for batch in batches(row["account_id"] for row in rows):
        query = select(table).where(session.own(table), table.c.account_id.in_(batch))
        stored |= {row.account_id: row for row in session.tx.execute(query)}
    results = []
    for row in rows:
        old = stored.get(row["account_id"])
        if old is not None and old.as_of > row["as_of"]:
            continue
        version = 1 if old is None else old.version + 1
        shows = json.dumps(row["shows"], ensure_ascii=False)
        owed = None if old is None else refusals.carry_over(old.refusal, row["shows"])
        results.append(
            {
                **row,
                "connection": session.connection,
                "shows": shows,
                "version": version,
                "pending": True,
                "refusal": owed,
            }
        )
    upsert(session, table, results, _KEY)


def wording(session: Reading) -> str | None:
    """What the texts of `wanted` were made of; null: nothing yet."""
    table = tables.rendered
    return session.tx.execute(select(table.c.wording).where(session.own(table))).scalar_one_or_none()


def reword(session: Writing, name: str, text_of: Mapping[tuple[str, int], str | None]) -> int:
    """Give accounts another text in that field, by account and day of what they should show; how many differed.

    It goes out as a follower does: when the account's facts move, or a day of its own passes.
    """
    table, count = tables.desired, 0
    for batch in batches(account for account, _ in text_of):
        query = select(table).where(session.own(table), table.c.account_id.in_(batch))
        rows = []
        for row in session.tx.execute(query).mappings().all():
            shows, key = json.loads(row["shows"]), (row["account_id"], row["as_of"])
            if name in shows and key in text_of and shows[name] != text_of[key]:
                text = json.dumps({**shows, name: text_of[key]}, ensure_ascii=False)
                rows.append({**row, "shows": text, "version": row["version"] + 1, "pending": True})
        upsert(session, table, rows, _KEY)
        count += len(rows)
    return count


def tighten(session: Writing, holds: Mapping[str, str], order: Mapping[str, int]) -> None:
    """These accounts should show that hold, where it is tighter than what they should show now; `order`: of holds."""
    table = tables.desired
    for batch in batches(sorted(holds)):
        query = select(table).where(session.own(table), table.c.account_id.in_(batch))
        rows = []
        for row in session.tx.execute(query).mappings().all():
            shows, hold = json.loads(row["shows"]), holds[row["account_id"]]
            if "hold" in shows and order[hold] > order.get(shows["hold"] or "none", 0):
                text = json.dumps({**shows, "hold": hold}, ensure_ascii=False)
                rows.append({**row, "shows": text, "version": row["version"] + 1, "pending": True})
        upsert(session, table, rows, _KEY)


def save_wording(session: Writing, wording_: str) -> None:
    """Note what all texts are made of now."""
    upsert(session, tables.rendered, [{"connection": session.connection, "wording": wording_}], ["connection"])


def observe(session: Writing, shown: pl.DataFrame, asked_at: int, *, force: bool = False) -> None:
    """What the CRM shows of our fields: account_id and one column per written field.

    Left out where our own write was answered after the page was asked for, unless `force`. An account that shows
    something new is planned again.
    """
    seen, answered, planned = tables.observed, tables.sent, tables.desired
    rows = {row["account_id"]: row for row in shown.to_dicts()}
    for batch in batches(sorted(rows)):
        old = {
            row.account_id: row.shows
            for row in session.tx.execute(select(seen).where(session.own(seen), seen.c.account_id.in_(batch)))
        }
        late = select(answered.c.account_id).where(
            session.own(answered),
            answered.c.account_id.in_(batch),
            answered.c.answered_at > asked_at,
        )
        stale = set() if force else set(session.tx.execute(late).scalars())
        results = []
        for account in batch:
            shows = json.dumps({name: value for name, value in rows[account].items() if name != "account_id"})
            if account not in stale and shows != old.get(account):
                results.append(
                    {"connection": session.connection, "account_id": account, "shows": shows, "seen_at": asked_at}
                )
        upsert(session, seen, results, _KEY)
        news = [row["account_id"] for row in results]
        again = update(planned).where(session.own(planned), planned.c.account_id.in_(news))
        session.tx.execute(again.values(pending=True))


def observed(session: Reading, accounts: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """account_id → what the CRM shows of our fields, as we read it last."""
    return shown_values(session, tables.observed, accounts)


def plan_rows(session: Reading, limit: int | None) -> list[PlanRow]:
    """Accounts whose `desired` is not settled, those in flight left out; None: all of them."""
    want_, sent, seen, flights = tables.desired, tables.sent, tables.observed, tables.in_flight
    query = (
        select(
            want_,
            sent.c.shows.label("sent_shows"),
            sent.c.facts_version.label("sent_version"),
            sent.c.next_day.label("sent_next_day"),
            seen.c.shows.label("seen_shows"),
        )
        .outerjoin(sent, and_(session.own(sent), sent.c.account_id == want_.c.account_id))
        .outerjoin(seen, and_(session.own(seen), seen.c.account_id == want_.c.account_id))
        .outerjoin(flights, and_(session.own(flights), flights.c.account_id == want_.c.account_id))
        .where(session.own(want_), want_.c.pending, flights.c.account_id.is_(None))
        .order_by(want_.c.account_id)
        .limit(limit)
    )
    return [
        PlanRow(
            account=row.account_id,
            version=row.version,
            desired=json.loads(row.shows),
            sent=_loaded(row.sent_shows),
            moved=row.sent_version != row.facts_version
            or (row.sent_next_day is not None and row.as_of >= row.sent_next_day),
            observed=_loaded(row.seen_shows),
            owed=refusal.owed if (refusal := refusals.read(row.refusal)) else frozenset(),
        )
        for row in session.tx.execute(query)
    ]


def pending(session: Reading) -> bool:
    """Whether anything that the CRM should show has yet to be planned or sent."""
    table = tables.desired
    query = select(table.c.account_id).where(session.own(table), table.c.pending).limit(1)
    return session.tx.execute(query).first() is not None


def settle(session: Writing, settled: Iterable[Settled], now_us: int) -> None:
    """These need no call; what is now known to be in the CRM is kept as sent."""
    rows = list(settled)
    _close(session, [(item.account, item.version, None) for item in rows])
    _store_sent(session, {item.account: item.shows for item in rows if item.shows is not None}, now_us)


def mark_in_flight(session: Writing, changes: Iterable[Planned], now_us: int) -> None:
    """Note that a call is about to be made."""
    rows = [
        {"connection": session.connection, "account_id": item.account, "version": item.version, "attempted_at": now_us}
        for item in changes
    ]
    upsert(session, tables.in_flight, rows, _KEY)


def record(session: Writing, answers: Iterable[tuple[Planned, AccountOutcome]], now_us: int) -> None:
    """Store outcomes; an unknown one stays in flight until it is read back, a deferred one stays pending."""
    pairs = [(planned, outcome) for planned, outcome in answers if outcome.state != "unknown"]
    clear_in_flight(session, [planned.account for planned, _ in pairs])
    taken = {planned.account: planned for planned, outcome in pairs if outcome.state == "taken"}
    before, seen = shown_values(session, tables.sent, list(taken)), observed(session, list(taken))
    values = {account: {**seen.get(account, {}), **planned.values} for account, planned in taken.items()}
    _store_sent(session, {account: {**before.get(account, {}), **values[account]} for account in taken}, now_us)
    rows = [
        {"connection": session.connection, "account_id": account, "seen_at": now_us, "shows": json.dumps(dict(shows))}
        for account, shows in values.items()
    ]
    upsert(session, tables.observed, rows, _KEY)
    _close(
        session,
        [
            (planned.account, planned.version, refusals.of(outcome))
            for planned, outcome in pairs
            if outcome.state in ("taken", "refused")
        ],
    )


def in_flight(session: Reading) -> list[str]:
    """Accounts whose last write has no known answer."""
    table = tables.in_flight
    return list(session.tx.execute(select(table.c.account_id).where(session.own(table))).scalars())


def clear_in_flight(session: Writing, accounts: Sequence[str]) -> None:
    """These are no longer in flight."""
    table = tables.in_flight
    for batch in batches(accounts):
        session.tx.execute(delete(table).where(session.own(table), table.c.account_id.in_(batch)))


def forget_fields(session: Writing, names: Collection[str]) -> None:
    """What was sent into these fields, and shown by them, is no longer known; who had some is planned again."""
    for table in (tables.sent, tables.observed):
        rows = session.tx.execute(select(table.c.account_id, table.c.shows).where(session.own(table)))
        had = {row.account_id: json.loads(row.shows) for row in rows}
        had = {account: shows for account, shows in had.items() if not shows.keys().isdisjoint(names)}
        this = and_(session.own(table), table.c.account_id == bindparam("account"))
        results = [
            {"account": account, "left": json.dumps({name: shows[name] for name in shows if name not in names})}
            for account, shows in had.items()
        ]
        if results:
            session.tx.execute(update(table).where(this).values(shows=bindparam("left")), results)
        for batch in batches(sorted(had)):
            again = and_(session.own(tables.desired), tables.desired.c.account_id.in_(batch))
            session.tx.execute(update(tables.desired).where(again).values(pending=True))


def count_wanted(session: Reading) -> int:
    """Accounts that the CRM should show something of."""
    table = tables.desired
    return session.tx.execute(select(func.count()).select_from(table).where(session.own(table))).scalar_one()


def _loaded(text: str | None) -> dict[str, str | None] | None:
    return None if text is None else json.loads(text)


def shown_values(session: Reading, table: Table, accounts: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """account_id → what that table says of our fields."""
    result: dict[str, dict[str, str | None]] = {}
    for batch in batches(accounts):
        query = select(table.c.account_id, table.c.shows).where(session.own(table), table.c.account_id.in_(batch))
        result |= {row.account_id: json.loads(row.shows) for row in session.tx.execute(query)}
    return result


def _store_sent(session: Writing, shows: Mapping[str, Mapping[str, str | None]], now_us: int) -> None:
    """`sent` with the facts version and the next day of what is wanted now."""
    table = tables.desired
    rows = []
    for batch in batches(shows):
        query = select(table.c.account_id, table.c.facts_version, table.c.next_day).where(
            session.own(table), table.c.account_id.in_(batch)
        )
        rows += [
            {
                "connection": session.connection,
                "account_id": row.account_id,
                "facts_version": row.facts_version,
                "next_day": row.next_day,
                "shows": json.dumps(dict(shows[row.account_id])),
                "answered_at": now_us,
            }
            for row in session.tx.execute(query)
        ]
    upsert(session, tables.sent, rows, _KEY)


def _close(session: Writing, done: Sequence[tuple[str, int, str | None]]) -> None:
    """An outcome acknowledges only the version that was sent: account, version, refusal."""
    if done:
        table = tables.desired
        this = and_(
            session.own(table),
            table.c.account_id == bindparam("account"),
            table.c.version == bindparam("sent_version"),
        )
        rows = [{"account": account, "sent_version": version, "words": words} for account, version, words in done]
        session.tx.execute(update(table).where(this).values(pending=False, refusal=bindparam("words")), rows)
