"""Reading objects of a connector file: pages, changes, records by id, records of some accounts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from adapters.common.misfits import framed
from adapters.common.watermark import Watermark
from adapters.declarative import rows, select
from adapters.declarative.auth import Proof
from adapters.declarative.connector import Connector
from adapters.declarative.envelope import Listing, identified
from adapters.declarative.models import Call, Get, Object, Paging
from adapters.declarative.pages import Pages, Spot
from adapters.declarative.wire import Empty, Together, Wire
from connector.errors import Misconfigured
from connector.ports import Gone, Misfit, Page, Source

#: Records a page that a glance asks for one by one.
_GLANCED = 20


@dataclass(slots=True)
class Reading:
    """Reads one system."""

    connector: Connector
    wire: Wire
    proof: Proof
    #: Our clock.
    now: Callable[[], datetime]

    def item(self, name: str) -> Object:
        """The object of that name. Raises Misconfigured."""
        if name not in self.connector.objects:
            raise Misconfigured("E-CRM-OBJECT", host=self.wire.host, name=name)
        return self.connector.objects[name]

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:
        """All records, or those changed since the cursor, and what was deleted since.

        Where a page is asked for by what came before it, a read that was cut goes on there. An object without a
        modified time, or without a way to ask for changes, is read whole every time: its last cursor is empty.
        """
        item = self.item(source.object)
        top = self._parent(item) or item
        state: dict[str, Any] = json.loads(cursor) if cursor else {}
        overlap = timedelta(seconds=top.since.overlap_s if top.since else 0)
        mark = Watermark.of(state, overlap, self.now, self.wire.http.now())
        since = mark.since
        for records, following in self._listed(top, since, state.get("spot")):
            gone = self._marked_gone(top, records)
            if since and following is None:
                gone += self._listed_gone(top, since)
            lost = {each.record for each in gone}
            items = [row for row in records if rows.text(select.first(top.id, row)) not in lost]
            frame, misfits = self._framed(source, items)
            mark.see(frame["modified_at"])
            here = ""
            if following is not None:
                here = mark.midway(spot=asdict(following))
            elif top.modified is not None and top.since is not None:
                here = mark.done()
            gone += self._childless(source, items, frame)
            yield Page(source.name, frame, gone, here, complete=following is None, misfits=misfits)

    def glance(self, source: Source) -> Iterator[Page]:
        """Pages of some of its records; of records that each cost a call, a few a page."""
        item = self.item(source.object)
        top = self._parent(item) or item
        for records, _ in self._listed(top, None, None):
            few = records[:_GLANCED] if item.children and item.children.one_by_one else records
            frame, misfits = self._framed(source, few)
            yield Page(source.name, frame, (), "", complete=False, misfits=misfits)

    def fetch(self, source: Source, records: Sequence[str]) -> Iterator[Page]:
        """Records by id; those that the system no longer shows are gone."""
        item = self.item(source.object)
        top = self._parent(item) or item
        lost = {record for record in records if top.get is not None or _joinable(top, record)}
        for items in self._by_id(top, records):
            frame, misfits = self._framed(source, items)
            lost -= {*self._ids(top, items), *(misfit.record for misfit in misfits)}
            yield Page(source.name, frame, self._childless(source, items, frame), "", complete=False, misfits=misfits)
        empty = rows.frame([], item, source.fields, self.wire.zone)
        gone = tuple(Gone(record, "deleted") for record in records if record in lost)
        yield Page(source.name, empty, gone, "", complete=True)

    def ledger(self, source: Source, by: str, accounts: Sequence[str]) -> Iterator[Page]:
        """Records whose field `by` is one of these accounts.

        Raises Misconfigured: the connector file does not say how to ask for them.
        """
        item = self.item(source.object)
        top = self._parent(item) or item
        if top.by is None:
            raise Misconfigured("E-CONNECTOR-BY", host=self.wire.host, object=source.object)
        for start in range(0, len(accounts), top.per_call):
            batch = list(accounts[start : start + top.per_call])
            values = {"field": by.removeprefix("parent."), "values": _together(batch, top)}
            for records, following in self._pages(top, top.by, None, values):
                live = [row for row in records if not self._marked_gone(top, [row])]
                frame, misfits = self._framed(source, live)
                gone = self._childless(source, live, frame)
                yield Page(source.name, frame, gone, "", complete=following is None, misfits=misfits)

    def _parent(self, item: Object) -> Object | None:
        return self.item(item.children.of) if item.children else None

    def _framed(self, source: Source, records: Sequence[Any]) -> tuple[pl.DataFrame, tuple[Misfit, ...]]:
        item = self.item(source.object)
        top = self._parent(item) or item

        def build(some: Sequence[Any]) -> pl.DataFrame:
            return rows.frame(self._rows(source, some), item, source.fields, self.wire.zone)

        return framed(records, build, lambda record: rows.text(select.first(top.id, record)))

    def _rows(self, source: Source, records: Sequence[Any]) -> list[Any]:
        """The records themselves, or the rows that lie in them.

        Such a row bears its record's id, so that a record that is read again replaces all of its rows; its own is
        `row_id`, the record around it `parent`.
        """
        item = self.item(source.object)
        if item.children is None:
            return list(records)
        parent, results = self.item(item.children.of), []
        if item.children.one_by_one:
            ids = self._ids(parent, records)
            records = [each for items in self._by_id(parent, ids, whole=True) for each in items]
        for record in records:
            common = {"id": rows.text(select.first(parent.id, record)), "parent": record}
            common["modified"] = rows.modified(parent, record, self.wire.zone)
            times: Counter[str] = Counter()
            for place, child in enumerate(select.every(item.children.rows, record)):
                own = child.get(item.children.id) if isinstance(child, Mapping) and item.children.id else place
                row = dict(child) if isinstance(child, Mapping) else {"value": child}
                key = f"{common['id']}/{own}"
                times[key] += 1
                # A second part on the same invoice is a part, too.
                row_id = key if times[key] == 1 else f"{key}/{times[key]}"
                results.append({**row, **common, "row_id": row_id})
        return results

    def _childless(self, source: Source, records: Sequence[Any], frame: pl.DataFrame) -> tuple[Gone, ...]:
        """Records in which no row lies any more: what they once yielded is gone."""
        item = self.item(source.object)
        parent = self._parent(item)
        if parent is None:
            return ()
        items = set(frame["id"])
        ids = self._ids(parent, records)
        return tuple(Gone(record, "deleted") for record in ids if record not in items)

    def _ids(self, item: Object, records: Sequence[Any]) -> list[str]:
        """Ids of those that say one."""
        return [each for each in (rows.text(select.first(item.id, record)) for record in records) if each]

    def _by_id(self, item: Object, ids: Sequence[str], *, whole: bool = False) -> Iterator[list[Any]]:
        """`whole`: as a record's own call shows it, not as lists do."""
        if item.some is None and item.get is None:
            raise Misconfigured("E-CONNECTOR-BY", host=self.wire.host, object="by id")
        if item.some is not None and not whole:
            plain = [record for record in ids if _joinable(item, record)]
            ids = [record for record in ids if not _joinable(item, record)]
            for start in range(0, len(plain), item.per_call):
                yield from self._some(item, item.some, plain[start : start + item.per_call])
        if item.get is None:
            return
        for record in ids:
            match = self._one(item.get, record, item.id)
            if match is not None and not self._marked_gone(item, [match]):
                yield [match]

    def _some(self, item: Object, call: Call, ids: Sequence[str]) -> Iterator[list[Any]]:
        """Records of a few ids; those that do not come are asked for alone: a list may be cut by the system."""
        left = set(ids)
        for records, _ in self._pages(item, call, None, {"ids": _together(ids, item)}):
            left -= set(self._ids(item, records))
            yield [row for row in records if not self._marked_gone(item, [row])]
        if len(ids) > 1:
            for record in sorted(left):
                yield from self._some(item, call, [record])

    def _one(self, get: Get, record: str, key: str) -> Any:
        try:
            answer = self.proof.ask(get.request, self.wire.given(id=record))
        except Empty:
            return None
        except Misconfigured as problem:
            if problem.code == "E-CRM-OBJECT" or str(problem.facts.get("detail")) in ("HTTP 404", "HTTP 410"):
                return None
            raise
        found = select.first(get.record, self.wire.document(answer))
        return identified(found, key, self.wire.host, get.request.path)

    def _listed(
        self, item: Object, since: datetime | None, spot: Mapping[str, Any] | None
    ) -> Iterator[tuple[list[Any], Spot | None]]:
        if item.read is None:
            raise Misconfigured("E-CONNECTOR-BY", host=self.wire.host, object="read")
        call, values = item.read, {}
        if since and item.since is not None:
            form = item.since.format
            values = {"since": rows.instant(since, form, self.wire.zone)}
            body = item.since.body if item.since.body is not None else call.body
            call = call.model_copy(update={"query": {**call.query, **item.since.query}, "body": body})
        yield from self._pages(item, call, Spot(**spot) if spot else None, values)

    def _pages(
        self, item: Object, call: Call, begin: Spot | None, given: Mapping[str, Any]
    ) -> Iterator[tuple[list[Any], Spot | None]]:
        pages = Pages(
            self.wire,
            self.proof,
            call,
            item.page or Paging(),
            Listing(item.records, item.id, call.path, item.empty),
            bounded="ids" in given,
        )
        for records, following in pages.walk(given, begin):
            yield self._entries(records) if item.by_name else records, following

    def _entries(self, found: Sequence[Any]) -> list[Any]:
        day = self.now().date().isoformat()
        maps = [each for each in found if isinstance(each, Mapping)]
        return [
            {"id": key, "name": key, "value": value, "read_on": day} for each in maps for key, value in each.items()
        ]

    def _marked_gone(self, item: Object, records: Sequence[Any]) -> tuple[Gone, ...]:
        mark = item.deleted
        if mark is None or not mark.field:
            return ()
        lost = [row for row in records if rows.value(None, mark.field, row, "UTC") in mark.values]
        return tuple(Gone(str(rows.text(select.first(item.id, row))), "deleted") for row in lost)

    def _listed_gone(self, item: Object, since: datetime) -> tuple[Gone, ...]:
        mark = item.deleted
        if mark is None or mark.request is None:
            return ()
        form = item.since.format if item.since else "iso8601"
        values = {"since": rows.instant(since, form, self.wire.zone)}
        listing = Listing(mark.records, mark.id, mark.request.path)
        pages = Pages(self.wire, self.proof, mark.request, mark.page, listing)
        items = [row for records, _ in pages.walk(values, None) for row in records]
        return tuple(Gone(str(rows.text(select.first(mark.id, row))), "deleted") for row in items)


def _joinable(item: Object, record: str) -> bool:
    """Whether an id may stand among others: one that holds what joins them would be asked for as two."""
    return not any(mark and mark in record for mark in (item.joined, item.quoted))


def _together(values: Sequence[str], item: Object) -> Together:
    return Together(values, item.joined, item.quoted)
