"""`zixin init` and the vendor's own steps: what a new admin meets first."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from adapters import registry
from adapters.registry import Simulated
from adapters.zoho import entry
from tests.connector.scoring.books import books, invoice
from tests.waiting import ANSWER_S
from tests.zixin.calls import run, served
from zixin.config import connections

BOOKS = books([invoice("I1", 100_00, "2025-01-01", "2025-01-31", "A1")], [])


@pytest.fixture
def zoho(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Simulated]]:
    """A simulated Zoho that runs, and a home of its own."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    with served("zoho", BOOKS, tmp_path) as up:
        yield up.origin, up.made


def code(zoho: tuple[str, Simulated], *lacks: str) -> str:
    origin, simulated = zoho
    response = requests.post(f"{origin}/control/{simulated.control}/grant", json={"lacks": lacks}, timeout=ANSWER_S)
    return str(response.json()["code"])


@pytest.mark.parametrize("crm", registry.available())
def test_the_settings_file_that_init_writes_is_one_that_connect_reads(
    crm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert run("init", "--crm", crm, "--no-input") == 0
    assert f"zixin connect {crm}" in capsys.readouterr().out
    file = tmp_path / f"zixin.{crm}.yaml"
    assert file.stat().st_mode & 0o077 == 0
    text = file.read_text()
    for need in registry.setting_specs(crm):
        assert f"{need.name}:" in text
    # Every required setting stands there, empty: connect names exactly these.
    assert run("connect", crm, "--settings", str(file), "--no-input") == 1
    error = capsys.readouterr().err
    assert all(f"{need.name} is missing" in error for need in registry.setting_specs(crm) if need.default is None)
    assert "unknown" not in error

    file.write_text("# mine\n")
    assert run("init", "--crm", crm, "--json") == 0
    assert json.loads(capsys.readouterr().out)["written"] == []
    assert file.read_text() == "# mine\n"


def test_init_asks_for_the_crm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "salesforce")
    assert run("init", "--into", str(tmp_path / "new")) == 0
    assert (tmp_path / "new" / "zixin.salesforce.yaml").exists()
    assert "ZIXIN_SET_CLIENT_SECRET" in (tmp_path / "new" / ".env.example").read_text()
    assert run("init", "--crm", "siebel") == 2


def test_a_grant_code_is_exchanged_and_kept_at_once(
    zoho: tuple[str, Simulated], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    origin, simulated = zoho
    values = simulated.credentials(origin)
    answers = {"accounts_server": origin, "client_id": values["client_id"], "client_secret": values["client_secret"]}
    answers["grant_code"] = code(zoho)
    monkeypatch.setattr("typer.prompt", lambda text, **_: answers.get(text.split(" ")[0], ""))

    assert run("connect", "zoho") == 0
    told = capsys.readouterr()
    assert "ZohoCRM.modules.custom.READ" in told.out
    assert answers["grant_code"] not in told.out + told.err
    stored = connections.read("default")["zoho"].credentials
    assert (stored["refresh_token"], stored["api_domain"]) == (values["refresh_token"], origin)
    assert "grant_code" not in stored
    # Used once: the same code is told as what it is, and the connection stays.
    assert run("connect", "zoho") == 5
    assert "make a new one" in capsys.readouterr().err
    assert connections.read("default")["zoho"].credentials == stored


def test_a_code_whose_scopes_do_not_do_is_not_lost(zoho: tuple[str, Simulated], tmp_path: Path) -> None:
    origin, simulated = zoho
    values = simulated.credentials(origin)
    values |= {"grant_code": code(zoho, "ZohoCRM.org.READ"), "refresh_token": ""}
    file = tmp_path / "s.yaml"
    file.write_text(json.dumps(values))
    file.chmod(0o600)
    assert run("connect", "zoho", "--settings", str(file)) == 5
    assert connections.read("default")["zoho"].credentials["refresh_token"]


def test_addresses_of_data_centres() -> None:
    document = entry.resolve_settings({"accounts_server": "cn", "environment": "sandbox", "client_id": "x"})
    assert document == {
        "accounts_server": "https://accounts.zoho.com.cn",
        "api_domain": "https://sandbox.zohoapis.com.cn",
        "client_id": "x",
    }
    other = {"accounts_server": "https://accounts.zoho.example", "api_domain": "https://api.zoho.example"}
    assert entry.resolve_settings(other) == other


def test_steps_are_printed_in_the_language_of_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("connect", "salesforce", "--steps", "--lang", "zh-CN") == 0
    assert "新建专用用户" in capsys.readouterr().out
    assert run("connect", "salesforce", "--steps") == 0
    assert "External Client App" in capsys.readouterr().out
