"""Calls of systems to us: verified as their connector file says, and refused otherwise."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.declarative import hook
from adapters.declarative.connector import Hook
from connector.errors import Untrusted
from connector.ports import UNNAMED_EVENT

SECRET = "a secret"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
BODY = json.dumps({"events": [{"id": "7", "doctype": "Sales Invoice", "event": "on_trash"}, {"id": "8"}]}).encode()
ROWS = {"rows": "$.events[*]", "object_at": "$.doctype", "object": "Payment", "objects": {"Sales Invoice": "invoices"}}


def made(verify: dict[str, Any], **more: Any) -> Hook:
    return Hook.model_validate({"verify": verify, **ROWS, **more})


def mac(payload: bytes, algorithm: Any = hashlib.sha256) -> bytes:
    return hmac.new(SECRET.encode(), payload, algorithm).digest()


WAYS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "hex": ({"kind": "hmac", "header": "X-Sig", "prefix": "sha256="}, {"x-sig": f"sha256={mac(BODY).hex()}"}),
    "base64": (
        {"kind": "hmac", "header": "X-Sig", "encoding": "base64"},
        {"x-sig": base64.b64encode(mac(BODY)).decode()},
    ),
    "with an id before it": (
        {"kind": "hmac", "header": "X-Sig", "encoding": "base64", "after": ":"},
        {"x-sig": base64.b64encode(b"w1:" + mac(BODY)).decode()},
    ),
    "with its time": (
        {"kind": "hmac", "header": "X-Sig", "timestamp": "X-At", "payload": "{timestamp}.{body}"},
        {"x-sig": mac(f"{int(NOW.timestamp())}.".encode() + BODY).hex(), "x-at": str(int(NOW.timestamp()))},
    ),
    "sha1": ({"kind": "hmac", "header": "X-Sig", "algorithm": "sha1"}, {"x-sig": mac(BODY, hashlib.sha1).hex()}),
    "a token": ({"kind": "token", "header": "X-Token", "prefix": "Bearer "}, {"x-token": f"Bearer {SECRET}"}),
}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_true_call_is_heard_and_a_changed_one_is_not(way: str) -> None:
    verify, headers = WAYS[way]
    heard = hook.verify(made(verify), headers, BODY, ["older", SECRET], NOW)

    assert [event.records for event in heard.events] == [("7",), ("8",)]
    assert heard.signed == (verify["kind"] == "hmac")
    name = next(iter(headers))
    forged = [headers | {name: headers[name][:-2] + "00"}, {}, headers | {name: "ä"}, headers | {name: ""}]
    for wrong in forged:
        with pytest.raises(Untrusted):
            hook.verify(made(verify), wrong, BODY, [SECRET], NOW)
    with pytest.raises(Untrusted):
        hook.verify(made(verify), headers, b"not json", [SECRET], NOW)


def test_an_old_call_is_refused_and_a_strange_time_too() -> None:
    verify, headers = WAYS["with its time"]
    with pytest.raises(Untrusted):
        hook.verify(made(verify), headers, BODY, [SECRET], datetime(2026, 3, 2, tzinfo=UTC))
    odd = {"x-at": "soon", "x-sig": mac(b"soon." + BODY).hex()}
    with pytest.raises(Untrusted):
        hook.verify(made(verify), odd, BODY, [SECRET], NOW)


def test_what_a_call_names_and_under_which_key() -> None:
    verify, headers = WAYS["hex"]
    more = {"operation": "$.event", "operations": {"on_trash": "delete"}, "key_header": "X-Id", "account": "$.customer"}
    first, second = hook.verify(made(verify, **more), headers | {"x-id": "e9"}, BODY, [SECRET], NOW).events

    assert (first.event_id, first.object, first.records, first.op) == ("e9-0", "invoices", ("7",), "delete")
    assert (second.event_id, second.object, second.op) == ("e9-1", "Payment", "unknown")
    again = hook.verify(made(verify), headers, BODY, [SECRET], NOW).events
    # Without an id of the call, the words alone do not tell a repetition from the next time.
    assert all(each.event_id.startswith(UNNAMED_EVENT) for each in again)
    assert [each.event_id for each in again] == [
        each.event_id for each in hook.verify(made(verify), headers, BODY, [SECRET], NOW).events
    ]
