"""Our own event format: Standard Webhooks v1, for systems that can sign.

Headers webhook-id, webhook-timestamp, webhook-signature (`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`;
several with spaces between while a key is rotated). Body: {"type": "payment.received", "data": {"account": id or
number, "record": id, optional, "object": optional}}. Source: github.com/standard-webhooks/standard-webhooks, spec.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from adapters.common.signatures import any_match
from connector.errors import Untrusted
from connector.ports import Event, VerifiedCall

#: Seconds that a call may be old, or ahead.
TOLERANCE_S = 300
_PREFIX = "whsec_"


def is_ours(headers: Mapping[str, str]) -> bool:
    """Whether a call claims to be of this format."""
    return "webhook-id" in headers or "webhook-signature" in headers


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> VerifiedCall:
    """The accounts and records that a signed call names. Raises Untrusted."""
    key, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    try:
        age = now.timestamp() - int(stamp)
    except ValueError:
        raise Untrusted("E-HOOK-HEADERS") from None
    if not key or len(key) > 200:
        raise Untrusted("E-HOOK-HEADERS")
    bodies = [part[3:].encode() for part in headers.get("webhook-signature", "").split() if part.startswith("v1,")]
    expected = [sign(secret, key, int(stamp), body).removeprefix("v1,").encode() for secret in secrets]
    if not any_match(bodies, expected):
        raise Untrusted("E-HOOK-SECRET")
    if abs(age) > TOLERANCE_S:
        raise Untrusted("E-HOOK-TIME")
    try:
        payload: Any = msgspec.json.decode(body)
        data = payload["data"]
        account, record, object_ = (str(data.get(name) or "") for name in ("account", "record", "object"))
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        raise Untrusted("E-HOOK-GARBLED") from None
    if not account and not record:
        raise Untrusted("E-HOOK-GARBLED")
    records = (record,) if record and object_ else ()
    return VerifiedCall((Event(key, object_, records, (account,) if account else (), "unknown"),))


def sign(secret: str, key: str, stamp: int, body: bytes) -> str:
    """The header webhook-signature of a call."""
    digest = hmac.new(_key(secret), f"{key}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    """A secret's bytes: base64 after `whsec_`, any other text as it is."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()
