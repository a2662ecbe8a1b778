"""A list ends where its answers say so: not at a short page, not at an answer without its list."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from connector.errors import Misconfigured, Retry
from tests.adapters.declarative.systems import HOST, declared, names

ROWS: list[dict[str, Any]] = [{"id": f"{n:02d}", "name": f"n{n}", "modified": "2026-01-01T00:00:00Z"} for n in range(8)]
NAMES = [row["name"] for row in ROWS]
BY_PAGE = "{path: /items, query: {page: '{page}', size: '{size}'}}"
BY_OFFSET = "{path: /items, query: {offset: '{offset}'}}"
BY_KEY = "{path: /items, query: {after: '{after}', size: '{size}'}}"
BY_CURSOR = "{path: /items, query: {at: '{cursor}'}}"

Answer = Callable[[Mapping[str, str]], Any]


def served(answer: Answer) -> list[Mapping[str, str]]:
    """A list at /items by what each call's query asks for; the queries that came."""
    queries: list[Mapping[str, str]] = []

    def reply(request: Any) -> tuple[int, dict[str, str], str]:
        query = {key: value[0] for key, value in parse_qs(urlsplit(request.url).query).items()}
        queries.append(query)
        return 200, {}, json.dumps(answer(query))

    responses.add_callback(responses.GET, f"{HOST}/items", callback=reply)
    return queries


@responses.activate
def test_a_cursor_leads_on_past_short_and_empty_pages() -> None:
    parts = [ROWS[:3], ROWS[3:4], [], ROWS[4:]]

    def answer(query: Mapping[str, str]) -> Any:
        at = int(query.get("at", 0))
        return {"data": parts[at], "next": str(at + 1) if at + 1 < len(parts) else None}

    served(answer)

    assert names(declared(read=BY_CURSOR, page="{kind: cursor}")) == NAMES


@pytest.mark.parametrize(
    ("read", "kind"), [(BY_PAGE, "page"), (BY_OFFSET, "offset"), (BY_KEY, "keyset"), (BY_CURSOR, "cursor")]
)
@responses.activate
def test_more_goes_on_and_ends_whatever_the_length_of_a_page(read: str, kind: str) -> None:
    # Three rows are asked for and three, one, two, two come.
    edges = [0, 3, 4, 6, 8]

    def answer(query: Mapping[str, str]) -> Any:
        start = {
            "page": edges[int(query.get("page", 1)) - 1] if query.get("page", "1") < "5" else 8,
            "offset": int(query.get("offset", 0)),
            "keyset": sum(str(row["id"]) <= query.get("after", "") for row in ROWS),
            "cursor": int(query.get("at", 0)),
        }[kind]
        end = next((edge for edge in edges if edge > start), 8)
        return {"data": ROWS[start:end], "more": end < 8, "next": str(end)}

    queries = served(answer)
    results = names(declared(read=read, page=f"{{kind: {kind}, size: 3, overlap: 0, more: $.more}}"))

    assert results == NAMES
    assert len(queries) == 4, "the answer said that the fourth page is the last one"


@pytest.mark.parametrize(("read", "kind"), [(BY_PAGE, "page"), (BY_OFFSET, "offset")])
@responses.activate
def test_more_goes_on_past_an_empty_page(read: str, kind: str) -> None:
    # A system that filters behind its paging: the middle page holds nothing that this user may see.
    def answer(query: Mapping[str, str]) -> Any:
        start = int(query.get("offset", (int(query.get("page", 1)) - 1) * 2))
        rows = [] if 2 <= start < 4 else ROWS[start : start + 2]
        return {"data": rows, "more": start + 2 < 8}

    served(answer)
    page = f"{{kind: {kind}, size: 2, overlap: 0, more: $.more}}"

    assert names(declared(read=read, page=page)) == [name for name in NAMES if name not in ("n2", "n3")]


@responses.activate
def test_more_by_keys_without_a_row_to_go_on_from_is_incomplete() -> None:
    served(lambda query: {"data": [] if query.get("after") else ROWS[:3], "more": True})

    with pytest.raises(Retry, match="3 rows came"):
        names(declared(read=BY_KEY, page="{kind: keyset, size: 3, more: $.more}"))


