"""Salesforce's error bodies → what the caller must do.

Source: developer.salesforce.com REST API guide, errorcodes: a list of {message, errorCode, fields}; a used-up quota is
a 403 REQUEST_LIMIT_EXCEEDED; there is no Retry-After.
"""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.common.http import HttpResponse
from connector.errors import Denied, Exhausted, Misconfigured, Problem, RateLimited, Retry

#: A window of fewer records cures it.
QUERY_TIMEOUT = "QUERY_TIMEOUT"
_AGAIN = (406, 420)
_MISSING = ("INVALID_TYPE", "NOT_FOUND")
_FORBIDDEN = (
    "INSUFFICIENT_ACCESS",
    "INSUFFICIENT_ACCESS_OR_READONLY",
    "API_DISABLED_FOR_ORG",
    "API_CURRENTLY_DISABLED",
)


def error_for(host: str, answer: HttpResponse) -> Problem | None:
    """The problem that an answer is, or None; per-record results are no problem of the call."""
    status = answer.status
    if status < 300 or status == 304:
        return None
    code, message = _error_words(answer)
    if status == 401:
        stale = code in ("INVALID_SESSION_ID", "")
        return Denied("E-CRM-TOKEN" if stale else "E-CRM-PERMISSION", host=host, detail=code)
    if code == "REQUEST_LIMIT_EXCEEDED":
        # The same code tells of too many calls at once and of the day's quota.
        return RateLimited("E-CRM-RATE", host=host) if "Concurrent" in message else Exhausted("E-CRM-QUOTA", host=host)
    if status == 429:
        return RateLimited("E-CRM-RATE", host=host)
    if status >= 500 or status in _AGAIN or code in ("UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"):
        return Retry("E-CRM-DOWN", host=host, status=status)
    if code == QUERY_TIMEOUT:
        return Misconfigured("E-CRM-ANSWER", host=host, detail=QUERY_TIMEOUT)
    if status == 403 or code in _FORBIDDEN:
        return Denied("E-CRM-PERMISSION", host=host, detail=code or f"HTTP {status}")
    if code in _MISSING:
        return Misconfigured("E-CRM-OBJECT", host=host, name="of that name")
    return Misconfigured("E-CRM-ANSWER", host=host, detail=f"{code or 'no code'} (HTTP {status})")


def token_error_for(host: str, answer: HttpResponse) -> Problem | None:
    """The token endpoint's own errors: {"error", "error_description"}; the latter may be missing."""
    if answer.status < 300:
        return None
    if answer.status >= 500 or answer.status == 429:
        return Retry("E-CRM-DOWN", host=host, status=answer.status)
    payload = _json(answer.body)
    detail = (
        str(payload.get("error", f"HTTP {answer.status}")) if isinstance(payload, dict) else f"HTTP {answer.status}"
    )
    return Denied("E-CRM-REVOKED", host=host, detail=detail)


def _error_words(answer: HttpResponse) -> tuple[str, str]:
    """Code and message of the first error; a proxy may answer with anything."""
    payload = _json(answer.body)
    first = payload[0] if isinstance(payload, list) and payload else payload
    if not isinstance(first, dict):
        return "", ""
    return str(first.get("errorCode") or first.get("statusCode") or ""), str(first.get("message") or "")


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
