"""Notification channels: a POST for every change of a record, with the channel's token and no signature.

Source: zoho.com/crm/developer/docs/api/v8/notifications/overview.html: a week at most, one hour by default. Whether a
delivery that failed is repeated is not documented: here it is not.
"""

from __future__ import annotations

import itertools
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
import requests
from starlette.requests import Request
from starlette.responses import Response

from adapters.zoho.simulator.org import Channel, Org
from adapters.zoho.simulator.reply import answer, body_of

_LONGEST = timedelta(days=7)
_KEYS = itertools.count(1)
_NAMES = {"insert": "create", "update": "edit", "delete": "delete"}


async def subscribe(org: Org, request: Request) -> Response:
    """New channels, or the same ones for longer."""
    told = (await body_of(request)).get("watch") or []
    results = [_taken(org, item) for item in told]
    good = sum(result["status"] == "success" for result in results)
    org.tell = lambda module, record, operation: _notify(org, module, record, operation)
    return answer({"watch": results}, 201 if good == len(results) else 207 if good else 400)


async def channels(org: Org, request: Request) -> Response:  # noqa: ARG001
    """The channels that live; 204 where there is none. Source: v8 notifications/get-details."""
    rows = [{"channel_id": item.channel_id, "notify_url": item.notify_url} for item in org.channels.values()]
    return answer({"watch": rows}) if rows else Response(status_code=204)


def _taken(org: Org, item: dict[str, Any]) -> dict[str, Any]:
    try:
        expiry = datetime.fromisoformat(str(item.get("channel_expiry")))
    except ValueError:
        expiry = org.now() + timedelta(hours=1)
    if expiry > org.now() + _LONGEST or len(str(item.get("token") or "")) > 50:
        wrong = {"api_name": "token" if len(str(item.get("token") or "")) > 50 else "channel_expiry"}
        return {"code": "INVALID_DATA", "details": wrong, "message": "invalid data", "status": "error"}
    channel = Channel(
        str(item["channel_id"]),
        tuple(str(name) for name in item.get("events") or ()),
        str(item.get("token") or ""),
        str(item["notify_url"]),
        expiry,
    )
    org.channels[channel.channel_id] = channel
    return {
        "code": "SUCCESS",
        "details": {"channel_id": channel.channel_id},
        "message": "subscribed",
        "status": "success",
    }


def _notify(org: Org, module: str, record: str, operation: str) -> None:
    for channel in list(org.channels.values()):
        names = {f"{module}.all", f"{module}.{_NAMES[operation]}"}
        if channel.expiry > org.now() and names & set(channel.events):
            document = {
                "server_time": round(org.now().timestamp() * 1000),
                "module": module,
                "operation": operation,
                "ids": [record],
                "channel_id": channel.channel_id,
                "token": channel.token,
                "query_params": {},
                "resource_uri": f"/crm/v8/{module}",
            }
            key = next(_KEYS)
            org.notified[key] = None
            call = (org, key, channel.notify_url, msgspec.json.encode(document))
            threading.Thread(target=_post, args=call, daemon=True).start()


def _post(org: Org, key: int, url: str, body: bytes) -> None:
    status = 0
    with suppress(requests.RequestException):
        status = requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=30).status_code
    org.notified[key] = status
