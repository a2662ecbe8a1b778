"""The control of a simulated org, behind a random token.

GET ledger, records/{object}; POST change and delete (object, id, set), faults (status, times, writes), lies
(kind, times, skip, field), clock (advance_s), revoke.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.salesforce.simulator.org import Org

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def routes(org: Org) -> list[Route]:
    """The control's routes; a wrong token is a 404, as for any unknown path."""
    base = f"/control/{org.control_token}"
    return [
        Route(f"{base}/ledger", _get(lambda _: {"calls": org.calls, "credits": sum(org.calls.values())})),
        Route(f"{base}/records/{{object}}", _get(lambda request: _records(org, request))),
        Route(f"{base}/{{action}}", _post(org), methods=["POST"]),
    ]


def _get(told: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        return Response(_encode(told(request)), media_type="application/json")

    return call


def _post(org: Org) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        document = _acted(org, request.path_params["action"], _decode(await request.body() or b"{}"))
        return Response(_encode(document), media_type="application/json")

    return call


def _records(org: Org, request: Request) -> dict[str, Any]:
    table = org.tables.get(request.path_params["object"])
    return {"records": list(table.records.values()) if table else []}


def _acted(org: Org, action: str, told: Mapping[str, Any]) -> dict[str, Any]:
    match action:
        case "clock":
            org.ahead_s += float(told.get("advance_s", 0))
        case "faults":
            org.faults.order(int(told["status"]), int(told.get("times", 1)), writes=bool(told.get("writes")))
        case "lies":
            org.lies.order(told)
        case "change":
            org.change(str(told["object"]), str(told["id"]), dict(told.get("set") or {}))
        case "delete":
            org.delete(str(told["object"]), str(told["id"]))
        case "revoke":
            org.tokens.clear()
            org.revoked = not told.get("tokens_only")
        case _:
            return {"error": "clock, faults, lies, change, delete or revoke"}
    return {"now": org.stamp()}
