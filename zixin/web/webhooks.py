"""The door: calls from CRMs and other systems are verified over their raw bytes, committed, and only then answered.

A plain Starlette application. Whoever cannot prove who he is gets a 401 with the code of what was wrong, and no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connector.errors import Problem, Untrusted
from zixin.services import metrics
from zixin.services.intake import Intake, Ready

#: Largest body that is read; events name records and carry none.
MOST_BYTES = 256 * 1024
#: Header of a bare token, for formats that have none of their own.
TOKEN = "x-zixin-token"  # noqa: S105


def application(
    intake: Intake, ready: Callable[[], Ready], clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Starlette:
    """The routes: POST /hooks/{connection} and /hooks/{connection}/{secret}, GET /healthz, GET /readyz."""

    async def hooks(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            metrics.REFUSED.labels("too_large").inc()
            return JSONResponse({"error": "E-HOOK-SIZE"}, 413)
        try:
            taken = intake.take(request.path_params["connection"], _headers(request), body, clock())
        except Untrusted as problem:
            return JSONResponse({"error": problem.code}, 401)
        try:
            fresh = await asyncio.wrap_future(taken.fresh)
        except Problem as problem:
            # Not committed, not acknowledged: the sender tries again.
            return JSONResponse({"error": problem.code}, 503, headers={"Retry-After": "5"})
        intake.committed(taken, fresh)
        return Response(taken.call.reply, 200, media_type=taken.call.media_type)

    async def healthz(request: Request) -> Response:
        if "deep" not in request.query_params:
            return Response("ok\n", media_type="text/plain")
        result = await asyncio.to_thread(ready)
        return JSONResponse(asdict(result), 200 if result.works else 503)

    async def readyz(request: Request) -> Response:  # noqa: ARG001
        result = await asyncio.to_thread(ready)
        return JSONResponse(asdict(result), 200 if result.ready else 503)

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
    result = {key.lower(): value for key, value in request.headers.items()}
    secret = request.path_params.get("secret")
    return result if secret is None else {**result, TOKEN: str(secret)}


async def _body(request: Request) -> bytes | None:
    """The raw body; None: it is larger than anybody's event."""
    message = request.headers.get("content-length", "0")
    if message.isdigit() and int(message) > MOST_BYTES:
        return None
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)
