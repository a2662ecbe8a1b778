"""Reading objects: SOQL by (SystemModstamp, Id) for what changed and for thousands, Bulk API 2.0 queries for more.

Source: supaglue #532 (equal stamps at a page edge), airbyte #27146 (rows that commit late bear an older stamp): a
window overlaps, and pages follow the key. Formula fields move no stamp (estuary PR 3414): an object of which one is
read is read whole once a day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from adapters.common.misfits import not_shown
from adapters.common.watermark import SECONDS, Watermark
from adapters.salesforce import wire
from adapters.salesforce.client import Client
from adapters.salesforce.wire import MODIFIED, is_id, quoted, soql_stamp
from connector.errors import Misconfigured, Retry
from connector.ports import Described, Field, Gone, Misfit, Page, Source

#: From so many records on a bulk query is cheaper than pages.
BULK_FROM = 20_000
#: Records a page, ids a query, rows of a bulk result at once.
MOST, PER_FETCH, PER_RESULT = 2_000, 200, 50_000
_OVERLAP = timedelta(minutes=10)
_WHOLE_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Known:
    """An object as this user sees it."""

    fields: Mapping[str, Mapping[str, Any]]

    def there(self, wanted: Sequence[str]) -> list[str]:
        """Those of the fields that exist; of a dotted name its relationship."""
        relations = {str(meta.get("relationshipName")) for meta in self.fields.values()}
        return [name for name in wanted if name in self.fields or name.partition(".")[0] in relations]

    def types(self) -> dict[str, str]:
        """Field → its type."""
        return {name: str(meta.get("type", "")) for name, meta in self.fields.items()}

    def calculated(self, wanted: Sequence[str]) -> bool:
        """Whether one of them is a formula or a roll-up."""
        return any(self.fields.get(name, {}).get("calculated") for name in wanted)


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found: text columns, records that cannot be read, and how many both are."""

    table: pl.DataFrame
    misfits: tuple[Misfit, ...]
    rows: int


