"""The door: calls from CRMs and other systems are verified over their raw bytes, committed, and only then answered.

A plain Starlette application. Whoever cannot prove who he is gets a 401 with the code of what was wrong, and no more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters import webhooks
from connector.errors import Problem, Untrusted
from connector.ports import Heard
from sync.inbox import Clerk
from sync.link import micros
from zixin.services import metrics

#: Largest body that is read; events name records and carry none.
MOST_BYTES = 256 * 1024
#: Calls with a bare token that are worked on in an hour; what comes beyond waits for the next one.
TOKEN_CALLS_AN_HOUR = 100
_HOUR_S = 3_600
#: Header of a bare token, for formats that have none of their own.
TOKEN = "x-zixin-token"  # noqa: S105


@dataclass(slots=True)
class Bell:
    """One connection as the door knows it."""

    name: str
    #: Secrets that count now, the newest first.
    secrets: Sequence[str]
    #: The CRM's own format; None: it has none.
    hear: Callable[[Mapping[str, str], bytes, Sequence[str]], Heard] | None
    #: Instants of calls with a bare token within the hour.
    tokens: deque[float] = field(default_factory=deque)

    def not_before(self, now: float) -> float:
        """When a call with a bare token is worked on; 0: at once."""
        while self.tokens and self.tokens[0] <= now - _HOUR_S:
            self.tokens.popleft()
        self.tokens.append(now)
        return 0.0 if len(self.tokens) <= TOKEN_CALLS_AN_HOUR else now + _HOUR_S


def application(
    bells: Mapping[str, Bell],
    clerk: Clerk,
    wake: Callable[[], None],
    ready: Callable[[], dict[str, Any]],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Starlette:
    """The routes: POST /hooks/{connection} and /hooks/{connection}/{secret}, GET /healthz, GET /readyz.

    `wake` is called after new events.
    """

    async def hooks(request: Request) -> Response:
        bell = bells.get(request.path_params["connection"])
        body = await _body(request)
        if body is None:
            metrics.REFUSED.labels("too_large").inc()
            return JSONResponse({"error": "E-HOOK-SIZE"}, 413)
        if bell is None:
            return JSONResponse({"error": "E-HOOK-SECRET"}, 401)
        now = clock()
        try:
            heard = _heard(bell, _headers(request), body, now)
        except Untrusted as problem:
            metrics.REFUSED.labels(problem.code).inc()
            return JSONResponse({"error": problem.code}, 401)
        later = 0.0 if heard.signed else bell.not_before(now.timestamp())
        done = clerk.hand_in(bell.name, heard.events, micros(now), round(later * 1_000_000))
        try:
            fresh = await asyncio.wrap_future(done)
        except Problem as problem:
            # Not committed, not acknowledged: the sender tries again.
            return JSONResponse({"error": problem.code}, 503, headers={"Retry-After": "5"})
        metrics.ACCEPTED.inc(fresh)
        metrics.REPEATED.inc(len(heard.events) - fresh)
        if fresh:
            wake()
        return Response(heard.reply, 200, media_type=heard.media_type)

    async def healthz(request: Request) -> Response:  # noqa: ARG001
        return Response("ok\n", media_type="text/plain")

    async def readyz(request: Request) -> Response:  # noqa: ARG001
        told = await asyncio.to_thread(ready)
        return JSONResponse(told, 200 if told["ready"] else 503)

    return Starlette(
        routes=[
            Route("/hooks/{connection}", hooks, methods=["POST"]),
            # For callers that can set no header: the secret in the path, which no access log of ours keeps.
            Route("/hooks/{connection}/{secret}", hooks, methods=["POST"]),
            Route("/healthz", healthz, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
        ]
    )


def _headers(request: Request) -> dict[str, str]:
    """Headers in lower case; a secret in the path stands for the token's header."""
    made = {key.lower(): value for key, value in request.headers.items()}
    secret = request.path_params.get("secret")
    return made if secret is None else {**made, TOKEN: str(secret)}


def _heard(bell: Bell, headers: Mapping[str, str], body: bytes, now: datetime) -> Heard:
    if webhooks.is_ours(headers):
        return webhooks.hear(headers, body, bell.secrets, now)
    if bell.hear is None:
        raise Untrusted("E-HOOK-HEADERS")
    return bell.hear(headers, body, bell.secrets)


async def _body(request: Request) -> bytes | None:
    """The raw body; None: it is larger than anybody's event."""
    told = request.headers.get("content-length", "0")
    if told.isdigit() and int(told) > MOST_BYTES:
        return None
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)
