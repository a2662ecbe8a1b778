"""Canonical rows in the store: loading tables to score, whose they are, where the read of a source stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Table, and_, delete, func, literal, or_, select

from connector.profiles import filled
from connector.schema import TABLES
from sync.store import outages, tables
from sync.store.dialect import batches, raise_counter, upsert
from sync.store.session import Reading, Writing

#: The source of rows that people entered here, and the tables that they decide about customers in.
OWN = "zixin"
BY_PEOPLE = ("decisions", "limits", "securities", "promises", "contracts")


#: What a cursor begins with that says only what the object was like when it was read as a whole.
SNAPSHOT = "="


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the read of a source stands."""

    cursor: str
    fingerprint: str
    complete: bool

    @property
    def goes_on(self) -> bool:
        """Whether a read can go on from there; of an object without modified times each is of everything."""
        return bool(self.cursor) and not self.cursor.startswith(SNAPSHOT)


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
    heads = set[str]()
    table = tables.customer_accounts
    # Of an account that is gone the customer that it belongs to is scored.
    for batch in batches(sorted(accounts)):
        query = select(table.c.customer_id).where(
            session.own(table), table.c.account_id.in_(batch), table.c.known_until == tables.FOREVER
        )
        heads |= set(session.tx.execute(query).scalars())
    rows = [{"connection": session.connection, "account_id": account} for account in sorted({*accounts, *heads})]
    raise_counter(session, tables.customers, rows, ["connection", "account_id"], "facts_version")


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
    session: Reading,
    accounts: Sequence[str] | None = None,
    known_at: int | None = None,
    *,
    without: Collection[str] = (),
) -> dict[str, pl.DataFrame]:
    """Canonical tables to score: of all accounts, or whole for the given ones; as they were known at that instant.

    Whole means: with all accounts of their customers and of their trees of parents, the allocations of their claims
    and of their payments, the payments behind the one and the claims behind the other, whoever's they are. Beside them
    `freshness`, where a feed of some of them cannot be read. `without`: as if these sources had brought nothing.
    """
    if accounts is None:
        whole = {name: _select(session, name, None, (), known_at, without) for name in TABLES}
        whole["accounts"] = filled(whole["accounts"], whole["profiles"])
        whole["links"] = _links(session, None, known_at)
        return _with_freshness(session, whole, None, known_at)
    accounts = sorted(with_trees(session, accounts, past=known_at is not None))

    def batch(name: str, column: str | None, values: Sequence[str]) -> pl.DataFrame:
        return _select(session, name, column, values, known_at, without)

    result = {name: batch(name, "account_id", accounts) for name in TABLES if _owned(name)}
    result["accounts"] = filled(result["accounts"], result["profiles"])
    result["links"] = _links(session, accounts, known_at)
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
    return _with_freshness(session, result, accounts, known_at)


def _with_freshness(
    session: Reading, whole: dict[str, pl.DataFrame], accounts: Collection[str] | None, known_at: int | None
) -> dict[str, pl.DataFrame]:
    """With `freshness`, where a feed of some cannot be read, or could not then."""
    told = outages.freshness(session, accounts, known_at)
    return whole if told.is_empty() else {**whole, "freshness": told}


def sources(session: Reading, *, of_accounts: bool = False) -> set[str]:
    """Those that rows are stored of; `of_accounts`: rows that belong to an account by themselves."""
    names: set[str] = set()
    for table in tables.CANONICAL.values():
        if of_accounts and "account_id" not in table.c:
            continue
        last = ""
        # One look a source: the index begins with it.
        while last is not None:
            query = select(func.min(table.c.source)).where(session.own(table), table.c.source > last)
            last = session.tx.execute(query).scalar_one()
            names |= {last} - {None}
    return names


def accounts_of_sources(session: Reading, names: Collection[str]) -> set[str]:
    """Accounts of which a fact came from these sources."""
    result: set[str] = set()
    for table in tables.CANONICAL.values():
        if "account_id" in table.c:
            query = select(table.c.account_id).where(session.own(table), table.c.source.in_(sorted(names)))
            result |= set(session.tx.execute(query.distinct()).scalars())
    return result


def accounts(session: Reading) -> pl.DataFrame:
    """The accounts alone, with the columns of the canonical table."""
    return _select(session, "accounts", None, ())


def decisions(session: Reading, accounts: Collection[str]) -> pl.DataFrame:
    """What people decided about these accounts, with the columns of the canonical table."""
    return rows_of(session, "decisions", accounts)


def rows_of(session: Reading, name: str, accounts: Collection[str]) -> pl.DataFrame:
    """Rows of a table that belong to these accounts, with the columns of the canonical table."""
    return _select(session, name, "account_id", sorted(accounts))


