"""Calls of one org: through our own HTTP, with a token that is renewed once, and simple-salesforce on top of it.

The façade's own transport has no timeouts, no retries, logs in without end on a dead session (its #804), and reads
UTF-8 as Latin-1 (its #706). Over `Transport` it has none of these; scripts and our light calls use it, the large reads
and writes go straight.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from simple_salesforce.api import Salesforce as Facade

from adapters.common.budget import Budget
from adapters.common.http import Http, HttpResponse, RetryPolicy, host_of, origin_of
from adapters.salesforce import errors
from adapters.salesforce.auth import Credentials, shared_token
from connector.errors import Misconfigured
from connector.ports import Shared, Spent

#: api-usage=18/15000 of Sforce-Limit-Info.
_USAGE = re.compile(r"\bapi-usage=(\d+)/(\d+)")
#: Hosts that an instance URL of a token may have, beside the one that was given.
_OURS = re.compile(r"[A-Za-z0-9.-]+\.(my\.salesforce\.com|my\.salesforce\.mil|cloudforce\.com|sfcrmproducts\.cn)")


class Client:
    """One org."""

    def __init__(
        self, credentials: Credentials, shared: Shared, *, name: str = "salesforce", patience: RetryPolicy | None = None
    ) -> None:
        self.spent = Spent()
        #: Our clock.
        self.ours = shared.now
        #: Calls that the org has used of its day's, and how many it has, as it told last; None: not yet.
        self.usage: tuple[int, int] | None = None
        self._given = credentials
        patience = patience or RetryPolicy()
        self._host = host_of(credentials.instance_url)
        # Twenty-five long calls at once is what an org allows. Source: app limits cheat sheet.
        self.http = Http({credentials.instance_url}, lambda answer: errors.error_for(self._host, answer), 8, patience)
        token_http = Http(
            {credentials.instance_url}, lambda answer: errors.token_error_for(self._host, answer), 1, patience
        )
        self._token = shared_token(credentials, shared, token_http, name)
        self.sleep = patience.sleep
        self._budget = Budget(shared, name, credentials.calls_a_day, self.spent)

    @property
    def host(self) -> str:
        """Of the org, for messages."""
        return self._host

    @property
    def data(self) -> str:
        """Path of the REST API of the chosen version."""
        return f"/services/data/v{self._given.version}"

    def call(
        self,
        method: str,
        path: str,
        api: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
    ) -> HttpResponse:
        """One call; `path` from the API's root, or whole. A token that is refused is renewed once.

        `idempotent`: whether it may be sent anew where its answer was lost; else every method but POST and PATCH may.
        """
        repeat = method not in ("POST", "PATCH") if idempotent is None else idempotent

        def sent(token: Callable[[], dict[str, str]]) -> HttpResponse:
            session = token()
            base = self._trusted(session["instance_url"])
            url = base + (path if path.startswith("/services/") else f"{self.data}/{path.lstrip('/')}")
            self._budget.take(api)
            values = {"Authorization": f"Bearer {session['token']}", "Accept": "application/json", **(headers or {})}
            if body is not None:
                values.setdefault("Content-Type", "application/json; charset=UTF-8")
            return self.http.call(method, url, headers=lambda: values, params=params, body=body, idempotent=repeat)

        answer = self._token.proven(sent)
        match = _USAGE.search(answer.headers.get("Sforce-Limit-Info", ""))
        if match:
            self.usage = int(match[1]), int(match[2])
        return answer

    def facade(self) -> Facade:
        """simple-salesforce over our transport: its methods, with our timeouts, retries, token and charset."""
        return Facade(
            instance_url=self._given.instance_url,
            session_id="held by the transport",
            version=self._given.version,
            session=Transport(self),
        )

    def _trusted(self, instance_url: str) -> str:
        """The origin to call: the one that was given, or another of the vendor's that the token came with."""
        if instance_url == self._given.instance_url:
            return instance_url
        parts = urlsplit(instance_url)
        if parts.scheme != "https" or not _OURS.fullmatch(parts.netloc):
            raise Misconfigured("E-CRM-ORIGIN", host=parts.netloc)
        self.http.origins.add(origin_of(instance_url))
        return instance_url


class Transport(requests.Session):
    """A requests session that sends everything through a client."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client

    def request(self, method: str, url: str, **given: Any) -> requests.Response:  # type: ignore[override]
        """Whatever the façade asks for; its own Authorization, pretty-printing and timeouts are left out."""
        body = given.get("data")
        if given.get("json") is not None:
            body = json.dumps(given["json"])
        raw = body.encode() if isinstance(body, str) else body
        stored = {key: value for key, value in (given.get("headers") or {}).items() if key.lower() in _KEPT}
        parts = urlsplit(url)
        params = {str(key): str(value) for key, value in (given.get("params") or {}).items()}
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        answer = self._client.call(method, path, "facade", params=params or None, body=raw, headers=stored)
        response = requests.Response()
        response.status_code = answer.status
        response._content = answer.body
        response.headers.update(answer.headers)
        response.encoding = "utf-8"
        response.url = url
        return response


_KEPT = ("content-type", "accept", "if-modified-since", "sforce-duplicate-rule-header", "sforce-query-options")
