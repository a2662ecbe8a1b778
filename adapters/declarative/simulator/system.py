"""What the simulated REST systems have in common: records, a clock, a ledger of calls, faults, and a control."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.declarative.wire import exact_json
from adapters.simulation.faults import CUT, TRICKLE, Faults, broken
from adapters.simulation.lies import Lies


@dataclass(slots=True)
class System:
    """One simulated system."""

    currency: str
    #: Object → id → record; amounts are Decimals.
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    #: Object → fields: name → {label, type, options}.
    fields: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    #: Key of a record under which it says when it changed.
    stamped: str = "modified_at"
    stamp_form: Callable[[datetime], str] = lambda at: at.isoformat(timespec="microseconds")
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    ahead_s: float = 0.0
    #: Most records that a list hands out at once, whatever it is asked for.
    most: int = 1_000
    faults: Faults = field(default_factory=Faults)
    lies: Lies = field(default_factory=Lies)
    calls: dict[str, int] = field(default_factory=dict)
    #: Record → words of a rule about fields that are not ours.
    rules: dict[str, list[str]] = field(default_factory=dict)
    #: What was deleted: object → id → when.
    gone: dict[str, dict[str, datetime]] = field(default_factory=dict)

    def now(self) -> datetime:
        """The system's clock."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def put(self, name: str, record: str, values: Mapping[str, Any]) -> None:
        """A new or changed record; its modified time moves."""
        stored = self.objects.setdefault(name, {})
        stored[record] = {**stored.get(record, {}), **values, self.stamped: self.stamp_form(self.now())}

    def drop(self, name: str, record: str) -> None:
        """Delete a record."""
        del self.objects[name][record]
        self.gone.setdefault(name, {})[record] = self.now()


Answering = Callable[[Request], Awaitable[Response]]


def reply(system: System, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON, amounts with their digits, with the system's clock in Date."""
    stamp = system.now().strftime("%a, %d %b %Y %H:%M:%S GMT")
    return Response(exact_json(body), status, {"Date": stamp, **(headers or {})}, media_type="application/json")


def guarded(system: System, answer: Answering, *, writes: bool, api: str) -> Answering:
    """Counts the call and lets a fault meet it; a write whose answer is lost has happened."""

    async def call(request: Request) -> Response:
        system.calls[api] = system.calls.get(api, 0) + 1
        lie = system.lies.of_write() if writes else None
        if lie is not None:
            told, lost = lie
            if not lost:
                await answer(request)
            return told
        fault = system.faults.met(writes=writes)
        if fault is None:
            told = await answer(request)
            return system.lies.told(told, request.url.path) if api == "list" else told
        if fault.status in (CUT, TRICKLE):
            return broken(await answer(request), fault.status)
        return reply(system, {"error": "try again"}, fault.status)

    return call


def route(system: System, path: str, answer: Answering, method: str, api: str, *, writes: bool = False) -> Route:
    """A counted route that faults may meet."""
    return Route(path, guarded(system, answer, writes=writes, api=api), methods=[method])


def application(system: System, routes: list[Route]) -> Starlette:
    """The system's routes and its control, behind a random token."""
    base = f"/control/{system.control_token}"

    async def ledger(request: Request) -> Response:  # noqa: ARG001
        return JSONResponse({"calls": system.calls, "credits": sum(system.calls.values())})

    async def records(request: Request) -> Response:
        rows = list(system.objects.get(request.path_params["object"], {}).values())
        return Response(exact_json({"records": rows}), media_type="application/json")

    async def act(request: Request) -> Response:
        return JSONResponse(_act(system, request.path_params["action"], json.loads(await request.body())))

    control = [
        Route(f"{base}/ledger", ledger),
        Route(f"{base}/records/{{object}}", records),
        Route(f"{base}/{{action}}", act, methods=["POST"]),
    ]
    starlette = Starlette(routes=[*control, *routes])
    starlette.state.system = system
    return starlette


def _act(system: System, action: str, told: Mapping[str, Any]) -> dict[str, Any]:
    match action:
        case "clock":
            system.ahead_s += float(told.get("advance_s", 0))
        case "faults":
            system.faults.order(int(told["status"]), int(told.get("times", 1)), writes=bool(told.get("writes")))
        case "lies":
            system.lies.order(told)
        case "change":
            system.put(str(told["object"]), str(told["id"]), dict(told.get("set") or {}))
        case "delete":
            system.drop(str(told["object"]), str(told["id"]))
        case _:
            return {"error": "clock, faults, lies, change or delete"}
    return {"now": system.now().isoformat()}


def amount(value: Any) -> Any:
    """A Decimal of a JSON number that was parsed as text, for records that are kept."""
    return Decimal(value) if isinstance(value, str) else value
