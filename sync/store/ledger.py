"""Canonical rows in the store: applying pages, and loading tables to score.

Applying a record replaces all that it yielded. Only rows that changed are touched, and whose they are is told, so that
exactly those customers are scored again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Table, and_, delete, func, literal, or_, select

from connector.ports import Gone
from connector.schema import TABLES
from mappings.apply import Applied
from sync.store import tables
from sync.store.dialect import insert_tuples, raise_counter, upsert, upsert_tuples
from sync.store.session import Reading, Writing

#: SQLite takes at most 32,766 parameters a statement; far fewer keep its planner quick.
_IDS_A_QUERY = 900
#: An expression may be 1,000 levels deep in SQLite, and each key is one.
_KEYS_A_STATEMENT = 400
#: The source of rows that people entered here.
OWN = "zixin"
#: Columns that the store fills, and that say nothing of a fact.
_KEPT = ("known_from", "source_modified_at")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the read of a source stands."""

    cursor: str
    fingerprint: str
    complete: bool


def apply_page(
    session: Writing,
    source: str,
    applied: Applied,
    gone: Iterable[Gone],
    heard_at: int,
    asked_at: int | None = None,
) -> set[str]:
    """Stores what a page yields; returns the accounts of which a fact changed.

    `heard_at`: microseconds since 1970 UTC. A record that is gone takes its rows with it. `asked_at`: when the page was
    asked for; a record of which another reader stored a newer state since then stays as it is.
    """
    touched: set[str] = set()
    left = [item.record for item in gone]
    records = [*applied.records, *left]
    stored = {name: _of_records(session, tables.CANONICAL[name], name, source, records) for name in applied.tables}
    older = set() if asked_at is None else _older(applied.modified, stored.values(), asked_at, heard_at)
    records = [record for record in records if record not in older] if older else records
    for name, frame in applied.tables.items():
        rows, before = frame, stored[name]
        if older:
            stale = pl.Series(list(older), dtype=pl.String).implode()
            rows, before = (each.filter(~pl.col("source_id").is_in(stale)) for each in (rows, before))
        touched |= _replace(session, name, rows, before, heard_at)
    rejects = applied.rejects
    if older:
        rejects = rejects.filter(~pl.col("record").is_in(pl.Series(list(older), dtype=pl.String).implode()))
    _store_rejects(session, source, records, rejects, heard_at)
    bump(session, touched)
    return touched


def put_row(session: Writing, name: str, row: Mapping[str, Any], at: int) -> set[str]:
    """Stores a row that came from no CRM: of people, by zixin. Returns the accounts of which a fact changed.

    `row`: the table's columns by name, its key included; what is missing is null.
    """
    declared = TABLES[name]
    key = str(row[declared.key[0]])
    cells = {column: row.get(column) for column in declared.names()}
    traced = {**cells, "connection": session.connection, "source": OWN, "source_id": key, "source_modified_at": None}
    frame = pl.DataFrame([traced | {"known_from": at, "deleted_on": None}], schema=declared.empty().schema)
    stored = _of_records(session, tables.CANONICAL[name], name, OWN, [key])
    touched = _replace(session, name, frame, stored, at)
    bump(session, touched)
    return touched


def records_stored(session: Reading, source: str, known_before: int | None = None) -> set[str]:
    """Ids of the records of a source that are stored; `known_before`: of rows that were stored by that instant."""
    stored: set[str] = set()
    for table in tables.CANONICAL.values():
        query = select(table.c.source_id).where(session.own(table), table.c.source == source)
        query = query if known_before is None else query.where(table.c.known_from <= known_before)
        stored |= set(session.tx.execute(query.distinct()).scalars())
    return stored


def records_of(session: Reading, accounts: Collection[str]) -> dict[str, list[str]]:
    """Source → ids of the stored records that belong to these accounts."""
    result: dict[str, set[str]] = {}
    applied, claims = tables.CANONICAL["allocations"], tables.CANONICAL["receivables"]
    for table in tables.CANONICAL.values():
        if "account_id" not in table.c and table is not applied:
            continue
        for batch in batches(sorted(accounts)):
            if table is applied:
                mine = and_(session.own(claims), claims.c.account_id.in_(batch))
                ways = ("receivable_id", "order_id")
                owned = or_(*(applied.c[name].in_(select(claims.c[name]).where(mine)) for name in ways))
            else:
                owned = table.c.account_id.in_(batch)
            query = select(table.c.source, table.c.source_id).where(session.own(table), owned)
            for source, record in session.tx.execute(query.distinct()):
                result.setdefault(source, set()).add(record)
    return {source: sorted(records) for source, records in result.items()}