@dataclass(slots=True)
class Reading:
    """Reads one org's objects."""

    client: Client
    bulk_from: int = BULK_FROM
    most: int = MOST
    per_result: int = PER_RESULT
    patience_s: float = 3600.0
    _known: dict[str, Known] = field(default_factory=dict)

    def known(self, name: str) -> Known:
        """The object's fields, asked for once."""
        if name not in self._known:
            metas = wire.part(self.client.call("GET", f"sobjects/{name}/describe", "describe").body, "fields")
            self._known[name] = Known({str(meta["name"]): meta for meta in metas})
        return self._known[name]

    def describe(self, name: str) -> Described:
        """The object's fields."""
        metas = self.known(name).fields.values()
        return Described(name, tuple(_field(meta) for meta in metas))

    def forget(self) -> None:
        """Look anew which fields there are."""
        self._known = {}

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:
        """All records, or those changed since the cursor and those that were deleted or merged away."""
        state: dict[str, Any] = json.loads(cursor) if cursor else {}
        result = self.known(source.object)
        if state.get("whole") and result.calculated(source.fields) and self._stale(state["whole"]):
            state = {}
        whole = state.get("whole")
        if "bulk" in state or (not state and self._count(source.object) >= self.bulk_from):
            yield from self._bulk(source, result, state)
        else:
            yield from self._walk(source, result, state, whole)

    def fetch(self, source: Source, records: Sequence[str]) -> Iterator[Page]:
        """Records by id; those that Salesforce does not return are gone. Of a merged account it names the survivor."""
        result = self.known(source.object)
        for start in range(0, len(records), PER_FETCH):
            batch = records[start : start + PER_FETCH]
            found = self._query(source, result, f"Id IN ({_id_list(batch)})", deleted=True)
            live, told = _split_deleted(found.table)
            frame = wire.frame(live, source.fields)
            named = {each.record for each in told}
            lost = not_shown([each for each in batch if each not in named], frame, found.misfits)
            yield Page(source.name, frame, (*told, *lost), "", complete=True, misfits=found.misfits)

    def ledger(self, source: Source, by: str, accounts: Sequence[str]) -> Iterator[Page]:
        """Records whose lookup `by` is one of these accounts."""
        result = self.known(source.object)
        for start in range(0, len(accounts), PER_FETCH):
            listed, last, more = _id_list(accounts[start : start + PER_FETCH]), "", True
            while more:
                after = f" AND Id > {quoted(last)}" if last else ""
                found = self._query(source, result, f"{by} IN ({listed}){after} ORDER BY Id LIMIT {self.most}")
                more = found.rows >= self.most
                last = str(self._last(source, found, last)["Id"]) if more else last
                frame = wire.frame(found.table, source.fields)
                yield Page(source.name, frame, (), "", complete=not more, misfits=found.misfits)

    def _stale(self, whole: str) -> bool:
        return self.client.ours() - datetime.fromisoformat(whole) > _WHOLE_AFTER

    def _count(self, name: str) -> int:
        params = {"q": f"SELECT COUNT() FROM {name}"}  # noqa: S608
        return int(wire.part(self.client.call("GET", "query", "query", params=params).body, "totalSize"))

    def _mark(self, state: dict[str, Any]) -> Watermark:
        return Watermark.of(state, _OVERLAP, self.client.ours, self.client.http.now(), SECONDS)

    def _walk(self, source: Source, known: Known, state: dict[str, Any], whole: str | None) -> Iterator[Page]:
        mark, last = self._mark(state), state.get("last")
        since, began = mark.since_text, mark.began.isoformat(timespec="seconds")
        limit = self.most
        while True:
            try:
                found = self._query(source, known, _where(since, last, limit), deleted=bool(since))
            except Misconfigured as problem:
                # A window that is too large is halved. Source: MeltanoLabs' tap.
                if problem.facts.get("detail") != "QUERY_TIMEOUT" or limit <= 50:
                    raise
                limit //= 2
                continue
            more = found.rows >= limit
            if more:
                row = self._last(source, found, last[1] if last else "")
                last = [row[MODIFIED], row["Id"]]
            live, gone = _split_deleted(found.table)
            if MODIFIED in found.table.columns:
                mark.see(found.table[MODIFIED])
            cursor = mark.midway(last=last, whole=whole) if more else mark.done(whole=whole or began)
            frame = wire.frame(live, source.fields)
            yield Page(source.name, frame, gone, cursor, complete=not more, misfits=found.misfits)
            if not more:
                return

    def sample(self, source: Source, most: int) -> pl.DataFrame:
        """Some records, as a page has them."""
        found = self._query(source, self.known(source.object), f"Id != null LIMIT {most}")
        return wire.frame(found.table, source.fields)

    def _last(self, source: Source, found: Found, before: str) -> dict[str, Any]:
        """The row that the next page follows. Raises Retry: there is none that a page before it did not end with."""
        rows = found.table.filter(pl.col(MODIFIED).is_not_null()) if MODIFIED in found.table.columns else found.table
        if rows.is_empty() or rows["Id"][-1] == before:
            raise Retry("E-CRM-PAGES", host=self.client.host, object=source.object)
        return rows.row(-1, named=True)

    def _query(self, source: Source, known: Known, rest: str, *, deleted: bool = False) -> Found:
        """All rows of a query as text columns; its later pages are fetched by the links that it gives."""
        extra = [name for name in ("IsDeleted", "MasterRecordId") if deleted and name in known.fields]
        columns = tuple(dict.fromkeys(["Id", MODIFIED, *extra, *known.there(source.fields)]))
        text = f"SELECT {', '.join(columns)} FROM {source.object} WHERE {rest}"  # noqa: S608
        types = {name: str(meta.get("type", "")) for name, meta in known.fields.items()}
        rows = wire.Rows(columns, types)
        path, params, headers = (
            "queryAll" if deleted else "query",
            {"q": text},
            {"Sforce-Query-Options": "batchSize=2000"},
        )
        records, link, total = rows.page(self.client.call("GET", path, "query", params=params, headers=headers).body)
        links = {link}
        while link:
            more, link, _ = rows.page(self.client.call("GET", link, "query").body)
            if link and link in links:
                raise Retry("E-CRM-PAGES", host=self.client.host, object=source.object)
            links.add(link)
            records += more
        if len(records) != total:
            raise self._incomplete(source, len(records), total)
        return Found(*rows.framed(records), len(records))

    def _incomplete(self, source: Source, read: int, total: int) -> Retry:
        return Retry("E-CRM-INCOMPLETE", host=self.client.host, object=source.object, read=read, total=total)

    def _bulk(self, source: Source, known: Known, state: dict[str, Any]) -> Iterator[Page]:
        """A bulk query's results, page by page; a cut download goes on at its locator."""
        mark, at = self._mark(state), dict(state.get("bulk") or {})
        began = mark.began.isoformat(timespec="seconds")
        job = at.get("job") or self._job(source, known)
        total = self._wait(job)
        locator, read = at.get("locator"), int(at.get("read") or 0)
        while True:
            params = {"maxRecords": str(self.per_result), **({"locator": locator} if locator else {})}
            headers = {"Accept": "text/csv", "Accept-Encoding": "gzip"}
            answer = self.client.call("GET", f"jobs/query/{job}/results", "bulk", params=params, headers=headers)
            locator = answer.headers.get("Sforce-Locator", "null")
            last = locator in ("null", "")
            frame, misfits = wire.csv_frame(answer.body, source.fields, known.types())
            count = frame.height + len(misfits)
            # A download that was cut between two rows is still a CSV. Source: Bulk API 2.0, results of a query job.
            here = answer.headers.get("Sforce-NumberOfRecords", "")
            if here.isdecimal() and count != int(here):
                raise self._incomplete(source, count, int(here))
            read += count
            if last and total is not None and read != total:
                raise self._incomplete(source, read, total)
            spot = {"job": job, "locator": locator, "read": read}
            mark.see(frame["modified_at"])
            cursor = mark.done(whole=began) if last else mark.midway(bulk=spot)
            yield Page(source.name, frame, (), cursor, complete=last, misfits=misfits)
            if last:
                return

    def _job(self, source: Source, known: Known) -> str:
        columns = ", ".join(dict.fromkeys(["Id", MODIFIED, *known.there(source.fields)]))
        # Without ORDER BY: it would keep Salesforce from splitting the query.
        query = f"SELECT {columns} FROM {source.object}"  # noqa: S608
        body = msgspec.json.encode({"operation": "query", "query": query})
        return str(wire.part(self.client.call("POST", "jobs/query", "bulk", body=body, idempotent=True).body, "id"))

    def _wait(self, job: str) -> int | None:
        """How many records the job has, when it is done; None: it does not say."""
        waited, wait = 0.0, 0.5
        while waited <= self.patience_s:
            payload = wire.document(self.client.call("GET", f"jobs/query/{job}", "bulk").body)
            state = payload.get("state") if isinstance(payload, dict) else None
            if state == "JobComplete":
                told = payload.get("numberRecordsProcessed")
                return int(told) if told is not None else None
            if state in ("Failed", "Aborted"):
                detail = f"the bulk query was {state.lower()}"
                raise Retry("E-CRM-ANSWER", host=self.client.host, detail=detail)
            self.client.sleep(wait)
            waited, wait = waited + wait, min(wait * 1.5, 30.0)
        raise Retry("E-CRM-ANSWER", host=self.client.host, detail=f"no bulk query within {self.patience_s:.0f} s")


