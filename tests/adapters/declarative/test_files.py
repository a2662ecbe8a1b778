"""Connector files that do not fit are refused with their line and what was probably meant."""

import json
from typing import Any

import pytest
import responses

from adapters.declarative import select
from adapters.declarative.connector import load
from adapters.declarative.models import FieldRule
from adapters.declarative.rows import instant, iso, value
from connector.errors import Denied, Exhausted, Misconfigured, Retry
from connector.ports import Change, Source, Writes
from tests.adapters.common.test_standard_webhooks import NOW
from tests.adapters.declarative.systems import HOST, ITEMS, PLAIN, declared, names

GOOD = PLAIN.format(auth="{kind: none}", read="{path: /items}", page="{kind: none}", more="", object="")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("kind: none}\n\n", "kind: nothing}\n\n", r"line 7: auth\.kind"),
        ("objects:", "objcts:", "unknown key objcts; did you mean 'objects'"),
        ("{path: /items}", "{path: /items, qery: {}}", "unknown key .*qery; did you mean 'query'"),
        ("{path: /items}", "{path: '/items/{kee}'}", r"objects\.items: nobody knows \{kee\}; did you mean 'key'"),
        ("$.modified", "modified", "is no selector: it begins with"),
        ("currency_setting: home", "currency_setting: hme", "where the currency comes from"),
        ("auth: {kind: none}", "auth: {kind: basic, user: x}", "auth of kind basic needs password"),
        ("name: test", "name: Test File", "a name is of a-z"),
        ("read: {path: /items}", "children: {of: itms, rows: $.x}", "no object 'itms'; did you mean 'items'"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_its_line(old: str, new: str, words: str) -> None:
    assert load(GOOD, "t.yaml").name == "test"
    assert old in GOOD
    with pytest.raises(Misconfigured, match=r"t\.yaml, line \d+") as exception_info:
        load(GOOD.replace(old, new), "t.yaml")
    import re

    assert re.search(words, str(exception_info.value))


def test_selectors_find_what_they_name_and_nothing_else() -> None:
    document = {"a": {"b": [{"c": 1}, {"c": 2}, {"d": 3}]}, "x.y": 4, "n": None}

    assert select.every("$.a.b[*].c", document) == [1, 2]
    assert (select.first("$.a.b[-1].d", document), select.first("$.a.b[7].d", document)) == (3, None)
    assert (select.first('$["x.y"]', document), select.first("$.n.z", document), select.first("$", 5)) == (4, None, 5)
    for wrong in ("a.b", "$.a[", "$..a", "$.a[x]", "$.a(1)"):
        if wrong != "$.a(1)":
            with pytest.raises(ValueError, match="no selector"):
                select.check_selector(wrong)


def test_a_template_substitutes_names_and_runs_nothing() -> None:
    values = {"id": "a/b", "items": [1, 2], "n": 3}

    assert select.fill({"x": "{items}", "y": ["n={n}", {"z": "{id}"}]}, values) == {
        "x": [1, 2],
        "y": ["n=3", {"z": "a/b"}],
    }
    assert select.fill("{id.__class__} {n}", {**values, "id.__class__": "-"}) == "- 3"
    with pytest.raises(Misconfigured, match=r"\{nobody\}"):
        select.fill("x {nobody}", values)


def test_values_have_one_lexical_form() -> None:
    record = {
        "when": 1_767_225_600_000,
        "cents": 1050,
        "rich": "<p>Chen &amp; Co</p>",
        "who": {"id": 7},
        "tags": ["a", "b"],
        "on": True,
        "deep": {"er": "x"},
    }

    def of(name: str, **rule: object) -> str | None:
        return value(FieldRule.model_validate({"path": f"$.{name}", **rule}) if rule else None, name, record, "UTC")

    assert of("when", time="epoch_ms") == "2026-01-01T00:00:00+00:00"
    assert of("when", time="epoch_ms", day=True) == "2026-01-01"
    assert (of("cents", shift=-2), of("rich", html=True)) == ("10.50", "Chen & Co")
    assert (of("who"), of("tags"), of("on"), of("deep.er"), of("gone")) == ("7", "a;b", "true", "x", None)
    assert iso("2026-01-02 03:04:05", "%Y-%m-%d %H:%M:%S", "Asia/Shanghai") == "2026-01-02T03:04:05+08:00"
    assert iso("soon", "epoch_s", "UTC") == "soon"
    assert (instant(NOW, "epoch_s", "UTC"), instant(NOW, "epoch_ms", "UTC")) == ("1772366400", "1772366400000")
    assert instant(NOW, "%Y-%m-%d %H:%M", "Asia/Shanghai") == "2026-03-01 20:00"


@pytest.mark.parametrize(
    ("answers", "status", "body", "problem"),
    [
        ("[{when: {body: $.errorCode, other_than: ['0']}, do: retry}]", 200, {"errorCode": 5}, Retry),
        ("[{when: {status: [403], header: X-Why, contains: [quota]}, do: quota_spent}]", 403, {}, Exhausted),
        ("[]", 403, {}, Denied),
        ("[]", 418, {}, Misconfigured),
        ("[{when: {status: ['400-499']}, do: no_object}]", 410, {}, Misconfigured),
        ("[{when: {body: $.msg, contains: [busy]}, do: slow_down, wait_s: 1}]", 200, {"msg": "too busy"}, Retry),
    ],
)
@responses.activate
def test_an_answer_means_what_the_file_says(
    answers: str, status: int, body: dict[str, object], problem: type[Exception]
) -> None:
    responses.get(f"{HOST}/items", status=status, json=body, headers={"X-Why": "daily quota"})

    with pytest.raises(problem):
        names(declared(more=f"answers: {answers}"))


@responses.activate
def test_a_list_that_is_a_404_may_be_an_empty_one() -> None:
    responses.get(f"{HOST}/items", status=404, json={})

    assert names(declared(more="answers: [{when: {status: [404]}, do: empty}]")) == []


@responses.activate
def test_records_without_a_batch_are_fetched_and_written_one_by_one() -> None:
    responses.get(f"{HOST}/items/a%2Fb", json={"item": {"id": "a/b", "name": "one"}})
    responses.get(f"{HOST}/items/c", status=404)
    responses.put(f"{HOST}/items/a%2Fb", status=204)
    responses.put(f"{HOST}/items/c", status=422, json={"message": "rating 'AAA' is not allowed"})
    crm = declared(
        object_="    get: {request: {path: '/items/{id}'}, record: $.item}\n"
        "    write: {request: {method: PUT, path: '/items/{id}', body: '{values}'}, result: {statuses: [204]}}\n"
    )

    pages = list(crm.fetch(ITEMS, ["a/b", "c"]))
    assert isinstance(crm, Writes)
    done = list(crm.write([Change("a/b", {"rating": "AAA", "limit": "12.50"}), Change("c", {"rating": "AAA"})]))

    assert [row for page in pages for row in page.frame["name"]] == ["one"]
    assert [gone.record for page in pages for gone in page.gone] == ["c"]
    assert [(each.state, each.refusal) for each in done] == [("taken", None), ("refused", "rating '…' is not allowed")]
    sent = [json.loads(call.request.body) for call in responses.calls if call.request.method == "PUT"]  # type: ignore[arg-type]
    assert sent[0]["rating"] == "AAA"


@responses.activate
def test_rows_inside_a_record_bear_its_id_and_one_without_rows_is_gone() -> None:
    orders = [{"id": "1", "lines": [{"n": 5, "sum": 1.10}, {"n": 6, "sum": 2}]}, {"id": "2", "lines": []}]
    responses.get(f"{HOST}/items", json={"data": orders})
    crm = declared(
        object_="  lines:\n    children: {of: items, rows: '$.lines[*]', id: n}\n    fields: {order: {path: $.parent.id}}\n"
    )

    page = next(iter(crm.read(Source("lines", "lines", ("row_id", "sum", "order")), None)))

    assert page.frame.select("id", "row_id", "sum", "order").rows() == [
        ("1", "1/5", "1.1", "1"),
        ("1", "1/6", "2", "1"),
    ]
    assert [gone.record for gone in page.gone] == ["2"]


BATCH = (
    "    write: {{request: {{method: POST, path: /items, body: {{docs: '{{items}}'}}}}, "
    "batch: {{size: 8, item: {{id: '{{id}}'}}}}, {more}}}\n"
)


def batched(more: str) -> Writes:
    crm = declared(object_=BATCH.format(more=more))
    assert isinstance(crm, Writes)
    return crm


def states(crm: Writes, count: int) -> list[str]:
    return [each.state for each in crm.write([Change(str(number), {"rating": "A"}) for number in range(count)])]


@responses.activate
def test_one_error_that_names_several_ids_is_of_each_of_them() -> None:
    told = {"results": [{"ids": ["0", "2"], "ok": False, "error": "locked"}, {"ids": ["1"], "ok": True}]}
    responses.post(f"{HOST}/items", status=207, json=told)
    crm = batched("result: {rows: '$.results[*]', id: '$.ids[*]', state: $.ok, words: [$.error]}")

    assert states(crm, 4) == ["refused", "taken", "refused", "unknown"]


@responses.activate
def test_results_without_ids_that_are_fewer_than_the_records_prove_nothing() -> None:
    responses.post(f"{HOST}/items", json={"results": [{"ok": True}, {"ok": True}]})
    crm = batched("result: {rows: '$.results[*]', state: $.ok}")

    assert states(crm, 3) == ["unknown"] * 3
    assert states(crm, 2) == ["taken"] * 2


@responses.activate
def test_a_status_that_refuses_a_record_comes_before_what_it_means_elsewhere() -> None:
    responses.post(f"{HOST}/items", status=403, json={"message": "this customer is locked"})
    crm = batched("refused: [403], result: {state: $.ok}")

    outcomes = list(crm.write([Change(str(number), {"rating": "A"}) for number in range(2)]))

    assert [(each.state, each.refusal) for each in outcomes] == [("refused", "this customer is locked")] * 2


@responses.activate
def test_a_server_s_error_is_never_written_whatever_a_rule_calls_it() -> None:
    responses.post(f"{HOST}/items", status=500, json={"results": [{"ok": True}]})
    crm = declared(
        more="answers: [{when: {status: [500]}, do: ok}]\n",
        object_=BATCH.format(more="result: {rows: '$.results[*]', state: $.ok, statuses: [500]}"),
    )
    assert isinstance(crm, Writes)

    assert states(crm, 1) == ["unknown"]


@responses.activate
def test_a_batch_with_one_bad_record_is_halved() -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        ids = [each["id"] for each in json.loads(request.body)["docs"]]
        if "5" in ids:
            return 422, {}, json.dumps({"message": "no"})
        return 200, {}, json.dumps({"results": [{"id": each, "ok": True} for each in ids]})

    responses.add_callback(responses.POST, f"{HOST}/items", answer)
    crm = batched("result: {rows: '$.results[*]', id: $.id, state: $.ok}")

    assert states(crm, 8) == ["taken"] * 5 + ["refused"] + ["taken"] * 2
    # Three halvings and the whole; one by one it would be nine.
    assert len(responses.calls) == 7


@responses.activate
def test_a_glance_at_children_that_each_cost_a_call_reads_a_few() -> None:
    responses.get(f"{HOST}/items", json={"data": [{"id": str(number)} for number in range(500)]})
    for number in range(500):
        responses.get(f"{HOST}/items/{number}", json={"id": str(number), "lines": [{"n": 1, "sum": "2.00"}]})
    crm = declared(
        object_="    get: {request: {path: '/items/{id}'}}\n"
        "  lines:\n    children: {of: items, rows: '$.lines[*]', id: n, one_by_one: true}\n"
    )

    page = next(iter(crm.glance(Source("lines", "lines", ("row_id", "sum")))))

    assert page.frame.height == 20
    assert len(responses.calls) == 21
