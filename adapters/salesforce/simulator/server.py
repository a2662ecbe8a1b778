"""The HTTP side of a simulated org.

Source: REST API developer guide (resources, status codes, Sforce-Limit-Info), Tooling API, Bulk API 2.0 guide; shapes
of describe after CumulusCI's recordings of real orgs. It returns its own origin wherever Salesforce returns a host.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import jwt
import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.salesforce.simulator import bulk, control, rest
from adapters.salesforce.simulator.composite import composite
from adapters.salesforce.simulator.org import Job, Org
from adapters.salesforce.simulator.rest import Told
from adapters.simulation.faults import CUT, TRICKLE, broken

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
Handler = Callable[[Org, Request, bytes], Told]
#: Versions that the org speaks; those before 31 are gone.
_OLDEST, _NEWEST = 31, 68


class _Slashes:
    """Slashes too many do not matter, as at Salesforce: its CLI begins with two, simple-salesforce ends with one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and len(scope["path"]) > 1:
            scope = {**scope, "path": re.sub("/+", "/", scope["path"]).rstrip("/")}
        await self._app(scope, receive, send)


def application(org: Org) -> Starlette:
    """The org as an ASGI application."""
    data = "/services/data/{version}"

    def route(path: str, handler: Handler, method: str, api: str, *, writes: bool = False) -> Route:
        return Route(f"{data}{path}", _guarded(org, handler, api, writes=writes), methods=[method])

    routes = [
        Route("/services/oauth2/token", _open(org, _token), methods=["POST"]),
        Route("/services/oauth2/userinfo", _guarded(org, rest.userinfo, "userinfo"), methods=["GET"]),
        Route("/services/data", _open(org, _versions), methods=["GET"]),
        route("", rest.resources, "GET", "resources"),
        route("/limits", rest.limits, "GET", "limits"),
        route("/sobjects", rest.global_describe, "GET", "describe"),
        route("/sobjects/{name}/describe", rest.describe, "GET", "describe"),
        route("/sobjects/{name}/describe/layouts", rest.layouts, "GET", "describe"),
        route("/sobjects/{name}/{record}", rest.get, "GET", "record"),
        route("/sobjects/{name}/{record}", rest.patch, "PATCH", "write", writes=True),
        route("/sobjects/{name}/{record}", rest.delete, "DELETE", "write", writes=True),
        route("/sobjects/{name}", rest.post, "POST", "record"),
        route("/query", rest.query, "GET", "query"),
        route("/queryAll", rest.query_all, "GET", "query"),
        route("/query/{locator}", rest.more, "GET", "query"),
        route("/queryAll/{locator}", rest.more, "GET", "query"),
        route("/composite/sobjects", rest.collection, "PATCH", "write", writes=True),
        route("/composite/sobjects/{name}/{external}", rest.collection, "PATCH", "write", writes=True),
        route("/composite", composite, "POST", "composite"),
        route("/composite/batch", _batch, "POST", "composite"),
        route("/composite/sobjects", rest.inserted, "POST", "write", writes=True),
        route("/composite/sobjects", rest.deleted, "DELETE", "write", writes=True),
        route("/tooling/query", rest.query, "GET", "tooling"),
        route("/tooling/sobjects/CustomField/{record}", rest.show_custom_field, "GET", "tooling"),
        route("/tooling/sobjects/CustomField/{record}", rest.change_custom_field, "PATCH", "tooling"),
        route("/tooling/sobjects/CustomField/{record}", rest.no_custom_field, "DELETE", "tooling"),
        route("/tooling/sobjects/CustomField", rest.custom_field, "POST", "tooling"),
        route("/jobs/query", _query_job, "POST", "bulk"),
        route("/jobs/query/{job}", _job, "GET", "bulk"),
        route("/jobs/query/{job}/results", _results, "GET", "bulk"),
        route("/jobs/ingest", _ingest_job, "POST", "bulk"),
        route("/jobs/ingest/{job}/batches", _upload, "PUT", "bulk", writes=True),
        route("/jobs/ingest/{job}", _close, "PATCH", "bulk", writes=True),
        route("/jobs/ingest/{job}", _job, "GET", "bulk"),
        route("/jobs/ingest/{job}/successfulResults", _rows("good", ("sf__Id", "sf__Created")), "GET", "bulk"),
        route("/jobs/ingest/{job}/failedResults", _rows("bad", ("sf__Id", "sf__Error")), "GET", "bulk"),
        route("/jobs/ingest/{job}/unprocessedrecords", _rows("", ("Id",)), "GET", "bulk"),
    ]
    starlette = Starlette(routes=[*control.routes(org), *routes], middleware=[Middleware(_Slashes)])
    starlette.state.org = org
    return starlette


