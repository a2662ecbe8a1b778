"""Reading modules: COQL for what changed and for thousands, bulk read jobs for more, by the cheaper of the two.

A query walks a fixed window by id, so that equal times and rows that move within it lose nothing. Source:
zoho.com/crm/developer/docs/api/v8 COQL-Overview, COQL-Limitations (2,000 rows for 3 credits, 500 columns),
bulk-read/overview (200,000 rows per file for 50 credits and two calls).
"""

from __future__ import annotations

import io
import json
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
import polars as pl

from adapters.common.csv_rows import csv_rows
from adapters.common.http import HttpResponse
from adapters.common.misfits import not_shown
from adapters.common.watermark import SECONDS, Watermark
from adapters.zoho import wire
from connector.errors import Misconfigured, Retry
from connector.ports import Gone, Misfit, Page, Source

#: Above so many records a bulk read is cheaper than queries. Source: break-even of 3 credits a 2,000 and 52 a job.
BULK_FROM = 34_200
#: Rows of the cheapest query and of the largest; ids a query; deleted records per page.
_FIRST, _MOST, PER_FETCH, _DELETED = 200, 2_000, 100, 200
_MOST_COLUMNS = 500
#: Rows of a bulk file that are handed on at once.
_SLICE = 20_000
#: Rows that commit late, and clocks that differ: a delta reads again what changed shortly before it began.
_OVERLAP = timedelta(minutes=5)
_MODIFIED = "Modified_Time"


class Call(Protocol):
    """One call of the API, with its credits."""

    def __call__(
        self,
        method: str,
        path: str,
        api: str,
        params: dict[str, str] | None = None,
        since: str | None = None,
        *,
        body: bytes | None = None,
        credits: int = 1,  # noqa: A002
    ) -> HttpResponse:
        """Raises the problem of the answer."""
        ...


