"""Salesforce's access tokens: one request at a time for all threads and processes of a profile.

Client credentials and JWT bearer of an External Client App, or a refresh token that may rotate. No user name with a
password: SOAP login is retired. Source: help.salesforce.com remoteaccess_oauth_jwt_flow, client credentials flow; these
grants' answers hold no expires_in, so a token lives until it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec

from adapters.common.http import Http, host_of
from adapters.common.tokens import SharedToken
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


def shared_token(credentials: Credentials, shared: Shared, http: Http, name: str) -> SharedToken:
    """The access token of one connection, with `instance_url`, where it counts."""
    if credentials.grant not in GRANTS:
        raise Misconfigured("E-SETTINGS", name=name, detail=f"grant is one of {', '.join(GRANTS)}")
    return SharedToken(shared, name, _Grant(credentials, http, name).renewed)


@dataclass(frozen=True, slots=True)
class _Grant:
    credentials: Credentials
    http: Http
    name: str

    def renewed(self, kept: Mapping[str, str]) -> tuple[dict[str, str], timedelta]:
        credentials = self.credentials
        answer = self.http.call(
            "POST",
            f"{credentials.instance_url}/services/oauth2/token",
            headers=lambda: {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            # In the body: a URL ends up in logs.
            body=urlencode(self._form(kept)).encode(),
        )
        try:
            document: dict[str, Any] = msgspec.json.decode(answer.body)
            token, where = str(document["access_token"]), str(document["instance_url"])
        except (msgspec.DecodeError, KeyError, TypeError):
            raise Denied(
                "E-CRM-REVOKED", host=host_of(credentials.instance_url), detail="no token in the answer"
            ) from None
        # A refresh token that took the place of the one that was given.
        rotated = str(document.get("refresh_token") or kept.get("refresh_token", ""))
        return {"token": token, "instance_url": where, "refresh_token": rotated}, _LIFE

    def _form(self, kept: Mapping[str, str]) -> dict[str, str]:
        credentials = self.credentials
        app = {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
        if credentials.grant == "client_credentials":
            return {"grant_type": "client_credentials", **app}
        if credentials.grant == "refresh_token":
            rotated = kept.get("refresh_token", "")
            return {"grant_type": "refresh_token", **app, "refresh_token": rotated or credentials.refresh_token}
        claims = {
            "iss": credentials.client_id,
            "sub": credentials.username,
            "aud": credentials.audience,
            "exp": datetime.now(UTC) + _ASSERTION,
        }
        try:
            assertion = jwt.encode(claims, credentials.private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise Misconfigured("E-SETTINGS", name=self.name, detail="private_key is no RSA key in PEM") from None
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
