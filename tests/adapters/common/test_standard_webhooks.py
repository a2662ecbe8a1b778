"""Calls from outside: verified over the raw bytes, or refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.common import standard_webhooks
from adapters.zoho import hook
from connector.errors import Untrusted

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"type": "payment.received", "data": {"account": "K1", "record": "5", "object": "Payments"}}'


def signed(body: bytes = BODY, stamp: int = STAMP, secret: str = SECRET) -> dict[str, str]:
    signature = standard_webhooks.sign(secret, "msg_1", stamp, body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(stamp), "webhook-signature": signature}


def test_a_signed_call_names_account_and_record() -> None:
    heard = standard_webhooks.verify(signed(), BODY, [SECRET], NOW)

    event = heard.events[0]
    assert (event.event_id, event.accounts, event.object, event.records) == ("msg_1", ("K1",), "Payments", ("5",))


def test_the_specification_s_own_example_has_its_signature() -> None:
    """Source: standard-webhooks, libraries' test vector."""
    body = b'{"test": 2432232314}'

    text = standard_webhooks.sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert text == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_key_is_rotated_the_old_and_the_new_one_count() -> None:
    both = signed()
    both["webhook-signature"] = f"v1,AAAA {standard_webhooks.sign('new', 'msg_1', STAMP, BODY)} v2,x"

    assert standard_webhooks.verify(both, BODY, [SECRET, "new"], NOW).events
    assert standard_webhooks.verify(signed(), BODY, ["new", SECRET], NOW).events
    with pytest.raises(Untrusted):
        standard_webhooks.verify(signed(), BODY, ["new"], NOW)


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, BODY, "E-HOOK-HEADERS"),
        (signed() | {"webhook-timestamp": "yesterday"}, BODY, "E-HOOK-HEADERS"),
        (signed() | {"webhook-id": ""}, BODY, "E-HOOK-HEADERS"),
        (signed() | {"webhook-signature": "v1"}, BODY, "E-HOOK-SECRET"),
        (signed() | {"webhook-signature": "v1,ä"}, BODY, "E-HOOK-SECRET"),
        (signed(), BODY + b" ", "E-HOOK-SECRET"),
        (signed() | {"webhook-id": "msg_2"}, BODY, "E-HOOK-SECRET"),
        (signed(stamp=STAMP - 301), BODY, "E-HOOK-TIME"),
        (signed(stamp=STAMP + 301), BODY, "E-HOOK-TIME"),
        (signed(b"[]"), b"[]", "E-HOOK-GARBLED"),
        (signed(b"\xff"), b"\xff", "E-HOOK-GARBLED"),
        (signed(b'{"data": {}}'), b'{"data": {}}', "E-HOOK-GARBLED"),
    ],
)
def test_a_forged_old_or_garbled_call_is_refused(headers: dict[str, str], body: bytes, code: str) -> None:
    with pytest.raises(Untrusted) as caught:
        standard_webhooks.verify(headers, body, [SECRET], NOW)
    assert caught.value.code == code
    assert SECRET not in str(caught.value)


TOLD: dict[str, Any] = {
    "server_time": 1772366400000,
    "module": "Invoices",
    "operation": "edit",
    "ids": ["5000000000000002", "5000000000000001"],
    "channel_id": "1000000068001",
    "token": "tok-1",
    "resource_uri": "https://www.zohoapis.com/crm/v8/Invoices",
}


def zoho(**changed: Any) -> bytes:
    return json.dumps({**TOLD, **changed}).encode()


def test_a_notification_of_zoho_names_its_records_and_repeats_under_one_id() -> None:
    one, again = hook.verify({}, zoho(), ["tok-1"]), hook.verify({}, zoho(ids=TOLD["ids"][::-1]), ["old", "tok-1"])
    other = hook.verify({}, zoho(server_time=1772366400001, operation="delete"), ["tok-1"])

    assert one == again
    assert one.events[0].records == ("5000000000000001", "5000000000000002")
    assert (one.events[0].op, other.events[0].op) == ("update", "delete")
    assert one.events[0].event_id != other.events[0].event_id
    assert hook.verify({}, zoho(ids=["1) or (1=1"]), ["tok-1"]).events == ()


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", zoho(token="tok-2"), zoho(token=None), zoho(ids="5"), zoho(module=7)]
)
def test_a_notification_without_the_token_or_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(Untrusted):
        hook.verify({}, body, ["tok-1"])
