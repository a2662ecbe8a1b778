"""Zoho's notifications: a JSON body with the channel's token, no signature and no id of the delivery.

Source: zoho.com/crm/developer/docs/api/v8/notifications/overview.html. `operation` is insert, update, delete in some of
its samples and create, edit in others: both are understood.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from adapters.common.signatures import any_match
from connector.errors import Misconfigured, Untrusted
from connector.ports import Event, Op, VerifiedCall

_OPS: dict[str, Op] = {
    "insert": "create",
    "create": "create",
    "update": "update",
    "edit": "update",
    "delete": "delete",
}


#: A channel lives a week at most. Source: notifications/overview, channel_expiry.
LIFE = timedelta(days=6, hours=23)
#: One channel an address; the same number renews it.
_CHANNEL = 10**12


def channel(url: str, secret: str, objects: Sequence[str], until: datetime) -> dict[str, Any]:
    """The body of a subscription to everything that happens to these modules."""
    number = _CHANNEL + int(hashlib.sha256(url.encode()).hexdigest()[:8], 16)
    return {
        "watch": [
            {
                "channel_id": str(number),
                "events": [f"{name}.all" for name in objects],
                "token": secret,
                "channel_expiry": until.isoformat(timespec="seconds"),
                "notify_url": url,
                "return_affected_field_values": False,
                "notify_on_related_action": False,
            }
        ]
    }


def check(host: str, results: Sequence[Mapping[str, Any]]) -> None:
    """Raises Misconfigured unless every channel was taken."""
    for result in results:
        if result.get("status") != "success":
            raise Misconfigured("E-CRM-ANSWER", host=host, detail=f"watch: {result.get('code')}")


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> VerifiedCall:  # noqa: ARG001
    """The records that a notification names. Raises Untrusted: no token of ours, or no notification at all."""
    try:
        payload: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Untrusted("E-HOOK-GARBLED") from None
    if not isinstance(payload, dict):
        raise Untrusted("E-HOOK-GARBLED")
    token = str(payload.get("token") or "")
    if not any_match([token.encode()], (secret.encode() for secret in secrets)):
        raise Untrusted("E-HOOK-SECRET")
    module, ids = payload.get("module"), payload.get("ids")
    if not isinstance(module, str) or not isinstance(ids, list):
        raise Untrusted("E-HOOK-GARBLED")
    records = tuple(sorted({str(item) for item in ids if str(item).isdigit()}))
    op: Op = _OPS.get(str(payload.get("operation")), "unknown")
    # The same delivery sent twice has the same moment, module and records.
    named = f"{payload.get('channel_id')}|{module}|{op}|{payload.get('server_time')}|{','.join(records)}"
    event = Event(hashlib.sha256(named.encode()).hexdigest()[:32], module, records, (), op)
    return VerifiedCall((event,) if records else (), signed=False)