@dataclass(slots=True)
class Reading:
    """Reads one organisation's modules."""

    host: str
    call: Call
    #: Our clock, and Zoho's.
    now: Callable[[], datetime]
    theirs: Callable[[], datetime]
    #: Names of a module's fields.
    names: Callable[[str], frozenset[str]]
    #: How to wait for a job.
    sleep: Callable[[float], None] = time.sleep
    #: Longest wait for a job, in seconds: minutes are seen in the wild.
    patience_s: float = 1800.0
    bulk_from: int = BULK_FROM
    #: Rows a query when there are many.
    most: int = _MOST
    _known: dict[str, frozenset[str]] = field(default_factory=dict)

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:
        """All records of a module by id, or those changed since the cursor, and then what was deleted since.

        A module without a modified time is read whole every time: its last cursor is empty.
        """
        state = json.loads(cursor) if cursor else {}
        there = self._there(source)
        count = 0 if state else self.count(source.object)
        if "bulk" in state or count > self.bulk_from:
            yield from self._bulk(source, there, state)
        else:
            yield from self._walk(source, there, state, large=count > _FIRST)

    def fetch(self, source: Source, records: Sequence[str]) -> Iterator[Page]:
        """Records by id, a hundred per query; those that Zoho does not return are gone."""
        there = self._there(source)
        for start in range(0, len(records), PER_FETCH):
            batch = records[start : start + PER_FETCH]
            listed = ", ".join(f"'{_id(record)}'" for record in batch)
            rows, _ = self._query(source, there, f"id in ({listed})", _FIRST)
            frame, misfits = wire.framed(rows, source.fields)
            gone = not_shown(batch, frame, misfits)
            yield Page(source.name, frame, gone, "", complete=True, misfits=misfits)

    def ledger(self, source: Source, by: str, accounts: Sequence[str]) -> Iterator[Page]:
        """Records whose lookup `by` is one of these accounts, a hundred accounts a walk."""
        there = self._there(source)
        for start in range(0, len(accounts), PER_FETCH):
            listed = ", ".join(f"'{_id(account)}'" for account in accounts[start : start + PER_FETCH])
            last, more, limit = "0", True, _FIRST
            while more:
                rest = f"({by} in ({listed})) and (id > {_id(last)}) order by id asc"
                rows, more = self._query(source, there, rest, limit)
                last, limit = self._after(source.object, rows, last), self.most
                frame, misfits = wire.framed(rows, source.fields)
                yield Page(source.name, frame, (), "", complete=not more, misfits=misfits)

    def _after(self, module: str, rows: Sequence[dict[str, Any]], last: str) -> str:
        """The id that the next page follows. Raises Retry: the page is one that came already."""
        ids = [int(row["id"]) for row in rows if isinstance(row, dict) and _id(str(row.get("id"))) != "0"]
        if rows and max(ids, default=0) <= int(last):
            raise Retry("E-CRM-PAGES", host=self.host, object=module)
        return str(max(ids)) if rows else last

    def forget(self) -> None:
        """Look anew which fields there are: some were created."""
        self._known = {}

    def _mark(self, state: dict[str, Any]) -> Watermark:
        return Watermark.of(state, _OVERLAP, self.now, self.theirs(), SECONDS)

    def _done(self, there: frozenset[str], mark: Watermark) -> str:
        return mark.done() if _MODIFIED in there else ""

    def _there(self, source: Source) -> frozenset[str]:
        """The fields of the module that are wanted and exist; one that is missing must not hide the others."""
        if source.object not in self._known:
            self._known[source.object] = self.names(source.object)
        there = self._known[source.object] & {*source.fields, _MODIFIED}
        if len(there) >= _MOST_COLUMNS:  # The id is a column too.
            detail = f"{source.object}: over {_MOST_COLUMNS} fields"
            raise Misconfigured("E-CRM-ANSWER", host=self.host, detail=detail)
        return there

    def count(self, module: str) -> int:
        """How many records a module has that we may see. Source: v8 record-count."""
        body = self.call("GET", f"{module}/actions/count", "count").body
        try:
            return int(msgspec.json.decode(body)["count"])
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            raise Retry("E-CRM-GARBLED", host=self.host) from None

    def _walk(self, source: Source, there: frozenset[str], state: dict[str, Any], *, large: bool) -> Iterator[Page]:
        mark, last = self._mark(state), str(state.get("last") or "0")
        since = mark.since_text
        limit = self.most if large or "last" in state else min(_FIRST, self.most)
        while True:
            test = f"id > {_id(last)}"
            if since:
                test = f"({_MODIFIED} >= '{since}') and ({test})"
            rows, more = self._query(source, there, f"{test} order by id asc", limit)
            gone = self._deleted(source.object, since) if since and not more else ()
            last = self._after(source.object, rows, last)
            frame, misfits = wire.framed(rows, source.fields)
            mark.see(frame["modified_at"])
            here = mark.midway(last=last) if more else self._done(there, mark)
            yield Page(source.name, frame, gone, here, complete=not more, misfits=misfits)
            if not more:
                return
            limit = self.most

    def _query(self, source: Source, there: frozenset[str], rest: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
        columns = ", ".join(["id", *sorted(there)])
        text = f"select {columns} from {source.object} where {rest} limit {limit}"  # noqa: S608
        price = 1 if limit <= _FIRST else 2 if limit <= _MOST // 2 else 3
        body = msgspec.json.encode({"select_query": text})
        return wire.page(self.call("POST", "coql", "coql", body=body, credits=price), source.object)

    def _deleted(self, module: str, since: str) -> tuple[Gone, ...]:
        gone: list[Gone] = []
        page, more = 1, True
        while more:
            params = {"type": "all", "per_page": str(_DELETED), "page": str(page)}
            rows, more = wire.page(self.call("GET", f"{module}/deleted", "deleted", params, since), f"{module}/deleted")
            ids = [str(row["id"]) for row in rows if isinstance(row, dict) and row.get("id")]
            if more and (not ids or (gone and ids[-1] == gone[-1].record)):
                raise Retry("E-CRM-PAGES", host=self.host, object=f"{module}/deleted")
            gone += [Gone(record, "deleted") for record in ids]
            page += 1
        return tuple(gone)

    def _bulk(self, source: Source, there: frozenset[str], state: dict[str, Any]) -> Iterator[Page]:
        mark, at = self._mark(state), dict(state.get("bulk") or {})
        while True:
            job = at.get("job") or self._begin(source, there, at.get("token"))
            result = self._finished(job)
            whole, misfits = self._file(result["download_url"], source.fields)
            self._check_count(source.object, whole.height + len(misfits), result)
            following = result.get("next_page_token") if result.get("more_records") else None
            for start in range(int(at.get("rows") or 0), max(whole.height, 1), _SLICE):
                end = start + _SLICE
                last = end >= whole.height
                here = {"token": following} if last else {"job": job, "rows": end}
                complete = last and following is None
                mark.see(whole[start:end]["modified_at"])
                cursor = self._done(there, mark) if complete else mark.midway(bulk=here)
                told = misfits if last else ()
                yield Page(source.name, whole[start:end], (), cursor, complete=complete, misfits=told)
            if following is None:
                return
            at = {"token": following}

    def _begin(self, source: Source, there: frozenset[str], token: str | None) -> str:
        query: dict[str, Any] = {"module": {"api_name": source.object}, "fields": sorted(there)}
        query |= {"page_token": token} if token else {"page": 1}
        body = msgspec.json.encode({"query": query})
        rows, _ = wire.records(self.call("POST", "/crm/bulk/v8/read", "bulk", body=body, credits=50))
        try:
            return str(rows[0]["details"]["id"])
        except (IndexError, KeyError, TypeError):
            raise Retry("E-CRM-GARBLED", host=self.host) from None

    def _finished(self, job: str) -> dict[str, Any]:
        waited, wait = 0.0, 1.0
        while waited <= self.patience_s:
            rows, _ = wire.records(self.call("GET", f"/crm/bulk/v8/read/{job}", "job"))
            values = rows[0] if rows and isinstance(rows[0], dict) else {}
            if values.get("state") == "COMPLETED" and isinstance(values.get("result"), dict):
                return dict(values["result"])
            if values.get("state") == "FAILURE":
                raise Retry("E-CRM-ANSWER", host=self.host, detail="the bulk read job failed")
            self.sleep(wait)
            waited, wait = waited + wait, min(wait * 1.5, 30.0)
        raise Retry("E-CRM-ANSWER", host=self.host, detail=f"no bulk read within {self.patience_s:.0f} s")

    def _check_count(self, module: str, rows: int, result: dict[str, Any]) -> None:
        """A file that was cut within its rows is still a file: the job says how many there are. Source: bulk-read."""
        told = result.get("count")
        if told is not None and rows != int(told):
            raise Retry("E-CRM-INCOMPLETE", host=self.host, object=module, read=rows, total=told)

    def _file(self, url: str, fields: Sequence[str]) -> tuple[pl.DataFrame, tuple[Misfit, ...]]:
        body = self.call("GET", url, "file").body
        try:
            with zipfile.ZipFile(io.BytesIO(body)) as archive, archive.open(archive.namelist()[0]) as file:
                rows, misfits = csv_rows(file.read())
        except (zipfile.BadZipFile, zlib.error, EOFError, IndexError, pl.exceptions.PolarsError):
            raise Retry("E-CRM-GARBLED", host=self.host) from None
        null = pl.lit(None, pl.String)
        has = set(rows.columns)
        if "Id" not in has:
            raise Retry("E-CRM-ENVELOPE", host=self.host, object=url, place="Id", found=", ".join(sorted(has))[:60])
        wanted = {"id": "Id", "modified_at": _MODIFIED, **{name: name for name in fields}}
        columns = [(pl.col(old) if old in has else null).alias(new) for new, old in wanted.items()]
        return rows.select(columns), misfits


def _id(record: str) -> str:
    """An id as a query may contain it: digits only, whatever a store or a person gave."""
    return record if record.isascii() and record.isdigit() else "0"
