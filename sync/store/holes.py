"""Holes in what was read: rows that do not fit, that are gone at once, records out of sight; and whom they concern.

Customers whom a hole concerns are kept by name: they are not written before a person says so, the others are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Table, and_, delete, func, insert, select, update

from connector.policy import Checks
from connector.schema import TABLES
from sync.store import ledger, sight, tables
from sync.store.dialect import insert_new_tuples, upsert
from sync.store.session import Reading, Writing

Cause = Literal["rejected", "gone", "lost"]
#: A rate that does not fit is nobody's, and what lacks it says so in its own assessment.
_NOBODY_S = ("rates",)
_KEY = ("source", "table", "cause")


@dataclass(frozen=True, slots=True)
class Hole:
    """What is missing of what a source should bring."""

    source: str
    #: A canonical table; empty: all that the source yields.
    table: str
    #: Rows that were rejected, rows that are gone since the last run, or records that a full read did not show.
    cause: Cause
    #: How many, and of how many.
    rows: int
    of: int
    #: Nobody knows whose they are: it concerns everybody.
    everybody: bool
    #: Microseconds since 1970 UTC.
    since: int


@dataclass(frozen=True, slots=True)
class Withheld:
    """Whom the open holes concern."""

    accounts: frozenset[str] = frozenset()
    everybody: bool = False

    def among(self, accounts: Iterable[str]) -> set[str]:
        """Those of the accounts who are not written."""
        return set(accounts) if self.everybody else {each for each in accounts if each in self.accounts}


def note(session: Writing, yields: Mapping[str, Collection[str]], checks: Checks, now: int) -> list[Hole]:
    """Looks for holes, keeps them with the customers concerned, and returns them; one that is mended is forgotten.

    `yields`: source → tables that its mapping yields.
    """
    before = {_key(hole): hole.since for hole in open_(session)}
    found: dict[Hole, set[str]] = {}
    for source, names in yields.items():
        for name in names:
            if name not in _NOBODY_S:
                found |= _rejected(session, source, name, checks, now) or _gone(session, source, name, checks, now)
    for lost in sight.open_sources(session):
        if lost.source in yields:
            accounts = ledger.owners(session, lost.source, sight.missing(session, lost.source))
            found[Hole(lost.source, "", "lost", lost.missing, lost.stored, everybody=False, since=lost.since)] = (
                accounts
            )
    for table in (tables.holes, tables.withheld):
        session.tx.execute(delete(table).where(session.own(table)))
    results = []
    for hole, accounts in found.items():
        since = before.get(_key(hole), hole.since)
        row = {"connection": session.connection, **asdict(hole), "since": since}
        upsert(session, tables.holes, [row], ["connection", *_KEY])
        names = ("connection", *_KEY, "account_id")
        rows = [(session.connection, *_key(hole), account) for account in sorted(accounts)]
        insert_new_tuples(session, tables.withheld, names, rows, names)
        results.append(Hole(**{**asdict(hole), "since": since}))
    return results


def _key(hole: Hole) -> tuple[str, str, str]:
    return hole.source, hole.table, hole.cause


def open_(session: Reading) -> list[Hole]:
    """Those that the last look found."""
    table = tables.holes
    columns = [table.c[name] for name in Hole.__dataclass_fields__]
    query = select(*columns).where(session.own(table)).order_by(*(table.c[name] for name in _KEY))
    return [Hole(*row) for row in session.tx.execute(query)]


def withheld(session: Reading) -> Withheld:
    """Whom the open holes concern, and everybody who is tied to them by parents."""
    if any(hole.everybody for hole in open_(session)):
        return Withheld(everybody=True)
    names = _named(session)
    return Withheld(frozenset(ledger.with_trees(session, names) if names else names))


def _named(session: Reading) -> set[str]:
    table = tables.withheld
    return set(session.tx.execute(select(table.c.account_id).where(session.own(table)).distinct()).scalars())


def concerns(session: Reading) -> dict[tuple[str, str, str], int]:
    """Source, table, cause of a hole → how many customers it concerns; those of one that is everybody's not counted."""
    table = tables.withheld
    key = [table.c[name] for name in _KEY]
    query = select(*key, func.count()).where(session.own(table)).group_by(*key)
    return {(row[0], row[1], row[2]): row[3] for row in session.tx.execute(query)}


def told(session: Reading) -> list[dict[str, Any]]:
    """The holes as people are told of them: source, table, cause, rows, of, customers (how many; null: everybody)."""
    counts = concerns(session)
    return [
        {
            **{name: getattr(hole, name) for name in ("source", "table", "cause", "rows", "of")},
            "customers": None if hole.everybody else counts.get(_key(hole), 0),
        }
        for hole in open_(session)
    ]


