"""Facts into the store: a record replaces all that it yielded, and whose rows changed is told.

Only rows that changed are touched, so that exactly those customers are scored again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Table, and_, delete, or_, select

from connector.ports import Gone
from connector.schema import TABLES
from mappings.apply import Applied
from sync.store import due_looks, tables
from sync.store import rejects as rejects_
from sync.store.dialect import batches, insert_tuples, upsert_tuples
from sync.store.ledger import OWN, bump, owners_of_claims
from sync.store.session import Reading, Writing

#: An expression may be 1,000 levels deep in SQLite, and each key is one.
_KEYS_A_STATEMENT = 400
#: Columns that the store fills, and that say nothing of a fact.
_KEPT = ("known_from", "source_modified_at")


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
    shrunk = any(stored[name].height > frame.height for name, frame in applied.tables.items())
    misfits = applied.rejects
    if older:
        misfits = misfits.filter(~pl.col("record").is_in(pl.Series(list(older), dtype=pl.String).implode()))
    if rejects_.store(session, source, records, misfits, heard_at) or shrunk:
        due_looks.ask(session)
    if misfits.height:
        rejects_.store_owners(session, source, misfits, _owners(session, applied, stored, misfits), heard_at)
    bump(session, touched)
    return touched


def _owners(
    session: Reading, applied: Applied, stored: Mapping[str, pl.DataFrame], misfits: pl.DataFrame
) -> Iterator[tuple[str, str]]:
    """Whose the rejected records are: by the row itself, its record's other rows, and those that it yielded before."""
    bad = misfits["record"].unique().implode()
    yield from applied.owners.filter(pl.col("record").is_in(bad)).iter_rows()
    for name, frame in (*applied.tables.items(), *stored.items()):
        rows = frame.filter(pl.col("source_id").is_in(bad))
        if "account_id" in rows.columns:
            yield from rows.select("source_id", "account_id").drop_nulls().unique().iter_rows()
        elif name == "allocations":
            for record in rows["source_id"].unique():
                owners = _accounts_of(session, name, rows.filter(pl.col("source_id") == record))
                yield from ((record, account) for account in owners)


def remove(session: Writing, source: str, records: Sequence[str], at: int) -> set[str]:
    """Takes away all that these records yielded, whatever the mapping says now; returns whose facts changed."""
    touched: set[str] = set()
    for name, table in tables.CANONICAL.items():
        stored = _of_records(session, table, name, source, records)
        touched |= _replace(session, name, stored.clear(), stored, at)
    bump(session, touched)
    due_looks.ask(session)
    return touched


def put_row(session: Writing, name: str, row: Mapping[str, Any], at: int) -> set[str]:
    """Stores a row that came from no CRM: of people, by zixin. Returns the accounts of which a fact changed.

    `row`: the table's columns by name, its key included; what is missing is null.
    """
    declared = TABLES[name]
    key = record_of(name, [str(row[column]) for column in declared.key])
    cells = {column: row.get(column) for column in declared.names()}
    traced = {**cells, "connection": session.connection, "source": OWN, "source_id": key, "source_modified_at": None}
    frame = pl.DataFrame([traced | {"known_from": at, "deleted_on": None}], schema=declared.empty().schema)
    stored = _of_records(session, tables.CANONICAL[name], name, OWN, [key])
    touched = _replace(session, name, frame, stored, at)
    bump(session, touched)
    return touched


def record_of(name: str, key: Sequence[str]) -> str:
    """The id of a record of ours that is one row of the table, by the values of its key."""
    return "|".join(key[: len(TABLES[name].key)])


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
        names: set[str] = set()
        for name_ in ("receivable_id", "order_id"):
            names |= owners_of_claims(session, name_, set(rows[name_].drop_nulls()))
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
