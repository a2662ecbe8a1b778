"""Calls of a system to us: verified over their raw bytes as the connector file says."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from adapters.common.signatures import any_match
from adapters.declarative import rows, select
from adapters.declarative.auth import Proof
from adapters.declarative.connector import Hook, Verify
from adapters.declarative.wire import Wire
from connector.errors import Untrusted
from connector.ports import UNNAMED_EVENT, Event, VerifiedCall

_LONGEST_KEY = 200


def verify(
    hook: Hook, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime | None = None
) -> VerifiedCall:
    """The events of a call. Raises Untrusted."""
    document = _decoded(body)
    _verify(hook.verify, headers, body, document, secrets, now or datetime.now(UTC))
    listed = select.every(hook.rows, document)
    if hook.rows == "$" and isinstance(document, list):
        listed = document
    message = headers.get(hook.key_header.lower()) if hook.key_header else None
    digest = hashlib.sha256(body).hexdigest()[:32]
    events = []
    for number, row in enumerate(listed):
        own = rows.text(select.first(hook.key, row)) if hook.key else None
        key = own or (f"{message}-{number}" if message else f"{UNNAMED_EVENT}{digest}-{number}")
        events.append(_event(hook, row, key[:_LONGEST_KEY]))
    return VerifiedCall(tuple(event for event in events if event.records or event.accounts), hook.verify.kind == "hmac")


def subscribe(
    hook: Hook, wire: Wire, proof: Proof, url: str, secret: str, objects: Sequence[str], now: datetime
) -> datetime:
    """One subscription an object; until when. Where the file knows no call for it, a person does it."""
    if hook.subscribe is not None:
        for name in objects:
            proof.ask(hook.subscribe, wire.given(url=url, secret=secret, object=name))
    return now + timedelta(seconds=hook.lives_s)


def _event(hook: Hook, row: Any, key: str) -> Event:
    record = rows.text(select.first(hook.id, row))
    message = rows.text(select.first(hook.object_at, row)) if hook.object_at else None
    named = message or hook.object
    account = rows.text(select.first(hook.account, row)) if hook.account else None
    done = rows.text(select.first(hook.operation, row)) if hook.operation else None
    object_ = hook.objects.get(named, named)
    records = (record,) if record and object_ else ()
    return Event(key, object_, records, (account,) if account else (), hook.operations.get(done or "", "unknown"))


def _verify(
    verify: Verify, headers: Mapping[str, str], body: bytes, document: Any, secrets: Sequence[str], now: datetime
) -> None:
    header = headers.get(verify.header.lower()) if verify.header else None
    if verify.kind == "token":
        text = header if verify.header else rows.text(select.first(verify.body, document)) if verify.body else None
        text = (text or "").removeprefix(verify.prefix)
        if not text or not any_match([text.encode()], (secret.encode() for secret in secrets)):
            raise Untrusted("E-HOOK-SECRET")
        return
    if not header or not header.startswith(verify.prefix):
        raise Untrusted("E-HOOK-HEADERS")
    stamp = headers.get(verify.timestamp.lower(), "") if verify.timestamp else ""
    mac = _mac(verify, header.removeprefix(verify.prefix))
    payload = _payload(verify, body, stamp)
    bodies = [hmac.new(secret.encode(), payload, getattr(hashlib, verify.algorithm)).digest() for secret in secrets]
    if not any_match([mac], bodies):
        raise Untrusted("E-HOOK-SECRET")
    if verify.timestamp:
        _check_age(stamp, verify.tolerance_s, now)


def _check_age(stamp: str, tolerance_s: int, now: datetime) -> None:
    if not (stamp.isascii() and stamp.isdigit()):
        raise Untrusted("E-HOOK-HEADERS")
    if abs(now.timestamp() - int(stamp)) > tolerance_s:
        raise Untrusted("E-HOOK-TIME")


def _payload(verify: Verify, body: bytes, stamp: str) -> bytes:
    before, _, after = verify.payload.partition("{body}")
    return before.replace("{timestamp}", stamp).encode() + body + after.replace("{timestamp}", stamp).encode()


def _mac(verify: Verify, text: str) -> bytes:
    try:
        body = bytes.fromhex(text) if verify.encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Untrusted("E-HOOK-SECRET") from None
    return body.partition(verify.after.encode())[2] if verify.after else body


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Untrusted("E-HOOK-GARBLED") from None