def decided(session: Reading) -> set[str]:
    """Accounts about which people decided something here, or once did."""
    names: set[str] = set()
    for name in BY_PEOPLE:
        for table in (tables.CANONICAL[name], tables.PAST[name]):
            query = select(table.c.account_id).where(session.own(table), table.c.source == OWN)
            names |= set(session.tx.execute(query.distinct()).scalars())
    return names


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
    for table in (tables.CANONICAL["allocations"], tables.PAST["allocations"]):
        for name in ("receivable_id", "order_id"):
            names |= owners_of_claims(session, name, set(_of(session, table, name, source, records)))
    return names


def owners_of_claims(session: Reading, column: str, ids: Iterable[str], *, past: bool = False) -> set[str]:
    """Whose claims have these values in `receivable_id` or `order_id`; with `past` those that are no longer so, too."""
    names: set[str] = set()
    for claims in (tables.CANONICAL["receivables"], *((tables.PAST["receivables"],) if past else ())):
        for batch in batches(sorted(ids)):
            query = select(claims.c.account_id).where(session.own(claims), claims.c[column].in_(batch))
            names |= set(session.tx.execute(query.distinct()).scalars())
    return names


def debtors_of(session: Reading, column: str, ids: Iterable[str]) -> set[str]:
    """Whose claims were settled by these payments or notes (`payment_id`, `adjustment_id`), whoever paid."""
    claims: dict[str, set[str]] = {"receivable_id": set(), "order_id": set()}
    for table in (tables.CANONICAL["allocations"], tables.PAST["allocations"]):
        for batch in batches(sorted(ids)):
            query = select(table.c.receivable_id, table.c.order_id).where(
                session.own(table), table.c[column].in_(batch)
            )
            for receivable, order in session.tx.execute(query):
                claims["receivable_id"] |= {receivable} - {None}
                claims["order_id"] |= {order} - {None}
    return {owner for name, values in claims.items() for owner in owners_of_claims(session, name, values, past=True)}


def debtors(session: Reading, source: str, records: Collection[str]) -> set[str]:
    """Whose claims were settled by what these records yield, or once did."""
    names: set[str] = set()
    for name, key in (("payments", "payment_id"), ("adjustments", "adjustment_id")):
        ids = set(records)
        for table in (tables.CANONICAL[name], tables.PAST[name]):
            ids |= set(_of(session, table, key, source, records))
        names |= debtors_of(session, key, ids)
    return names


def there(session: Reading, accounts: Iterable[str]) -> set[str]:
    """Those of the accounts that there are."""
    return _there(session, accounts, (tables.CANONICAL["accounts"],))


def ever_there(session: Reading, accounts: Iterable[str]) -> set[str]:
    """Those of the accounts that there are, or were."""
    return _there(session, accounts, (tables.CANONICAL["accounts"], tables.PAST["accounts"]))


def _there(session: Reading, accounts: Iterable[str], of: Iterable[Table]) -> set[str]:
    names: set[str] = set()
    for table in of:
        for batch in batches(sorted(accounts)):
            query = select(table.c.account_id).where(session.own(table), table.c.account_id.in_(batch))
            names |= set(session.tx.execute(query.distinct()).scalars())
    return names


def ever_seen(session: Reading, source: str, records: Collection[str], *, past: bool = True) -> set[str]:
    """Those of a source's records that yielded a fact at any time, with `past` also when it is gone by now."""
    every = (*tables.CANONICAL.values(), *(tables.PAST.values() if past else ()))
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


def called_last(session: Reading, accounts: Collection[str]) -> dict[str, tuple[str, str]]:
    """Account that is gone → the number and the name that it had last; its id stands in for a number."""
    table, found = tables.PAST["accounts"], dict[str, tuple[str, str]]()
    for batch in batches(sorted(accounts)):
        query = select(table.c.account_id, table.c.number, table.c.name).where(
            session.own(table), table.c.account_id.in_(batch)
        )
        for account, number, name in session.tx.execute(query.order_by(table.c.known_until)):
            found[account] = (number or account, name)
    return found


def numbers_of(session: Reading, accounts: Collection[str]) -> dict[str, str]:
    """account_id → the number that people call it by, of these accounts."""
    return {account: number for account, number in _said_of(session, "number", accounts) if number}


def modified_at(session: Reading, accounts: Collection[str]) -> dict[str, int | None]:
    """account_id → when the CRM last changed it, as it is stored."""
    return dict(_said_of(session, "source_modified_at", accounts))


def _said_of(session: Reading, column: str, accounts: Collection[str]) -> Iterator[tuple[str, Any]]:
    """account_id and a column of these accounts."""
    table = tables.CANONICAL["accounts"]
    for batch in batches(sorted(accounts)):
        query = select(table.c.account_id, table.c[column])
        rows = session.tx.execute(query.where(session.own(table), table.c.account_id.in_(batch)))
        yield from ((row[0], row[1]) for row in rows)