def bump(session: Writing, accounts: Collection[str]) -> None:
    """Move the facts version of these customers."""
    rows = [{"connection": session.connection, "account_id": account} for account in sorted(accounts)]
    raise_counter(session, tables.customers, rows, ["connection", "account_id"], "facts_version")


def _older(modified: pl.DataFrame, stored: Iterable[pl.DataFrame], asked_at: int, heard_at: int) -> set[str]:
    """Records of which a row was stored after the page was asked for, and no earlier state than the page's."""
    rows = [frame.select("source_id", "source_modified_at", "known_from") for frame in stored if frame.height]
    if not rows:
        return set()
    # What bears an instant after now was stored by a clock that was ahead.
    late = pl.concat(rows).filter((pl.col("known_from") > asked_at) & (pl.col("known_from") <= heard_at))
    if late.is_empty():
        return set()
    newest = late.group_by("source_id").agg(pl.col("source_modified_at").max())
    told = modified.group_by("id").agg(pl.col("at").max())
    both = newest.join(told, left_on="source_id", right_on="id", how="left")
    newer = (pl.col("at") <= pl.col("source_modified_at")).fill_null(value=True)
    return set(both.filter(newer)["source_id"])


def _replace(session: Writing, name: str, frame: pl.DataFrame, stored: pl.DataFrame, heard_at: int) -> set[str]:
    """Stores the rows in the place of those that their records yielded before."""
    table, declared = tables.CANONICAL[name], TABLES[name]
    new = frame.with_columns(
        pl.lit(session.connection).alias("connection"),
        pl.lit(heard_at, pl.Int64).alias("known_from"),
        pl.lit(None, pl.Int32).alias("deleted_on"),
    ).select(stored.columns)
    new = _newest(new)
    telling = [column for column in stored.columns if column not in _KEPT]
    changed = new.join(stored, on=telling, how="anti", nulls_equal=True) if stored.height else new
    key = ["connection", *declared.key]
    lost = stored.join(new, on=key, how="anti") if stored.height else stored
    before = stored.join(changed, on=key, how="semi") if stored.height else stored
    _supersede(session, name, pl.concat([before, lost]), heard_at)
    if changed.height:
        upsert_tuples(session, table, changed.columns, changed.rows(), key)
    for some in lost.select(key).iter_slices(_KEYS_A_STATEMENT):
        session.tx.execute(delete(table).where(_key_is(table, key, some.rows())))
    return _accounts_of(session, name, pl.concat([changed, lost, before]))


def _newest(rows: pl.DataFrame) -> pl.DataFrame:
    """Of a record that came twice in its states, the rows of the later one."""
    if rows["source_id"].n_unique() == rows.height:
        return rows
    latest = pl.col("source_modified_at").max().over("source_id")
    return rows.filter((pl.col("source_modified_at") == latest).fill_null(latest.is_null()))


def _supersede(session: Writing, name: str, rows: pl.DataFrame, at: int) -> None:
    """Keep rows that are no longer so, with the instant until which they were known."""
    if rows.height:
        names = [*rows.columns, "known_until"]
        results = rows.with_columns(pl.lit(at, pl.Int64).alias("known_until")).rows()
        insert_tuples(session, tables.PAST[name], names, results)


def _key_is(table: Table, key: Sequence[str], rows: Sequence[tuple[str, ...]]) -> ColumnElement[bool]:
    return or_(*(and_(*(table.c[name] == value for name, value in zip(key, row, strict=True))) for row in rows))


