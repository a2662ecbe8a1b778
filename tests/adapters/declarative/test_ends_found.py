"""Ends of lists that systems of other people have, each of which once lost rows in silence or was refused without cause."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import responses

from adapters.declarative.pages import next_link
from connector.errors import Misconfigured, Retry
from tests.adapters.declarative.systems import HOST, ITEMS, declared, names
from tests.adapters.declarative.test_ends import BY_CURSOR, BY_KEY, BY_OFFSET, BY_PAGE, NAMES, ROWS, served


@responses.activate
def test_an_offset_list_goes_on_behind_a_page_of_nothing_but_the_shared_row() -> None:
    edges = {0: 3, 2: 3, 3: 6, 5: 8, 7: 8}

    def answer(query: Mapping[str, str]) -> Any:
        start = int(query["offset"])
        return {"data": ROWS[start : edges.get(start, 8)], "more": start + 1 < len(ROWS)}

    served(answer)

    assert sorted(set(names(declared(read=BY_OFFSET, page="{kind: offset, size: 3, more: $.more}")))) == NAMES
    assert sorted(set(names(declared(read=BY_OFFSET, page="{kind: offset, size: 3}")))) == NAMES


@pytest.mark.parametrize(("yes", "no"), [("yes", "no"), ("Y", "N"), ("X", ""), (2, 0), ("on", "off"), (True, False)])
@responses.activate
def test_more_is_said_in_many_words(yes: object, no: object) -> None:
    def answer(query: Mapping[str, str]) -> Any:
        page = int(query["page"])
        return {"data": ROWS[(page - 1) * 3 : page * 3], "more": yes if page < 3 else no}

    queries = served(answer)

    assert names(declared(read=BY_PAGE, page="{kind: page, size: 3, more: $.more}")) == NAMES
    assert len(queries) == 3


def test_a_link_header_is_read_as_its_rfc_has_it() -> None:
    for header in ('<https://a/?p=2>; rel="Next"', '<https://a/?p=2>; REL="next"', '<https://a/?p=2>; rel="last NEXT"'):
        assert next_link(header) == "https://a/?p=2"
    assert next_link('<https://a/?p=0>; rel="prev", <https://a/?p=2>; title="a, b"; rel="next"') == "https://a/?p=2"


@responses.activate
def test_a_list_that_shows_one_record_twice_and_another_never_is_not_as_many_as_it_tells() -> None:
    order = [*ROWS[:4], ROWS[3], *ROWS[5:]]
    served(lambda query: {"data": order[(int(query["page"]) - 1) * 4 : int(query["page"]) * 4], "total": 8})

    with pytest.raises(Retry, match="7 rows came, and the answers tell of 8"):
        names(declared(read=BY_PAGE, page="{kind: page, size: 4, total: $.total}"))


@responses.activate
def test_numbered_pages_of_which_records_were_taken_out_behind_us_are_incomplete() -> None:
    def answer(query: Mapping[str, str]) -> Any:
        page = int(query["page"])
        rows = ROWS if page == 1 else ROWS[1:]
        return {"data": rows[(page - 1) * 4 : page * 4], "total": len(rows)}

    served(answer)

    with pytest.raises(Retry, match="answers tell of 8"):
        names(declared(read=BY_PAGE, page="{kind: page, size: 4, total: $.total}"))


@responses.activate
def test_a_total_that_only_the_first_page_tells_counts() -> None:
    def answer(query: Mapping[str, str]) -> Any:
        page = int(query["page"])
        return {"data": ROWS[(page - 1) * 4 : page * 4], "total": 8.0 if page == 1 else 0}

    served(answer)

    assert names(declared(read=BY_PAGE, page="{kind: page, size: 4, total: $.total}")) == NAMES


@responses.activate
def test_an_offset_list_that_loses_more_than_a_page_behind_us_is_gone_back_in_until_it_meets() -> None:
    rows = [{"id": f"{n:02d}", "name": f"n{n}"} for n in range(30)]
    calls: list[int] = []

    def answer(query: Mapping[str, str]) -> Any:
        calls.append(int(query["offset"]))
        if len(calls) == 5:
            del rows[:10]
        return {"data": rows[calls[-1] : calls[-1] + 4]}

    served(answer)

    results = names(declared(read=BY_OFFSET, page="{kind: offset, size: 4}"))

    assert set(results) == {f"n{n}" for n in range(30)}


@responses.activate
def test_an_offset_read_that_was_cut_notices_what_was_taken_out_meanwhile() -> None:
    rows = list(ROWS)
    served(lambda query: {"data": rows[int(query["offset"]) : int(query["offset"]) + 4]})
    crm = declared(read=BY_OFFSET, page="{kind: offset, size: 4}")
    first = next(iter(crm.read(ITEMS, None)))
    del rows[:2]

    rest = [name for page in crm.read(ITEMS, first.cursor) for name in page.frame["name"]]

    assert set(rest) >= set(NAMES[4:])


@responses.activate
def test_deletions_here_and_there_do_not_end_a_long_offset_list() -> None:
    rows = [{"id": f"{n:03d}", "name": f"n{n}"} for n in range(200)]
    calls: list[int] = []

    def answer(query: Mapping[str, str]) -> Any:
        calls.append(int(query["offset"]))
        if len(calls) in (4, 9, 14, 19):
            del rows[0]
        return {"data": rows[calls[-1] : calls[-1] + 10]}

    served(answer)

    assert len(set(names(declared(read=BY_OFFSET, page="{kind: offset, size: 10}")))) == 200


@pytest.mark.parametrize(
    ("read", "page"), [(BY_PAGE, "{kind: page, size: 3, more: $.more}"), (BY_CURSOR, "{kind: cursor}")]
)
@responses.activate
def test_none_where_more_was_promised_is_incomplete(read: str, page: str) -> None:
    responses.get(f"{HOST}/items", json={"data": ROWS[:3], "more": True, "next": "2"})
    responses.get(f"{HOST}/items", status=404)

    with pytest.raises(Retry, match="3 rows came"):
        names(declared(read=read.replace("path: /items", "path: /items, none: [404]"), page=page))


@pytest.mark.parametrize(
    "beside",
    [
        {"errors": [{"message": "one shard is away"}]}, {"success": False}, {"ok": False}, {"status": "error"},
        {"errcode": 1001}, {"errorCode": "X9"}, {"error": {"message": "x"}}, {"error": {"code": 7}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("rows", [[], ROWS[:3]])
@responses.activate
def test_rows_beside_an_error_are_not_all_rows(beside: Mapping[str, Any], rows: list[Any]) -> None:
    responses.get(f"{HOST}/items", json={"data": rows, **beside})

    with pytest.raises(Retry, match="without its records"):
        names(declared())


@pytest.mark.parametrize(
    "beside",
    [
        {"error": {"code": 0, "message": "ok"}}, {"error": "0"}, {"error": "success"}, {"error": "none"},
        {"errcode": 0, "errmsg": "ok"}, {"status": "OK"}, {"success": True}, {"error": {"code": "0"}},
    ],
)  # fmt: skip
@responses.activate
def test_a_word_that_there_is_no_error_is_none(beside: Mapping[str, Any]) -> None:
    responses.get(f"{HOST}/items", json={"data": ROWS[:3], **beside})

    assert names(declared()) == NAMES[:3]


@responses.activate
def test_a_rule_on_the_body_fits_though_a_byte_in_it_is_no_utf8() -> None:
    responses.get(f"{HOST}/items", body=b'{"code": "E7", "msg": "\xff", "data": []}')
    more = "answers: [{when: {body: $.code, in: [E7]}, do: wrong}]"

    with pytest.raises(Misconfigured):
        names(declared(more=more))


@responses.activate
def test_a_cursor_that_stays_is_followed_as_long_as_rows_come() -> None:
    left = [ROWS[:3], ROWS[3:6], ROWS[6:], []]
    served(lambda _: {"data": left.pop(0), "next": "scroll-1"})

    assert names(declared(read=BY_CURSOR, page="{kind: cursor}")) == NAMES


@responses.activate
def test_a_relative_link_is_one_of_the_page_that_it_stands_on() -> None:
    base = f"{HOST}/v2/items"
    responses.get(base, match=[responses.matchers.query_param_matcher({})], json={"data": ROWS[:4], "next": "?page=2"})
    responses.get(
        base, match=[responses.matchers.query_param_matcher({"page": "2"})],
        json={"data": ROWS[4:6], "next": "items?page=3"},
    )  # fmt: skip
    responses.get(base, match=[responses.matchers.query_param_matcher({"page": "3"})], json={"data": ROWS[6:]})

    assert names(declared(read="{path: /v2/items}", page="{kind: next_link}")) == NAMES


@responses.activate
def test_links_to_the_same_origin_in_another_spelling_are_followed() -> None:
    responses.get(f"{HOST}/items", json={"data": ROWS[:4], "next": "https://ERP.example.com:443/more"})
    responses.get("https://erp.example.com:443/more", json={"data": ROWS[4:]})

    assert names(declared(page="{kind: next_link}")) == NAMES


@pytest.mark.parametrize("charset", ["gbk", "iso-8859-1", "utf-8"])
@responses.activate
def test_a_declared_charset_counts(charset: str) -> None:
    text = "Müller" if charset == "iso-8859-1" else "广州"
    body = json.dumps({"data": [{"id": "1", "name": text}]}, ensure_ascii=False).encode(charset)
    responses.get(f"{HOST}/items", body=body, content_type=f"application/json; charset={charset}")

    assert names(declared()) == [text]


@responses.activate
def test_a_short_answer_by_ids_is_asked_again_one_by_one() -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        wanted = str(request.url).rpartition("=")[2].split("%2C")
        return 200, {}, json.dumps({"data": [row for row in ROWS[:6] if row["id"] in wanted][:2]})

    responses.add_callback(responses.GET, f"{HOST}/items", callback=answer)
    crm = declared(object_="    some: {path: /items, query: {ids: '{ids}'}}")

    pages = list(crm.fetch(ITEMS, [row["id"] for row in ROWS]))

    assert sorted(name for page in pages for name in page.frame["name"]) == NAMES[:6]
    assert sorted(gone.record for page in pages for gone in page.gone) == ["06", "07"]


@responses.activate
def test_an_id_that_holds_what_joins_ids_is_not_asked_for_as_two() -> None:
    responses.get(f"{HOST}/items", json={"data": []})
    crm = declared(object_="    some: {path: /items, query: {ids: '{ids}'}}")

    assert [gone for page in crm.fetch(ITEMS, ["a,b"]) for gone in page.gone] == []


@responses.activate
def test_a_record_that_lists_mark_as_deleted_is_none_in_a_first_read_either() -> None:
    responses.get(f"{HOST}/items", json={"data": [{**ROWS[0], "deleted": True}, ROWS[1]]})

    assert names(declared(object_="    deleted: {field: deleted}")) == NAMES[1:2]


def test_groups_are_of_keys() -> None:
    with pytest.raises(Misconfigured, match="grouped needs kind keyset"):
        declared(page="{kind: page, grouped: true}")


@responses.activate
def test_by_keys_a_record_that_was_taken_out_ahead_of_us_is_none_that_is_missing() -> None:
    def answer(query: Mapping[str, str]) -> Any:
        rows = ROWS if not query.get("after") else ROWS[:-1]
        return {"data": [row for row in rows if row["id"] > query.get("after", "")][:3], "total": len(rows)}

    served(answer)

    assert names(declared(read=BY_KEY, page="{kind: keyset, size: 3, total: $.total}")) == NAMES[:-1]


@pytest.mark.parametrize("document", [{}, {"QueryResponse": {}}])
@responses.activate
def test_a_list_that_is_left_out_where_it_is_empty_is_declared(document: Mapping[str, Any]) -> None:
    responses.get(f"{HOST}/items", json=document)

    assert names(declared(object_="    empty: missing")) == []


@responses.activate
def test_a_row_that_lies_some_hundred_levels_deep_and_says_no_id_is_one_reject() -> None:
    deep: Any = []
    for _ in range(700):
        deep = [deep]
    responses.get(f"{HOST}/items", json={"data": [{"name": deep}, {"id": deep, "name": "x"}, ROWS[0]]})

    pages = list(declared(read=BY_PAGE, page="{kind: none}").read(ITEMS, None))

    assert [name for page in pages for name in page.frame["name"]] == ["n0"]
    assert len([misfit for page in pages for misfit in page.misfits]) == 2


@responses.activate
def test_an_offset_list_with_a_total_is_read_to_its_end_though_records_leave_behind_us() -> None:
    rows = [{"id": f"{n:03d}", "name": f"n{n}"} for n in range(93)]
    calls: list[int] = []

    def answer(query: Mapping[str, str]) -> Any:
        calls.append(int(query["offset"]))
        if len(calls) == 4:
            del rows[:2]
        return {"data": rows[calls[-1] : calls[-1] + 10], "total": len(rows)}

    served(answer)

    assert len(set(names(declared(read=BY_OFFSET, page="{kind: offset, size: 10, total: $.total}")))) == 93


@responses.activate
def test_a_system_that_ignores_the_page_and_has_a_row_that_changes_is_not_read_for_ever() -> None:
    queries = served(lambda query: {"data": [*ROWS[:3], {"at": f"{query['page']}"}]})

    with pytest.raises(Retry, match="a page came twice"):
        names(declared(read=BY_PAGE, page="{kind: page, size: 4}"))

    assert len(queries) < 10
