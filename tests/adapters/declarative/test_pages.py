"""Every way of paging reads everything once, and a list that moves while it is read loses nothing."""

import json
from typing import Any

import pytest
import responses

from adapters.declarative.pages import next_link
from connector.errors import Misconfigured, Retry
from tests.adapters.declarative.systems import HOST, declared, names, paged

ROWS: list[dict[str, Any]] = [{"id": f"{n:02d}", "name": f"n{n}", "modified": "2026-01-01T00:00:00Z"} for n in range(8)]
NAMES = [row["name"] for row in ROWS]


@pytest.mark.parametrize("many", [0, 1, 2, 3, 6, 8])
@pytest.mark.parametrize(
    ("way", "query", "page"),
    [
        ("page", "{page: '{page}'}", "{kind: page, size: 3}"),
        ("page", "{page: '{page}'}", "{kind: page, size: 3, total: $.total}"),
        ("offset", "{offset: '{offset}'}", "{kind: offset, size: 3}"),
        ("offset", "{offset: '{offset}'}", "{kind: offset, size: 3, overlap: 0}"),
        ("after", "{after: '{after}'}", "{kind: keyset, size: 3}"),
        # Asked for fifty a page, the system hands out three.
        ("after", "{after: '{after}'}", "{kind: keyset, size: 50}"),
        ("page", "{page: '{page}'}", "{kind: page, size: 50}"),
        ("offset", "{offset: '{offset}'}", "{kind: offset, size: 50}"),
    ],
)
@responses.activate
def test_all_records_are_read_whatever_the_paging(many: int, way: str, query: str, page: str) -> None:
    paged(ROWS[:many], way)

    results = names(declared(read=f"{{path: /items, query: {query}}}", page=page))

    assert sorted(set(results)) == NAMES[:many]


@responses.activate
def test_cursors_links_and_link_headers_lead_on() -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        at = int(str(request.url).rpartition("=")[2]) if "=" in str(request.url) else 0
        more = at + 3 < len(ROWS)
        document = {
            "data": ROWS[at : at + 3],
            "next": at + 3 if more else None,
            "url": f"/items?at={at + 3}" if more else "",
        }
        link = {"Link": f'<{HOST}/items?at=0>; rel="prev", <{HOST}/items?at={at + 3}>; rel="next"'} if more else {}
        return 200, link, json.dumps(document)

    responses.add_callback(responses.GET, f"{HOST}/items", callback=answer)
    cursor = declared(read="{path: /items, query: {at: '{cursor}'}}", page="{kind: cursor, next: $.next}")
    link = declared(page="{kind: next_link, next: $.url}")
    header = declared(page="{kind: link_header}")

    assert names(cursor) == names(link) == names(header) == NAMES


@responses.activate
def test_a_link_to_somewhere_else_is_not_followed() -> None:
    responses.get(f"{HOST}/items", json={"data": ROWS[:1], "next": "https://evil.example.net/items"})

    with pytest.raises(Misconfigured, match=r"evil\.example\.net"):
        names(declared(page="{kind: next_link, next: $.next}"))


@responses.activate
def test_a_row_that_slides_over_the_edge_of_an_offset_is_read() -> None:
    rows = list(ROWS)
    values: list[int] = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        at = int(str(request.url).rpartition("=")[2])
        values.append(at)
        if len(values) == 2:
            del rows[:2]
        return 200, {}, json.dumps({"data": rows[at : at + 3]})

    responses.add_callback(responses.GET, f"{HOST}/items", callback=answer)

    results = names(declared(read="{path: /items, query: {offset: '{offset}'}}", page="{kind: offset, size: 3}"))

    assert set(results) == set(NAMES)


@responses.activate
def test_a_list_that_leads_to_itself_ends_with_a_problem() -> None:
    responses.get(f"{HOST}/items", json={"data": ROWS[:3], "next": "again"})

    with pytest.raises(Retry):
        names(declared(read="{path: /items, query: {at: '{cursor}'}}", page="{kind: cursor}"))


def test_a_link_header_is_taken_apart() -> None:
    assert next_link('<https://a/?p=2>; rel="next last"') == "https://a/?p=2"
    assert next_link("<https://a/?p=2>; rel=next") == "https://a/?p=2"
    assert next_link('<https://a/?p=2>; rel="prev"') is None
    assert next_link("") is None
