"""Programs on Zoho's own Python SDKs beside zixin: they understand the simulated Zoho, and share one token with it."""

import csv
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.registry import Simulated
from adapters.zoho import stores
from connector.errors import Misconfigured
from sync.token_cache import ProfileShared
from tests.connector.scoring.books import books, invoice
from tests.waiting import LIMIT_S
from tests.zixin.calls import run, served
from zixin.config import connections, keys, settings

HERE = Path(__file__).parent
BOOKS = books([invoice(f"I{n}", 100_00, "2025-01-01", "2025-01-31", f"A{n}") for n in range(10)], [])


@pytest.fixture
def zoho(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Simulated]]:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served("zoho", BOOKS, tmp_path) as up:
        assert run("connect", "zoho", "--settings", str(up.file)) == 0
        yield up.origin, up.made


def script(name: str, *words: str, more: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), **(more or {})}
    command = [sys.executable, str(HERE / name), *words]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, err
    return out


def refreshes(made: Simulated) -> int:
    return len(made.application.state.org._refreshes)


@pytest.mark.apart
def test_a_script_on_zcrmsdk_uses_the_token_that_zixin_has(zoho: tuple[str, Simulated]) -> None:
    origin, simulated = zoho
    before = refreshes(simulated)
    out = said(script("on_zcrmsdk.py", origin)).splitlines()
    assert out[0].startswith("200 5 ")
    assert out[1] == "200 success"
    assert refreshes(simulated) == before
    rows = simulated.application.state.org.modules["Accounts"].records.values()
    assert "T-9" in {row.get("Tax_ID") for row in rows}


@pytest.mark.apart
def test_two_processes_and_a_token_that_runs_out_are_one_refresh(zoho: tuple[str, Simulated], tmp_path: Path) -> None:
    origin, simulated = zoho
    shared = ProfileShared(settings.profile_folder("default"), keys.vault())
    with shared.token("zoho") as slot:
        kept = slot.get()
        assert kept is not None
        slot.put(kept[0], datetime.now(UTC) + timedelta(seconds=30))  # Less than the minute that a call may take.
    before, gate = refreshes(simulated), tmp_path / "gate"
    both = [script("on_zcrmsdk.py", origin, str(gate)) for _ in range(2)]
    gate.touch()
    assert all(said(each).startswith("200 5 ") for each in both)
    assert refreshes(simulated) - before == 1


@pytest.mark.apart
def test_zohos_present_sdk_reads_queries_writes_and_makes_a_field(zoho: tuple[str, Simulated], tmp_path: Path) -> None:
    origin, simulated = zoho
    values = {name.upper(): value for name, value in simulated.credentials(origin).items()}
    out = said(script("on_zohocrmsdk.py", origin, str(tmp_path), more=values)).splitlines()
    assert out == [
        f"pages {len(simulated.application.state.org.modules['Accounts'].records) - 1}",
        "coql 3",
        "upsert success",
        "field success",
    ]
    assert "SDK_made" in simulated.application.state.org.modules["Accounts"].fields


def csv_store(path: Path, *rows: Mapping[str, Any]) -> Path:
    with path.open("w", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_store_of_zcrmsdk_is_taken_over_and_the_rest_asked_for(
    zoho: tuple[str, Simulated], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    origin, simulated = zoho
    values = simulated.credentials(origin)
    row = {
        "user_mail": "a@b.example",
        "client_id": values["client_id"],
        "refresh_token": values["refresh_token"],
        "access_token": "old",
        "grant_token": "",
        "expiry_time": "1",
    }
    file = csv_store(tmp_path / "sdk_tokens.txt", row)
    names: list[str] = []

    def answer(text: str, **_: Any) -> str:
        names.append(text.split(" ")[0])
        return values.get(names[-1], "")

    monkeypatch.setattr("typer.prompt", answer)
    assert run("connect", "zoho", "--replace", "--name", "taken", "--import", str(file)) == 0
    # It knows neither the secret nor the data centre.
    assert names == ["accounts_server", "api_domain", "client_secret"]
    assert connections.read("default")["taken"].credentials["refresh_token"] == values["refresh_token"]
    assert values["refresh_token"] not in capsys.readouterr().out

    newer = {**row, "client_secret": "s", "api_domain": "https://www.zohoapis.eu", "refresh_token": "r"}
    assert stores.imported(csv_store(tmp_path / "v8.csv", newer)) == {
        "client_id": values["client_id"],
        "client_secret": "s",
        "refresh_token": "r",
        "api_domain": "https://www.zohoapis.eu",
    }
    with pytest.raises(Misconfigured, match="holds 2 users"):
        stores.imported(csv_store(tmp_path / "two.csv", row, row))
    with pytest.raises(Misconfigured, match="holds 0 users"):
        stores.imported(csv_store(tmp_path / "none.csv", {**row, "refresh_token": "null"}))
    assert run("connect", "salesforce", "--import", str(file)) == 1
