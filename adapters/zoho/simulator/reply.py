"""Answers in Zoho's form."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.zoho.simulator.org import Org, number

_decode = msgspec.json.Decoder(float_hook=number).decode


def org_of(request: Request) -> Org:
    """The organisation that a server simulates."""
    org: Org = request.app.state.org
    return org


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a call; empty when there is none."""
    try:
        body = _decode(await request.body())
    except msgspec.DecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def answer(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def error(status: int, code: str, message: str, **details: Any) -> Response:
    """Zoho's envelope of an error."""
    return answer({"code": code, "details": details, "message": message, "status": "error"}, status)


def dated(org: Org, response: Response) -> Response:
    """The answer with the organisation's clock in its Date header."""
    response.headers["Date"] = format_datetime(org.now(), usegmt=True)
    return response
