"""The rep's page: what the record holds, and buttons that work from it alone."""

import json
from datetime import timedelta

import requests

from connector.assessment import OUTPUT_FIELDS
from tests.simulated import Sim
from tests.waiting import ANSWER_S


def test_the_list_and_an_account_s_page_show_the_record_and_no_token_of_the_control(sim: Sim) -> None:
    crm = sim.crm()
    crm.apply(OUTPUT_FIELDS)
    record = next(iter(sim.org.modules["Accounts"].records))
    hostile = "</script><script>alert(1)</script>"
    sim.org.change("Accounts", record, {"Credit_Rating": "BB", "Account_Name": hostile, "Credit_Flags": ["SLOWING"]})
    base = f"{sim.origin}/crm/tab/Accounts"

    whole = requests.get(base, timeout=ANSWER_S)
    page = requests.get(f"{base}/{record}?lang=zh-CN", timeout=ANSWER_S)
    payload = requests.get(f"{base}/{record}/record.json", timeout=ANSWER_S).json()

    assert "BB" in whole.text
    assert "客户付款" in page.text
    assert payload["record"]["Credit_Flags"] == ["SLOWING"]
    assert len(payload["open"]) == 20
    for text in (whole.text, page.text, json.dumps(payload)):
        assert sim.org.control_token not in text
        assert sim.org.client_secret not in text
    assert "<script>alert" not in whole.text + page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert (
        requests.get(f"{base}/1", timeout=ANSWER_S).status_code
        == requests.get(f"{base}/1/record.json", timeout=ANSWER_S).status_code
        == 404
    )


def press(sim: Sim, record: str, deed: str, token: str, **headers: str) -> requests.Response:
    url = f"{sim.origin}/crm/tab/Accounts/{record}/{deed}"
    return requests.post(url, data={"token": token}, headers=headers, timeout=ANSWER_S, allow_redirects=False)


def token_of(sim: Sim, record: str) -> str:
    page = requests.get(f"{sim.origin}/crm/tab/Accounts/{record}", timeout=ANSWER_S).text
    return page.split("name=token value='")[1].split("'")[0]


def test_a_press_pays_or_makes_overdue_and_only_from_the_page(sim: Sim) -> None:
    record = next(iter(sim.org.modules["Accounts"].records))
    token = token_of(sim, record)
    before = len(sim.org.modules["Customer_Payments"].records)

    refused = [
        press(sim, record, "pay", "wrong"),
        press(sim, record, "pay", token, Origin="https://evil.example"),
    ]
    assert [answer.status_code for answer in refused] == [403, 403]
    assert len(sim.org.modules["Customer_Payments"].records) == before

    assert press(sim, record, "pay", token, Origin=sim.origin).status_code == 303
    assert len(sim.org.modules["Customer_Payments"].records) == before + 1
    assert press(sim, record, "overdue", token).status_code == 303
    due = [
        row["Due_Date"] for row in sim.org.modules["Invoices"].records.values() if row["Account_Name"]["id"] == record
    ]
    assert (sim.org.now().date() - timedelta(days=95)).isoformat() in due
    assert press(sim, record, "steal", token).status_code == 404