@responses.activate
def test_more_without_a_cursor_is_incomplete() -> None:
    served(lambda _: {"data": ROWS[:3], "more": True})

    with pytest.raises(Retry, match="3 rows came"):
        names(declared(read=BY_CURSOR, page="{kind: cursor, more: $.more}"))


@pytest.mark.parametrize("page", ["{kind: page, size: 3}", "{kind: page, size: 50}"])
@responses.activate
def test_short_pages_without_a_word_of_the_end_are_read_until_one_is_empty(page: str) -> None:
    parts = [ROWS[:3], ROWS[3:4], ROWS[4:7], ROWS[7:]]
    served(lambda query: {"data": parts[int(query["page"]) - 1] if int(query["page"]) <= len(parts) else []})

    assert names(declared(read=BY_PAGE, page=page)) == NAMES


@responses.activate
def test_a_system_that_ignores_the_page_is_not_read_in_part() -> None:
    served(lambda _: {"data": ROWS[:3]})

    with pytest.raises(Retry, match="a page came twice"):
        names(declared(read=BY_PAGE, page="{kind: page, size: 3}"))


@responses.activate
def test_a_last_page_that_is_repeated_ends_a_list_only_where_the_file_says_so() -> None:
    served(lambda query: {"data": ROWS[:4] if query["page"] == "1" else ROWS[4:]})

    assert names(declared(read=BY_PAGE, page="{kind: page, size: 4, repeats_last_page: true}")) == NAMES
    with pytest.raises(Retry, match="a page came twice"):
        names(declared(read=BY_PAGE, page="{kind: page, size: 4}"))


@pytest.mark.parametrize(
    ("total", "page"),
    [
        (9, "{kind: page, size: 4, total: $.total}"),
        (7, "{kind: none, total: $.total}"),
        (9, "{kind: none, total: $.total}"),
        (9, "{kind: offset, size: 4, total: $.total}"),
        (9, "{kind: cursor, total: $.total}"),
        (9, "{kind: keyset, size: 4, total: $.total}"),
    ],
)
@responses.activate
def test_rows_that_differ_from_the_total_that_is_told_are_incomplete(total: int, page: str) -> None:
    def answer(query: Mapping[str, str]) -> Any:
        start = int(query.get("offset") or 0) + 4 * (int(query.get("page") or 1) - 1)
        rows = [row for row in ROWS[start:] if str(row["id"]) > query.get("after", "")]
        return {"data": rows[: 8 if "none" in page or "cursor" in page else 4], "total": total}

    served(answer)
    read = "{path: /items, query: {page: '{page}', offset: '{offset}', after: '{after}'}}"

    with pytest.raises(Retry, match=f"8 rows came, and the answers tell of {total}"):
        names(declared(read=read, page=page))


@responses.activate
def test_a_list_that_grows_while_it_is_read_is_complete() -> None:
    def answer(query: Mapping[str, str]) -> Any:
        page = int(query["page"])
        return {"data": ROWS[(page - 1) * 4 : page * 4], "total": 7 if page == 1 else 8}

    served(answer)

    assert names(declared(read=BY_PAGE, page="{kind: page, size: 4, total: $.total}")) == NAMES


@responses.activate
def test_the_total_of_a_read_that_was_cut_still_counts() -> None:
    answering = {"whole": True}

    def answer(query: Mapping[str, str]) -> Any:
        page = int(query["page"])
        rows = ROWS[(page - 1) * 3 : page * 3]
        return {"data": rows if page == 1 or answering["whole"] else rows[:1], "total": 8}

    served(answer)
    crm = declared(read=BY_PAGE, page="{kind: page, size: 3, total: $.total}")
    from tests.adapters.declarative.systems import ITEMS

    first = next(iter(crm.read(ITEMS, None)))

    assert [name for page in crm.read(ITEMS, first.cursor) for name in page.frame["name"]] == NAMES[3:]
    answering["whole"] = False
    with pytest.raises(Retry, match="5 rows came, and the answers tell of 8"):
        list(crm.read(ITEMS, first.cursor))


@pytest.mark.parametrize("size", [2, 3, 4, 100])
@pytest.mark.parametrize("most", [4, 100])
@responses.activate
def test_rows_that_share_a_key_stay_together(size: int, most: int) -> None:
    keys = ["a", "b", "b", "b", "c", "d", "d"]
    rows = [{"id": key, "name": f"{key}{n}", "modified": "2026-01-01T00:00:00Z"} for n, key in enumerate(keys)]

    def answer(query: Mapping[str, str]) -> Any:
        results = [row for row in rows if str(row["id"]) > query.get("after", "")]
        return {"data": results[: min(int(query["size"]), most)]}

    served(answer)
    crm = declared(read=BY_KEY, page=f"{{kind: keyset, size: {size}, grouped: true}}")

    assert names(crm) == [row["name"] for row in rows]


