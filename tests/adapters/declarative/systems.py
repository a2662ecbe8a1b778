"""Small systems of every kind, for connector files of one object."""

from __future__ import annotations

from typing import Any

import responses

from adapters.common.http import RetryPolicy
from adapters.declarative.connector import load
from adapters.declarative.crm import open_declared
from adapters.declarative.reader import Reader
from connector.ports import Source
from tests.simulated import Slots

HOST = "https://erp.example.com"
ITEMS = Source("items", "items", ("name",))

PLAIN = """
version: 1
name: test
settings: {{base_url: {{}}, key: {{secret: true, default: k-1}}, secret: {{secret: true, default: s-1}}, home: {{default: EUR}}}}
base_url: "{{base_url}}"
me: {{request: {{path: /me}}, currency_setting: home}}
auth: {auth}
{more}
objects:
  items:
    read: {read}
    page: {page}
    modified: $.modified
{object}
"""


def declared(
    *,
    auth: str = "{kind: none}",
    read: str = "{path: /items}",
    page: str = "{kind: none}",
    more: str = "",
    object_: str = "",
) -> Reader:
    """A connection to a system of one object."""
    text = PLAIN.format(auth=auth, read=read, page=page, more=more, object=object_)
    patience = RetryPolicy(attempts=3, sleep=lambda _: None)
    return open_declared(load(text, "test.yaml"), {"base_url": HOST}, Slots(), name="x", patience=patience)


def names(crm: Reader, cursor: str | None = None) -> list[str]:
    """Names of everything that a read yields."""
    return [str(name) for page in crm.read(ITEMS, cursor) for name in page.frame["name"]]


def paged(rows: list[dict[str, Any]], params: str, size: int = 3) -> None:
    """A list at /items by limit and offset, page, or after."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        import json
        from urllib.parse import parse_qs, urlsplit

        result = {key: value[0] for key, value in parse_qs(urlsplit(request.url).query).items()}
        results = [row for row in rows if str(row["id"]) > result.get("after", "")] if "after" in params else rows
        at = int(result.get("offset", 0)) if "offset" in params else 0
        at = (int(result.get("page", 1)) - 1) * size if "page" in params else at
        return 200, {}, json.dumps({"data": results[at : at + size], "total": len(rows)})

    responses.add_callback(responses.GET, f"{HOST}/items", callback=answer)
