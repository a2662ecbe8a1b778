"""Calls of Salesforce to us: Outbound Messages (SOAP) and Flow callouts (JSON).

An Outbound Message is neither signed nor carries a session any more: its secret is the last part of the path, which the
door turns into the token's header; the organisation is checked, and what it names is read again by id. Source: Outbound
Message guide: an Ack of true, else it is sent again for 24 hours; up to 100 notifications; SessionId is empty since
February 2026 (help 005232763). A Flow callout is signed over its body, or a bare token as Zoho's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from adapters.common.signatures import any_match
from adapters.salesforce.wire import is_id
from connector.errors import Untrusted
from connector.ports import UNNAMED_EVENT, Event, VerifiedCall

_OUT = "{http://soap.sforce.com/2005/09/outbound}"
_OBJECT = "{urn:sobject.enterprise.soap.sforce.com}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_ACK = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    '<soapenv:Body><notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    "</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)
SIGNATURE, TOKEN = "x-zixin-signature", "x-zixin-token"


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], organisation: str) -> VerifiedCall:
    """The records that a call names. Raises Untrusted."""
    signed = _trusted(headers, body, secrets)
    if body.lstrip()[:1] == b"<":
        return _outbound(body, organisation, signed=signed)
    return _callout(body, signed=signed)


def _trusted(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    """Whether it is signed; a bare token is not."""
    signature, token = headers.get(SIGNATURE, ""), headers.get(TOKEN, "")
    if signature:
        bodies = [hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode() for secret in secrets]
    else:
        bodies = [secret.encode() for secret in secrets]
    if not any_match([(signature or token).encode()], bodies):
        raise Untrusted("E-HOOK-SECRET" if signature or token else "E-HOOK-HEADERS")
    return bool(signature)


def _outbound(body: bytes, organisation: str, *, signed: bool) -> VerifiedCall:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise Untrusted("E-HOOK-GARBLED") from None
    element = root.find(f".//{_OUT}OrganizationId")
    # Fifteen characters are the same in the short and the long form of an id.
    if element is None or not organisation or (element.text or "")[:15] != organisation[:15]:
        raise Untrusted("E-HOOK-SECRET")
    events = []
    for notification in root.iter(f"{_OUT}Notification"):
        key, record = notification.find(f"{_OUT}Id"), notification.find(f"{_OUT}sObject")
        if key is None or record is None:
            raise Untrusted("E-HOOK-GARBLED")
        named = record.find(f"{_OBJECT}Id")
        kind = record.get(_TYPE, "").rpartition(":")[2]
        if named is None or not is_id(named.text) or not kind:
            raise Untrusted("E-HOOK-GARBLED")
        events.append(Event(str(key.text), kind, (str(named.text),)))
    return VerifiedCall(tuple(events), signed, _ACK.encode(), "text/xml")


def _callout(body: bytes, *, signed: bool) -> VerifiedCall:
    try:
        payload: Any = msgspec.json.decode(body)
        rows = payload if isinstance(payload, list) else [payload]
        pairs = [(str(row["object"]), str(row["id"]), str(row.get("event") or "")) for row in rows]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        raise Untrusted("E-HOOK-GARBLED") from None
    if not all(is_id(record) for _, record, _ in pairs):
        raise Untrusted("E-HOOK-GARBLED")
    digest = hashlib.sha256(body).hexdigest()[:32]
    events = [
        Event(key or f"{UNNAMED_EVENT}{digest}-{n}", name, (record,)) for n, (name, record, key) in enumerate(pairs)
    ]
    return VerifiedCall(tuple(events), signed)
