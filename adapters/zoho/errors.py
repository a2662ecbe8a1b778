"""Zoho's error bodies → what the caller must do.

Source: zoho.com/crm/developer/docs/api/v8/status-codes.html and the OpenAPI 3.1 set; 429 covers credits and
concurrency alike, without Retry-After. An envelope is {"code", "message", "status": "error", "details"}, bare or as
the items of a list.
"""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.common.http import HttpResponse
from connector.errors import Denied, Misconfigured, Problem, RateLimited, Retry

#: Codes that a new access token cures.
_STALE = ("INVALID_TOKEN", "INVALID_OAUTHTOKEN", "AUTHENTICATION_FAILURE")
_FORBIDDEN = ("NO_PERMISSION", "OAUTH_SCOPE_MISMATCH", "AUTHORIZATION_FAILED", "FEATURE_NOT_ENABLED")


def error_for(host: str, answer: HttpResponse) -> Problem | None:
    """The problem that an answer is, or None; per-record results are no problem of the call."""
    status = answer.status
    if status in (200, 201, 202, 204, 207, 304):
        return None
    if status == 429:
        return RateLimited("E-CRM-RATE", host=host)
    if status >= 500:
        return Retry("E-CRM-DOWN", host=host, status=status)
    body = _body(answer)
    if body is None:
        return Retry("E-CRM-GARBLED", host=host)
    if _has_results(body):
        return None
    code = str(body.get("code", "no code"))
    if status == 401:
        return (
            Denied("E-CRM-TOKEN", host=host) if code in _STALE else Denied("E-CRM-PERMISSION", host=host, detail=code)
        )
    if status == 403 or code in _FORBIDDEN:
        return Denied("E-CRM-PERMISSION", host=host, detail=code)
    if code == "INVALID_MODULE":
        return Misconfigured("E-CRM-OBJECT", host=host, name="of that name")
    detail = f"{code} (HTTP {status}){_field_names(body)}"
    return Misconfigured("E-CRM-ANSWER", host=host, detail=detail)


def _body(answer: HttpResponse) -> dict[str, Any] | None:
    try:
        body = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        return None
    return body if isinstance(body, dict) else None


def _has_results(body: dict[str, Any]) -> bool:
    return any(isinstance(body.get(key), list) for key in ("data", "fields", "watch"))


def _field_names(body: dict[str, Any]) -> str:
    """The parameter or field that an error is about: names, never values."""
    details = body.get("details")
    if not isinstance(details, dict):
        return ""
    names = [str(details[key]) for key in ("param_name", "api_name", "limit") if key in details]
    return f" {', '.join(names)}" if names else ""
