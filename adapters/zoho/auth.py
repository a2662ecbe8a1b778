"""Zoho's access tokens: one refresh at a time for all threads and processes of a profile.

Zoho allows ten refreshes of one refresh token in ten minutes and fifteen live access tokens. A throttle comes as HTTP
200 or 400 with "Access Denied". Source: zoho.com/accounts/protocol/oauth, v8 token-validity, Kaizen #43.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import msgspec

from adapters.common.http import Answer, Http, host_of
from connector.errors import Denied, Problem, RateLimited, Retry
from connector.ports import Shared

#: A token with less time left is renewed before it is used.
_MARGIN = timedelta(seconds=60)


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


def _now() -> datetime:
    return datetime.now(UTC)


class Tokens:
    """The access token of one connection."""

    def __init__(
        self, credentials: Credentials, shared: Shared, http: Http, name: str, clock: Callable[[], datetime] = _now
    ) -> None:
        """`clock`: ours. How long a token lives is told as a duration, and our processes share one clock."""
        self._clock = clock
        self._credentials = credentials
        self._shared = shared
        self._http = http
        self._name = name
        #: What the newest token may do; empty: Zoho did not say.
        self.scopes: frozenset[str] = frozenset()

    def current(self, *, not_this: str | None = None) -> str:
        """A token that is good for a minute at least; `not_this` was refused and is replaced.

        Raises Denied when the credentials are refused.
        """
        with self._shared.token(self._name) as slot:
            kept = slot.get()
            if kept is not None and kept[0] != not_this and kept[1] > self._clock() + _MARGIN:
                return kept[0]
            reply = self._refresh()
            token = reply.access_token or ""
            self.scopes = frozenset((reply.scope or "").replace(",", " ").split())
            slot.put(token, self._clock() + timedelta(seconds=reply.expires_in))
            return token

    def _refresh(self) -> _Reply:
        given = self._credentials
        form = {
            "refresh_token": given.refresh_token,
            "client_id": given.client_id,
            "client_secret": given.client_secret,
            "grant_type": "refresh_token",
        }
        return _asked(self._http, given.accounts_server, form, again=True)


def exchanged(server: str, client_id: str, client_secret: str, code: str) -> tuple[str, str]:
    """The refresh token that a grant code is good for, and the API's address ("" where Zoho does not say).

    Raises Denied: the code was used, is older than its three minutes, or belongs to another client or data centre.
    """
    host = host_of(server)
    http = Http({server}, lambda answer: judge(host, answer), 1)
    form = {"code": code, "client_id": client_id, "client_secret": client_secret, "grant_type": "authorization_code"}
    try:
        # A code can be used once: a lost answer is not asked for again.
        reply = _asked(http, server, form, again=False)
    except Denied:
        raise Denied("E-GRANT-CODE", host=host) from None
    if not reply.refresh_token:
        raise Denied("E-GRANT-CODE", host=host)
    return reply.refresh_token, reply.api_domain or ""


def _asked(http: Http, server: str, form: Mapping[str, str], *, again: bool) -> _Reply:
    # In the body: a URL ends up in logs.
    answer = http.call(
        "POST",
        f"{server}/oauth/v2/token",
        headers=lambda: {"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
        again=again,
    )
    return msgspec.json.decode(answer.body, type=_Reply)


def judge(host: str, answer: Answer) -> Problem | None:
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
