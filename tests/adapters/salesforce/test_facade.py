"""simple-salesforce over our transport, against the simulator: its own faults are gone, and the org speaks its language."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from adapters.salesforce import wire
from connector.errors import Denied, Misconfigured, Retry
from tests.adapters.salesforce.double import SalesforceDouble, salesforce
from tests.connector.scoring.books import books, invoice
from tests.waiting import ANSWER_S

BOOKS = books([invoice(f"I{n}", 100_00 + n, "2025-01-01", "2025-01-31", f"A{n % 3}") for n in range(450)])


@pytest.fixture
def org() -> Iterator[SalesforceDouble]:
    with salesforce(BOOKS) as salesforce_double:
        yield salesforce_double


@pytest.fixture
def facade(org: SalesforceDouble) -> Any:
    return org.crm().client.facade()


def test_queries_follow_their_cursors(org: SalesforceDouble, facade: Any) -> None:
    org.org.page = 200
    rows = list(facade.query_all_iter("SELECT Id, Name, Account__r.Name FROM Invoice__c ORDER BY Name"))

    assert len(rows) == 450
    assert rows[0]["Account__r"]["Name"] in ("A0", "A1", "A2")
    assert facade.query("SELECT COUNT() FROM Invoice__c")["totalSize"] == 450
    grouped = facade.query("SELECT Account__c, COUNT(Id) n, SUM(Total__c) s FROM Invoice__c GROUP BY Account__c")
    assert sorted(row["n"] for row in grouped["records"]) == [150, 150, 150]


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("Name = 'i7'", 1),
        ("Name LIKE 'I44%'", 11),
        ("Name IN ('I1', 'I2') OR Name = 'I3'", 3),
        ("NOT Name LIKE 'I%'", 0),
        ("Total__c > 104.43 AND (Total__c <= 100 OR Total__c >= 104.45)", 5),
        ("Account__c IN (SELECT Id FROM Account WHERE Name = 'A1')", 150),
        ("CreatedDate = TODAY AND Due_Date__c = 2025-01-31 AND Voided_On__c = null", 450),
        ("CreatedDate < LAST_N_DAYS:3 OR Due_Date__c > NEXT_N_DAYS:5", 0),
        ("SystemModstamp >= 2020-01-01T00:00:00Z AND Name != 'I7'", 449),
        ("Account__r.Name = 'a2' AND Name NOT IN ('I2')", 149),
    ],
)
def test_conditions_mean_what_they_mean_in_soql(facade: Any, where: str, count: int) -> None:
    assert facade.query(f"SELECT Id FROM Invoice__c WHERE {where}")["totalSize"] == count


@pytest.mark.parametrize("query", ["SELECT FROM Account", "SELECT Nope__c FROM Account", "SELECT Id FROM Nothing__c"])
def test_a_wrong_query_is_refused_in_salesforce_s_own_words(facade: Any, query: str) -> None:
    with pytest.raises((Misconfigured, SalesforceMalformedRequest)):
        facade.query(query)


def test_records_are_got_written_and_deleted(org: SalesforceDouble, facade: Any) -> None:
    record = next(iter(org.org.tables["Account"].records))
    facade.Account.update(record, {"Phone": "021 中文"})

    assert facade.Account.get(record)["Phone"] == "021 中文"
    assert facade.Account.describe()["name"] == "Account"
    assert any(each["name"] == "Invoice__c" for each in facade.describe()["sobjects"])
    result = facade.Account.create({"Name": "New"})
    facade.Account.delete(result["id"])
    assert facade.limits()["DailyApiRequests"]["Max"] == 100_000
    gone = facade.query_all("SELECT Id, IsDeleted FROM Account WHERE IsDeleted = true", include_deleted=True)
    assert [row["Id"] for row in gone["records"]] == [result["id"]]
    with pytest.raises((Misconfigured, SalesforceResourceNotFound)):
        facade.Account.get("001000000000000AAA")


def test_a_dead_session_is_renewed_once_and_never_in_a_circle(org: SalesforceDouble, facade: Any) -> None:
    """simple-salesforce #804: 1,942 requests and a RecursionError."""
    record = next(iter(org.org.tables["Account"].records))
    facade.Account.get(record)
    org.expire()
    before = org.refreshes()
    facade.Account.get(record)
    assert org.refreshes() == before + 1

    org.post("revoke")
    calls = sum(org.org.calls.values())
    with pytest.raises(Denied):
        facade.Account.get(record)
    assert sum(org.org.calls.values()) - calls <= 2


