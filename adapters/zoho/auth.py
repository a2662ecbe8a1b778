"""Zoho's access tokens: one refresh at a time for all threads and processes of a profile.

Zoho allows ten refreshes of one refresh token in ten minutes and fifteen live access tokens. A throttle comes as HTTP
200 or 400 with "Access Denied". Source: zoho.com/accounts/protocol/oauth, v8 token-validity, Kaizen #43.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from adapters.common.http import Http, HttpResponse, host_of
from adapters.common.tokens import SharedToken
from connector.errors import Denied, Problem, RateLimited, Retry
from connector.ports import Shared


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a connection needs; kept out of every repr."""

    accounts_server: str
    api_domain: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    #: Most credits that our calls may cost in 24 hours; empty: as many as Zoho gives.
    credits_a_day: str = ""


class _Reply(msgspec.Struct):
    access_token: str | None = None
    refresh_token: str | None = None
    api_domain: str | None = None
    scope: str | None = None
    expires_in: int = 3600
    error: str | None = None


class Tokens:
    """The access token of one connection."""

    def __init__(
        self,
        credentials: Credentials,
        shared: Shared,
        http: Http,
        name: str,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._credentials = credentials
        self._http = http
        #: Shared by the processes of a profile.
        self.shared = SharedToken(shared, name, self._renewed, **({"clock": clock} if clock else {}))
        #: What the newest token may do; empty: Zoho did not say.
        self.scopes: frozenset[str] = frozenset()

    def current(self) -> str:
        """A token that is good for a minute at least. Raises Denied when the credentials are refused."""
        return self.shared.current()["token"]

    def _renewed(self, _kept: Mapping[str, str]) -> tuple[dict[str, str], timedelta]:
        reply = self._refresh()
        self.scopes = frozenset((reply.scope or "").replace(",", " ").split())
        return {"token": reply.access_token or ""}, timedelta(seconds=reply.expires_in)

    def _refresh(self) -> _Reply:
        credentials = self._credentials
        form = {
            "refresh_token": credentials.refresh_token,
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "grant_type": "refresh_token",
        }
        return _request_token(self._http, credentials.accounts_server, form, idempotent=True)


def exchanged(server: str, client_id: str, client_secret: str, code: str) -> tuple[str, str]:
    """The refresh token that a grant code is good for, and the API's address ("" where Zoho does not say).

    Raises Denied: the code was used, is older than its three minutes, or belongs to another client or data centre.
    """
    host = host_of(server)
    http = Http({server}, lambda answer: error_for(host, answer), 1)
    form = {"code": code, "client_id": client_id, "client_secret": client_secret, "grant_type": "authorization_code"}
    try:
        # A code can be used once: a lost answer is not asked for again.
        reply = _request_token(http, server, form, idempotent=False)
    except Denied:
        raise Denied("E-GRANT-CODE", host=host) from None
    if not reply.refresh_token:
        raise Denied("E-GRANT-CODE", host=host)
    return reply.refresh_token, reply.api_domain or ""


def _request_token(http: Http, server: str, form: Mapping[str, str], *, idempotent: bool) -> _Reply:
    # In the body: a URL ends up in logs.
    answer = http.call(
        "POST",
        f"{server}/oauth/v2/token",
        headers=lambda: {"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
        idempotent=idempotent,
    )
    return msgspec.json.decode(answer.body, type=_Reply)


def error_for(host: str, answer: HttpResponse) -> Problem | None:
    """The token endpoint's own errors: also HTTP 200 may be one."""
    if answer.status >= 500:
        return Retry("E-CRM-DOWN", host=host, status=answer.status)
    if answer.status == 429:
        return RateLimited("E-CRM-RATE", host=host)
    try:
        reply = msgspec.json.decode(answer.body, type=_Reply)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Retry("E-CRM-GARBLED", host=host)
    if reply.access_token:
        return None
    if (reply.error or "").lower() == "access denied":
        return RateLimited("E-CRM-RATE", host=host, after=30)
    return Denied("E-CRM-REVOKED", host=host, detail=reply.error or f"HTTP {answer.status}")
