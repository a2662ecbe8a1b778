"""COQL and bulk read jobs of the simulator: the two ways to read more than a page.

Source: zoho.com/crm/developer/docs/api/v8 COQL-Overview, bulk-read/overview: 200,000 rows per file, a zip with one CSV
whose first column is `Id`, lookups as bare ids, 50 credits a job, jobs of an organisation one after the other, ten
downloads a minute. How soon a job is done is not documented: here at the second look.
"""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.zoho.simulator.coql import InvalidQueryError, parsed, plain, selected
from adapters.zoho.simulator.org import Job, Org
from adapters.zoho.simulator.reply import answer, body_of, error

DOWNLOADS_A_MINUTE = 10
_LOOKS = 2


async def coql(org: Org, request: Request) -> Response:
    """One query. A column that the module lacks: INVALID_QUERY."""
    text = str((await body_of(request)).get("select_query") or "")
    try:
        query = parsed(text)
    except InvalidQueryError as problem:
        return error(400, "INVALID_QUERY", str(problem))
    module = org.modules.get(query.module)
    if module is None:
        return error(400, "INVALID_QUERY", "the module name given seems to be invalid", clause="from")
    for name in (*query.columns, *query.named):
        if name not in module.fields and name not in module.system:
            return error(400, "INVALID_QUERY", "column given seems to be invalid", column_name=name, clause="select")
    rows, more = selected(query, list(module.records.values()))
    if not rows:
        return Response(status_code=204)
    return answer({"data": rows, "info": {"count": len(rows), "more_records": more}})


async def create(org: Org, request: Request) -> Response:
    """A new job, queued."""
    query = (await body_of(request)).get("query") or {}
    name = str((query.get("module") or {}).get("api_name"))
    module = org.modules.get(name)
    if module is None:
        return error(400, "INVALID_MODULE", "the module name given seems to be invalid")
    fields = tuple(str(item) for item in query.get("fields") or module.fields)
    jobs = org.jobs
    page = str(query.get("page_token") or "")
    before = jobs.by_id.get(page)
    if page and before is None:
        return error(400, "EXPIRED_VALUE", "the page token is not one of ours", api_name="page_token")
    first = before.first + before.rows if before else 0
    rows = [module.records[key] for key in module.ids_after("")[first : first + jobs.rows_a_file]]
    more = first + len(rows) < len(module.records)
    text = f"4876876{len(jobs.by_id):010}"
    jobs.by_id[text] = Job(name, fields, first, len(rows), more, _zipped(text, rows, fields))
    details = {"id": text, "operation": "read", "state": "ADDED", "created_time": org.stamp()}
    document = {"status": "success", "code": "ADDED_SUCCESSFULLY", "message": "Added successfully.", "details": details}
    return answer({"data": [document], "info": {}}, 201)


async def state(org: Org, request: Request) -> Response:
    """How a job stands."""
    key = request.path_params["job"]
    job = org.jobs.by_id.get(key)
    if job is None:
        return error(404, "RESOURCE_NOT_FOUND", "the job is not one of ours")
    job.looks += 1
    values: dict[str, Any] = {"id": key, "operation": "read", "state": "IN PROGRESS"}
    if job.looks >= _LOOKS:
        values["state"] = "COMPLETED"
        values["result"] = {
            "page": 1 + job.first // org.jobs.rows_a_file,
            "per_page": org.jobs.rows_a_file,
            "count": job.rows,
            "download_url": f"/crm/bulk/v8/read/{key}/result",
            "more_records": job.more,
            "next_page_token": key if job.more else None,
        }
    return answer({"data": [values]})


async def result(org: Org, request: Request) -> Response:
    """The file of a job that is done."""
    job = org.jobs.by_id.get(request.path_params["job"])
    if job is None or job.looks < _LOOKS:
        return error(404, "RESOURCE_NOT_FOUND", "no result")
    now = org.now()
    org.jobs.downloads = [at for at in org.jobs.downloads if at > now - timedelta(minutes=1)]
    if len(org.jobs.downloads) >= DOWNLOADS_A_MINUTE:
        return error(429, "TOO_MANY_REQUESTS", "too many downloads")
    org.jobs.downloads.append(now)
    return Response(job.file, media_type="application/zip")


def _zipped(key: str, rows: list[dict[str, Any]], fields: tuple[str, ...]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("Id", *fields))
    writer.writerows([row["id"], *(_cell(row.get(name)) for name in fields)] for row in rows)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(f"{key}.csv", text.getvalue())
    return held.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    if isinstance(value, list):
        return ";".join(str(item) for item in value)
    return plain(value) or ""