def _guarded(org: Org, handler: Handler, api: str, *, writes: bool = False) -> Callable[[Request], Awaitable[Response]]:
    """A call with a token: counted, limited, and met by faults; a write whose answer is lost has happened."""

    async def call(request: Request) -> Response:
        body = await request.body()
        result = _refused(org, request) or None
        org.calls[api] = org.calls.get(api, 0) + 1
        if result is not None:
            return _answer(org, result)
        lie = org.lies.of_write() if writes else None
        if lie is not None:
            told, lost = lie
            if not lost:
                handler(org, request, body)
            return told
        fault = org.faults.met(writes=writes)
        if fault is not None and fault.status not in (CUT, TRICKLE):
            return _answer(org, Told([{"message": "try again", "errorCode": "SERVER_UNAVAILABLE"}], fault.status))
        try:
            response = _answer(org, handler(org, request, body))
        except rest.WrongError as error:
            response = _answer(org, Told(error.body, error.status))
        if fault is None:
            return org.lies.told(response, api) if _lists(request) else response
        return broken(response, fault.status)

    return call


def _lists(request: Request) -> bool:
    """Whether it asks for records of an object, or for a file of them: no count, no job."""
    path = request.url.path
    if path.endswith("/results"):
        return True
    return "/query" in path and "/jobs/" not in path and " ORDER BY " in request.query_params.get("q", " ORDER BY ")


