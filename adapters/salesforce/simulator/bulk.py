"""Bulk API 2.0 of the simulator: query and ingest jobs. Source: Bulk API 2.0 developer guide."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.salesforce.simulator import query as soql
from adapters.salesforce.simulator.org import Job, Org
from adapters.salesforce.simulator.soql import MalformedQueryError

#: Rows that an ingest job may hold; the upload may be 100 MB.
MOST_BYTES = 100_000_000


def begin_query(org: Org, told: Mapping[str, Any]) -> Job:
    """A query job; it is done when it is looked at."""
    job = Job(org.new_id("750"), "query", dict(told), "UploadComplete")
    try:
        query, table, rows = soql.run(org, str(told["query"]), deleted=told.get("operation") == "queryAll")
    except (soql.QueryError, MalformedQueryError) as error:
        job.state, job.told["errorMessage"] = "Failed", str(error)
        org.jobs[job.id] = job
        return job
    job.columns = tuple(column.name for column in query.columns)
    job.rows = [[_cell(soql.value_of(org, table, row, name)) for name in job.columns] for row in rows]
    org.jobs[job.id] = job
    return job


def page(org: Org, job: Job, locator: str, most: int) -> tuple[bytes, str, int]:
    """CSV of one result page, the next locator (`null`: it was the last), and its rows. The server may give fewer."""
    at = int(locator) if locator.isdigit() else 0
    size = min(most, org.result)
    rows = job.rows[at : at + size]
    following = str(at + size) if at + size < len(job.rows) else "null"
    return written([list(job.columns), *rows]), following, len(rows)


def ingest(org: Org, job: Job, write: Callable[[str, str, Mapping[str, Any]], str]) -> None:
    """Works an uploaded job off; `write` returns what is wrong with a row, or nothing."""
    reader = csv.DictReader(io.StringIO(job.body.decode("utf-8")))
    name = str(job.told["object"])
    for row in reader:
        matches = {str(key): value for key, value in row.items() if key is not None}
        record = matches.get("Id", "")
        values = {
            key: None if value == "#N/A" else value for key, value in matches.items() if key != "Id" and value != ""
        }
        wrong = write(name, record, {key: _typed(org, name, key, value) for key, value in values.items()})
        if wrong:
            job.bad.append({"sf__Id": record, "sf__Error": f"{wrong} --", **matches})
        else:
            job.good.append({"sf__Id": record, "sf__Created": "false", **matches})
    job.state = "JobComplete"


def results(rows: Sequence[Mapping[str, str]], first: Sequence[str]) -> bytes:
    """CSV of outcome rows; the order of rows is not that of the upload."""
    names = [*first, *(name for name in (rows[0] if rows else {}) if name not in first)]
    return written([names, *([row.get(name, "") for name in names] for row in reversed(rows))])


def written(rows: Sequence[Sequence[str]]) -> bytes:
    """CSV as Salesforce writes it: every cell in quotes."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text.replace("+0000", "Z") if text.endswith("+0000") and "T" in text else text


def _typed(org: Org, name: str, key: str, value: Any) -> Any:
    meta = org.table(name).fields.get(key)
    if meta is None or value is None or meta.type not in ("double", "currency"):
        return value
    try:
        return Decimal(value)
    except InvalidOperation:
        return value
