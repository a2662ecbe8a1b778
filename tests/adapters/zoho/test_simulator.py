"""The simulator speaks the protocol, not only what our adapter asks for."""

from typing import Any

import pytest
import requests

from tests.simulated import Sim
from tests.waiting import ANSWER_S


def api(sim: Sim, method: str, path: str, token: str | None = None, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Zoho-oauthtoken {token or sim.org.issue_token()}", **more.pop("headers", {})}
    return requests.request(method, f"{sim.origin}/crm/v8/{path}", headers=headers, timeout=ANSWER_S, **more)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "REQUIRED_PARAM_MISSING"),
        ({"fields": ",".join(f"f{n}" for n in range(51))}, "LIMIT_EXCEEDED"),
        ({"fields": "Subject", "per_page": "201"}, "INVALID_DATA"),
        ({"fields": "Subject", "page": "11"}, "DISCRETE_PAGINATION_LIMIT_EXCEEDED"),
        ({"fields": "Subject", "page": "2", "page_token": "x"}, "AMBIGUITY_DURING_PROCESSING"),
        ({"fields": "Subject", "page_token": "x"}, "INVALID_DATA"),
    ],
)
def test_documented_refusals(sim: Sim, params: dict[str, str], code: str) -> None:
    refused = api(sim, "GET", "Invoices", params=params)

    assert (refused.status_code, refused.json()["code"], refused.json()["status"]) == (400, code, "error")


def test_pages_by_number_are_the_pages_by_token(sim: Sim) -> None:
    token = sim.org.issue_token()
    first = api(sim, "GET", "Invoices", token, params={"fields": "Subject"}).json()
    by_token = api(
        sim, "GET", "Invoices", token, params={"fields": "Subject", "page_token": first["info"]["next_page_token"]}
    )
    by_number = api(sim, "GET", "Invoices", token, params={"fields": "Subject", "page": "2"})

    assert by_token.json()["data"] == by_number.json()["data"]
    assert api(sim, "GET", "Invoices", token, params={"fields": "Subject", "page": "9"}).status_code == 204


def test_a_bad_token_is_a_401_and_the_sixteenth_kills_the_first(sim: Sim) -> None:
    assert api(sim, "GET", "org", "wrong").json()["code"] == "INVALID_TOKEN"
    first = sim.org.issue_token()
    for _ in range(15):
        sim.org._refreshes.clear()
        sim.org.issue_token()
    assert api(sim, "GET", "org", first).status_code == 401


def test_upsert_updates_inserts_and_refuses(sim: Sim) -> None:
    known = next(iter(sim.org.modules["Accounts"].records))
    rows = [
        {"id": known, "Account_Name": "by id"},
        {"Account_Number": "A3", "Account_Name": "by check field"},
        {"Account_Name": "new", "Account_Number": "A99"},
        {"Account_Number": "A98"},
        {"Account_Name": "bad day", "Customer_Since": "1.2.2025", "Account_Number": "A97"},
    ]

    done = api(sim, "POST", "Accounts/upsert", json={"data": rows, "duplicate_check_fields": ["Account_Number"]})

    results = done.json()["data"]
    assert done.status_code == 207
    assert [result.get("action") for result in results] == ["update", "update", "insert", None, None]
    assert [result["code"] for result in results[3:]] == ["MANDATORY_NOT_FOUND", "INVALID_DATA"]


def test_writes_have_limits_and_all_refused_is_a_400(sim: Sim) -> None:
    assert api(sim, "PUT", "Accounts", json={"data": [{"id": "1"}] * 101}).json()["code"] == "LIMIT_EXCEEDED"
    assert api(sim, "PUT", "Accounts", json={"data": [{"id": "1"}]}).status_code == 400
    assert api(sim, "PUT", "Accounts", json={}).json()["code"] == "MANDATORY_NOT_FOUND"
    assert api(sim, "PUT", "Nothing", json={"data": [{}]}).json()["code"] == "INVALID_MODULE"
    assert api(sim, "PUT", "Accounts", data=b"no json").status_code == 400


def test_fields_are_created_five_a_call_with_short_labels(sim: Sim) -> None:
    fields = [{"field_label": "x" * 26, "data_type": "text"}, {"field_label": "Account Name", "data_type": "text"}]
    params = {"module": "Accounts"}

    mixed = api(sim, "POST", "settings/fields", params=params, json={"fields": fields})

    assert [item["code"] for item in mixed.json()["fields"]] == ["INVALID_DATA", "DUPLICATE_DATA"]
    assert api(sim, "POST", "settings/fields", params=params, json={"fields": fields * 3}).status_code == 400
    clash = [
        {"field_label": "Account-Name", "data_type": "text"},
        {"field_label": "Account Name ", "data_type": "text"},
    ]
    response = api(sim, "POST", "settings/fields", params=params, json={"fields": clash})
    assert response.status_code == 201
    assert "Account_Name_" in sim.org.modules["Accounts"].fields
    assert api(sim, "GET", "settings/fields", params={"module": "No"}).json()["code"] == "INVALID_MODULE"


def test_the_control_is_behind_its_token(sim: Sim) -> None:
    assert requests.get(f"{sim.origin}/control/guess/ledger", timeout=ANSWER_S).status_code == 404
    base = f"{sim.origin}/control/{sim.org.control_token}"
    assert requests.get(f"{base}/ledger", timeout=ANSWER_S).json()["credits"] == sim.org.spent
    assert len(requests.get(f"{base}/records/Accounts", timeout=ANSWER_S).json()["records"]) == 7
    assert requests.get(f"{base}/records/No", timeout=ANSWER_S).status_code == 404
    for body in ({"module": "No"}, {"module": "Accounts"}, {"module": "Accounts", "where": {"Account_Number": "no"}}):
        assert sim.control("change", **body)["error"] == "no such record"
    assert sim.control("create", module="No") == {"error": "no module"}
    result = sim.control("create", module="Customer_Payments", set={"Amount": "0.10", "Name": "PX"})["id"]
    assert sim.org.modules["Customer_Payments"].records[result]["Amount"] == b"0.10" or result
    assert sim.control("explode", module="Customer_Payments", id=result)["error"] == "change or delete"
    assert api(sim, "GET", "Accounts/actions/count").json() == {"count": 7}
