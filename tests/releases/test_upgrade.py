"""Profiles that releases made, as their users bring them: restored, explained, decided and synced by today's code.

A folder a release: profile.tar.gz is what its own `zixin backup` wrote after a demo on portfolio/ (40 accounts, decisions, an
open event, a run that waits for approval under a harsh policy), expected.json what its commands said of it.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.zoho.simulator.org import Org
from mappings import portfolio
from sync import inbox
from sync.store import Store
from tests.zixin.calls import Served, document, run, served
from zixin.config import connections, settings

HERE = Path(__file__).parent
#: What the backup's secrets are sealed with; it opens nothing else.
KEY = "the key of a fixture, and of nothing else"
RELEASES = sorted(folder.name for folder in HERE.iterdir() if (folder / "profile.tar.gz").exists())


@pytest.fixture(params=RELEASES)
def expected(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """A release's profile, restored as `demo`; what its own commands said of it."""
    folder = HERE / request.param
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ZIXIN_KEY", KEY)
    assert run("--profile", "demo", "restore", str(folder / "profile.tar.gz")) == 0
    capsys.readouterr()
    payload = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return {**payload, "portfolio": folder / "portfolio"}


def test_every_account_is_listed_and_explained_as_it_was(expected: Any, capsys: pytest.CaptureFixture[str]) -> None:
    listed = document(capsys, "--profile", "demo", "list")["accounts"]

    # Each as its release said it, but for what was decided afterwards and waits for a sync.
    now = {row["number"]: {key: row[key] for key in expected["listed"][0]} for row in listed if not row["decided"]}
    was = {row["number"]: row for row in expected["listed"]}
    assert now == {number: was[number] for number in now}
    assert len(was) - len(now) == sum(row["decided"] for row in listed) > 0
    for row in expected["listed"]:
        match = document(capsys, "--profile", "demo", "explain", row["number"], "--as-of", row["as_of"])
        assert (match["score"], match["rating"], match["same"]) == (row["score"], row["rating"], True), row["number"]


def test_decisions_runs_and_events_are_there(expected: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("override", "hold", "limit"):
        decisions = document(capsys, "--profile", "demo", kind, "list")["decisions"]
        own = [row for row in decisions if row["by"]]
        assert [{key: row[key] for key in row if key in expected[kind][0]} for row in own] == expected[kind]
    runs = document(capsys, "--profile", "demo", "runs")["runs"]
    assert [{"run": row["run"], "state": row["state"]} for row in runs] == expected["runs"]
    store = Store(settings.profile_folder("demo") / "zixin.db")
    with store.read() as session:
        names = {row[0] for row in session.tx.exec_driver_sql("select connection from inbox")}
        waiting = [inbox.count_by_state(session.of(name))["waiting"] for name in names]
    store.close()
    assert waiting == [1]


@pytest.fixture
def attached(expected: Any, tmp_path: Path) -> Iterator[Served]:
    """The CRM as the release left it: the same records, and in zixin's fields what it had written."""
    tables = portfolio.read(expected["portfolio"]).tables
    # Its clock shows the profile's day, on which the run that waits can be approved.
    noon = datetime.fromisoformat(expected["listed"][0]["as_of"]).replace(hour=12, tzinfo=UTC)
    ahead_s = (noon - datetime.now(UTC)).total_seconds()
    with served("zoho", tables, tmp_path, "CNY", ahead_s) as crm:
        (name, config), *_ = connections.read("demo").items()
        reached = replace(config, credentials=crm.made.credentials(crm.origin), clock_ahead_s=ahead_s)
        connections.keep("demo", {name: reached})
        path = settings.profile_folder("demo") / "zixin.db"
        # This CRM is new, and the one that the store knows had the fields: what it knows of them stays.
        kept_store = path.read_bytes()
        assert run("--profile", "demo", "fields", "apply") == 0
        path.write_bytes(kept_store)
        org: Org = crm.made.application.state.org
        store = Store(path)
        with store.read() as session:
            sent = {
                row[0]: json.loads(row[1]) for row in session.tx.exec_driver_sql("select account_id, shows from sent")
            }
        store.close()
        for account, shows in sent.items():
            org.change("Accounts", account, {config.fields[key]: value for key, value in shows.items()})
        yield crm


def test_the_next_sync_writes_what_was_decided_since_the_last_one_and_nothing_else(
    expected: Any, attached: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    (settings.profile_folder("demo") / "policy.yaml").unlink()
    day = expected["listed"][0]["as_of"]

    done = document(capsys, "--profile", "demo", "sync", "--as-of", day)
    again = document(capsys, "--profile", "demo", "sync", "--as-of", day, "--dry-run")

    decided = [row for kind in ("override", "hold", "limit") for row in expected[kind] if row["state"] == "in_force"]
    assert done["written"] == len({row["number"] for row in decided}) > 0
    assert (done["accounts"], done["refused"], done["rejected"]) == (40, 0, 0)
    assert again["changes"] == []


def test_the_run_that_waits_is_put_into_force(
    expected: Any, attached: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = next(row["run"] for row in expected["runs"] if row["state"] == "braked")

    approved = document(capsys, "--profile", "demo", "approve", waiting, "--by", "Li")
    again = document(capsys, "--profile", "demo", "sync", "--as-of", expected["listed"][0]["as_of"])

    assert (approved["state"], approved["refused"]) == ("approved", 0)
    assert approved["written"] > len(expected["listed"]) // 2
    assert (again["state"], again["written"]) == ("done", 0)
    runs = {row["run"]: row["state"] for row in document(capsys, "--profile", "demo", "runs")["runs"]}
    assert runs[waiting] == "approved"
