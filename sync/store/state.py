"""What zixin made of the facts, and what the CRM shows of it: assessments, wanted, sent, observed, runs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Connection, Table, and_, bindparam, delete, func, or_, select, update

from connector.assessment import ASSESSMENT
from connector.plan import Planned, PlanRow, Settled
from connector.ports import Outcome
from sync.store import refusals, tables
from sync.store.facts import batches, upsert, with_trees

_KEY = ["connection", "account_id"]
_LISTS = [name for name, kind in ASSESSMENT.items() if isinstance(kind, pl.List)]


def save_assessments(tx: Connection, connection: str, made: pl.DataFrame, at: int) -> None:
    """Columns in: those of `ASSESSMENT` and facts_version. A day scored again takes the place of its row.

    `at`: instant up to which facts were known.
    """
    rows = made.to_dicts()
    for row in rows:
        row |= {"connection": connection, "assessed_at": at}
        for name in _LISTS:
            row[name] = json.dumps(row[name], ensure_ascii=False)
    upsert(tx, tables.assessments, rows, ["connection", "customer_id", "as_of"])
    scored = [
        {"connection": connection, "account_id": row["customer_id"], "facts_version": row["facts_version"],
         "scored_version": row["facts_version"]}
        for row in rows
    ]  # fmt: skip
    upsert(tx, tables.customers, scored, _KEY)


def assessments(
    tx: Connection, connection: str, *, before: int | None = None, columns: Sequence[str] = tuple(ASSESSMENT),
    accounts: Collection[str] | None = None,
) -> pl.DataFrame:  # fmt: skip
    """The newest assessment of every customer, of a day before the given one if one is given; some of its columns.

    `accounts`: only theirs.
    """
    rows = _newest(tx, connection, before, columns, accounts)
    for row in rows:
        for name in _LISTS:
            if name in row:
                row[name] = json.loads(row[name])
    return pl.DataFrame(rows, schema={name: ASSESSMENT[name] for name in columns})


def newest(
    tx: Connection, connection: str, columns: Sequence[str], accounts: Collection[str] | None = None
) -> pl.DataFrame:
    """As `assessments`, of any day; `assessed_at` is a column, too: up to which instant facts were known."""
    kinds = {**ASSESSMENT, "assessed_at": pl.Int64()}
    rows = _newest(tx, connection, None, columns, accounts)
    return pl.DataFrame(rows, schema={name: kinds[name] for name in columns})


def _newest(
    tx: Connection, connection: str, before: int | None, columns: Sequence[str], accounts: Collection[str] | None
) -> list[dict[str, Any]]:
    table = tables.assessments
    earlier = [table.c.connection == connection, *([table.c.as_of < before] if before is not None else [])]
    rows: list[dict[str, Any]] = []
    for some in [None] if accounts is None else batches(sorted(accounts)):
        these = earlier if some is None else [*earlier, table.c.customer_id.in_(some)]
        newest = select(table.c.customer_id, func.max(table.c.as_of).label("day")).where(*these)
        newest_rows = newest.group_by(table.c.customer_id).subquery()
        query = select(*(table.c[name] for name in columns)).join(
            newest_rows, and_(newest_rows.c.customer_id == table.c.customer_id, newest_rows.c.day == table.c.as_of)
        )
        rows += [dict(row) for row in tx.execute(query.where(table.c.connection == connection)).mappings()]
    return rows


def assessed_on(tx: Connection, connection: str, account: str, as_of: int | None) -> dict[str, Any] | None:
    """An account's assessment of that day, or its newest, with assessed_at; None: there is none."""
    table = tables.assessments
    query = select(table).where(table.c.connection == connection, table.c.customer_id == account)
    if as_of is not None:
        query = query.where(table.c.as_of == as_of)
    row = tx.execute(query.order_by(table.c.as_of.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else {**row, **{name: json.loads(row[name]) for name in _LISTS}}


def note_falls(tx: Connection, connection: str, accounts: Iterable[str], at: int) -> None:
    """These fell to a low grade at that instant."""
    rows = [{"connection": connection, "customer_id": account, "fell_at": at} for account in accounts]
    upsert(tx, tables.falls, rows, ["connection", "customer_id"])


def fallen_since(tx: Connection, connection: str, since: int) -> set[str]:
    """Customers who fell since that instant."""
    table = tables.falls
    query = select(table.c.customer_id).where(table.c.connection == connection, table.c.fell_at > since)
    return set(tx.execute(query).scalars())


def history(tx: Connection, connection: str, account: str) -> list[dict[str, Any]]:
    """An account's stored days, oldest first: as_of, rating, score, limit, overdue."""
    table = tables.assessments
    columns = (table.c[name] for name in ("as_of", "rating", "score", "limit", "overdue"))
    query = select(*columns).where(table.c.connection == connection, table.c.customer_id == account)
    return [dict(row) for row in tx.execute(query.order_by(table.c.as_of)).mappings()]


def save_policy(tx: Connection, version: str, body: str) -> None:
    """Keep a policy's text by its version."""
    upsert(tx, tables.policies, [{"version": version, "body": body}], ["version"])


def policy(tx: Connection, version: str) -> str | None:
    """The text of the policy of that version."""
    table = tables.policies
    return tx.execute(select(table.c.body).where(table.c.version == version)).scalar_one_or_none()


def base_currency(tx: Connection, connection: str, day: int | None) -> str | None:
    """The currency that the connection was assessed in on that day; None: nothing was."""
    table = tables.assessments
    query = select(table.c.currency).where(table.c.connection == connection, table.c.as_of == day).limit(1)
    return tx.execute(query).scalar_one_or_none()


def newest_day(tx: Connection, connection: str) -> int | None:
    """The newest day that was assessed."""
    table = tables.assessments
    newest: int | None = tx.execute(
        select(func.max(table.c.as_of)).where(table.c.connection == connection)
    ).scalar_one()
    return newest


def due(
    tx: Connection, connection: str, as_of: int, policy_version: str, among: Collection[str] | None = None
) -> dict[str, int]:
    """Accounts whose assessment of the day is missing, of other facts or of another policy → their facts version.

    A fact of one makes his whole tree of parents due. `among`: only of these, which hold their trees whole.
    """
    mine, known, accounts = tables.customers, tables.assessments, tables.CANONICAL["accounts"]
    query = (
        select(mine.c.account_id, mine.c.facts_version)
        .join(accounts, and_(accounts.c.connection == connection, accounts.c.account_id == mine.c.account_id))
        .outerjoin(
            known,
            and_(known.c.connection == connection, known.c.customer_id == mine.c.account_id, known.c.as_of == as_of),
        )
        .where(
            mine.c.connection == connection,
            or_(
                known.c.customer_id.is_(None),
                known.c.facts_version != mine.c.facts_version,
                known.c.policy_version != policy_version,
            ),
        )
    )
    queries = (
        [query] if among is None else [query.where(mine.c.account_id.in_(some)) for some in batches(sorted(among))]
    )
    found = {row.account_id: row.facts_version for each in queries for row in tx.execute(each)}
    others = with_trees(tx, connection, found) - found.keys()
    return found | _versions(tx, connection, others)


def _versions(tx: Connection, connection: str, accounts: Iterable[str]) -> dict[str, int]:
    """account_id → version of its facts, as they stand."""
    table = tables.customers
    found: dict[str, int] = {}
    for some in batches(sorted(accounts)):
        query = select(table.c.account_id, table.c.facts_version).where(
            table.c.connection == connection, table.c.account_id.in_(some)
        )
        found |= {row.account_id: row.facts_version for row in tx.execute(query)}
    return found


def moved_since(tx: Connection, connection: str, accounts: Sequence[str], versions: Mapping[str, int]) -> set[str]:
    """Those of the accounts whose facts, or whose tree's, are no longer of that version."""
    tied = with_trees(tx, connection, accounts) & versions.keys()
    moved = {account for account, now in _versions(tx, connection, tied).items() if now != versions[account]}
    return with_trees(tx, connection, moved) & set(accounts) if moved else set()


def save_statistics(tx: Connection, connection: str, day: int, body: str) -> None:
    """Keep a day's portfolio statistics."""
    upsert(tx, tables.statistics, [{"connection": connection, "day": day, "body": body}], ["connection", "day"])


def statistics_before(tx: Connection, connection: str, day: int) -> str | None:
    """The newest portfolio statistics of an earlier day."""
    table = tables.statistics
    query = select(table.c.body).where(table.c.connection == connection, table.c.day < day)
    return tx.execute(query.order_by(table.c.day.desc()).limit(1)).scalar_one_or_none()


def want(tx: Connection, connection: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """What the CRM should show: account_id, as_of, facts_version, next_day, shows. Never moves to an earlier day."""
    table = tables.wanted
    kept: dict[str, Any] = {}
    for some in batches(row["account_id"] for row in rows):
        query = select(table).where(table.c.connection == connection, table.c.account_id.in_(some))
        kept |= {row.account_id: row for row in tx.execute(query)}
    made = []
    for row in rows:
        old = kept.get(row["account_id"])
        if old is not None and old.as_of > row["as_of"]:
            continue
        version = 1 if old is None else old.version + 1
        shows = json.dumps(row["shows"], ensure_ascii=False)
        owed = None if old is None else refusals.carried(old.refusal, row["shows"])
        made.append(
            {**row, "connection": connection, "shows": shows, "version": version, "pending": True, "refusal": owed}
        )
    upsert(tx, table, made, _KEY)


def observe(tx: Connection, connection: str, shown: pl.DataFrame, asked_at: int, *, force: bool = False) -> None:
    """What the CRM shows of our fields: account_id and one column a written field.

    Left out where our own write was answered after the page was asked for, unless `force`. An account that shows
    something new is planned again.
    """
    seen, answered, planned = tables.observed, tables.sent, tables.wanted
    rows = {row["account_id"]: row for row in shown.to_dicts()}
    for some in batches(sorted(rows)):
        old = {
            row.account_id: row.shows
            for row in tx.execute(select(seen).where(seen.c.connection == connection, seen.c.account_id.in_(some)))
        }
        late = select(answered.c.account_id).where(
            answered.c.connection == connection, answered.c.account_id.in_(some), answered.c.answered_at > asked_at
        )
        stale = set() if force else set(tx.execute(late).scalars())
        made = []
        for account in some:
            shows = json.dumps({name: value for name, value in rows[account].items() if name != "account_id"})
            if account not in stale and shows != old.get(account):
                made.append({"connection": connection, "account_id": account, "shows": shows, "seen_at": asked_at})
        upsert(tx, seen, made, _KEY)
        news = [row["account_id"] for row in made]
        again = update(planned).where(planned.c.connection == connection, planned.c.account_id.in_(news))
        tx.execute(again.values(pending=True))


def observed(tx: Connection, connection: str, accounts: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """account_id → what the CRM shows of our fields, as we read it last."""
    return shown(tx, tables.observed, connection, accounts)


def plan_rows(tx: Connection, connection: str, most: int | None) -> list[PlanRow]:
    """Accounts whose `wanted` is not settled, those in flight left out; None: all of them."""
    want_, sent, seen, flights = tables.wanted, tables.sent, tables.observed, tables.flights
    query = (
        select(
            want_, sent.c.shows.label("sent_shows"), sent.c.facts_version.label("sent_version"),
            sent.c.next_day.label("sent_next_day"), seen.c.shows.label("seen_shows"),
        )
        .outerjoin(sent, and_(sent.c.connection == connection, sent.c.account_id == want_.c.account_id))
        .outerjoin(seen, and_(seen.c.connection == connection, seen.c.account_id == want_.c.account_id))
        .outerjoin(flights, and_(flights.c.connection == connection, flights.c.account_id == want_.c.account_id))
        .where(want_.c.connection == connection, want_.c.pending, flights.c.account_id.is_(None))
        .order_by(want_.c.account_id)
        .limit(most)
    )  # fmt: skip
    return [
        PlanRow(
            account=row.account_id,
            version=row.version,
            wanted=json.loads(row.shows),
            sent=_loaded(row.sent_shows),
            moved=row.sent_version != row.facts_version
            or (row.sent_next_day is not None and row.as_of >= row.sent_next_day),
            observed=_loaded(row.seen_shows),
            owed=found.owed if (found := refusals.read(row.refusal)) else frozenset(),
        )
        for row in tx.execute(query)
    ]


def pending(tx: Connection, connection: str) -> bool:
    """Whether anything that the CRM should show has yet to be planned or sent."""
    table = tables.wanted
    query = select(table.c.account_id).where(table.c.connection == connection, table.c.pending).limit(1)
    return tx.execute(query).first() is not None


def settle(tx: Connection, connection: str, settled: Iterable[Settled], at: int) -> None:
    """These need no call; what is now known to be in the CRM is kept as sent."""
    rows = list(settled)
    _close(tx, connection, [(item.account, item.version, None) for item in rows])
    _sent(tx, connection, {item.account: item.shows for item in rows if item.shows is not None}, at)


def attempt(tx: Connection, connection: str, changes: Iterable[Planned], at: int) -> None:
    """Note that a call is about to be made."""
    rows = [
        {"connection": connection, "account_id": item.account, "version": item.version, "attempted_at": at}
        for item in changes
    ]
    upsert(tx, tables.flights, rows, _KEY)


def record(tx: Connection, connection: str, answers: Iterable[tuple[Planned, Outcome]], at: int) -> None:
    """Store outcomes; an unknown one stays in flight until it is read back, a deferred one stays pending."""
    known = [(planned, outcome) for planned, outcome in answers if outcome.state != "unknown"]
    land(tx, connection, [planned.account for planned, _ in known])
    taken = {planned.account: planned for planned, outcome in known if outcome.state == "taken"}
    before, seen = shown(tx, tables.sent, connection, list(taken)), observed(tx, connection, list(taken))
    values = {account: {**seen.get(account, {}), **planned.values} for account, planned in taken.items()}
    _sent(tx, connection, {account: {**before.get(account, {}), **values[account]} for account in taken}, at)
    rows = [
        {"connection": connection, "account_id": account, "seen_at": at, "shows": json.dumps(dict(shows))}
        for account, shows in values.items()
    ]
    upsert(tx, tables.observed, rows, _KEY)
    _close(tx, connection, [
        (planned.account, planned.version, refusals.of(outcome))
        for planned, outcome in known if outcome.state in ("taken", "refused")
    ])  # fmt: skip


def in_flight(tx: Connection, connection: str) -> list[str]:
    """Accounts whose last write has no known answer."""
    table = tables.flights
    return list(tx.execute(select(table.c.account_id).where(table.c.connection == connection)).scalars())


def land(tx: Connection, connection: str, accounts: Sequence[str]) -> None:
    """These are no longer in flight."""
    table = tables.flights
    for some in batches(accounts):
        tx.execute(delete(table).where(table.c.connection == connection, table.c.account_id.in_(some)))


def forget_fields(tx: Connection, connection: str, names: Collection[str]) -> None:
    """What was sent into these fields, and shown by them, is no longer known; who had some is planned again."""
    for table in (tables.sent, tables.observed):
        rows = tx.execute(select(table.c.account_id, table.c.shows).where(table.c.connection == connection))
        had = {row.account_id: json.loads(row.shows) for row in rows}
        had = {account: shows for account, shows in had.items() if not shows.keys().isdisjoint(names)}
        this = and_(table.c.connection == connection, table.c.account_id == bindparam("account"))
        made = [
            {"account": account, "left": json.dumps({name: shows[name] for name in shows if name not in names})}
            for account, shows in had.items()
        ]
        if made:
            tx.execute(update(table).where(this).values(shows=bindparam("left")), made)
        for some in batches(sorted(had)):
            again = and_(tables.wanted.c.connection == connection, tables.wanted.c.account_id.in_(some))
            tx.execute(update(tables.wanted).where(again).values(pending=True))


def count_wanted(tx: Connection, connection: str) -> int:
    """Accounts that the CRM should show something of."""
    table = tables.wanted
    return tx.execute(select(func.count()).select_from(table).where(table.c.connection == connection)).scalar_one()


def save_run(tx: Connection, row: Mapping[str, Any]) -> None:
    """Keep or update a run's row."""
    upsert(tx, tables.runs, [dict(row)], ["run_id"])


def policy_in_force(tx: Connection, connection: str) -> str | None:
    """Version of the policy of the last run that put its ratings into force; None: there was none."""
    table = tables.runs
    query = select(table.c.policy_version).where(
        table.c.connection == connection, table.c.state.in_(("done", "approved"))
    )
    return tx.execute(query.order_by(table.c.started_at.desc()).limit(1)).scalar_one_or_none()


def runs(tx: Connection, connection: str, most: int | None = None) -> list[dict[str, Any]]:
    """The connection's runs, newest first; `summary` as a mapping."""
    table = tables.runs
    query = select(table).where(table.c.connection == connection)
    query = query.order_by(table.c.started_at.desc(), table.c.run_id.desc()).limit(most)
    return [{**row, "summary": json.loads(row["summary"])} for row in tx.execute(query).mappings()]


def _loaded(text: str | None) -> dict[str, str | None] | None:
    return None if text is None else json.loads(text)


def shown(tx: Connection, table: Table, connection: str, accounts: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """account_id → what that table says of our fields."""
    found: dict[str, dict[str, str | None]] = {}
    for some in batches(accounts):
        query = select(table.c.account_id, table.c.shows).where(
            table.c.connection == connection, table.c.account_id.in_(some)
        )
        found |= {row.account_id: json.loads(row.shows) for row in tx.execute(query)}
    return found


def _sent(tx: Connection, connection: str, shows: Mapping[str, Mapping[str, str | None]], at: int) -> None:
    """`sent` with the facts version and the next day of what is wanted now."""
    table = tables.wanted
    rows = []
    for some in batches(shows):
        query = select(table.c.account_id, table.c.facts_version, table.c.next_day).where(
            table.c.connection == connection, table.c.account_id.in_(some)
        )
        rows += [
            {
                "connection": connection, "account_id": row.account_id, "facts_version": row.facts_version,
                "next_day": row.next_day, "shows": json.dumps(dict(shows[row.account_id])), "answered_at": at,
            }
            for row in tx.execute(query)
        ]  # fmt: skip
    upsert(tx, tables.sent, rows, _KEY)


def _close(tx: Connection, connection: str, done: Sequence[tuple[str, int, str | None]]) -> None:
    """An outcome acknowledges only the version that was sent: account, version, refusal."""
    if done:
        table = tables.wanted
        this = and_(
            table.c.connection == connection,
            table.c.account_id == bindparam("account"),
            table.c.version == bindparam("sent_version"),
        )
        rows = [{"account": account, "sent_version": version, "words": words} for account, version, words in done]
        tx.execute(update(table).where(this).values(pending=False, refusal=bindparam("words")), rows)
