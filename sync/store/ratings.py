"""What zixin found out about customers: assessments of days, with the policies and statistics that they rest on."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import and_, func, or_, select

from connector.assessment import ASSESSMENT
from sync.store import tables
from sync.store.dialect import batches, upsert
from sync.store.ledger import there, with_trees
from sync.store.session import Reading, Writing

_KEY = ["connection", "account_id"]
_LISTS = [name for name, kind in ASSESSMENT.items() if isinstance(kind, pl.List)]
#: List of structs → their fields: what is null is not stored.
_FIELDS = {
    name: [field.name for field in kind.inner.fields]
    for name, kind in ASSESSMENT.items()
    if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct)
}


def _packed(items: list[Any]) -> str:
    kept = [
        {key: value for key, value in item.items() if value is not None} if isinstance(item, dict) else item
        for item in items
    ]
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _unpacked(name: str, text: str | None) -> list[Any]:
    # A release before this column was: nothing.
    items: list[Any] = json.loads(text or "[]")
    fields = _FIELDS.get(name)
    return items if fields is None else [{key: item.get(key) for key in fields} for item in items]


def save_assessments(session: Writing, made: pl.DataFrame, now_us: int) -> None:
    """Columns in: those of `ASSESSMENT` and facts_version. A day scored again takes the place of its row.

    `now_us`: instant up to which facts were known.
    """
    rows = made.to_dicts()
    for row in rows:
        row |= {"connection": session.connection, "assessed_at": now_us}
        for name in _LISTS:
            row[name] = _packed(row[name])
    upsert(session, tables.assessments, rows, ["connection", "customer_id", "as_of"])
    scored = [
        {
            "connection": session.connection,
            "account_id": row["customer_id"],
            "facts_version": row["facts_version"],
            "scored_version": row["facts_version"],
        }
        for row in rows
    ]
    upsert(session, tables.customers, scored, _KEY)


def assessments(
    session: Reading,
    *,
    before: int | None = None,
    columns: Sequence[str] = tuple(ASSESSMENT),
    accounts: Collection[str] | None = None,
) -> pl.DataFrame:
    """The newest assessment of every customer, of a day before the given one if one is given; some of its columns.

    `accounts`: only theirs.
    """
    rows = _newest(session, before, columns, accounts)
    for row in rows:
        for name in _LISTS:
            if name in row:
                row[name] = _unpacked(name, row[name])
    return pl.DataFrame(rows, schema={name: ASSESSMENT[name] for name in columns})


def noticed(session: Reading, notice: str) -> set[str]:
    """Customers whose newest assessment bears that notice."""
    table = tables.assessments
    days = select(table.c.customer_id, func.max(table.c.as_of).label("day")).where(session.own(table))
    last = days.group_by(table.c.customer_id).subquery()
    query = select(table.c.customer_id).join(
        last, and_(last.c.customer_id == table.c.customer_id, last.c.day == table.c.as_of)
    )
    # A list of codes as JSON text: a code stands in quotes.
    return set(session.tx.execute(query.where(session.own(table), table.c.notices.contains(f'"{notice}"'))).scalars())


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
    for batch in [None] if accounts is None else batches(sorted(accounts)):
        these = earlier if batch is None else [*earlier, table.c.customer_id.in_(batch)]
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
    return None if row is None else {**row, **{name: _unpacked(name, row[name]) for name in _LISTS}}


def note_falls(session: Writing, accounts: Iterable[str], now_us: int) -> None:
    """These fell to a low grade at that instant."""
    rows = [{"connection": session.connection, "customer_id": account, "fell_at": now_us} for account in accounts]
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
    mine, table, accounts = tables.customers, tables.assessments, tables.CANONICAL["accounts"]
    query = (
        select(mine.c.account_id, mine.c.facts_version)
        .join(accounts, and_(session.own(accounts), accounts.c.account_id == mine.c.account_id))
        .outerjoin(
            table,
            and_(
                session.own(table),
                table.c.customer_id == mine.c.account_id,
                table.c.as_of == as_of,
            ),
        )
        .where(
            session.own(mine),
            or_(
                table.c.customer_id.is_(None),
                table.c.facts_version != mine.c.facts_version,
                table.c.policy_version != policy_version,
            ),
        )
    )
    queries = (
        [query] if among is None else [query.where(mine.c.account_id.in_(batch)) for batch in batches(sorted(among))]
    )
    result = {row.account_id: row.facts_version for each in queries for row in session.tx.execute(each)}
    others = there(session, with_trees(session, result) - result.keys())
    return result | _versions(session, others)


def _versions(session: Reading, accounts: Iterable[str]) -> dict[str, int]:
    """account_id → version of its facts, as they stand."""
    table = tables.customers
    result: dict[str, int] = {}
    for batch in batches(sorted(accounts)):
        query = select(table.c.account_id, table.c.facts_version).where(
            session.own(table), table.c.account_id.in_(batch)
        )
        result |= {row.account_id: row.facts_version for row in session.tx.execute(query)}
    return result


def moved_since(session: Reading, accounts: Sequence[str], versions: Mapping[str, int]) -> set[str]:
    """Those of the accounts whose facts, or whose tree's, are no longer of that version."""
    tied = with_trees(session, accounts) & versions.keys()
    moved = {account for account, now in _versions(session, tied).items() if now != versions[account]}
    return with_trees(session, moved) & set(accounts) if moved else set()


def moved(session: Reading, accounts: Collection[str]) -> set[str]:
    """Those of the accounts whose facts have moved since they were scored."""
    table = tables.customers
    names: set[str] = set()
    for batch in batches(sorted(accounts)):
        these = and_(session.own(table), table.c.account_id.in_(batch), table.c.facts_version != table.c.scored_version)
        names |= set(session.tx.execute(select(table.c.account_id).where(these)).scalars())
    return names


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
