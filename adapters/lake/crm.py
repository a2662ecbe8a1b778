"""The port to a lake: tables of Parquet and Delta as objects. Read only, from one list of files or one version.

Without a column of the last change a table is compared by its content: nothing is read while its files, or its
version, are the same, and everything once they are not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from adapters.common.columns import autumn
from adapters.common.declared import (
    Declarations,
    Keys,
    keys,
    must_have,
    names_a_record,
    same_keys,
    some_are_there,
    told,
)
from adapters.common.misfits import not_shown
from adapters.common.organisation import organisation_of
from adapters.common.table_pages import DELETED, MODIFIED, id_columns, id_text, page_of
from adapters.common.watermark import SECONDS, UNKNOWN, Watermark
from adapters.lake.places import Place
from adapters.lake.table import Part, Pinned, as_text, changed_since, pin, shape_of, slices
from connector.errors import Misconfigured, Retry
from connector.ports import Described, Field, Organisation, Page, Shared, Source, Spent

#: Rows of a page.
_PAGE = 50_000
#: Rows that are shown of a table.
_GLANCE = 500
#: Seconds by which the clocks of who writes files and of this machine may differ.
_LATE = 3_600


class Lake:
    """A folder of tables."""

    def __init__(
        self,
        place: Place,
        declared: Declarations,
        currency: str,
        shared: Shared,
        delta_options: Mapping[str, str],
        *,
        page_rows: int = _PAGE,
    ) -> None:
        self.spent = Spent()
        self._place, self._declared, self._currency, self._shared = place, declared, currency, shared
        self._delta_options, self._page_rows = delta_options, page_rows

    def now(self) -> datetime:
        """A lake has no clock of its own."""
        return self._shared.now()

    def organisation(self) -> Organisation:
        """Called as its folder is; its home currency is a setting."""
        self._place.tables()
        return organisation_of(self._place.host, self._place.host, self._currency)

    def objects(self) -> list[str]:
        """Its tables."""
        return self._place.tables()

    def describe(self, name: str) -> Described:
        """Its columns; labels are their comments, where a Delta table has them."""
        pinned = self._pin(name)
        try:
            key = self._keys(pinned).id
        except Misconfigured:
            key = ()
        fields = (Field(each, pinned.comments.get(each, each), _kind(each, dtype), writable=False)
                  for each, dtype in pinned.schema.items())  # fmt: skip
        return Described(name, tuple(fields), key)

    def keyed(self, name: str) -> tuple[str, str]:
        """By which columns it is read, in words."""
        return told(self._keys(self._pin(name)), ("read whole when its files change", "文件变化时整表读取"))

    def snapshot(self, source: Source) -> str:
        """The version of a Delta table, or the list of a folder's files; empty where a column tells what changed."""
        pinned = self._pin(source.object)
        found = self._keys(pinned)
        zone = self._declared.zone_of(source.object)
        return "" if found.modified else f"{pinned.mark} {found.mark} {zone}"

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:
        """All rows as the files have them, or those changed since."""
        state: dict[str, Any] = json.loads(cursor) if cursor else {}
        pinned, found = self._columns(source)
        same_keys(self._place.host, source.object, found, state)
        dtype = pinned.schema.get(found.modified)
        zone = self._declared.zone_of(source.object)
        overlap = timedelta(minutes=self._declared.late_minutes) + autumn(zone)
        began = self._shared.now().timestamp()
        step = UNKNOWN if dtype is None or not isinstance(dtype, pl.Datetime) else SECONDS
        mark = Watermark.of(state, overlap, self._shared.now, self.now(), step)

        def where(schema: Mapping[str, pl.DataType], part: Part) -> pl.Expr | None:
            # A file that was put there since may hold rows of any time: a job brings them hours late.
            late = part.written is not None and part.written >= float(state.get("read_at", began)) - _LATE
            if mark.since is None or not found.modified or late:
                return None
            changed = changed_since(found.modified, schema[found.modified], mark.since, zone)
            return changed | pl.col(found.modified).is_null()

        at = state.get("at") if state.get("mark") == pinned.mark else None
        begin = (int(at[0]), int(at[1])) if at else (0, 0)
        seen: list[pl.Series] = []
        rows = gone = 0
        for frame, part, row, ended in slices(pinned, _needed(found, source), where, begin, self._page_rows):
            self.spent.add("file", 0)
            page = self._page(source, found, frame)
            rows, gone = rows + frame.height, gone + len(page.gone)
            mark.see(page.frame["modified_at"])
            seen.append(page.frame["id"].hash())
            if ended and mark.since is None:
                some_are_there(self._place.host, source.object, found, rows, gone)
            if ended:
                self._ends_as_it_began(pinned, found, pl.concat(seen))
            if not ended:
                before = state.get("read_at", began)
                cursor_ = mark.midway(keys=found.mark, mark=pinned.mark, at=[part, row], read_at=before)
            else:
                cursor_ = mark.done(keys=found.mark, read_at=began) if found.modified else ""
            yield replace(page, cursor=cursor_, complete=ended)

    def fetch(self, source: Source, records: Sequence[str]) -> Iterator[Page]:
        """Rows by their ids; those that are not there any more are gone."""
        pinned, found = self._columns(source)
        wanted = pl.Series(records, dtype=pl.String).implode()
        page = self._those(source, pinned, found, lambda schema, _: _id(schema, found).is_in(wanted))
        left = not_shown(records, page.frame, page.misfits, page.gone)
        yield replace(page, gone=(*page.gone, *left))

    def ledger(self, source: Source, by: str, accounts: Sequence[str]) -> Iterator[Page]:
        """Rows of these customers."""
        pinned, found = self._columns(source)
        wanted = pl.Series(accounts, dtype=pl.String).implode()
        yield self._those(source, pinned, found, lambda schema, _: as_text(by, schema[by]).is_in(wanted))

    def glance(self, source: Source) -> Iterator[Page]:
        """The first rows of the last file; of a table that nothing keys, by their places."""
        pinned = self._pin(source.object)
        must_have(self._place.host, pinned.name, pinned.schema, source.fields)
        try:
            found = self._keys(pinned)
        except Misconfigured as problem:
            if problem.code != "E-TABLE-ID":
                raise
            found = Keys(())
        part = pinned.parts[-1]
        with part.place.asked():
            frame = part.rows().select(_needed(found, source)).head(_GLANCE).collect()
        page = self._page(source, found, frame)
        yield page

    def _those(
        self, source: Source, pinned: Pinned, found: Keys, where: Callable[[Mapping[str, pl.DataType], Part], pl.Expr]
    ) -> Page:
        found_ = slices(pinned, _needed(found, source), where, (0, 0), self._page_rows)
        pages = [self._page(source, found, frame) for frame, _, _, _ in found_]
        gone = tuple(item for page in pages for item in page.gone)
        bad = tuple(item for page in pages for item in page.misfits)
        return Page(source.name, pl.concat([page.frame for page in pages]), gone, "", complete=True, misfits=bad)

    def _pin(self, name: str) -> Pinned:
        return pin(self._place, name, self._declared.of(name).path, self._delta_options)

    def _keys(self, pinned: Pinned) -> Keys:
        return keys(self._place.host, pinned.name, self._declared.of(pinned.name), list(pinned.schema), ())

    def _columns(self, source: Source) -> tuple[Pinned, Keys]:
        """The table as it is now. Raises Misconfigured: it, or a column that is read, is not there."""
        pinned = self._pin(source.object)
        must_have(self._place.host, pinned.name, pinned.schema, source.fields)
        return pinned, self._keys(pinned)

    def _ends_as_it_began(self, pinned: Pinned, found: Keys, ids: pl.Series) -> None:
        """Raises Problem: a row came twice, or the files are others than when the read began."""
        if ids.n_unique() < ids.len():
            columns = ", ".join(found.id)
            raise Misconfigured("E-TABLE-TWICE", host=self._place.host, table=pinned.name, columns=columns)
        if not pinned.is_still_there():
            raise Retry("E-LAKE-CHANGED", host=self._place.host)

    def _page(self, source: Source, found: Keys, raw: pl.DataFrame) -> Page:
        """Rows as a page has them, without what is deleted."""
        named = dict(zip(id_columns(found), found.id, strict=True)) | {MODIFIED: found.modified, DELETED: found.deleted}
        texts = raw.select(
            *(as_text(name, raw.schema[name]).alias(key) for key, name in named.items() if name),
            *(as_text(name, raw.schema[name]) for name in source.fields),
        )
        shapes = {name: shape_of(raw.schema[name]) for name in source.fields}
        zone = self._declared.zone_of(source.object)
        return page_of(self._place.host, source, found, texts, shapes, zone)


def _needed(found: Keys, source: Source) -> list[str]:
    """The columns that are read of a table, each once."""
    return list(dict.fromkeys(name for name in (*found.id, found.modified, found.deleted, *source.fields) if name))


def _id(schema: Mapping[str, pl.DataType], found: Keys) -> pl.Expr:
    """The text of a row's id; null where a column of it is."""
    return id_text([as_text(each, schema[each]) for each in found.id])


def _kind(name: str, dtype: pl.DataType) -> str:
    """What a column holds, in the word that a mapping's proposals know."""
    if dtype == pl.Boolean:
        return "boolean"
    if isinstance(dtype, pl.Datetime):
        return "datetime"
    if dtype == pl.Date:
        return "date"
    if dtype.is_integer():
        return "reference" if names_a_record(name) else "integer"
    if dtype.is_numeric():
        return "numeric"
    return "binary" if dtype.is_nested() or dtype == pl.Binary else "text"