def _of_records(session: Reading, table: Table, name: str, source: str, records: Sequence[str]) -> pl.DataFrame:
    schema = tables.frame_schema(TABLES[name])
    rows: list[tuple[object, ...]] = []
    mine = and_(session.own(table), table.c.source == source)
    # A first import finds nothing, and need not look for every record.
    some_rows = session.tx.execute(select(table.c.source_id).where(mine).limit(1)).first() is not None
    for batch in batches(records if some_rows else []):
        query = select(table).where(mine, table.c.source_id.in_(batch))
        rows += [tuple(row) for row in session.tx.execute(query)]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _accounts_of(session: Reading, name: str, rows: pl.DataFrame) -> set[str]:
    """Whose facts these rows are."""
    if rows.is_empty():
        return set()
    if "account_id" in rows.columns:
        return set(rows["account_id"].drop_nulls())
    if name == "allocations":
        # Those of the claims. The payers' payments, which come with them, tell theirs.
        claims = tables.CANONICAL["receivables"]
        names: set[str] = set()
        for name_ in ("receivable_id", "order_id"):
            for batch in batches(sorted(set(rows[name_].drop_nulls()))):
                query = select(claims.c.account_id).where(session.own(claims), claims.c[name_].in_(batch))
                names |= set(session.tx.execute(query).scalars())
        return names
    return _owing_in(session, rows)


def _owing_in(session: Reading, rates: pl.DataFrame) -> set[str]:
    """Who owes in a currency whose rate is another one now; a new day of the same rate is no news."""
    table, claims = tables.CANONICAL["rates"], tables.CANONICAL["receivables"]
    names: set[str] = set()
    for row in rates.to_dicts():
        before = select(table.c.rate).where(
            session.own(table), table.c.currency == row["currency"], table.c.base == row["base"],
            table.c.day < row["day"],
        )  # fmt: skip
        if session.tx.execute(before.order_by(table.c.day.desc()).limit(1)).scalar_one_or_none() != row["rate"]:
            owing = select(claims.c.account_id).where(session.own(claims), claims.c.currency == row["currency"])
            names |= set(session.tx.execute(owing.distinct()).scalars())
    return names


def _store_rejects(session: Writing, source: str, records: Sequence[str], rejects: pl.DataFrame, at: int) -> None:
    table = tables.rejects
    if (
        rejects.is_empty()
        and not session.tx.execute(
            select(func.count()).where(session.own(table), table.c.source == source)
        ).scalar_one()
    ):
        return
    for batch in batches(records):
        session.tx.execute(delete(table).where(session.own(table), table.c.source == source, table.c.record.in_(batch)))
    rows = [{"connection": session.connection, "source": source, "since": at, **row} for row in rejects.to_dicts()]
    upsert(session, table, rows, ["connection", "source", "record", "table", "column"])


def forget_rejects(session: Writing, source: str, seen: Collection[str]) -> None:
    """Takes away what is said of records that a full read no longer shows: they are gone, or have an id by now."""
    table = tables.rejects
    query = select(table.c.record).where(session.own(table), table.c.source == source).distinct()
    old = sorted(set(session.tx.execute(query).scalars()) - set(seen))
    for batch in batches(old):
        session.tx.execute(delete(table).where(session.own(table), table.c.source == source, table.c.record.in_(batch)))


def rejected(session: Reading) -> list[dict[str, object]]:
    """All open rejects: source, record, table, column, value, reason."""
    table = tables.rejects
    query = select(table).where(session.own(table)).order_by(table.c.source, table.c.record)
    return [dict(row) for row in session.tx.execute(query).mappings()]


def cursor(session: Reading, source: str) -> Cursor | None:
    """Where the read of a source stands; None: it was never read."""
    table = tables.cursors
    row = session.tx.execute(
        select(table.c.cursor, table.c.fingerprint, table.c.complete).where(
            session.own(table), table.c.source == source
        )
    ).one_or_none()
    return None if row is None else Cursor(*row)


def save_cursor(session: Writing, source: str, at: Cursor, read_at: int) -> None:
    """Store where a read stands, in the transaction of the rows before it."""
    row = {
        "connection": session.connection, "source": source, "cursor": at.cursor, "fingerprint": at.fingerprint,
        "complete": at.complete, "read_at": read_at,
    }  # fmt: skip
    upsert(session, tables.cursors, [row], ["connection", "source"])


