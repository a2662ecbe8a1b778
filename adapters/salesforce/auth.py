"""Salesforce's access tokens: one request at a time for all threads and processes of a profile.

Client credentials and JWT bearer of an External Client App, or a refresh token that may rotate. No user name with a
password: SOAP login is retired. Source: help.salesforce.com remoteaccess_oauth_jwt_flow, client credentials flow; these
grants' answers hold no expires_in, so a token lives until it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec

from adapters.common.http import Http, host_of
from connector.errors import Denied, Misconfigured
from connector.ports import Shared

#: An assertion lives so long; Salesforce takes three minutes at most.
_ASSERTION = timedelta(minutes=3)
#: A token is tried for so long; when it is refused before, it is replaced.
_LIFE = timedelta(hours=12)
GRANTS = ("client_credentials", "jwt", "refresh_token")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a connection needs; kept out of every repr."""

    #: My Domain, such as https://acme.my.salesforce.com; a sandbox has one of its own.
    instance_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(default="", repr=False)
    grant: str = "client_credentials"
    username: str = ""
    private_key: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    version: str = "66.0"
    #: Most calls in 24 hours; empty: as many as Salesforce gives.
    calls_a_day: str = ""
    #: Of an org that has only one.
    currency: str = ""
    #: Where a JWT is presented: https://login.salesforce.com, or https://test.salesforce.com of a sandbox.
    audience: str = "https://login.salesforce.com"


@dataclass(frozen=True, slots=True)
class Session:
    """A token and where it counts."""

    token: str
    instance_url: str
    #: A refresh token that took the place of the one that was given.
    refresh_token: str = ""


def _now() -> datetime:
    return datetime.now(UTC)


class Tokens:
    """The access token of one connection."""

    def __init__(
        self, credentials: Credentials, shared: Shared, http: Http, name: str, clock: Callable[[], datetime] = _now
    ) -> None:
        if credentials.grant not in GRANTS:
            raise Misconfigured("E-SETTINGS", name=name, detail=f"grant is one of {', '.join(GRANTS)}")
        self._credentials = credentials
        self._shared = shared
        self._http = http
        self._name = name
        self._clock = clock

    def current(self, *, not_this: str | None = None) -> Session:
        """A token; `not_this` was refused and is replaced. Raises Denied when the credentials are refused."""
        with self._shared.token(self._name) as slot:
            kept = slot.get()
            known = Session(**json.loads(kept[0])) if kept else None
            if known is not None and kept is not None and known.token != not_this and kept[1] > self._clock():
                return known
            fresh = self._asked(known)
            text = {"token": fresh.token, "instance_url": fresh.instance_url, "refresh_token": fresh.refresh_token}
            slot.put(json.dumps(text), self._clock() + _LIFE)
            return fresh

    def _asked(self, known: Session | None) -> Session:
        given = self._credentials
        form = self._form(known)
        answer = self._http.call(
            "POST",
            f"{given.instance_url}/services/oauth2/token",
            headers=lambda: {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            # In the body: a URL ends up in logs.
            body=urlencode(form).encode(),
        )
        try:
            told: dict[str, Any] = msgspec.json.decode(answer.body)
            token, where = str(told["access_token"]), str(told["instance_url"])
        except (msgspec.DecodeError, KeyError, TypeError):
            raise Denied("E-CRM-REVOKED", host=host_of(given.instance_url), detail="no token in the answer") from None
        rotated = str(told.get("refresh_token") or (known.refresh_token if known else ""))
        return Session(token, where, rotated)

    def _form(self, known: Session | None) -> dict[str, str]:
        given = self._credentials
        app = {"client_id": given.client_id, "client_secret": given.client_secret}
        if given.grant == "client_credentials":
            return {"grant_type": "client_credentials", **app}
        if given.grant == "refresh_token":
            kept = known.refresh_token if known else ""
            return {"grant_type": "refresh_token", **app, "refresh_token": kept or given.refresh_token}
        claims = {
            "iss": given.client_id, "sub": given.username, "aud": given.audience, "exp": self._clock() + _ASSERTION,
        }  # fmt: skip
        try:
            assertion = jwt.encode(claims, given.private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise Misconfigured("E-SETTINGS", name=self._name, detail="private_key is no RSA key in PEM") from None
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
