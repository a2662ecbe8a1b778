"""The port to a database: tables and views as objects, their columns as fields. Read only.

Everything is read in the order of ids, what changed in the order of (modified, id): each batch asks for what follows
the last row, so that none is lost at an edge and a read that was cut goes on. The newest minutes are read again, since
a transaction may commit later than the time that it wrote. A batch is over before its pages are given out: no
transaction stands open while somebody works on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Column, ColumnElement, Select, Table, and_, false, func, or_, select, tuple_

from adapters.common.columns import shaped
from adapters.common.declared import Declarations, Keys, keys, must_have, parted, same_keys, some_are_there, told
from adapters.common.misfits import not_shown
from adapters.common.organisation import organisation_of
from adapters.common.table_pages import DELETED, MODIFIED, id_columns, page_of
from adapters.common.watermark import UNKNOWN, Watermark
from adapters.sql.clock import Clock, clock_by_type, clock_of, newest
from adapters.sql.database import INHERITED, Database
from adapters.sql.rights import permissions
from adapters.sql.rows import Batch, fields_of, read_batch
from adapters.sql.texts import shape_of
from connector.errors import Misconfigured
from connector.ports import UNNAMED, Described, Misfit, Organisation, Page, PermissionCheck, Shared, Source, Spent

#: Rows of a page, and of one statement.
_PAGE = 20_000
_BATCH = 200_000
#: Ids that one statement names: SQLite and Oracle take a thousand.
_IDS_A_QUERY = 900


@dataclass(frozen=True, slots=True)
class _Layout:
    """A table as it is now, and what is read of it."""

    source: Source
    table: Table
    keys: Keys
    zone: str
    clock: Clock | None

    @property
    def proven(self) -> bool:
        """Whether the database itself sees to it that no two rows share an id, and that each has one."""
        primary = [column.name for column in self.table.primary_key.columns]
        sure = all(not self.table.c[name].nullable for name in self.keys.id)
        alone = not self.table.info.get(INHERITED)
        return bool(primary) and sure and alone and set(primary) <= set(self.keys.id)

    @property
    def id(self) -> list[Column[Any]]:
        return [self.table.c[name] for name in self.keys.id]

    @property
    def modified(self) -> Column[Any] | None:
        return self.table.c[self.keys.modified] if self.keys.modified else None

    def columns(self) -> list[Column[Any]]:
        """Its ids, what tells changes and deletes, its fields."""
        columns = [*self.id, *(self.table.c[name] for name in (self.keys.modified, self.keys.deleted) if name)]
        return [*columns, *(self.table.c[name] for name in self.source.fields)]


class SqlDatabase:
    """A database; its tables and views may be of any schema that the user may see."""

    def __init__(
        self,
        database: Database,
        declared: Declarations,
        currency: str,
        shared: Shared,
        *,
        page_rows: int = _PAGE,
        batch_rows: int = _BATCH,
    ) -> None:
        self.spent = Spent()
        self._page_rows, self._batch_rows = page_rows, batch_rows
        self._database, self._declared, self._currency, self._shared = database, declared, currency, shared
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """By our clock, and how far that of the database was ahead of it when it was asked last."""
        return self._shared.now() + self._ahead

    def organisation(self) -> Organisation:
        """Called as the database is; its home currency is a setting."""
        theirs = self._database.now()
        self.spent.add("sql", 0)
        self._ahead = theirs - self._shared.now() if theirs else timedelta(0)
        return organisation_of(self._database.host, self._database.name, self._currency)

    def describe(self, name: str) -> Described:
        """Its columns; labels are their comments."""
        table = self._database.table(name)
        try:
            key = self._keys(name, table).id
        except Misconfigured:
            key = ()
        return Described(name, fields_of(table), key, table.comment or "")

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:
        """All rows in the order of their ids; or those changed since in the order of their times, and the untimed."""
        layout = self._layout(source)
        state: dict[str, Any] = json.loads(cursor) if cursor else {}
        same_keys(self._database.host, source.object, layout.keys, state)
        clock = layout.clock
        overlap = timedelta(minutes=self._declared.late_minutes) + (clock.longer if clock else timedelta(0))
        mark = Watermark.of(state, overlap, self._shared.now, self.now(), clock.step if clock else UNKNOWN)
        since = mark.since if clock is not None else None
        phases = ("all",) if since is None else ("changed", "untimed")
        phase = state.get("phase")
        begun = phase in phases
        last, kept = state.get("last") if begun else None, {"keys": layout.keys.mark}
        rows = gone = 0
        for each in phases[phases.index(phase) if begun else 0 :]:
            for frame, anchor, bad, ended in self._walk(layout, each, since, last):
                done = ended and each == phases[-1]
                page = self._page(layout, frame, bad)
                rows, gone = rows + frame.height, gone + len(page.gone)
                if done and each == "all":
                    some_are_there(self._database.host, source.object, layout.keys, rows, gone)
                mark.see(page.frame["modified_at"])
                if not done:
                    cursor_ = mark.midway(phase=each, last=anchor, **kept)
                else:
                    cursor_ = mark.done(**kept) if layout.keys.modified else ""
                yield Page(page.source, page.frame, page.gone, cursor_, done, page.misfits)
            last = None

    def _walk(
        self, layout: _Layout, phase: str, since: datetime | None, last: list[Any] | None
    ) -> Iterator[tuple[pl.DataFrame, list[Any] | None, tuple[Misfit, ...], bool]]:
        """Pages behind that row of one phase: frame, what its last row is told by, misfits, whether it is the last."""
        first, unnamed = last is None, tuple(self._unnamed(layout)) if last is None and phase == "all" else ()
        if first and phase == "all":
            self._told_apart(layout)
        while True:
            query = self._following(layout, phase, since, last).limit(self._batch_rows)
            batch = self._batch(layout, query, [*([MODIFIED] if phase == "changed" else []), *id_columns(layout.keys)])
            complete = batch.height < self._batch_rows
            for at, (frame, anchor) in enumerate(batch.pages):
                bad = (*(batch.misfits if at == 0 else ()), *(unnamed if first and at == 0 else ()))
                last = anchor or last
                yield frame, last, bad, complete and at == len(batch.pages) - 1
            first = False
            if complete:
                return

    def fetch(self, source: Source, records: Sequence[str]) -> Iterator[Page]:
        """Rows by their ids; those that are not there any more are gone."""
        layout = self._layout(source)
        for first in range(0, max(1, len(records)), _IDS_A_QUERY):
            some = records[first : first + _IDS_A_QUERY]
            page = self._asked_for(layout, self._among(layout.id, [parted(each, len(layout.id)) for each in some]))
            left = not_shown(some, page.frame, page.misfits, page.gone)
            complete = first + _IDS_A_QUERY >= len(records)
            yield Page(page.source, page.frame, (*page.gone, *left), "", complete, page.misfits)

    def ledger(self, source: Source, by: str, accounts: Sequence[str]) -> Iterator[Page]:
        """Rows of these customers."""
        layout = self._layout(source)
        for first in range(0, max(1, len(accounts)), _IDS_A_QUERY):
            some = accounts[first : first + _IDS_A_QUERY]
            page = self._asked_for(layout, self._among([layout.table.c[by]], [(each,) for each in some]))
            complete = first + _IDS_A_QUERY >= len(accounts)
            yield Page(page.source, page.frame, page.gone, "", complete, page.misfits)

    def objects(self) -> list[str]:
        """Tables and views."""
        return self._database.tables()

    def keyed(self, name: str) -> tuple[str, str]:
        """By which columns it is read, in words."""
        return told(self._keys(name, self._database.table(name)))

    def permissions(self) -> Iterator[PermissionCheck]:
        """Whether our user could do more than read."""
        return permissions(self._database)

    def count(self, name: str) -> int | None:
        """Rows; of a table that keeps what is deleted, not told."""
        table = self._database.table(name)
        if self._keys(name, table).deleted:
            return None
        query = select(func.count()).select_from(table)
        return int(self._database.ask(name, lambda connection: connection.execute(query).scalar_one()))

    def sample(self, name: str, fields: Sequence[str], most: int) -> pl.DataFrame:
        """Some rows, whichever the database gives first; of a table that nothing keys, by their places."""
        table = self._database.table(name)
        try:
            found = self._keys(name, table)
        except Misconfigured as problem:
            if problem.code != "E-TABLE-ID":
                raise
            found = Keys(())
        must_have(self._database.host, name, table.c.keys(), fields)
        layout = _Layout(Source("sample", name, tuple(fields)), table, found, self._declared.zone_of(name), None)
        batch = self._batch(layout, self._select(layout).limit(most), ())
        return pl.concat([self._page(layout, frame, ()).frame for frame, _ in batch.pages]).head(most)

    def quota(self) -> None:
        """None: a database counts no calls."""

    def layouts(self, name: str) -> Mapping[str, frozenset[str]]:  # noqa: ARG002
        """None: it has no pages."""
        return {}

    def _keys(self, name: str, table: Table) -> Keys:
        primary = [str(each.name) for each in table.primary_key.columns]
        return keys(self._database.host, name, self._declared.of(name), [str(each.name) for each in table.c], primary)

    def _layout(self, source: Source) -> _Layout:
        """The table as it is now. Raises Misconfigured: it, or a column that is read, is not there."""
        name, host = source.object, self._database.host
        table = self._database.table(name)
        must_have(host, name, table.c.keys(), source.fields)
        zone, found = self._declared.zone_of(name), self._keys(name, table)
        clock = None
        if found.modified:
            column = table.c[found.modified]
            clock = clock_by_type(column.type, zone, self._database.dialect)
            if clock is None:
                self.spent.add("sql", 0)
                greatest, unit = newest(self._database, name, column, self.now())
                clock = clock_of(host, name, found.modified, greatest, zone, unit)
        return _Layout(source, table, found, zone, clock)

    def _following(self, layout: _Layout, phase: str, since: datetime | None, last: list[Any] | None) -> Select[Any]:
        """What follows that row in the order of the phase."""
        order: list[Any] = [self._database.raw(column) for column in layout.id]
        columns, query = layout.id, self._select(layout)
        if not layout.proven:
            query = query.where(*(column.is_not(None) for column in layout.id))
        if layout.modified is not None and phase == "untimed":
            query = query.where(layout.modified.is_(None))
        elif layout.modified is not None and phase == "changed" and since is not None and layout.clock is not None:
            moved = self._database.raw(layout.modified)
            query = query.where(moved >= self._database.literal(layout.modified, layout.clock.value(since)))
            order, columns = [moved, *order], [layout.modified, *columns]
        if last is not None:
            values = [self._database.literal(*pair) for pair in zip(columns, last, strict=True)]
            query = query.where(_after(order, values, rows=self._database.dialect == "postgresql"))
        return query.order_by(*order)

    def _among(self, columns: Sequence[Column[Any]], wanted: Sequence[Sequence[str] | None]) -> ColumnElement[bool]:
        """Rows whose columns are one of these."""
        known = [each for each in wanted if each is not None]
        if len(columns) == 1:
            return self._database.among(columns[0], [each[0] for each in known])
        pairs = (zip(columns, each, strict=True) for each in known)
        return or_(
            false(), *(and_(*(self._database.among(column, [words]) for column, words in each)) for each in pairs)
        )

    def _asked_for(self, layout: _Layout, which: ColumnElement[bool]) -> Page:
        batch = self._batch(layout, self._select(layout).where(which), ())
        pages = [self._page(layout, frame, ()) for frame, _ in batch.pages]
        frame, gone = pl.concat([page.frame for page in pages]), tuple(item for page in pages for item in page.gone)
        return Page(layout.source.name, frame, gone, "", complete=True, misfits=batch.misfits)

    def _select(self, layout: _Layout) -> Select[Any]:
        return select(*(self._database.raw(column).label(f"c{at}") for at, column in enumerate(layout.columns())))

    def _batch(self, layout: _Layout, query: Select[Any], anchor: Sequence[str]) -> Batch:
        self.spent.add("sql", 0)
        names = [*id_columns(layout.keys), *([MODIFIED] if layout.keys.modified else [])]
        names += [DELETED] if layout.keys.deleted else []
        return read_batch(
            self._database, layout.columns(), query, [*names, *layout.source.fields], anchor, self._page_rows
        )

    def _page(self, layout: _Layout, raw: pl.DataFrame, misfits: Sequence[Misfit]) -> Page:
        """Raw texts as a page, without what is deleted."""
        of_ids = {name: shape_of(column.type) for name, column in zip(id_columns(layout.keys), layout.id, strict=True)}
        # What fills a key up is no part of it; else an id is what the database says.
        raw = shaped(raw, {name: shape for name, shape in of_ids.items() if shape == "padded"}, "")
        shapes = {name: shape_of(layout.table.c[name].type) for name in layout.source.fields}
        return page_of(self._database.host, layout.source, layout.keys, raw, shapes, layout.zone, misfits)

    def _told_apart(self, layout: _Layout) -> None:
        """Raises Misconfigured: rows share what is declared as their id, or taken for it."""
        if layout.proven:
            return
        columns = [self._database.raw(column) for column in layout.id]
        query = select(*columns).where(*(column.is_not(None) for column in layout.id))
        twice = query.group_by(*columns).having(func.count() > 1).limit(1)
        if self._database.ask(layout.source.object, lambda connection: connection.execute(twice).first()) is not None:
            names = ", ".join(layout.keys.id)
            raise Misconfigured("E-TABLE-TWICE", host=self._database.host, table=layout.source.object, columns=names)

    def _unnamed(self, layout: _Layout) -> Iterator[Misfit]:
        """Rows without an id: nobody can ask for them, so they are told by their number."""
        if layout.proven:
            return
        query = select(func.count()).select_from(layout.table).where(or_(*(column.is_(None) for column in layout.id)))
        count = self._database.ask(layout.source.object, lambda connection: connection.execute(query).scalar_one())
        if count:
            yield Misfit(f"{UNNAMED}{layout.source.object}", ", ".join(layout.keys.id), f"{count} rows", "no_id")


def _after(order: Sequence[Any], values: Sequence[Any], *, rows: bool) -> ColumnElement[bool]:
    """Behind a row in that order; `rows`: the database compares rows as a whole, by an index of all of them."""
    if rows:
        return tuple_(*order) > tuple_(*values)
    behind = order[-1] > values[-1]
    for column, value in zip(reversed(order[:-1]), reversed(values[:-1]), strict=True):
        behind = or_(column > value, and_(column == value, behind))
    return and_(order[0] >= values[0], behind)
