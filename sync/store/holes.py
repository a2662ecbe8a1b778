"""Holes in what was read: rows that do not fit, that are gone at once, records out of sight; and whom they concern.

Customers whom a hole concerns are kept by name: they are not written before a person says so, the others are. Whatever
may have made a hole, or mended one, asks for a look in its own transaction; whoever rates looks first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, literal, or_, select, update

from connector.policy import Checks
from connector.schema import TABLES
from sync.store import due_looks, ledger, sight, tables
from sync.store.dialect import batches, insert_new_tuples, upsert
from sync.store.rejects import STRANGER
from sync.store.session import Reading, Writing

Cause = Literal["rejected", "gone", "lost"]
#: Source and table → rows.
Counts = Mapping[tuple[str, str], int]
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

    @property
    def key(self) -> tuple[str, str, str]:
        """Source, table, cause."""
        return self.source, self.table, self.cause


@dataclass(frozen=True, slots=True)
class Withheld:
    """Whom the open holes concern."""

    accounts: frozenset[str] = frozenset()
    everybody: bool = False

    def among(self, accounts: Iterable[str]) -> set[str]:
        """Those of the accounts who are not written."""
        return set(accounts) if self.everybody else {each for each in accounts if each in self.accounts}


def note(session: Writing, yields: Mapping[str, Sequence[str]], checks: Checks, now: int) -> Counts:
    """Looks for holes, and keeps them with the customers concerned; one that is mended is forgotten.

    `yields`: source → tables that its mapping yields, the main one first. Returns how many rows each table has of each
    source where nothing is wrong with it: what the next look holds its own against, once the run has passed.
    """
    since = {hole.key: hole.since for hole in open_(session)}
    found: dict[Hole, set[str]] = {}
    counts: dict[tuple[str, str], int] = {}
    for source, names in yields.items():
        for name in names:
            if name not in _NOBODY_S:
                rows = _rows(session, source, name)
                wrong = _rejected(session, source, name, name == names[0], rows, checks, now)
                wrong |= _gone(session, source, name, rows, checks, now)
                found |= wrong
                counts |= {} if wrong else {(source, name): rows}
    for lost in sight.open_sources(session):
        hole = Hole(lost.source, "", "lost", lost.missing, lost.stored, everybody=False, since=lost.since)
        missing = sight.missing(session, lost.source)
        found[hole] = ledger.owners(session, lost.source, missing) | ledger.debtors(session, lost.source, missing)
    for table in (tables.holes, tables.withheld):
        session.tx.execute(delete(table).where(session.own(table)))
    names_ = ("connection", *_KEY, "account_id")
    for hole, accounts in found.items():
        row = {"connection": session.connection, **asdict(hole), "since": since.get(hole.key, hole.since)}
        upsert(session, tables.holes, [row], ["connection", *_KEY])
        rows_ = [(session.connection, *hole.key, account) for account in sorted(accounts)]
        insert_new_tuples(session, tables.withheld, names_, rows_, names_)
    due_looks.done(session)
    lost_ = {hole.source for hole in found if hole.cause == "lost"}
    return {key: rows for key, rows in counts.items() if key[0] not in lost_}


def open_(session: Reading) -> list[Hole]:
    """Those that the last look found."""
    table = tables.holes
    columns = [table.c[name] for name in Hole.__dataclass_fields__]
    query = select(*columns).where(session.own(table)).order_by(*(table.c[name] for name in _KEY))
    return [Hole(*row) for row in session.tx.execute(query)]


def withheld(session: Reading) -> Withheld:
    """Whom the open holes concern, and everybody who is tied to them by parents, or ever was."""
    if any(hole.everybody for hole in open_(session)):
        return Withheld(everybody=True)
    table = tables.withheld
    names = set(session.tx.execute(select(table.c.account_id).where(session.own(table)).distinct()).scalars())
    return Withheld(frozenset(ledger.with_trees(session, names, past=True) if names else names))


def count_withheld(session: Reading) -> int:
    """How many customers there are whom the open holes concern."""
    return len(withheld(session).among(ledger.numbers(session))) if open_(session) else 0


def told(session: Reading) -> list[dict[str, Any]]:
    """The holes as people are told of them: source, table, cause, rows, of, customers (how many; null: everybody)."""
    table = tables.withheld
    key = [table.c[name] for name in _KEY]
    query = select(*key, func.count()).where(session.own(table)).group_by(*key)
    counts = {(row[0], row[1], row[2]): row[3] for row in session.tx.execute(query)}
    return [
        {
            **{name: getattr(hole, name) for name in ("source", "table", "cause", "rows", "of")},
            "customers": None if hole.everybody else counts.get(hole.key, 0),
        }
        for hole in open_(session)
    ]


def release(session: Writing, holes: Iterable[Mapping[str, Any]], until: int, by: str) -> None:
    """A person says to go on without what is missing, as far as a look at that instant had shown it.

    holes: source, table, cause, rows, of of each. A source lost from sight is released by `sight.accept` alone.
    """
    for hole in holes:
        if hole["cause"] == "lost":
            continue
        if hole["cause"] == "rejected":
            _release_rejected(session, hole["source"], until, by)
        else:
            _count(session, {(hole["source"], hole["table"]): hole["of"] - hole["rows"]}, until)
        body = "{rows} of {of} rows of {table} are {cause}".format(**hole)
        entry = {"connection": session.connection, "account_id": "", "subject": hole["source"], "what": "released"}
        session.tx.execute(insert(tables.desk_log).values({**entry, "by": by, "at": until, "body": body}))
    due_looks.ask(session)


def _release_rejected(session: Writing, source: str, until: int, by: str) -> None:
    """Of the rows that did not fit by then; those of an older store, whose owner nobody has looked for, among them."""
    bad, owned = tables.rejects, tables.rejected_records
    mine = and_(session.own(bad), bad.c.source == source, bad.c.since <= until)
    known = select(owned.c.record).where(session.own(owned), owned.c.source == source)
    query = select(bad.c.record, func.min(bad.c.since)).where(mine, bad.c.record.not_in(known)).group_by(bad.c.record)
    rows = [(session.connection, source, record, "", since) for record, since in session.tx.execute(query)]
    key = ("connection", "source", "record", "account_id")
    insert_new_tuples(session, owned, (*key, "since"), rows, key)
    these = and_(session.own(owned), owned.c.source == source, owned.c.since <= until, owned.c.released_at.is_(None))
    session.tx.execute(update(owned).where(these).values(released_at=until, released_by=by))


def save_counts(session: Writing, counts: Counts, at: int) -> None:
    """What a look counted is what the next one expects, now that the run has passed; `at`: when it looked."""
    table = tables.row_counts
    for source in set(session.tx.execute(select(table.c.source).where(session.own(table))).scalars()):
        if source not in {key[0] for key in counts} and not any(hole.source == source for hole in open_(session)):
            session.tx.execute(delete(table).where(session.own(table), table.c.source == source))
    _count(session, counts, at)


def expect_less(session: Writing, source: str, records: Collection[str]) -> None:
    """A person took these records for gone: their rows are not missed."""
    counts = tables.row_counts
    for name, table in tables.CANONICAL.items():
        less = 0
        for batch in batches(sorted(records)):
            these = and_(session.own(table), table.c.source == source, table.c.source_id.in_(batch))
            less += session.tx.execute(select(func.count()).select_from(table).where(these)).scalar_one()
        if less:
            this = and_(session.own(counts), counts.c.source == source, counts.c.table == name)
            session.tx.execute(update(counts).where(this).values(rows=counts.c.rows - less))


def _count(session: Writing, counts: Counts, at: int) -> None:
    rows = [
        {"connection": session.connection, "source": source, "table": name, "rows": rows, "counted_at": at}
        for (source, name), rows in counts.items()
    ]
    upsert(session, tables.row_counts, rows, ["connection", "source", "table"])


def _rows(session: Reading, source: str, name: str) -> int:
    table = tables.CANONICAL[name]
    query = select(func.count()).select_from(table).where(session.own(table), table.c.source == source)
    return int(session.tx.execute(query).scalar_one())


def _bad_records(session: Reading, source: str, name: str, *, main: bool) -> Select[Any]:
    """Records with a row that does not fit; those that nobody could read count against the source's main table.

    Those of somebody whom no account ever named are no hole: a feed has customers whom the CRM has not.
    """
    bad, owned = tables.rejects, tables.rejected_records
    names = (name, "") if main else (name,)
    these = and_(session.own(owned), owned.c.source == source, owned.c.account_id != "")
    anybody_s = select(owned.c.record).where(these)
    fits = or_(bad.c.reason != STRANGER, bad.c.record.in_(anybody_s))
    return select(bad.c.record).where(session.own(bad), bad.c.source == source, bad.c.table.in_(names), fits).distinct()


def _rejected(
    session: Reading, source: str, name: str, main: bool, rows: int, checks: Checks, now: int
) -> dict[Hole, set[str]]:  # fmt: skip
    """Too many rows of that table that do not fit, of those that nobody has released."""
    owned = tables.rejected_records
    records = _bad_records(session, source, name, main=main)
    every = _number(session, records)
    if every <= checks.missing_least:
        return {}
    of = every + rows
    most = max(checks.missing_least, int(checks.rejected_share * of))
    these = and_(session.own(owned), owned.c.source == source)
    released = select(owned.c.record).where(these, owned.c.released_at.is_not(None))
    left = records.where(tables.rejects.c.record.not_in(released))
    count = _number(session, left)
    if count <= most:
        return {}
    told_ = select(owned.c.record, owned.c.account_id).where(these, owned.c.record.in_(left))
    pairs = [(record, account) for record, account in session.tx.execute(told_) if account]
    # What names no customer that there is, or was, is nobody's.
    named = {account for _, account in pairs}
    there = named if name == "accounts" else ledger.ever_there(session, named)
    accounts = {account for _, account in pairs if account in there}
    nobody_s = count - len({record for record, account in pairs if account in there})
    if name in ("payments", "adjustments"):
        accounts |= ledger.debtors(session, source, set(session.tx.execute(left).scalars()))
    customers = _number(session, select(tables.CANONICAL["accounts"].c.account_id).where(
        session.own(tables.CANONICAL["accounts"])
    ))  # fmt: skip
    few = max(checks.missing_least, int(checks.rejected_share * max(of, customers)))
    return {Hole(source, name, "rejected", count, of, everybody=nobody_s > few, since=now): accounts}


def _number(session: Reading, query: Select[Any]) -> int:
    return int(session.tx.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def _gone(session: Reading, source: str, name: str, rows: int, checks: Checks, now: int) -> dict[Hole, set[str]]:
    """Too many rows of that table that were there when it was counted last, and are gone, not only rejected."""
    counts = tables.row_counts
    query = select(counts.c.rows, counts.c.counted_at).where(
        session.own(counts), counts.c.source == source, counts.c.table == name
    )
    last = session.tx.execute(query).one_or_none()
    if last is None or last.rows <= checks.missing_least:
        return {}
    most = max(checks.missing_least, int(checks.gone_share * last.rows))
    if last.rows - rows <= most:
        return {}
    bad = _bad_records(session, source, name, main=True)
    # Where a clock was set, the times do not tell which are gone: then whoever ever had one that is not there.
    least = last.rows - rows - _number(session, bad)
    lost = 0
    for since in (last.counted_at, None):
        gone = and_(_is_gone(session, source, name, since), tables.PAST[name].c.source_id.not_in(bad))
        key = [tables.PAST[name].c[each] for each in TABLES[name].key]
        lost = min(_number(session, select(*key).where(gone).distinct()), last.rows)
        if lost >= least:
            break
    lost = max(lost, least)
    if lost <= most:
        return {}
    accounts = _owners_of(session, name, gone)
    return {Hole(source, name, "gone", lost, last.rows, everybody=not accounts, since=now): accounts}


def _is_gone(session: Reading, source: str, name: str, since: int | None) -> ColumnElement[bool]:
    """Of past rows: there at that instant, or ever, and not now."""
    past, table, key = tables.PAST[name], tables.CANONICAL[name], TABLES[name].key
    now = select(literal(1)).where(session.own(table), *(table.c[each] == past.c[each] for each in key)).exists()
    then = [] if since is None else [past.c.known_from <= since, past.c.known_until > since]
    return and_(session.own(past), past.c.source == source, *then, ~now)


def _owners_of(session: Reading, name: str, gone: ColumnElement[bool]) -> set[str]:
    """Whose past rows these are; of payments and notes, the debtors' too."""
    past = tables.PAST[name]
    owners: set[str] = set()
    if "account_id" in past.c:
        query = select(past.c.account_id).where(gone, past.c.account_id.is_not(None)).distinct()
        owners |= set(session.tx.execute(query).scalars())
    for column in ("receivable_id", "order_id") if name == "allocations" else ():
        ids = session.tx.execute(select(past.c[column]).where(gone).distinct()).scalars()
        owners |= ledger.owners_of_claims(session, column, [each for each in ids if each], past=True)
    if name in ("payments", "adjustments"):
        ids = session.tx.execute(select(past.c[TABLES[name].key[0]]).where(gone).distinct()).scalars()
        owners |= ledger.debtors_of(session, TABLES[name].key[0], list(ids))
    return owners