def load(
    session: Reading, accounts: Sequence[str] | None = None, known_at: int | None = None
) -> dict[str, pl.DataFrame]:
    """Canonical tables to score: of all accounts, or whole for the given ones; as they were known at that instant.

    Whole means: with all accounts of their trees of parents, the allocations of their claims and of their payments,
    the payments behind the one and the claims behind the other, whoever's they are.
    """
    if accounts is None:
        return {name: _select(session, name, None, (), known_at) for name in TABLES}
    accounts = sorted(with_trees(session, accounts, past=known_at is not None))

    def batch(name: str, column: str | None, values: Sequence[str]) -> pl.DataFrame:
        return _select(session, name, column, values, known_at)

    result = {name: batch(name, "account_id", accounts) for name in TABLES if _owned(name)}
    result["rates"] = batch("rates", None, ())
    by_claim = batch("allocations", "receivable_id", _ids(result["receivables"], "receivable_id"))
    by_payment = batch("allocations", "payment_id", _ids(result["payments"], "payment_id"))
    by_note = batch("allocations", "adjustment_id", _ids(result["adjustments"], "adjustment_id"))
    by_order = batch("allocations", "order_id", _ids(result["receivables"], "order_id"))
    frame = pl.concat([by_claim, by_payment, by_note, by_order])
    result["allocations"] = frame.unique("allocation_id", maintain_order=True)
    for name, key in (("receivables", "receivable_id"), ("payments", "payment_id"), ("adjustments", "adjustment_id")):
        missing = sorted(set(_ids(result["allocations"], key)) - set(_ids(result[name], key)))
        result[name] = pl.concat([result[name], batch(name, key, missing)])
    return result


def accounts(session: Reading) -> pl.DataFrame:
    """The accounts alone, with the columns of the canonical table."""
    return _select(session, "accounts", None, ())


def find(session: Reading, desired: str) -> list[tuple[str, str, str]]:
    """Id, number and name of the accounts of that id, number or whole name; several where people share a name."""
    table = tables.CANONICAL["accounts"]
    columns = (table.c.account_id, table.c.number, table.c.name)
    query = select(*columns).where(session.own(table), or_(*(column == desired for column in columns)))
    return [(row[0], row[1], row[2]) for row in session.tx.execute(query.order_by(table.c.account_id))]


def owners(session: Reading, source: str, records: Collection[str]) -> set[str]:
    """Accounts that these records of a source belong to, or once did."""
    names: set[str] = set()
    for table in (*tables.CANONICAL.values(), *tables.PAST.values()):
        if "account_id" in table.c:
            names |= set(_of(session, table, "account_id", source, records))
    claims = tables.CANONICAL["receivables"]
    for table in (tables.CANONICAL["allocations"], tables.PAST["allocations"]):
        for name in ("receivable_id", "order_id"):
            ids_by_name = sorted(set(_of(session, table, name, source, records)))
            for batch in batches(ids_by_name):
                these = and_(session.own(claims), claims.c[name].in_(batch))
                names |= set(session.tx.execute(select(claims.c.account_id).where(these)).scalars())
    return names


def ever_seen(session: Reading, source: str, records: Collection[str]) -> set[str]:
    """Those of a source's records that yielded a fact at any time, also when it is gone by now."""
    every = (*tables.CANONICAL.values(), *tables.PAST.values())
    return {record for table in every for record in _of(session, table, "source_id", source, records)}


def _of(session: Reading, table: Table, column: str, source: str, records: Collection[str]) -> Iterator[str]:
    """A column's values in the rows that these records yielded."""
    if "source_id" not in table.c:
        return
    for batch in batches(sorted(records)):
        these = and_(session.own(table), table.c.source == source, table.c.source_id.in_(batch))
        yield from (
            value for value in session.tx.execute(select(table.c[column]).where(these).distinct()).scalars() if value
        )


def numbers(session: Reading) -> dict[str, str]:
    """account_id → the number that people call it by."""
    table = tables.CANONICAL["accounts"]
    query = select(table.c.account_id, table.c.number).where(session.own(table))
    return {row.account_id: row.number for row in session.tx.execute(query)}


def ids_by_name(session: Reading, names: Collection[str]) -> dict[str, str]:
    """Those of the names that are an account's id or its number → its id; an id comes before a number."""
    table = tables.CANONICAL["accounts"]
    result: dict[str, str] = {}
    for column in (table.c.number, table.c.account_id):
        for batch in batches(sorted(names)):
            query = select(column, table.c.account_id).where(session.own(table), column.in_(batch))
            result |= {row[0]: row[1] for row in session.tx.execute(query)}
    return result