def claims_by_number(session: Reading, numbers: Collection[str]) -> dict[str, str]:
    """Number of a claim → its id, where one claim alone has it."""
    table = tables.CANONICAL["receivables"]
    result: dict[str, str] = {}
    for batch in batches(sorted(numbers)):
        query = select(table.c.number, func.min(table.c.receivable_id)).where(
            session.own(table), table.c.number.in_(batch)
        )
        query = query.group_by(table.c.number).having(func.count() == 1)
        result |= {row[0]: row[1] for row in session.tx.execute(query)}
    return result


def ids_by_name(session: Reading, names: Collection[str]) -> dict[str, str]:
    """Those of the names that are an account's id or its number → its id; an id comes before a number."""
    table = tables.CANONICAL["accounts"]
    result: dict[str, str] = {}
    for column in (table.c.number, table.c.account_id):
        for batch in batches(sorted(names)):
            query = select(column, table.c.account_id).where(session.own(table), column.in_(batch))
            # Of several of one number the first by id.
            result |= {row[0]: row[1] for row in session.tx.execute(query.order_by(table.c.account_id.desc()))}
    return result


def with_trees(session: Reading, accounts: Collection[str], *, past: bool = False) -> set[str]:
    """The accounts and everybody who is tied to them by parents, up and down, or one customer; `past`: or ever was."""
    tied: dict[str, set[str]] = {}
    for account, customer in _same(session, past=past):
        tied.setdefault(account, set()).add(customer)
        tied.setdefault(customer, set()).add(account)
    names_ = ("accounts", "profiles")
    now, then = [tables.CANONICAL[name] for name in names_], [tables.PAST[name] for name in names_]
    for table in (*now, *(then if past else ())):
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


def _same(session: Reading, *, past: bool) -> Iterator[tuple[str, str]]:
    """account_id, customer_id of accounts that are linked; `past`: or ever were."""
    table = tables.customer_accounts
    query = select(table.c.account_id, table.c.customer_id).where(session.own(table))
    query = query if past else query.where(table.c.known_until == tables.FOREVER)
    yield from ((row[0], row[1]) for row in session.tx.execute(query))


def _links(session: Reading, accounts: Collection[str] | None, known_at: int | None) -> pl.DataFrame:
    """Who is one customer with whom, with the columns of `links` and joined_at; as it was known at that instant."""
    table, schema = tables.customer_accounts, {**TABLES["links"].schema(), "joined_at": pl.Int64()}
    query = select(*(table.c[name] for name in schema)).where(session.own(table))
    if known_at is None:
        query = query.where(table.c.known_until == tables.FOREVER)
    else:
        query = query.where(table.c.known_from <= known_at, table.c.known_until > known_at)
    rows: list[tuple[object, ...]] = []
    for batch in [None] if accounts is None else batches(sorted(accounts)):
        these = query if batch is None else query.where(table.c.account_id.in_(batch))
        rows += [tuple(row) for row in session.tx.execute(these)]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _owned(name: str) -> bool:
    return "account_id" in TABLES[name].names() and name != "allocations"


def _ids(frame: pl.DataFrame, column: str) -> list[str]:
    return frame[column].drop_nulls().unique().sort().to_list()


def _select(
    session: Reading,
    name: str,
    column: str | None,
    values: Sequence[str],
    known_at: int | None = None,
    without: Collection[str] = (),
) -> pl.DataFrame:
    schema = _schema(name)
    columns = list(schema)
    queries = []
    for table in (tables.CANONICAL[name], *((tables.PAST[name],) if known_at is not None else ())):
        query = select(*(table.c[item] for item in columns)).where(session.own(table), table.c.deleted_on.is_(None))
        query = query.where(table.c.source.not_in(sorted(without))) if without else query
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
    return pl.DataFrame(rows, schema=schema, orient="row")


def _schema(name: str) -> dict[str, pl.DataType]:
    """Columns of a table to score: of what people agree on also when zixin first heard of it."""
    heard = {"known_from": pl.Int64()} if name in ("decisions", "limits") else {}
    return {**TABLES[name].schema(), **heard}


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


def of_source(session: Reading, source: str) -> Iterator[tuple[str, int, set[str]]]:
    """Canonical table, rows that a source has in it, and whose they are; tables without any are left out."""
    for name, table in tables.CANONICAL.items():
        mine = and_(session.own(table), table.c.source == source)
        count = session.tx.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
        if count:
            owned = select(table.c.account_id).where(mine).distinct() if "account_id" in table.c else None
            yield name, count, set() if owned is None else set(session.tx.execute(owned).scalars())


def forget_cursor(session: Writing, source: str) -> None:
    """The source is read from the start the next time."""
    table = tables.cursors
    session.tx.execute(delete(table).where(session.own(table), table.c.source == source))


def records_of_source(session: Reading, source: str, name: str) -> int:
    """How many records of a source have a row in a table."""
    table = tables.CANONICAL[name]
    query = select(func.count(table.c.source_id.distinct())).where(
        session.own(table), table.c.source == source, table.c.deleted_on.is_(None)
    )
    return int(session.tx.execute(query).scalar_one())
