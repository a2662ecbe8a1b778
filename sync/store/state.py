"""What zixin made of the facts, and what the CRM shows of it: assessments, wanted, sent, observed, runs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Table, and_, bindparam, delete, func, or_, select, update

from connector.assessment import ASSESSMENT
from connector.plan import Planned, PlanRow, Settled
from connector.ports import Outcome
from sync.store import refusals, tables
from sync.store.facts import batches, upsert, with_trees
from sync.store.session import Reading, Writing

_KEY = ["connection", "account_id"]
_LISTS = [name for name, kind in ASSESSMENT.items() if isinstance(kind, pl.List)]


def save_assessments(session: Writing, made: pl.DataFrame, at: int) -> None:
    """Columns in: those of `ASSESSMENT` and facts_version. A day scored again takes the place of its row.

    `at`: instant up to which facts were known.
    """
    rows = made.to_dicts()
    for row in rows:
        row |= {"connection": session.connection, "assessed_at": at}
        for name in _LISTS:
            row[name] = json.dumps(row[name], ensure_ascii=False)
    upsert(session, tables.assessments, rows, ["connection", "customer_id", "as_of"])
    scored = [
        {"connection": session.connection, "account_id": row["customer_id"], "facts_version": row["facts_version"],
         "scored_version": row["facts_version"]}
        for row in rows
    ]  # fmt: skip
    upsert(session, tables.customers, scored, _KEY)


def assessments(
    session: Reading, *, before: int | None = None, columns: Sequence[str] = tuple(ASSESSMENT),
    accounts: Collection[str] | None = None,
) -> pl.DataFrame:  # fmt: skip
    """The newest assessment of every customer, of a day before the given one if one is given; some of its columns.

    `accounts`: only theirs.
    """
    rows = _newest(session, before, columns, accounts)
    for row in rows:
        for name in _LISTS:
            if name in row:
                row[name] = json.loads(row[name])
    return pl.DataFrame(rows, schema={name: ASSESSMENT[name] for name in columns})


def newest(session: Reading, columns: Sequence[str], accounts: Collection[str] | None = None) -> pl.DataFrame:
    """As `assessments`, of any day; `assessed_at` is a column, too: up to which instant facts were known."""
    kinds = {**ASSESSMENT, "assessed_at": pl.Int64()}
    rows = _newest(session, None, columns, accounts)
    return pl.DataFrame(rows, schema={name: kinds[name] for name in columns})


def _newest(
    session: Reading, before: int | None, columns: Sequence[str], accounts: Collection[str] | None
) -> list[dict[str, Any]]:
    table = tables.assessments
    earlier = [session.own(table), *([table.c.as_of < before] if before is not None else [])]
    rows: list[dict[str, Any]] = []
    for some in [None] if accounts is None else batches(sorted(accounts)):
        these = earlier if some is None else [*earlier, table.c.customer_id.in_(some)]
        newest = select(table.c.customer_id, func.max(table.c.as_of).label("day")).where(*these)
        newest_rows = newest.group_by(table.c.customer_id).subquery()
        query = select(*(table.c[name] for name in columns)).join(
            newest_rows, and_(newest_rows.c.customer_id == table.c.customer_id, newest_rows.c.day == table.c.as_of)
        )
        rows += [dict(row) for row in session.tx.execute(query.where(session.own(table))).mappings()]
    return rows


def assessed_on(session: Reading, account: str, as_of: int | None) -> dict[str, Any] | None:
    """An account's assessment of that day, or its newest, with assessed_at; None: there is none."""
    table = tables.assessments
    query = select(table).where(session.own(table), table.c.customer_id == account)
    if as_of is not None:
        query = query.where(table.c.as_of == as_of)
    row = session.tx.execute(query.order_by(table.c.as_of.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else {**row, **{name: json.loads(row[name]) for name in _LISTS}}


def note_falls(session: Writing, accounts: Iterable[str], at: int) -> None:
    """These fell to a low grade at that instant."""
    rows = [{"connection": session.connection, "customer_id": account, "fell_at": at} for account in accounts]
    upsert(session, tables.falls, rows, ["connection", "customer_id"])


def fallen_since(session: Reading, since: int) -> set[str]:
    """Customers who fell since that instant."""
    table = tables.falls
    query = select(table.c.customer_id).where(session.own(table), table.c.fell_at > since)
    return set(session.tx.execute(query).scalars())


def history(session: Reading, account: str) -> list[dict[str, Any]]:
    """An account's stored days, oldest first: as_of, rating, score, limit, overdue."""
    table = tables.assessments
    columns = (table.c[name] for name in ("as_of", "rating", "score", "limit", "overdue"))
    query = select(*columns).where(session.own(table), table.c.customer_id == account)
    return [dict(row) for row in session.tx.execute(query.order_by(table.c.as_of)).mappings()]


def save_policy(session: Writing, version: str, body: str) -> None:
    """Keep a policy's text by its version."""
    upsert(session, tables.policies, [{"version": version, "body": body}], ["version"])


def policy(session: Reading, version: str) -> str | None:
    """The text of the policy of that version."""
    table = tables.policies
    return session.tx.execute(select(table.c.body).where(table.c.version == version)).scalar_one_or_none()


def base_currency(session: Reading, day: int | None) -> str | None:
    """The currency that the connection was assessed in on that day; None: nothing was."""
    table = tables.assessments
    query = select(table.c.currency).where(session.own(table), table.c.as_of == day).limit(1)
    return session.tx.execute(query).scalar_one_or_none()


def newest_day(session: Reading) -> int | None:
    """The newest day that was assessed."""
    table = tables.assessments
    newest: int | None = session.tx.execute(select(func.max(table.c.as_of)).where(session.own(table))).scalar_one()
    return newest


def due(session: Reading, as_of: int, policy_version: str, among: Collection[str] | None = None) -> dict[str, int]:
    """Accounts whose assessment of the day is missing, of other facts or of another policy → their facts version.

    A fact of one makes his whole tree of parents due. `among`: only of these, which hold their trees whole.
    """
    mine, known, accounts = tables.customers, tables.assessments, tables.CANONICAL["accounts"]
    query = (
        select(mine.c.account_id, mine.c.facts_version)
        .join(accounts, and_(session.own(accounts), accounts.c.account_id == mine.c.account_id))
        .outerjoin(
            known,
            and_(
                session.own(known),
                known.c.customer_id == mine.c.account_id,
                known.c.as_of == as_of,
            ),
        )
        .where(
            session.own(mine),
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
    found = {row.account_id: row.facts_version for each in queries for row in session.tx.execute(each)}
    others = with_trees(session, found) - found.keys()
    return found | _versions(session, others)


def _versions(session: Reading, accounts: Iterable[str]) -> dict[str, int]:
    """account_id → version of its facts, as they stand."""
    table = tables.customers
    found: dict[str, int] = {}
    for some in batches(sorted(accounts)):
        query = select(table.c.account_id, table.c.facts_version).where(
            session.own(table), table.c.account_id.in_(some)
        )
        found |= {row.account_id: row.facts_version for row in session.tx.execute(query)}
    return found


def moved_since(session: Reading, accounts: Sequence[str], versions: Mapping[str, int]) -> set[str]:
    """Those of the accounts whose facts, or whose tree's, are no longer of that version."""
    tied = with_trees(session, accounts) & versions.keys()
    moved = {account for account, now in _versions(session, tied).items() if now != versions[account]}
    return with_trees(session, moved) & set(accounts) if moved else set()


def save_statistics(session: Writing, day: int, body: str) -> None:
    """Keep a day's portfolio statistics."""
    upsert(
        session,
        tables.statistics,
        [{"connection": session.connection, "day": day, "body": body}],
        ["connection", "day"],
    )


def statistics_before(session: Reading, day: int) -> str | None:
    """The newest portfolio statistics of an earlier day."""
    table = tables.statistics
    query = select(table.c.body).where(session.own(table), table.c.day < day)
    return session.tx.execute(query.order_by(table.c.day.desc()).limit(1)).scalar_one_or_none()


def want(session: Writing, rows: Sequence[Mapping[str, Any]]) -> None:
    """What the CRM should show: account_id, as_of, facts_version, next_day, shows. Never moves to an earlier day."""
    table = tables.wanted
    kept: dict[str, Any] = {}
    for some in batches(row["account_id"] for row in rows):
        query = select(table).where(session.own(table), table.c.account_id.in_(some))
        kept |= {row.account_id: row for row in session.tx.execute(query)}
    made = []
    for row in rows:
        old = kept.get(row["account_id"])
        if old is not None and old.as_of > row["as_of"]:
            continue
        version = 1 if old is None else old.version + 1
        shows = json.dumps(row["shows"], ensure_ascii=False)
        owed = None if old is None else refusals.carried(old.refusal, row["shows"])
        made.append(
            {
                **row,
                "connection": session.connection,
                "shows": shows,
                "version": version,
                "pending": True,
                "refusal": owed,
            }
        )
    upsert(session, table, made, _KEY)


def observe(session: Writing, shown: pl.DataFrame, asked_at: int, *, force: bool = False) -> None:
    """What the CRM shows of our fields: account_id and one column a written field.

    Left out where our own write was answered after the page was asked for, unless `force`. An account that shows
    something new is planned again.
    """
    seen, answered, planned = tables.observed, tables.sent, tables.wanted
    rows = {row["account_id"]: row for row in shown.to_dicts()}
    for some in batches(sorted(rows)):
        old = {
            row.account_id: row.shows
            for row in session.tx.execute(select(seen).where(session.own(seen), seen.c.account_id.in_(some)))
        }
        late = select(answered.c.account_id).where(
            session.own(answered),
            answered.c.account_id.in_(some),
            answered.c.answered_at > asked_at,
        )
        stale = set() if force else set(session.tx.execute(late).scalars())
        made = []
        for account in some:
            shows = json.dumps({name: value for name, value in rows[account].items() if name != "account_id"})
            if account not in stale and shows != old.get(account):
                made.append(
                    {"connection": session.connection, "account_id": account, "shows": shows, "seen_at": asked_at}
                )
        upsert(session, seen, made, _KEY)
        news = [row["account_id"] for row in made]
        again = update(planned).where(session.own(planned), planned.c.account_id.in_(news))
        session.tx.execute(again.values(pending=True))


def observed(session: Reading, accounts: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """account_id → what the CRM shows of our fields, as we read it last."""
    return shown(session, tables.observed, session.connection, accounts)


def plan_rows(session: Reading, most: int | None) -> list[PlanRow]:
    """Accounts whose `wanted` is not settled, those in flight left out; None: all of them."""
    want_, sent, seen, flights = tables.wanted, tables.sent, tables.observed, tables.flights
    query = (
        select(
            want_, sent.c.shows.label("sent_shows"), sent.c.facts_version.label("sent_version"),
            sent.c.next_day.label("sent_next_day"), seen.c.shows.label("seen_shows"),
        )
        .outerjoin(sent, and_(session.own(sent), sent.c.account_id == want_.c.account_id))
        .outerjoin(seen, and_(session.own(seen), seen.c.account_id == want_.c.account_id))
        .outerjoin(flights, and_(session.own(flights), flights.c.account_id == want_.c.account_id))
        .where(session.own(want_), want_.c.pending, flights.c.account_id.is_(None))
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
        for row in session.tx.execute(query)
    ]


def pending(session: Reading) -> bool:
    """Whether anything that the CRM should show has yet to be planned or sent."""
    table = tables.wanted
    query = select(table.c.account_id).where(session.own(table), table.c.pending).limit(1)
    return session.tx.execute(query).first() is not None


def settle(session: Writing, settled: Iterable[Settled], at: int) -> None:
    """These need no call; what is now known to be in the CRM is kept as sent."""
    rows = list(settled)
    _close(session, [(item.account, item.version, None) for item in rows])
    _sent(session, {item.account: item.shows for item in rows if item.shows is not None}, at)


def attempt(session: Writing, changes: Iterable[Planned], at: int) -> None:
    """Note that a call is about to be made."""
    rows = [
        {"connection": session.connection, "account_id": item.account, "version": item.version, "attempted_at": at}
        for item in changes
    ]
    upsert(session, tables.flights, rows, _KEY)


def record(session: Writing, answers: Iterable[tuple[Planned, Outcome]], at: int) -> None:
    """Store outcomes; an unknown one stays in flight until it is read back, a deferred one stays pending."""
    known = [(planned, outcome) for planned, outcome in answers if outcome.state != "unknown"]
    land(session, [planned.account for planned, _ in known])
    taken = {planned.account: planned for planned, outcome in known if outcome.state == "taken"}
    before, seen = shown(session, tables.sent, session.connection, list(taken)), observed(session, list(taken))
    values = {account: {**seen.get(account, {}), **planned.values} for account, planned in taken.items()}
    _sent(session, {account: {**before.get(account, {}), **values[account]} for account in taken}, at)
    rows = [
        {"connection": session.connection, "account_id": account, "seen_at": at, "shows": json.dumps(dict(shows))}
        for account, shows in values.items()
    ]
    upsert(session, tables.observed, rows, _KEY)
    _close(session, [
        (planned.account, planned.version, refusals.of(outcome))
        for planned, outcome in known if outcome.state in ("taken", "refused")
    ])  # fmt: skip


def in_flight(session: Reading) -> list[str]:
    """Accounts whose last write has no known answer."""
    table = tables.flights
    return list(session.tx.execute(select(table.c.account_id).where(session.own(table))).scalars())


def land(session: Writing, accounts: Sequence[str]) -> None:
    """These are no longer in flight."""
    table = tables.flights
    for some in batches(accounts):
        session.tx.execute(delete(table).where(session.own(table), table.c.account_id.in_(some)))


def forget_fields(session: Writing, names: Collection[str]) -> None:
    """What was sent into these fields, and shown by them, is no longer known; who had some is planned again."""
    for table in (tables.sent, tables.observed):
        rows = session.tx.execute(select(table.c.account_id, table.c.shows).where(session.own(table)))
        had = {row.account_id: json.loads(row.shows) for row in rows}
        had = {account: shows for account, shows in had.items() if not shows.keys().isdisjoint(names)}
        this = and_(session.own(table), table.c.account_id == bindparam("account"))
        made = [
            {"account": account, "left": json.dumps({name: shows[name] for name in shows if name not in names})}
            for account, shows in had.items()
        ]
        if made:
            session.tx.execute(update(table).where(this).values(shows=bindparam("left")), made)
        for some in batches(sorted(had)):
            again = and_(session.own(tables.wanted), tables.wanted.c.account_id.in_(some))
            session.tx.execute(update(tables.wanted).where(again).values(pending=True))


def count_wanted(session: Reading) -> int:
    """Accounts that the CRM should show something of."""
    table = tables.wanted
    return session.tx.execute(select(func.count()).select_from(table).where(session.own(table))).scalar_one()


def save_run(session: Writing, row: Mapping[str, Any]) -> None:
    """Keep or update a run's row."""
    upsert(session, tables.runs, [dict(row)], ["run_id"])


def policy_in_force(session: Reading) -> str | None:
    """Version of the policy of the last run that put its ratings into force; None: there was none."""
    table = tables.runs
    query = select(table.c.policy_version).where(session.own(table), table.c.state.in_(("done", "approved")))
    return session.tx.execute(query.order_by(table.c.started_at.desc()).limit(1)).scalar_one_or_none()


def runs(session: Reading, most: int | None = None) -> list[dict[str, Any]]:
    """The connection's runs, newest first; `summary` as a mapping."""
    table = tables.runs
    query = select(table).where(session.own(table))
    query = query.order_by(table.c.started_at.desc(), table.c.run_id.desc()).limit(most)
    return [{**row, "summary": json.loads(row["summary"])} for row in session.tx.execute(query).mappings()]


def _loaded(text: str | None) -> dict[str, str | None] | None:
    return None if text is None else json.loads(text)


def shown(session: Reading, table: Table, connection: str, accounts: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """account_id → what that table says of our fields."""
    found: dict[str, dict[str, str | None]] = {}
    for some in batches(accounts):
        query = select(table.c.account_id, table.c.shows).where(
            table.c.connection == connection, table.c.account_id.in_(some)
        )
        found |= {row.account_id: json.loads(row.shows) for row in session.tx.execute(query)}
    return found


def _sent(session: Writing, shows: Mapping[str, Mapping[str, str | None]], at: int) -> None:
    """`sent` with the facts version and the next day of what is wanted now."""
    table = tables.wanted
    rows = []
    for some in batches(shows):
        query = select(table.c.account_id, table.c.facts_version, table.c.next_day).where(
            session.own(table), table.c.account_id.in_(some)
        )
        rows += [
            {
                "connection": session.connection, "account_id": row.account_id, "facts_version": row.facts_version,
                "next_day": row.next_day, "shows": json.dumps(dict(shows[row.account_id])), "answered_at": at,
            }
            for row in session.tx.execute(query)
        ]  # fmt: skip
    upsert(session, tables.sent, rows, _KEY)


def _close(session: Writing, done: Sequence[tuple[str, int, str | None]]) -> None:
    """An outcome acknowledges only the version that was sent: account, version, refusal."""
    if done:
        table = tables.wanted
        this = and_(
            session.own(table),
            table.c.account_id == bindparam("account"),
            table.c.version == bindparam("sent_version"),
        )
        rows = [{"account": account, "sent_version": version, "words": words} for account, version, words in done]
        session.tx.execute(update(table).where(this).values(pending=False, refusal=bindparam("words")), rows)