def with_trees(session: Reading, accounts: Collection[str], *, past: bool = False) -> set[str]:
    """The accounts and everybody who is tied to them by parents, up and down; `past`: or ever was."""
    tied: dict[str, set[str]] = {}
    for table in (tables.CANONICAL["accounts"], *((tables.PAST["accounts"],) if past else ())):
        query = select(table.c.account_id, table.c.parent_id).where(session.own(table), table.c.parent_id.is_not(None))
        for child, parent in session.tx.execute(query):
            tied.setdefault(child, set()).add(parent)
            tied.setdefault(parent, set()).add(child)
    names = set(accounts)
    ahead = [account for account in names if account in tied]
    while ahead:
        new = tied[ahead.pop()] - names
        names |= new
        ahead += new
    return names


def _owned(name: str) -> bool:
    return "account_id" in TABLES[name].names() and name != "allocations"


def _ids(frame: pl.DataFrame, column: str) -> list[str]:
    return frame[column].drop_nulls().unique().sort().to_list()


def _select(
    session: Reading, name: str, column: str | None, values: Sequence[str], known_at: int | None = None
) -> pl.DataFrame:
    columns = TABLES[name].names()
    queries = []
    for table in (tables.CANONICAL[name], *((tables.PAST[name],) if known_at is not None else ())):
        query = select(*(table.c[item] for item in columns)).where(session.own(table), table.c.deleted_on.is_(None))
        if known_at is not None:
            query = query.where(table.c.known_from <= known_at)
            query = query.where(table.c.known_until > known_at) if "known_until" in table.c else query
        queries.append((table, query))
    rows: list[tuple[object, ...]] = []
    for table, query in queries:
        if column is None:
            rows += [tuple(row) for row in session.tx.execute(query)]
        else:
            for batch in batches(values):
                rows += [tuple(row) for row in session.tx.execute(query.where(table.c[column].in_(batch)))]
    return pl.DataFrame(rows, schema=TABLES[name].schema(), orient="row")


def totals(session: Reading) -> dict[str, int]:
    """Current rows of the tables that a summary names."""
    return {
        name: session.tx.execute(select(func.count()).select_from(table).where(session.own(table))).scalar_one()
        for name in ("accounts", "receivables", "payments")
        for table in [tables.CANONICAL[name]]
    }


def sums(rows: pl.DataFrame) -> pl.DataFrame:
    """Columns out: currency (empty text: the table has no amounts), rows, amount (minor units)."""
    if "amount" not in rows.columns or "currency" not in rows.columns:
        return rows.select(pl.lit("").alias("currency"), pl.len().alias("rows"), pl.lit(0).alias("amount")).head(1)
    return rows.group_by(pl.col("currency").fill_null("")).agg(
        pl.len().alias("rows"), pl.col("amount").cast(pl.Int128).sum().cast(pl.Int64)
    )


def stored_sums(session: Reading, source: str, name: str) -> dict[str, tuple[int, int]]:
    """Currency → rows and amount that the store holds of a source in a table."""
    table = tables.CANONICAL[name]
    money = "amount" in table.c and "currency" in table.c
    currency = func.coalesce(table.c.currency, "") if money else literal("")
    amount = func.coalesce(func.sum(table.c.amount), 0) if money else literal(0)
    query = select(currency, func.count(), amount).where(
        session.own(table), table.c.source == source, table.c.deleted_on.is_(None)
    )
    return {row[0]: (row[1], row[2]) for row in session.tx.execute(query.group_by(currency) if money else query)}


def records_of_source(session: Reading, source: str, name: str) -> int:
    """How many records of a source have a row in a table."""
    table = tables.CANONICAL[name]
    query = select(func.count(table.c.source_id.distinct())).where(
        session.own(table), table.c.source == source, table.c.deleted_on.is_(None)
    )
    return int(session.tx.execute(query).scalar_one())


def batches(values: Iterable[str]) -> Iterator[list[str]]:
    """The values in lists short enough for one query."""
    walk = iter(values)
    while batch := list(islice(walk, _IDS_A_QUERY)):
        yield batch
