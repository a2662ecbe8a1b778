"""Secrets and names reach no log, no error and no address, whatever goes wrong."""

import json
import logging
from pathlib import Path

import pytest
import requests

from tests.simulated import impatient
from tests.story.house import House
from tests.waiting import ANSWER_S
from tests.zixin.calls import run
from zixin.config import connections
from zixin.config.connections import ConnectionConfig
from zixin.logs import JsonLines

SECRET, PERSON = "canary-secret-7f3a", "Canary Person 陈金丝雀"


@pytest.fixture
def watched(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """The house as a profile whose credentials and customers are canaries."""
    home = tmp_path / "home"
    (home / "default").mkdir(parents=True)
    monkeypatch.setenv("ZIXIN_HOME", str(home))
    org = house.sim.org
    org.client_secret = SECRET
    for record in list(org.modules["Accounts"].records)[:5]:
        org.change("Accounts", record, {"Account_Name": PERSON, "Tax_ID": SECRET})
    credentials = {
        "accounts_server": house.sim.origin,
        "api_domain": house.sim.origin,
        "client_id": org.client_id,
        "client_secret": SECRET,
        "refresh_token": org.refresh_token,
    }
    config = ConnectionConfig("zoho", credentials, "en", house.link.mapping.writes.fields, (SECRET,))
    connections.keep("default", {"sim": config})
    return house


def faulty(house: House, api: str, status: int) -> None:
    house.sim.org.faults.clear()
    house.sim.control("faults", api=api, status=status, times=99)


def test_nothing_that_goes_wrong_says_a_secret_or_a_name(
    watched: House, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = impatient(2)
    monkeypatch.setattr("adapters.zoho.crm.RetryPolicy", lambda: quick)
    org = watched.sim.org
    refresh = org.refresh_token
    assert run("sync", "--as-of", "2025-06-30") == 0
    for api, status in (("coql", 503), ("coql", 429), ("write", 503), ("count", 0), ("fields", 500)):
        faulty(watched, api, status)
        run("sync", "--full", "--as-of", "2025-07-01")
    org.faults.clear()
    # A record that no cast fits, a rule that names the value, a token that is dead.
    record = next(iter(org.modules["Invoices"].records))
    org.change("Invoices", record, {"Due_Date": f"{SECRET}", "Invoice_Number": PERSON})
    org.rules[next(iter(org.modules["Accounts"].records))] = "a rule"
    run("sync", "--as-of", "2025-07-02")
    org.revoked = True
    org.kill_tokens()
    assert run("sync", "--as-of", "2025-07-03") == 5
    run("check", PERSON[::-1], "1")
    out, err = capfd.readouterr()

    for text in (err,):
        assert SECRET not in text
        assert PERSON not in text
        assert refresh not in text
    assert SECRET not in out
    assert refresh not in out


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
@pytest.mark.parametrize(
    "library", ["sqlalchemy.engine", "urllib3.connectionpool", "requests", "polars", "uvicorn.error"]
)
def test_what_libraries_log_is_left_out(library: str, level: str) -> None:
    record = logging.makeLogRecord(
        {
            "name": library,
            "levelname": level,
            "levelno": getattr(logging, level),
            "msg": f"https://x/?secret={SECRET} %s",
            "args": (PERSON,),
            "exc_info": None,
        }
    )

    line = JsonLines().format(record)

    assert SECRET not in line
    assert "陈" not in line
    assert json.loads(line)["logger"] == library


def test_a_refused_call_is_told_nothing_of_ours(watched: House) -> None:
    from adapters.simulation.serving import serve_in_thread
    from adapters.zoho import hook
    from sync.inbox import InboxWriter
    from zixin.services.intake import Intake, Ready, WebhookRoute
    from zixin.web.webhooks import application

    clerk = InboxWriter(watched.store)
    with serve_in_thread(
        application(
            Intake({"sim": WebhookRoute("sim", [SECRET], hook.verify)}, clerk, lambda: None),
            lambda: Ready(True, 0, 0, True),
        )
    ) as origin:
        answer = requests.post(f"{origin}/hooks/sim", data=json.dumps({"token": PERSON}), timeout=ANSWER_S)
    clerk.close()

    assert answer.status_code == 401
    assert SECRET not in answer.text
    assert PERSON not in answer.text
