"""The routes of the simulated Zoho: OAuth, organisation, fields, records, and the control behind a random token.

Every behaviour follows docs/zoho.md, which cites its source; what Zoho does not document (whether the modified
time of a page token's walk is frozen, the exact body of some errors) is marked there as not verified.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from adapters.simulation.faults import trickling
from adapters.zoho.simulator import admin, bulk, control, fields, page, watch, write
from adapters.zoho.simulator.coql import limit_of
from adapters.zoho.simulator.org import Org
from adapters.zoho.simulator.reply import answer, body_of, dated, error

#: Source: v8 get-records: records per page, fields per call, records reachable by `page` and by page token.
_PER_PAGE, _FIELDS, _BY_PAGE, _BY_TOKEN = 200, 50, 2_000, 100_000

#: Calls that answer with records, or with a file of them.
_LISTS = ("coql", "file")

Handler = Callable[[Org, Request], Awaitable[Response]]


def application(org: Org) -> Starlette:
    """The server of one organisation."""

    def metered(api: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            return await _metered(org, api, handler, request)

        return run

    version = "/crm/v8"
    starlette = Starlette(
        routes=[
            Route("/oauth/v2/token", admin.token, methods=["POST"]),
            Route(f"{version}/org", metered("org", _org), methods=["GET"]),
            Route(f"{version}/org/currencies", metered("currencies", admin.currencies), methods=["GET"]),
            Route(f"{version}/users", metered("users", admin.users), methods=["GET"]),
            Route(f"{version}/settings/profiles", metered("profiles", admin.profiles), methods=["GET"]),
            Route(f"{version}/settings/layouts", metered("layouts", admin.layouts), methods=["GET"]),
            Route(f"{version}/settings/fields", metered("fields", fields.fields), methods=["GET", "POST", "PATCH"]),
            Route(f"{version}/settings/fields/{{field}}", metered("fields", fields.delete), methods=["DELETE"]),
            Route(f"{version}/actions/watch", metered("watch", watch.subscribe), methods=["POST"]),
            Route(f"{version}/actions/watch", metered("watch", watch.channels), methods=["GET"]),
            Route(f"{version}/coql", metered("coql", bulk.coql), methods=["POST"]),
            Route("/crm/bulk/v8/read", metered("bulk", bulk.create), methods=["POST"]),
            Route("/crm/bulk/v8/read/{job}", metered("job", bulk.state), methods=["GET"]),
            Route("/crm/bulk/v8/read/{job}/result", metered("file", bulk.result), methods=["GET"]),
            Route(f"{version}/{{module}}/deleted", metered("deleted", _deleted), methods=["GET"]),
            Route(f"{version}/{{module}}/actions/count", metered("count", _count), methods=["GET"]),
            Route(f"{version}/{{module}}/upsert", metered("write", write.upsert), methods=["POST"]),
            Route(f"{version}/{{module}}", metered("records", _records), methods=["GET"]),
            Route(f"{version}/{{module}}", metered("write", write.update), methods=["PUT"]),
            # The older API, which zcrmsdk speaks: the same records; fields need not be named, and pages end at 2,000.
            Route("/crm/v2/settings/fields", metered("fields", fields.fields), methods=["GET"]),
            Route("/crm/v2/{module}/upsert", metered("write", write.upsert), methods=["POST"]),
            Route("/crm/v2/{module}", metered("records", _old_records), methods=["GET"]),
            Route("/crm/v2/{module}", metered("write", write.update), methods=["PUT"]),
            *control.routes(org.control_token),
            *page.routes(),
        ]
    )
    starlette.state.org = org
    return starlette


async def _metered(org: Org, api: str, handler: Handler, request: Request) -> Response:
    """What every call goes through: faults, the token, the credits, the clock in the Date header."""
    fault = org.fault(api)
    if fault and fault.status >= 500:
        return dated(org, Response("<html><body>Bad gateway</body></html>", fault.status, media_type="text/html"))
    text = request.headers.get("Authorization", "")
    if not text.startswith("Zoho-oauthtoken ") or not org.accepts(text.removeprefix("Zoho-oauthtoken ")):
        return dated(org, error(401, "INVALID_TOKEN", "invalid oauth token"))
    if admin.lacks(org, api):
        return dated(org, error(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL"))
    if (fault and fault.status == 429) or not org.count(api, await _credits(request, api)):
        return dated(org, error(429, "TOO_MANY_REQUESTS", "You have reached the maximum number of API calls"))
    lie = org.lies.of_write() if api == "write" else None
    if lie is not None:
        told, lost = lie
        if not lost:
            await handler(org, request)
        return dated(org, told)
    answer = await handler(org, request)
    if fault and fault.status == 0:
        # Carried out, and the answer lost: the connection breaks within the body.
        return Response(b"{", headers={"Content-Length": "9999"})
    if fault and fault.status == 1:
        return StreamingResponse(trickling(bytes(answer.body)), headers={"Content-Type": "application/json"})
    return dated(org, org.lies.told(answer, api) if api in _LISTS else answer)


async def _credits(request: Request, api: str) -> int:
    """Source: v8 api-limits: a write costs 1 per 10 records, a field made or changed 10, a query of 200, 1,000 or
    2,000 rows 1, 2 or 3, a bulk read 50, anything else 1.
    """
    if api == "coql":
        rows = limit_of(str((await body_of(request)).get("select_query") or ""))
        return 1 if rows <= 200 else 2 if rows <= 1000 else 3
    if api == "bulk":
        return 50
    if api == "write":
        return -(-len((await body_of(request)).get("data") or [0]) // 10)
    if request.method in ("POST", "PATCH") and api == "fields":
        return 10 * len((await body_of(request)).get("fields") or [0])
    return 1


async def _org(org: Org, request: Request) -> Response:  # noqa: ARG001
    values = {
        "id": "4876876000000012345",
        "company_name": org.name,
        "iso_code": org.currency,
        "currency": org.currency,
        "time_zone": "Etc/UTC",
        "license_details": {"paid_type": "professional", "paid": True},
    }
    return answer({"org": [values]})


async def _old_records(org: Org, request: Request) -> Response:
    """All fields of a page of records. Source: v2 get-records."""
    module = org.modules.get(request.path_params["module"])
    if module is None:
        return error(400, "INVALID_MODULE", "the module name given seems to be invalid")
    page, size = int(request.query_params.get("page", "1")), int(request.query_params.get("per_page", _PER_PAGE))
    if page * size > _BY_PAGE:
        return error(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "You can only get the first 2000 records", limit=2000)
    keys = module.ids_after("")
    rows = [module.records[key] for key in keys[(page - 1) * size : page * size]]
    if not rows:
        return Response(status_code=204)
    info = {"per_page": size, "count": len(rows), "page": page, "more_records": len(keys) > page * size}
    return answer({"data": [_shown(row, list(row)) for row in rows], "info": info})


async def _records(org: Org, request: Request) -> Response:
    module = org.modules.get(request.path_params["module"])
    if module is None:
        return error(400, "INVALID_MODULE", "the module name given seems to be invalid", resource_path_index=0)
    query_params = request.query_params
    fields = [name for name in query_params.get("fields", "").split(",") if name]
    refusal = _refused(query_params, fields)
    if refusal is not None:
        return refusal
    since = request.headers.get("If-Modified-Since")
    if "ids" in query_params:
        rows = [module.records[key] for key in query_params["ids"].split(",") if key in module.records]
        return (
            answer({"data": [_shown(row, fields) for row in rows], "info": {}}) if rows else Response(status_code=204)
        )
    token = _untoken(query_params.get("page_token"))
    last, seen = (token["last"], token["seen"]) if token else ("", 0)
    skip = 0 if token else (int(query_params.get("page", "1")) - 1) * int(query_params.get("per_page", _PER_PAGE))
    rows, more = [], False
    limit = int(query_params.get("per_page", _PER_PAGE))
    after = datetime.fromisoformat(since) if since else None
    for key in module.ids_after(last):
        row = module.records[key]
        if after is not None and datetime.fromisoformat(row["Modified_Time"]) < after:
            continue
        if skip:
            skip -= 1
            continue
        if len(rows) == limit:
            more = True
            break
        rows.append(row)
    if not rows:
        return Response(status_code=304 if since else 204)
    seen += len(rows)
    following = _totoken({"last": rows[-1]["id"], "seen": seen}) if more and seen < _BY_TOKEN else None
    info = {
        "per_page": limit,
        "count": len(rows),
        "page": int(query_params.get("page", "1")),
        "sort_by": "id",
        "sort_order": "asc",
        "more_records": more,
        "next_page_token": following,
        "previous_page_token": None,
        "page_token_expiry": None,
    }
    return answer({"data": [_shown(row, fields) for row in rows], "info": info})


def _refused(asked: Mapping[str, str], fields: list[str]) -> Response | None:
    """What Zoho refuses before it looks at a record. Source: v8 get-records, possible errors."""
    if not fields:
        return error(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", param_name="fields")
    if len(fields) > _FIELDS:
        return error(400, "LIMIT_EXCEEDED", "more fields than allowed", limit=_FIELDS, param_name="fields")
    if int(asked.get("per_page", _PER_PAGE)) > _PER_PAGE:
        return error(400, "INVALID_DATA", "per_page is at most 200", param_name="per_page")
    if "page" in asked and "page_token" in asked:
        return error(400, "AMBIGUITY_DURING_PROCESSING", "page and page_token exclude each other")
    if int(asked.get("page", "1")) * int(asked.get("per_page", _PER_PAGE)) > _BY_PAGE:
        words = "You can only get the first 2000 records without using page_token param"
        return error(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", words, limit=_BY_PAGE)
    if asked.get("page_token") and _untoken(asked["page_token"]) is None:
        return error(400, "INVALID_DATA", "the page token is not one of ours", param_name="page_token")
    return None


def _shown(row: Mapping[str, Any], fields: list[str]) -> dict[str, Any]:
    return {"id": row["id"], **{name: row.get(name) for name in fields}}


def _totoken(state: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(state).encode()).decode()


def _untoken(token: str | None) -> dict[str, Any] | None:
    if not token:
        return None
    try:
        state = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error):
        return None
    return state if isinstance(state, dict) else None


async def _deleted(org: Org, request: Request) -> Response:
    module = org.modules.get(request.path_params["module"])
    since = request.headers.get("If-Modified-Since")
    rows = [] if module is None else module.deleted
    if since:
        rows = [row for row in rows if datetime.fromisoformat(row["deleted_time"]) >= datetime.fromisoformat(since)]
    first = (int(request.query_params.get("page", "1")) - 1) * _PER_PAGE
    page = rows[first : first + _PER_PAGE]
    if not page:
        return Response(status_code=204)
    return answer({"data": page, "info": {"more_records": len(rows) > first + _PER_PAGE}})


async def _count(org: Org, request: Request) -> Response:
    module = org.modules.get(request.path_params["module"])
    return answer({"count": len(module.records) if module else 0})