@responses.activate
def test_rows_of_one_key_that_are_more_than_the_system_hands_out_are_incomplete() -> None:
    rows = [{"id": key, "name": f"{key}{n}"} for n, key in enumerate("aabbbbb")]

    def answer(query: Mapping[str, str]) -> Any:
        return {"data": [row for row in rows if row["id"] > query.get("after", "")][:4]}

    served(answer)

    with pytest.raises(Retry, match="4 rows came"):
        names(declared(read=BY_KEY, page="{kind: keyset, size: 10, grouped: true}"))


@pytest.mark.parametrize(
    "document",
    [
        {}, None, [], "ok", 1, {"data": None}, {"data": {}}, {"data": "x"}, {"error": "try later"},
        {"data": [], "error": "the database is away"}, {"data": [], "errors": [{"message": "x"}]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("page", ["{kind: keyset, size: 3}", "{kind: none}", "{kind: cursor}"])
@responses.activate
def test_an_answer_without_its_list_is_no_empty_list(document: Any, page: str) -> None:
    read = "{path: /items, query: {after: '{after}', at: '{cursor}'}}"
    responses.get(f"{HOST}/items", json={"data": ROWS[:3], "next": "2"})
    responses.get(f"{HOST}/items", json=document)
    crm = declared(read=read, page=page)
    if "none" in page:
        names(crm)

    with pytest.raises(Retry, match="without its records"):
        names(crm)


@pytest.mark.parametrize(
    "beside", [{}, {"error": None}, {"errors": []}, {"error": False}, {"error": ""}, {"fault": {}}, {"error": 0}]
)
@responses.activate
def test_an_empty_list_under_its_key_is_the_end(beside: Mapping[str, Any]) -> None:
    responses.get(f"{HOST}/items", json={"data": [], **beside})

    assert names(declared(read=BY_KEY, page="{kind: keyset}")) == []


@responses.activate
def test_an_empty_body_is_no_empty_list() -> None:
    responses.get(f"{HOST}/items", body=b"", status=200)
    responses.get(f"{HOST}/items", body=b"", status=204)

    for _ in range(2):
        with pytest.raises(Retry, match="it holds null"):
            names(declared())


@pytest.mark.parametrize("status", [204, 404])
@responses.activate
def test_a_status_says_none_where_the_call_declares_it(status: int) -> None:
    responses.get(f"{HOST}/items", json={"data": ROWS[:3]})
    responses.get(f"{HOST}/items", body=b"", status=status)
    read = "{path: /items, none: [204, 404], query: {after: '{after}'}}"

    assert names(declared(read=read, page="{kind: keyset, size: 3}")) == NAMES[:3]


@responses.activate
def test_a_list_that_is_empty_where_the_file_says_so() -> None:
    responses.get(f"{HOST}/items", json={"data": None})

    assert names(declared(object_="    empty: 'null'")) == []


@responses.activate
def test_an_answer_by_id_that_is_no_record_is_not_a_deleted_one() -> None:
    from tests.adapters.declarative.systems import ITEMS

    crm = declared(object_="    get: {request: {path: '/items/{id}'}}")
    documents: tuple[Any, ...] = ({}, {"error": "try later"}, {"id": None}, [])
    for document in documents:
        responses.get(f"{HOST}/items/07", json=document)
        with pytest.raises(Retry, match="without its records"):
            list(crm.fetch(ITEMS, ["07"]))


@pytest.mark.parametrize("told", [{}, {"currency": None}, {"currency": ""}, {"currency": "€"}, {"currency": "eur"}])
@responses.activate
def test_a_company_without_a_currency_is_said_and_no_amount_is_read(told: Mapping[str, Any]) -> None:
    responses.get(f"{HOST}/me", json=told)
    crm = declared()
    crm._connector.me.__dict__.update(currency="$.currency", currency_setting="missing")

    with pytest.raises(Misconfigured, match="no home currency"):
        crm.organisation()
