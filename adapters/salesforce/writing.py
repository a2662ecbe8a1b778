"""Writing accounts: collections of 200 records, a Bulk API 2.0 ingest job from 2,000 on; each record's outcome.

Source: REST API guide, sObject Collections (allOrNone false, 200 a call, HTTP 200 even where rows fail); Bulk API 2.0
guide, ingest jobs (JobComplete says nothing of the rows; `#N/A` writes null; results are UTF-8 though no charset is
said). UNABLE_TO_LOCK_ROW: only the rows that failed are tried again, in smaller calls (jsforce #1018).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import msgspec
import polars as pl

from adapters.common.outcomes import unanswered, without
from adapters.salesforce import wire
from adapters.salesforce.client import Client
from connector.errors import Exhausted, Problem, Retry
from connector.ports import Change, Outcome

#: Records a call, and from how many on a job is cheaper; rows a job.
PER_CALL, BULK_FROM, PER_JOB = 200, 2_000, 50_000
#: An id's first fifteen characters are the same in its short and its long form.
_SHORT = 15
#: Characters kept of a refusal.
_MOST_WORDS = 500
_LOCKED = "UNABLE_TO_LOCK_ROW"
_LOCK_TRIES = (50, 10, 1)
#: A duplicate rule must not keep a rating from its account. Source: jsforce #1055.
_HEADERS = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}


@dataclass(slots=True)
class Writing:
    """Writes one org's records of one object."""

    client: Client
    object: str
    #: The object's field → its type.
    types: Mapping[str, str]
    bulk_from: int = BULK_FROM
    patience_s: float = 3600.0

    def write(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """One outcome per record, in their order; never raises for one row."""
        remaining = iter(changes)
        first = list(islice(remaining, self.bulk_from))
        if len(first) < self.bulk_from:
            yield from self._by_calls(first)
            return
        rows = chain(first, remaining)
        while batch := list(islice(rows, PER_JOB)):
            yield from self._by_job(batch) if len(batch) >= self.bulk_from else self._by_calls(batch)

    def _by_calls(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        for start in range(0, len(changes), PER_CALL):
            batch = changes[start : start + PER_CALL]
            done = self._collection(batch)
            for size in _LOCK_TRIES:
                locked = [number for number, each in enumerate(done) if _is_locked(each)]
                if not locked:
                    break
                for at in range(0, len(locked), size):
                    these = locked[at : at + size]
                    for number, retried in zip(these, self._collection([batch[each] for each in these]), strict=True):
                        done[number] = retried
            # A lock that lasts is somebody's work, not a refusal.
            yield from (Outcome(each.record, "deferred") if _is_locked(each) else each for each in done)

    def _collection(self, changes: Sequence[Change]) -> list[Outcome]:
        kind = {"type": self.object}
        records = [
            {"attributes": kind, "id": change.record, **{k: self._wire(k, v) for k, v in change.values.items()}}
            for change in changes
        ]
        body = msgspec.json.encode({"allOrNone": False, "records": records})
        try:
            answer = self.client.call("PATCH", "composite/sobjects", "write", body=body, headers=_HEADERS)
            payload = wire.document(answer.body)
            payload = payload if isinstance(payload, list) else []
        except (Exhausted, Retry) as problem:
            return unanswered(changes, problem)
        return [_outcome(change, payload[n] if n < len(payload) else None) for n, change in enumerate(changes)]

    def _wire(self, name: str, value: str | None) -> Any:
        return wire.wire(value, self.types.get(name, "string"))

    def _by_job(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        try:
            job = self._sent(changes)
        except (Exhausted, Retry) as problem:
            yield from unanswered(changes, problem)
            return
        try:
            taken, others = self._results(job)
        except Problem:
            taken, others = set(), {}
        for change in changes:
            key = change.record[:_SHORT]
            if key in taken:
                yield Outcome(change.record, "taken")
            else:
                yield others.get(key) or Outcome(change.record, "unknown")

    def _sent(self, changes: Sequence[Change]) -> str:
        """The id of a job that has been given all rows."""
        document = {"object": self.object, "operation": "update", "contentType": "CSV", "lineEnding": "LF"}
        call = self.client.call
        body = msgspec.json.encode(document)
        job = str(wire.part(call("POST", "jobs/ingest", "bulk", body=body).body, "id"))
        headers = {"Content-Type": "text/csv; charset=UTF-8"}
        call("PUT", f"jobs/ingest/{job}/batches", "bulk", body=_csv(changes), headers=headers)
        call("PATCH", f"jobs/ingest/{job}", "bulk", body=b'{"state":"UploadComplete"}', idempotent=True)
        return job

    def _results(self, job: str) -> tuple[set[str], dict[str, Outcome]]:
        """Short ids that were taken, and the other outcomes, once the job is over; what is left of it is deferred."""
        waited, wait = 0.0, 0.5
        while True:
            state = wire.part(self.client.call("GET", f"jobs/ingest/{job}", "bulk").body, "state")
            if state in ("JobComplete", "Failed", "Aborted") or waited > self.patience_s:
                break
            self.client.sleep(wait)
            waited, wait = waited + wait, min(wait * 1.5, 30.0)
        taken = {record[:_SHORT] for record in self._rows(job, "successfulResults", "sf__Id")}
        others: dict[str, Outcome] = {}
        for row in self._rows(job, "failedResults"):
            record = row.get("Id") or row["sf__Id"]
            others[record[:_SHORT]] = _failed(record, row)
        for row in self._rows(job, "unprocessedrecords"):
            others[row["Id"][:_SHORT]] = Outcome(row["Id"], "deferred")
        return taken, others

    def _rows(self, job: str, which: str, only: str | None = None) -> list[Any]:
        """Rows as mappings, or the texts of one column."""
        headers = {"Accept": "text/csv"}
        body = self.client.call("GET", f"jobs/ingest/{job}/{which}", "bulk", headers=headers).body
        if not body.strip():
            return []
        try:
            frame = pl.read_csv(io.BytesIO(body), infer_schema=False, columns=[only] if only else None)
        except pl.exceptions.PolarsError:
            raise Retry("E-CRM-GARBLED", host=self.client.host) from None
        return frame[only].to_list() if only else frame.to_dicts()


def _csv(changes: Sequence[Change]) -> bytes:
    """Rows as CSV; a field that a record does not change is left empty, one that is to be emptied is `#N/A`."""
    names = sorted({name for change in changes for name in change.values})
    columns = {"Id": [change.record for change in changes]}
    for name in names:
        columns[name] = [wire.NULL if (cell := change.values.get(name, "")) is None else cell for change in changes]
    # An empty text is an empty cell, which leaves the field as it is.
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).write_csv(line_terminator="\n").encode()


def _outcome(change: Change, row: Any) -> Outcome:
    if not isinstance(row, Mapping):
        return Outcome(change.record, "unknown")
    if row.get("success") is True:
        # Results stand in the order of the records, and say whose they are.
        own = str(row.get("id") or "")[:_SHORT] == change.record[:_SHORT]
        return Outcome(change.record, "taken" if own else "unknown")
    if not row.get("errors") and row.get("success") is not False:
        return Outcome(change.record, "unknown")
    errors = [each for each in row.get("errors") or () if isinstance(each, Mapping)]
    words = "; ".join(f"{each.get('statusCode')}: {each.get('message')}" for each in errors)
    named = tuple(dict.fromkeys(name for each in errors for name in each.get("fields") or () if name in change.values))
    message = without(words or "no reason given", change.values.values())[:_MOST_WORDS]
    return Outcome(change.record, "refused", message, named)


def _failed(record: str, row: Mapping[str, Any]) -> Outcome:
    words = str(row.get("sf__Error") or "no reason given")
    if words.startswith(_LOCKED):
        return Outcome(record, "deferred")
    sent = {name: value for name, value in row.items() if not name.startswith("sf__") and name != "Id"}
    # CODE:message:FIELD OTHER --
    listed = words.rpartition(":")[2].replace("--", " ").split()
    named = tuple(name for name in listed if name in sent)
    return Outcome(record, "refused", without(words, sent.values())[:_MOST_WORDS], named)


def _is_locked(outcome: Outcome) -> bool:
    return outcome.state == "refused" and (outcome.refusal or "").startswith(_LOCKED)