def test_a_storm_is_waited_out_and_one_that_lasts_is_a_retry(org: SalesforceDouble, facade: Any) -> None:
    """simple-salesforce #148: no timeout, no retry."""
    org.fault("503", 2)
    assert facade.query("SELECT COUNT() FROM Account")["totalSize"] == 4
    org.fault("trickle", 99)
    with pytest.raises(Retry):
        facade.query("SELECT COUNT() FROM Account")


def test_bulk_results_are_utf8_and_quoted_lines_stay_whole(org: SalesforceDouble, facade: Any) -> None:
    """simple-salesforce #706: every Chinese error was garbled."""
    record, other = list(org.org.tables["Account"].records)[:2]
    org.rule(record, "电话必填, “x”\nsecond line")
    rows = [{"Id": record, "Phone": "1"}, {"Id": other, "Phone": "2"}]

    results = facade.bulk2.Account.update(records=rows, wait=0)

    failed = facade.bulk2.Account.get_failed_records(results[0]["job_id"])
    assert "电话必填" in failed
    assert (results[0]["numberRecordsFailed"], results[0]["numberRecordsTotal"]) == (1, 2)
    pages = list(facade.bulk2.Account.query("SELECT Id, Name FROM Account", wait=0))
    assert pages[0].count("\n") == 5


def test_what_the_org_tells_of_its_limits_is_kept(org: SalesforceDouble) -> None:
    crm = org.crm()
    crm.organisation()
    assert crm.client.usage is not None
    assert crm.client.usage[1] == 100_000


def test_several_calls_in_one_name_each_other_s_results(org: SalesforceDouble) -> None:
    client = org.crm().client
    base = client.data
    document = {
        "allOrNone": True,
        "compositeRequest": [
            {"method": "POST", "url": f"{base}/sobjects/Account", "referenceId": "a", "body": {"Name": "中文"}},
            {"method": "GET", "url": f"{base}/sobjects/Account/@{{a.id}}", "referenceId": "b"},
            {"method": "GET", "url": f"{base}/query?q=SELECT+COUNT()+FROM+Account", "referenceId": "c"},
            {"method": "GET", "url": f"{base}/sobjects/Account/001000000000000AAA", "referenceId": "d"},
            {"method": "GET", "url": f"{base}/sobjects/Account/describe", "referenceId": "e"},
        ],
    }
    rows = wire.document(client.call("POST", "composite", "x", body=json.dumps(document).encode()).body)[
        "compositeResponse"
    ]

    assert [row["httpStatusCode"] for row in rows] == [201, 200, 200, 404, 400]
    assert (rows[1]["body"]["Name"], rows[2]["body"]["totalSize"]) == ("中文", 5)
    new = [{"attributes": {"type": "Account"}, "Name": f"n{n}"} for n in range(2)]
    result = wire.document(
        client.call("POST", "composite/sobjects", "x", body=json.dumps({"records": new}).encode()).body
    )
    ids = ",".join([*(row["id"] for row in result), "001000000000000AAA"])
    gone = wire.document(client.call("DELETE", "composite/sobjects", "x", params={"ids": ids}).body)
    assert [row["success"] for row in gone] == [True, True, False]
    batch = {
        "batchRequests": [
            {"method": "GET", "url": "v66.0/sobjects/Account/describe"},
            {"method": "GET", "url": "v66.0/sobjects/No/describe"},
        ]
    }
    results = wire.document(client.call("POST", "composite/batch", "x", body=json.dumps(batch).encode()).body)[
        "results"
    ]
    assert [row["statusCode"] for row in results] == [200, 404]


def test_old_versions_are_gone_and_unknown_ones_never_were(org: SalesforceDouble) -> None:
    versions = requests.get(f"{org.origin}/services/data", timeout=ANSWER_S).json()
    assert versions[-1]["version"] == "68.0"
    for version, status in (("v30.0", 410), ("vx", 404)):
        assert requests.get(f"{org.origin}/services/data/{version}/limits", timeout=ANSWER_S).status_code == status


def test_the_cli_s_two_slashes_and_its_question_for_columns_are_understood(org: SalesforceDouble) -> None:
    token = next(iter(org.org.tokens), None) or org.org.issue()
    answer = requests.get(
        f"{org.origin}//services/data/v66.0/query",
        headers={"Authorization": f"Bearer {token}"},
        timeout=ANSWER_S,
        params={"q": "SELECT Id, Name FROM Account", "columns": "true"},
    ).json()

    assert [row["columnName"] for row in answer["columnMetadata"]] == ["Id", "Name"]
    assert answer["idSelected"] is True
