"""One call of a connector file: filled in, signed, sent, and judged by the file's own rules."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from adapters.common.documents import document, plain
from adapters.common.http import Http, HttpResponse, Request, RetryPolicy, charset_of, host_of, origin_of, retry_after
from adapters.declarative import select
from adapters.declarative.connector import Connector
from adapters.declarative.models import Call, Inject, Rule, When
from connector.errors import Denied, Exhausted, Misconfigured, Problem, RateLimited, Retry

#: What a token's owner must renew.
NEW_TOKEN = "E-CRM-TOKEN"  # noqa: S105


class Wrong(Misconfigured):
    """An answer that no rule takes for anything better; its words are for the record that it is about."""

    def __init__(self, answer: HttpResponse, host: str) -> None:
        super().__init__("E-CRM-ANSWER", host=host, detail=f"HTTP {answer.status}")
        self._body = answer.body

    def document(self) -> Any:
        """The answer's JSON; None: it is none."""
        try:
            return json.loads(self._body)
        except (ValueError, UnicodeDecodeError):
            return None


class Empty(Problem):
    """The answer says: there is nothing."""


@dataclass(slots=True)
class Wire:
    """Calls one system. `proof` gives what proves who we are: values for `auth.inject` and the like, by the call."""

    connector: Connector
    settings: Mapping[str, str]
    patience: RetryPolicy = field(default_factory=RetryPolicy)
    #: Called before each call; counts what it costs.
    spend: Callable[[str], None] = lambda _: None
    http: Http = field(init=False)
    base: str = field(init=False)
    _pace: threading.Lock = field(default_factory=threading.Lock)
    _next_s: float = 0.0

    def __post_init__(self) -> None:
        values = dict(self.settings)
        self.base = str(select.fill(self.connector.base_url, values)).rstrip("/")
        origins = {_origin(self.base), *(_origin(str(select.fill(each, values))) for each in self.connector.origins)}
        self.http = Http(origins, self._judge, self.connector.limits.concurrency, self.patience)

    @property
    def zone(self) -> str:
        """Zone of times that say none."""
        return str(select.fill(self.connector.zone, self.settings))

    @property
    def host(self) -> str:
        """Of the system, for messages."""
        return host_of(self.base)

    def given(self, **more: Any) -> dict[str, Any]:
        """What every template may name."""
        now = time.time()
        stamp = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
        return {**self.settings, "uuid": str(uuid.uuid4()), "now": stamp, "now_ms": str(round(now * 1000)), **more}

    def send(
        self,
        call: Call,
        given: Mapping[str, Any],
        proof: Callable[[Prepared], tuple[Inject, ...]],
        *,
        idempotent: bool = True,
        url: str | None = None,
        refused: tuple[int | str, ...] = (),
    ) -> HttpResponse:
        """The answer to a call. `url` instead of the call's own path: a link that an answer gave, of a known origin.

        `refused`: statuses that refuse what the call is about, where no rule of the file says otherwise.
        """
        self._wait_for_my_turn()

        def prepared() -> Request:
            result = prepare(call, self.base, given, url)
            for inject in (*self.connector.always, *proof(result)):
                result.put(inject.where, inject.name, str(select.fill(inject.value, given)))
            for name, value in self.connector.headers.items():
                result.headers.setdefault(name, str(select.fill(value, given)))
            body = result.payload()
            return Request(result.method, result.url, result.headers, result.query or None, body)

        def judge(answer: HttpResponse) -> Problem | None:
            if call.none and in_statuses(answer.status, call.none):
                return Empty("E-CRM-OBJECT", host=self.host, name="of that name")
            return self._judge(answer, refused)

        self.spend(call.method.lower())
        return self.http.send(prepared, idempotent=idempotent, judge=judge)

    def document(self, answer: HttpResponse) -> Any:
        """The answer's JSON, numbers with the digits they came with; None: it is empty."""
        try:
            return document(answer.body, charset_of(answer))
        except ValueError:
            raise Retry("E-CRM-GARBLED", host=self.host) from None

    def _wait_for_my_turn(self) -> None:
        pace = self.connector.limits.calls_per_s
        if not pace:
            return
        with self._pace:
            now = time.monotonic()
            wait = max(0.0, self._next_s - now)
            self._next_s = max(now, self._next_s) + 1 / pace
        if wait:
            self.patience.sleep(wait)

    def _judge(self, answer: HttpResponse, refused: tuple[int | str, ...] = ()) -> Problem | None:
        for rule in self.connector.answers:
            if _fits(rule.when, answer):
                return self._problem(rule, answer)
        return Wrong(answer, self.host) if in_statuses(answer.status, refused) else self._by_status(answer)

    def _problem(self, rule: Rule, answer: HttpResponse) -> Problem | None:
        host = self.host
        match rule.do:
            case "ok":
                return None
            case "empty":
                return Empty("E-CRM-OBJECT", host=host, name="of that name")
            case "retry":
                return Retry("E-CRM-DOWN", host=host, status=answer.status)
            case "slow_down":
                return RateLimited("E-CRM-RATE", host=host, after=_seconds(answer, rule))
            case "new_token":
                return Denied(NEW_TOKEN, host=host)
            case "denied":
                return Denied("E-CRM-PERMISSION", host=host, detail=f"HTTP {answer.status}")
            case "quota_spent":
                return Exhausted("E-CRM-QUOTA", host=host)
            case "no_object":
                return Misconfigured("E-CRM-OBJECT", host=host, name="of that name")
        return Wrong(answer, host)

    def _by_status(self, answer: HttpResponse) -> Problem | None:
        host, status = self.host, answer.status
        if 200 <= status < 300:
            return None
        if status == 401:
            return Denied(NEW_TOKEN, host=host)
        if status == 403:
            return Denied("E-CRM-PERMISSION", host=host, detail="HTTP 403")
        if status == 429:
            return RateLimited("E-CRM-RATE", host=host, after=_seconds(answer, None))
        if status >= 500:
            return Retry("E-CRM-DOWN", host=host, status=status)
        return Wrong(answer, host)