def release(session: Writing, holes: Iterable[Mapping[str, Any]], until: int, by: str) -> None:
    """A person says to go on without what is missing, as far as it was known at that instant.

    holes: source, table, cause, rows, of of each. A source lost from sight is released by `sight.accept` alone.
    """
    table = tables.rejected_records
    for hole in holes:
        if hole["cause"] == "lost":
            continue
        these = and_(session.own(table), table.c.source == hole["source"], table.c.since <= until)
        mine = and_(these, table.c.released_at.is_(None))
        session.tx.execute(update(table).where(mine).values(released_at=until, released_by=by))
        recount(session, hole["source"], [hole["table"]], until)
        body = "{rows} of {of} rows of {table} are {cause}".format(**hole)
        entry = {"connection": session.connection, "account_id": "", "subject": hole["source"], "what": "released"}
        session.tx.execute(insert(tables.desk_log).values({**entry, "by": by, "at": until, "body": body}))


def recount(session: Writing, source: str, names: Iterable[str], now: int) -> None:
    """What a source yields now is what it should: a person says so."""
    for name in names:
        _count(session, source, name, _rows(session, source, name), now)


def count_rows(session: Writing, yields: Mapping[str, Collection[str]], now: int) -> None:
    """Keeps how many rows each table has of each source, where nothing is wrong with it."""
    wrong = {(hole.source, hole.table) for hole in open_(session)}
    for source, names in yields.items():
        if (source, "") not in wrong:
            recount(session, source, [name for name in names if (source, name) not in wrong], now)


def _count(session: Writing, source: str, name: str, rows: int, now: int) -> None:
    row = {"connection": session.connection, "source": source, "table": name, "rows": rows, "counted_at": now}
    upsert(session, tables.row_counts, [row], ["connection", "source", "table"])


def _rows(session: Reading, source: str, name: str) -> int:
    table = tables.CANONICAL[name]
    query = select(func.count()).select_from(table).where(session.own(table), table.c.source == source)
    return int(session.tx.execute(query).scalar_one())


def _rejected(session: Reading, source: str, name: str, checks: Checks, now: int) -> dict[Hole, set[str]]:
    """Too many rows of that table that do not fit, of those that nobody has released."""
    bad, owned = tables.rejects, tables.rejected_records
    mine = and_(session.own(bad), bad.c.source == source, bad.c.table.in_((name, "")))
    records = select(bad.c.record).where(mine).distinct()
    every = int(session.tx.execute(select(func.count()).select_from(records.subquery())).scalar_one())
    if every <= checks.missing_least:
        return {}
    of = every + ledger.records_of_source(session, source, name)
    most = max(checks.missing_least, int(checks.rejected_share * of))
    these = and_(session.own(owned), owned.c.source == source)
    released = select(owned.c.record).where(these, owned.c.released_at.is_not(None))
    left = records.where(bad.c.record.not_in(released)).subquery()
    count = int(session.tx.execute(select(func.count()).select_from(left)).scalar_one())
    if count <= most:
        return {}
    told = select(owned.c.record, owned.c.account_id).where(these, owned.c.record.in_(select(left.c.record)))
    accounts, known = set(), set()
    for record, account in session.tx.execute(told):
        if account:
            accounts.add(account)
            known.add(record)
    return {Hole(source, name, "rejected", count, of, everybody=count - len(known) > most, since=now): accounts}


def _gone(session: Reading, source: str, name: str, checks: Checks, now: int) -> dict[Hole, set[str]]:
    """Too many rows of that table that were there when it was counted last, and are gone."""
    counts = tables.row_counts
    query = select(counts.c.rows, counts.c.counted_at).where(
        session.own(counts), counts.c.source == source, counts.c.table == name
    )
    last = session.tx.execute(query).one_or_none()
    if last is None or last.rows <= checks.missing_least:
        return {}
    lost = last.rows - _rows(session, source, name)
    if lost <= max(checks.missing_least, int(checks.gone_share * last.rows)):
        return {}
    accounts = _owners_of_gone(session, source, name, last.counted_at)
    return {Hole(source, name, "gone", lost, last.rows, everybody=False, since=now): accounts}


def _owners_of_gone(session: Reading, source: str, name: str, since: int) -> set[str]:
    """Whose rows of that table were there at that instant and are not now."""
    past, table, key = tables.PAST[name], tables.CANONICAL[name], TABLES[name].key
    gone = and_(
        session.own(past), past.c.source == source, past.c.known_from <= since, past.c.known_until > since,
        ~select(table.c.source).where(session.own(table), *(table.c[each] == past.c[each] for each in key)).exists(),
    )  # fmt: skip
    if "account_id" in past.c:
        return set(session.tx.execute(select(past.c.account_id).where(gone).distinct()).scalars())
    owners: set[str] = set()
    for claims in (tables.CANONICAL["receivables"], tables.PAST["receivables"]):
        owners |= _by_claim(session, past, claims, gone)
    return owners


def _by_claim(session: Reading, past: Table, claims: Table, gone: ColumnElement[bool]) -> set[str]:
    names = [name for name in ("receivable_id", "order_id") if name in past.c]
    owners: set[str] = set()
    for name in names:
        query = select(claims.c.account_id).where(session.own(claims), claims.c[name] == past.c[name], gone)
        owners |= set(session.tx.execute(query.distinct()).scalars())
    return owners
