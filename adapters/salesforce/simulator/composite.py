"""Composite resources of the simulated org: several calls in one, later ones naming results of earlier ones.

Source: REST API guide, Composite: at most 25, `@{reference.field}`; allOrNone rolls back (here what follows a failure
is halted, and nothing is rolled back: not simulated).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import msgspec
from starlette.requests import Request

from adapters.salesforce.simulator import rest
from adapters.salesforce.simulator.org import Org
from adapters.salesforce.simulator.rest import Told, WrongError

_MOST = 25
_NAMED = re.compile(r"@\{(\w+)\.([\w.]+)\}")
Handler = Callable[[Org, Request, bytes], Told]
_RESOURCES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", r"/services/data/(?P<version>v[\d.]+)/query/?", rest.query),
    ("GET", r"/services/data/(?P<version>v[\d.]+)/sobjects/(?P<name>\w+)/describe/?", rest.describe),
    ("GET", r"/services/data/(?P<version>v[\d.]+)/sobjects/(?P<name>\w+)/(?P<record>\w+)/?", rest.get),
    ("PATCH", r"/services/data/(?P<version>v[\d.]+)/sobjects/(?P<name>\w+)/(?P<record>\w+)/?", rest.patch),
    ("DELETE", r"/services/data/(?P<version>v[\d.]+)/sobjects/(?P<name>\w+)/(?P<record>\w+)/?", rest.delete),
    ("POST", r"/services/data/(?P<version>v[\d.]+)/sobjects/(?P<name>\w+)/?", rest.post),
)


def composite(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """Subrequests in their order; each result may be named by those after it."""
    payload = msgspec.json.decode(body)
    parts = payload["compositeRequest"]
    if len(parts) > _MOST:
        raise WrongError([{"errorCode": "LIMIT_EXCEEDED", "message": "more than 25 subrequests"}], 400)
    known: dict[str, Any] = {}
    results = []
    failed = False
    for part in parts:
        if failed and payload.get("allOrNone"):
            halted = [{"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back."}]
            results.append(
                {"body": halted, "httpStatusCode": 400, "referenceId": part["referenceId"], "httpHeaders": {}}
            )
            continue
        done = _one(org, _filled(part, known))
        failed = failed or done.status >= 400
        known[part["referenceId"]] = done.body
        results.append(
            {
                "body": done.body,
                "httpStatusCode": done.status,
                "referenceId": part["referenceId"],
                "httpHeaders": {},
            }
        )
    return Told({"compositeResponse": results})


def _one(org: Org, part: Mapping[str, Any]) -> Told:
    split = urlsplit(str(part["url"]))
    for method, pattern, handler in _RESOURCES:
        match = re.fullmatch(pattern, split.path)
        if match and method == part["method"]:
            inner = SimpleNamespace(
                path_params=match.groupdict(), query_params=dict(parse_qsl(split.query)), headers={}
            )
            try:
                return handler(org, cast("Request", inner), msgspec.json.encode(part.get("body") or {}))
            except WrongError as error:
                return Told(error.body, error.status)
    return Told([{"errorCode": "NOT_FOUND", "message": "not simulated"}], 404)


def _filled(part: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(part, str):
        return _NAMED.sub(lambda found: str(_at(known.get(found[1]), found[2])), part)
    if isinstance(part, Mapping):
        return {key: _filled(value, known) for key, value in part.items()}
    return part


def _at(node: Any, path: str) -> Any:
    for name in path.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node