def _open(org: Org, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        return _answer(org, handler(org, request, await request.body()))

    return call


def _refused(org: Org, request: Request) -> Told | None:
    version = str(request.path_params.get("version", f"v{_NEWEST}.0")).lstrip("v")
    try:
        number = float(version)
    except ValueError:
        return Told([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
    if number < _OLDEST:
        return Told([{"errorCode": "UNSUPPORTED_API_VERSION", "message": "Invalid Api version"}], 410)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme not in ("Bearer", "OAuth") or token not in org.tokens:
        return Told([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)
    if sum(org.calls.values()) >= org.calls_a_day:
        message = "TotalRequests Limit exceeded."
        return Told([{"message": message, "errorCode": "REQUEST_LIMIT_EXCEEDED"}], 403)
    return None


def _answer(org: Org, told: Told) -> Response:
    stamp = org.now().astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    usage = f"api-usage={sum(org.calls.values())}/{org.calls_a_day}"
    headers = {"Date": stamp, "Sforce-Limit-Info": usage, **told.headers}
    if told.body is None:
        return Response(status_code=told.status, headers=headers)
    if isinstance(told.body, bytes):
        # As recorded of real orgs: no charset.
        return Response(told.body, told.status, {**headers, "Content-Type": "text/csv"})
    return Response(rest.encoded(told.body), told.status, headers, media_type="application/json;charset=UTF-8")


def _token(org: Org, request: Request, body: bytes) -> Told:
    form = {key: value[0] for key, value in parse_qs(body.decode()).items()}
    wrong = _grant(org, form)
    if wrong:
        return Told({"error": wrong, "error_description": "authentication failure"}, 400)
    origin = str(request.base_url).rstrip("/")
    result = {
        "access_token": org.issue(),
        "instance_url": origin,
        "id": f"{origin}/id/00D/005",
        "token_type": "Bearer",
        "issued_at": str(round(org.now().timestamp() * 1000)),
        "signature": "x",
        "scope": "api",
    }
    return Told(result)


def _grant(org: Org, form: dict[str, str]) -> str:
    kind = form.get("grant_type", "")
    if org.revoked:
        return "invalid_grant"
    if kind == "urn:ietf:params:oauth:grant-type:jwt-bearer":
        try:
            claims = jwt.decode(
                form.get("assertion", ""), org.public_key, algorithms=["RS256"], options={"verify_aud": False}
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return "invalid_grant"
        return "" if (claims.get("iss"), claims.get("sub")) == (org.client_id, org.username) else "invalid_grant"
    if (form.get("client_id"), form.get("client_secret")) != (org.client_id, org.client_secret):
        return "invalid_client"
    if kind == "client_credentials":
        return ""
    return "" if kind == "refresh_token" and form.get("refresh_token") == org.refresh_token else "invalid_grant"


def _versions(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    return Told(
        [
            {"label": f"v{number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(_OLDEST, _NEWEST + 1)
        ]
    )


def _batch(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    results: list[dict[str, Any]] = []
    for part in _decode(body)["batchRequests"][:25]:
        names = str(part["url"]).split("/")
        if len(names) == 4 and names[1] == "sobjects" and names[3] == "describe":
            try:
                document = rest.described(org, names[2])
                results.append({"statusCode": 200, "result": document})
            except rest.WrongError as error:
                results.append({"statusCode": error.status, "result": error.body})
        else:
            results.append({"statusCode": 404, "result": [{"errorCode": "NOT_FOUND", "message": "not simulated"}]})
    return Told({"hasErrors": any(row["statusCode"] >= 400 for row in results), "results": results})


def _query_job(org: Org, request: Request, body: bytes) -> Told:
    return Told(_shown(bulk.begin_query(org, _decode(body)), request))


def _ingest_job(org: Org, request: Request, body: bytes) -> Told:
    job = Job(org.new_id("750"), "ingest", dict(_decode(body)))
    org.jobs[job.id] = job
    return Told(_shown(job, request))


def _job_of(org: Org, request: Request) -> Job:
    job = org.jobs.get(request.path_params["job"])
    if job is None:
        raise rest.WrongError([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
    return job


def _job(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    job = _job_of(org, request)
    if job.state == "UploadComplete":
        if job.kind == "ingest":
            from adapters.salesforce.simulator.writes import update

            bulk.ingest(org, job, lambda name, record, values: update(org, name, record, values))
        job.state = "JobComplete"
    return Told(_shown(job, request))


def _results(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    job, query_params = _job_of(org, request), request.query_params
    csv, locator, rows = bulk.page(
        org, job, query_params.get("locator", ""), int(query_params.get("maxRecords", 50_000))
    )
    return Told(csv, headers={"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(rows)})


def _upload(org: Org, request: Request, body: bytes) -> Told:
    job = _job_of(org, request)
    if job.state != "Open" or len(body) > bulk.MOST_BYTES:
        raise rest.WrongError([{"errorCode": "INVALIDJOBSTATE", "message": "not open, or too large"}], 400)
    job.body = body
    return Told(None, 201)


def _close(org: Org, request: Request, body: bytes) -> Told:
    job = _job_of(org, request)
    job.state = str(_decode(body)["state"])
    return Told(_shown(job, request))


def _rows(which: str, first: tuple[str, ...]) -> Handler:
    def handler(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
        job = _job_of(org, request)
        return Told(bulk.results(getattr(job, which) if which else [], first))

    return handler


def _shown(job: Job, request: Request) -> dict[str, Any]:
    version = str(request.path_params["version"]).lstrip("v")
    result = {**job.told, "id": job.id, "state": job.state, "apiVersion": float(version), "concurrencyMode": "Parallel"}
    if job.kind == "ingest":
        result |= {
            "contentUrl": f"services/data/v{version}/jobs/ingest/{job.id}/batches",
            "jobType": "V2Ingest",
            "numberRecordsProcessed": len(job.good) + len(job.bad),
            "numberRecordsFailed": len(job.bad),
        }
    else:
        result |= {"jobType": "V2Query", "numberRecordsProcessed": len(job.rows)}
    return result