@dataclass(slots=True)
class Prepared:
    """A request that is about to be sent."""

    method: str
    url: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    form: bool

    def put(self, where: str, name: str, value: str) -> None:
        """Add a value to a part of the request."""
        if where == "header":
            self.headers[name] = value
        elif where == "query":
            self.query[name] = value
        else:
            self.body = {**(self.body or {}), name: value}

    def payload(self) -> bytes | None:
        """The body's bytes, and its type in the headers."""
        if self.body is None:
            return None
        if self.form:
            self.headers["Content-Type"] = "application/x-www-form-urlencoded"
            return urlencode({key: str(value) for key, value in self.body.items() if value is not None}).encode()
        self.headers["Content-Type"] = "application/json"
        return exact_json(self.body).encode()


def prepare(call: Call, base: str, given: Mapping[str, Any], url: str | None = None) -> Prepared:
    """The request of a call. Queries that are empty are left out."""
    path = str(select.fill(call.path, given, lambda value: quote(str(value), safe="")))
    address = url or (path if "://" in path else base + path)
    template = dict(call.query) if url is None else {}
    texts = {str(select.fill(key, given)): _in_query(value, given) for key, value in template.items()}
    query = {key: value for key, value in texts.items() if value}
    headers = {"Accept": "application/json", **{key: str(select.fill(v, given)) for key, v in call.headers.items()}}
    body = None if call.body is None else select.fill(call.body, given, _join_list)
    return Prepared(call.method, address, query, headers, body, call.form)


def exact_json(value: Any) -> str:
    """JSON; a Decimal keeps its digits."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{exact_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(exact_json(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def in_statuses(status: int, wanted: tuple[int | str, ...]) -> bool:
    """Whether a status is one of these, or within one of these ranges."""
    for each in wanted:
        low, _, high = str(each).partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False


def _fits(when: When, answer: HttpResponse) -> bool:
    if when.status and not in_statuses(answer.status, when.status):
        return False
    if not (when.header or when.values or when.contains or when.other_than or when.body != "$"):
        return True
    if when.header:
        match: Any = answer.headers.get(when.header)
    else:
        try:
            match = select.first(when.body, document(answer.body, charset_of(answer)))
        except ValueError:
            return False
    if match is None:
        return False
    text = _join_list(match)
    if when.values and text not in when.values:
        return False
    if when.contains and not any(part in text for part in when.contains):
        return False
    return not (when.other_than and text in when.other_than)


def _seconds(answer: HttpResponse, rule: Rule | None) -> float | None:
    told = retry_after(answer.headers.get(rule.wait_header if rule else "Retry-After"))
    return told if told is not None else (rule.wait_s if rule else None)


class Together(list[str]):
    """Values that are a list in JSON and joined in a text."""

    def __init__(self, values: Iterable[str], joined: str, quoted: str) -> None:
        super().__init__(values)
        self._joined, self._quoted = joined, quoted

    def __str__(self) -> str:
        return self._joined.join(f"{self._quoted}{value}{self._quoted}" for value in self)


def _in_query(template: Any, given: Mapping[str, Any]) -> str:
    filled = select.fill(template, given, _join_list)
    return _join_list(filled) if isinstance(template, str) else exact_json(filled)


def _join_list(value: Any) -> str:
    if isinstance(value, Together):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(str(item) for item in value)
    return "" if value is None else str(value)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Misconfigured("E-CRM-ORIGIN", host=url)
    return origin_of(url)
