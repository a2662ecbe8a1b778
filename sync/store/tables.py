"""The tables of the database: the canonical ones, and the state of the product itself.

Instants are microseconds since 1970 UTC, days are days since 1970-01-01, nested values are JSON text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, PrimaryKeyConstraint, Table, Text

from connector import schema
from connector.assessment import ASSESSMENT
from connector.schema import TABLES, TRACE, Kind

metadata = MetaData()

#: `known_until` of what is known now: after every instant.
FOREVER = 2**62

_TYPES: dict[Kind, Any] = {
    "text": Text,
    "choice": Text,
    "currency": Text,
    "money": BigInteger,
    "rate": BigInteger,
    "day": Integer,
    "instant": BigInteger,
    "flag": Boolean,
    "count": BigInteger,
    "ratio": Float,
}


def columns_of(table: schema.Table) -> Iterator[schema.Column]:
    """All columns of a canonical table as it is stored: the connection, its own, the rest of `TRACE`."""
    yield TRACE[0]
    yield from table.columns
    yield from TRACE[1:]


def frame_schema(table: schema.Table) -> dict[str, pl.DataType]:
    """Polars types of the stored columns."""
    return {column.name: schema.DTYPES[column.kind] for column in columns_of(table)}


def _store_table(table: schema.Table) -> Table:
    columns = [
        Column(column.name, _TYPES[column.kind](), nullable=column.null is not None) for column in columns_of(table)
    ]
    result = Table(
        table.name,
        metadata,
        *columns,
        PrimaryKeyConstraint("connection", *table.key),
        Index(f"ix_{table.name}_source", "connection", "source", "source_id"),
        sqlite_with_rowid=False,
    )
    for name in ("account_id", "receivable_id", "payment_id", "adjustment_id", "order_id"):
        if name in result.c and table.key[0] != name and name != table.key[0]:
            Index(f"ix_{table.name}_{name}", result.c.connection, result.c[name])
    return result


CANONICAL: dict[str, Table] = {name: _store_table(table) for name, table in TABLES.items()}

Index("ix_links_customer_id", CANONICAL["links"].c.connection, CANONICAL["links"].c.customer_id)


def _past(table: schema.Table) -> Table:
    columns = [Column(column.name, _TYPES[column.kind]()) for column in columns_of(table)]
    result = Table(f"{table.name}_past", metadata, *columns, Column("known_until", BigInteger(), nullable=False))
    for name in ("account_id", "receivable_id", "payment_id", "adjustment_id", "order_id"):
        if name in result.c:
            Index(f"ix_{result.name}_{name}", result.c.connection, result.c[name])
    Index(f"ix_{result.name}_source", result.c.connection, result.c.source, result.c.source_id)
    return result


#: What was superseded: the row as it was known from known_from until known_until, microseconds since 1970 UTC.
PAST: dict[str, Table] = {name: _past(table) for name, table in TABLES.items()}


def _assessed(kind: pl.DataType) -> Any:
    return {"Int64": BigInteger(), "Int32": Integer(), "Float64": Float()}.get(str(kind), Text())


def _table(name: str, *columns: Column[Any], key: tuple[str, ...]) -> Table:
    return Table(name, metadata, *columns, PrimaryKeyConstraint(*key), sqlite_with_rowid=False)


def _text(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Text(), nullable=nullable)


def _int(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, BigInteger(), nullable=nullable)


#: Rows that did not fit: what the record is, where, why, since when.
rejects = _table(
    "rejects",
    _text("connection"), _text("source"), _text("record"), _text("table"), _text("column"),
    _text("value", nullable=True), _text("reason"), _int("since"),
    key=("connection", "source", "record", "table", "column"),
)  # fmt: skip

#: Records that were rejected, and whose they are (empty: nobody knows); `released_at`: a person said to go on.
rejected_records = _table(
    "rejected_records",
    _text("connection"), _text("source"), _text("record"), _text("account_id"), _int("since"),
    _int("released_at", nullable=True), _text("released_by", nullable=True),
    key=("connection", "source", "record", "account_id"),
)  # fmt: skip
#: How many rows a source had in a table when it was looked at last and nothing was wrong with it.
row_counts = _table(
    "row_counts",
    _text("connection"), _text("source"), _text("table"), _int("rows"), _int("counted_at"),
    key=("connection", "source", "table"),
)  # fmt: skip
#: What is missing of what a source should bring; `everybody`: nobody knows whose.
holes = _table(
    "holes",
    _text("connection"), _text("source"), _text("table"), _text("cause"), _int("rows"), _int("of"),
    Column("everybody", Boolean(), nullable=False), _int("since"),
    key=("connection", "source", "table", "cause"),
)  # fmt: skip
#: Accounts of customers who have several, and those that were merged into them, as known from then until then, in
#: microseconds since 1970 UTC; `known_until` FOREVER: now. `joined_at`: since when this account is one of his.
customer_accounts = _table(
    "customer_accounts",
    _text("connection"), _text("account_id"), _text("customer_id"), _text("by"),
    _int("joined_at"), _int("known_from"), _int("known_until"),
    key=("connection", "account_id", "known_until", "known_from"),
)  # fmt: skip
Index("ix_customer_accounts_customer_id", customer_accounts.c.connection, customer_accounts.c.customer_id)
#: Accounts that say a tax id, in its one form; an empty number: what they say is none. `own`: the CRM says it, and not
#: another system of the customer whom it takes the account for.
tax_ids = _table(
    "tax_ids",
    _text("connection"), _text("account_id"), _text("scheme"), _text("number"),
    Column("is_proven", Boolean(), nullable=False), Column("own", Boolean(), nullable=False),
    key=("connection", "account_id"),
)  # fmt: skip
Index("ix_tax_ids_number", tax_ids.c.connection, tax_ids.c.scheme, tax_ids.c.number)
#: Accounts that are gone, and the ones that they were merged into. state: told (by the CRM), guessed (all of its claims
#: went there: a person is asked), accepted, rejected.
merges = _table(
    "merges",
    _text("connection"), _text("account_id"), _text("into"), _text("state"), _text("by", nullable=True), _int("since"),
    key=("connection", "account_id"),
)  # fmt: skip
Index("ix_merges_into", merges.c.connection, merges.c.into)
#: Pairs that look like one customer, and are none: a person said so.
not_duplicates = _table(
    "not_duplicates",
    _text("connection"), _text("account_id"), _text("other_id"), _text("by"), _int("at"),
    key=("connection", "account_id", "other_id"),
)  # fmt: skip
#: What accounts say of their customer numbers in a feed; `said` false: one that they said last, and say no more.
feed_accounts = _table(
    "feed_accounts",
    _text("connection"), _text("feed"), _text("account_id"), _text("number"), Column("said", Boolean(), nullable=False),
    _int("since"),
    key=("connection", "feed", "account_id"),
)  # fmt: skip
Index("ix_feed_accounts_number", feed_accounts.c.connection, feed_accounts.c.feed, feed_accounts.c.number)
#: What a feed's own customers say: a number that accounts say, too, or an account; and which account that was last.
feed_customers = _table(
    "feed_customers",
    _text("connection"), _text("feed"), _text("customer"), _text("says"), _text("account_id", nullable=True),
    key=("connection", "feed", "customer"),
)  # fmt: skip
Index("ix_feed_customers_says", feed_customers.c.connection, feed_customers.c.feed, feed_customers.c.says)
#: What a feed's own customers say of their tax ids, in their one form; and which account a person said they are.
feed_tax_ids = _table(
    "feed_tax_ids",
    _text("connection"), _text("feed"), _text("customer"), _text("scheme"), _text("number"),
    Column("is_proven", Boolean(), nullable=False),
    key=("connection", "feed", "customer"),
)  # fmt: skip
Index("ix_feed_tax_ids_number", feed_tax_ids.c.connection, feed_tax_ids.c.scheme, feed_tax_ids.c.number)
#: Customers of whom a feed has told.
feed_seen = _table(
    "feed_seen", _text("connection"), _text("feed"), _text("customer"), key=("connection", "feed", "customer")
)
feed_words = _table(
    "feed_words",
    _text("connection"), _text("feed"), _text("customer"), _text("account_id"), _text("by"), _int("at"),
    key=("connection", "feed", "customer"),
)  # fmt: skip
Index("ix_feed_words_account_id", feed_words.c.connection, feed_words.c.account_id)
#: Customers of a feed whose account changed, and whose facts are to be read again.
feed_due = _table(
    "feed_due",
    _text("connection"), _text("feed"), _text("customer"), _int("since"),
    key=("connection", "feed", "customer"),
)  # fmt: skip
#: When a feed was read to its end last, and since when it cannot be read, by the code of a problem.
feeds = _table(
    "feeds",
    _text("connection"), _text("feed"), _int("read_at", nullable=True), _int("away_since", nullable=True),
    _int("tried_at", nullable=True), _text("problem", nullable=True),
    key=("connection", "feed"),
)  # fmt: skip
#: When feeds could not be read; `back_at` null: still. `read_on`: day it was read last before, null: never.
outages = _table(
    "outages",
    _text("connection"), _text("feed"), _int("away_since"), _int("back_at", nullable=True),
    Column("read_on", Integer(), nullable=True), _text("sources"),
    key=("connection", "feed", "away_since"),
)  # fmt: skip
#: Connections of which something may have made a hole, or mended one, since somebody looked.
due_looks = _table("due_looks", _text("connection"), key=("connection",))
#: Customers whom a hole concerns: they are not written before a person says so.
withheld = _table(
    "withheld",
    _text("connection"), _text("source"), _text("table"), _text("cause"), _text("account_id"),
    key=("connection", "source", "table", "cause", "account_id"),
)  # fmt: skip

cursors = _table(
    "cursors",
    _text("connection"), _text("source"), _text("cursor"), _text("fingerprint"), Column("complete", Boolean()),
    _int("read_at"),
    key=("connection", "source"),
)  # fmt: skip

#: Sources of which a full read showed less than is stored; `accepted`: missing ones that a person took for gone.
sight = _table(
    "sight",
    _text("connection"), _text("source"), _int("stored"), _int("shown"), _int("missing"), _int("since"),
    _int("looked_at"), _int("accepted", nullable=True), _text("accepted_by", nullable=True),
    _int("accepted_at", nullable=True),
    key=("connection", "source"),
)  # fmt: skip

sight_missing = _table(
    "sight_missing", _text("connection"), _text("source"), _text("record"), key=("connection", "source", "record")
)

#: The newest full read of each source that is read by what changed; `finished_at` null: it goes on from its cursor.
sweeps = _table(
    "sweeps",
    _text("connection"), _text("source"), _int("began_at"), _int("finished_at", nullable=True), _text("cursor"),
    _text("fingerprint"), _int("missed"),
    key=("connection", "source"),
)  # fmt: skip
#: Records that a full read which goes on was shown.
sweep_seen = _table(
    "sweep_seen", _text("connection"), _text("source"), _text("record"), key=("connection", "source", "record")
)

#: A customer's facts version moves when a fact of it changes; `scored_version` is the one it was scored from last.
customers = _table(
    "customers",
    _text("connection"), _text("account_id"), _int("facts_version"), _int("scored_version", nullable=True),
    key=("connection", "account_id"),
)  # fmt: skip

#: One row per customer and day; scoring a day again replaces its row.
assessments = _table(
    "assessments",
    _text("connection"),
    *(
        Column(name, _assessed(kind), nullable=name not in ("customer_id", "as_of"))
        for name, kind in ASSESSMENT.items()
    ),
    _int("facts_version"),
    #: Instant up to which facts were known; microseconds since 1970 UTC.
    _int("assessed_at"),
    key=("connection", "customer_id", "as_of"),
)

#: Every policy that something was assessed by, as JSON.
policies = _table("policies", _text("version"), _text("body"), key=("version",))

#: Portfolio statistics of a day, which scores of later days look back at.
statistics = _table("statistics", _text("connection"), _int("day"), _text("body"), key=("connection", "day"))

desired = _table(
    "wanted",
    _text("connection"), _text("account_id"), _int("as_of"), _int("facts_version"), _int("version"),
    #: The first day after as_of on which a day of the customer's own passes; null: none ahead.
    _int("next_day", nullable=True), _text("shows"), Column("pending", Boolean(), nullable=False),
    _text("refusal", nullable=True),
    key=("connection", "account_id"),
)  # fmt: skip
Index("ix_wanted_pending", desired.c.connection, desired.c.pending)

#: What the texts of `wanted` were made of: a hash of all wording.
rendered = _table("rendered", _text("connection"), _text("wording"), key=("connection",))

sent = _table(
    "sent",
    _text("connection"), _text("account_id"), _int("facts_version"), _int("next_day", nullable=True), _text("shows"),
    _int("answered_at"),
    key=("connection", "account_id"),
)  # fmt: skip
observed = _table(
    "observed",
    _text("connection"), _text("account_id"), _text("shows"), _int("seen_at"),
    key=("connection", "account_id"),
)  # fmt: skip
#: Writes whose answer is not known: read back before the account is written again.
in_flight = _table(
    "flights",
    _text("connection"), _text("account_id"), _int("version"), _int("attempted_at"),
    key=("connection", "account_id"),
)  # fmt: skip

#: What a person asked for and another one has yet to approve; nothing of it is in force. body: JSON of a row.
asked = _table(
    "asked",
    _text("connection"), _text("decision_id"), _text("account_id"), _text("table"), _text("body"), _text("needs"),
    _text("by"), _int("asked_at"),
    key=("connection", "decision_id"),
)  # fmt: skip
#: Who did what at the credit desk, and when. what: asked, decided, approved, rejected, ended, acknowledged;
#: of a source (its account is empty): accepted.
desk_log = Table(
    "desk_log",
    metadata,
    Column("entry", Integer(), primary_key=True),
    _text("connection"), _text("account_id"), _text("subject"), _text("what"), _text("by"), _int("at"),
    _text("body"),
)  # fmt: skip
Index("ix_desk_log_account", desk_log.c.connection, desk_log.c.account_id)

#: The life of a warning flag: raised, acknowledged, cleared. One row each time that it is up.
flags = _table(
    "flags",
    _text("connection"), _text("account_id"), _text("code"), _int("raised_on"), _text("severity"),
    _int("cleared_on", nullable=True), _text("acknowledged_by", nullable=True), _int("acknowledged_at", nullable=True),
    _text("note", nullable=True),
    key=("connection", "account_id", "code", "raised_on"),
)  # fmt: skip

#: Events that were acknowledged. state: waiting, done, dead. body: JSON of object, records, accounts, op; emptied when
#: it is closed. `next_at`: not before this instant, microseconds since 1970 UTC. `picked_at`: when somebody began to
#: work on it first.
inbox = _table(
    "inbox",
    _text("connection"), _text("event_id"), _text("body"), _text("state"), _int("received_at"), _int("attempts"),
    _int("next_at"), _text("cause", nullable=True), _int("closed_at", nullable=True), _int("picked_at", nullable=True),
    key=("connection", "event_id"),
)  # fmt: skip
Index("ix_inbox_state", inbox.c.connection, inbox.c.state, inbox.c.next_at)

#: When somebody last proved that an event could be committed.
heartbeats = _table("heartbeats", _text("connection"), _int("at"), key=("connection",))

#: state: running, done, shown (nothing stored), dry, braked (waits for approval), withheld (some do), approved, failed.
#: Customers whom an event let fall to a low grade, and when: what the brake of events counts.
falls = _table("falls", _text("connection"), _text("customer_id"), _int("fell_at"), key=("connection", "customer_id"))
runs = _table(
    "runs",
    _text("run_id"), _text("connection"), _text("kind"), _int("as_of"), _text("state"), _int("started_at"),
    _int("finished_at", nullable=True), _text("policy_version"), _text("by", nullable=True), _text("summary"),
    key=("run_id",),
)  # fmt: skip