def _where(since: str | None, last: Sequence[str] | None, limit: int) -> str:
    tests = [f"{MODIFIED} >= {soql_stamp(since)}"] if since else []
    if last:
        stamp = soql_stamp(last[0])
        tests.append(f"(({MODIFIED} = {stamp} AND Id > {quoted(last[1])}) OR {MODIFIED} > {stamp})")
    test = " AND ".join(tests) or "Id != null"
    return f"{test} ORDER BY {MODIFIED}, Id LIMIT {limit}"


def _split_deleted(table: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Gone, ...]]:
    """Rows that are there, and what was deleted or merged away."""
    if "IsDeleted" not in table.columns:
        return table, ()
    away = (pl.col("IsDeleted") == "true").fill_null(value=False)
    lost = table.filter(away)
    if lost.is_empty():
        return table, ()
    merged = lost["MasterRecordId"] if "MasterRecordId" in lost.columns else [None] * lost.height
    gone = [
        Gone(record, "merged_into" if into else "deleted", into or "")
        for record, into in zip(lost["Id"], merged, strict=True)
    ]
    return table.filter(~away), tuple(gone)


def _id_list(records: Sequence[str]) -> str:
    return ", ".join(quoted(record) for record in records if is_id(record)) or "''"


def _field(meta: Mapping[str, Any]) -> Field:
    options = tuple(str(each["value"]) for each in meta.get("picklistValues") or () if each.get("active", True))
    return Field(
        str(meta["name"]),
        str(meta["label"]),
        str(meta["type"]),
        bool(meta.get("updateable")),
        options,
        target=str((meta.get("referenceTo") or [""])[0]),
        tip=str(meta.get("inlineHelpText") or ""),
        length=meta.get("length"),
        places=meta.get("scale"),
    )
