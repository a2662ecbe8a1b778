"""An admin attaches a CRM: connect, fields plan and apply, a dry run, a sync; on each simulated CRM."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters import registry
from tests.connector.scoring.books import books, invoice
from tests.zixin.calls import document, run, served
from zixin.config import connections

BOOKS = books(
    [invoice(f"I{n}", 100_00 + n, "2025-01-01", "2025-01-31", f"A{n % 9}") for n in range(40)],
    [(f"P{n}", f"I{n}", "2025-02-05", 100_00 + n) for n in range(30)],
)


#: The whole way takes seconds: what counts for coverage is walked once.
EVERY = (
    "zoho",
    *(pytest.param(name, marks=pytest.mark.apart) for name in ("salesforce", "rest", "erpnext", "espocrm")),
)


@pytest.fixture(params=["zoho"])
def attached(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Path]]:
    """Name of a CRM that runs, and a file of its settings."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served(request.param, BOOKS, tmp_path) as up:
        yield request.param, up.file


@pytest.mark.parametrize("attached", EVERY, indirect=True)
def test_from_nothing_to_ratings(attached: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    crm, file = attached
    payload = document(capsys, "connect", crm, "--settings", str(file))
    lines = {line["what"]: line for line in payload["lines"]}
    assert "Simulated Ltd" in lines["organisation"]["en"]
    assert all(line["state"] != "failed" for line in payload["lines"])
    secret = json.loads(file.read_text())
    assert not any(value in json.dumps(payload) for name, value in secret.items() if "secret" in name or "key" in name)

    # Before the fields are made the doctor says so, and nothing of access.
    assert run("doctor") == 1
    assert "zixin map check" in capsys.readouterr().out
    suggested = document(capsys, "map", "suggest")["suggested"]
    assert [row for row in suggested if row["now"] and not row["stands"]] == []
    assert run("map", "check") == 0
    assert run("fields", "plan", "--detailed-exitcode") == 3
    assert run("sync") == 5  # It names the command that makes the fields.
    assert "fields apply" in capsys.readouterr().err
    created = document(capsys, "fields", "apply")["fields"]
    assert {row["action"] for row in created} == {"create"}
    assert len(created) == 8
    assert run("fields", "plan", "--detailed-exitcode") == 0
    assert {row["action"] for row in document(capsys, "fields", "apply")["fields"]} == {"keep"}
    assert run("fields", "drift", "--detailed-exitcode") == 0

    dry = document(capsys, "sync", "--dry-run")
    assert dry["written"] == 0
    done = document(capsys, "sync")
    assert (done["accounts"], done["receivables"], done["rejected"], done["refused"]) == (10, 40, 0, 0)
    assert done["written"] == 10
    assert document(capsys, "sync")["written"] == 0
    assert run("doctor") == 0


def test_settings_by_standard_input(
    attached: tuple[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    crm, file = attached
    monkeypatch.setattr("sys.stdin", io.StringIO(file.read_text()))
    assert run("connect", crm, "--settings", "-", "--no-input") == 0
    message = capsys.readouterr().out
    # Who we are and each API once, before anything is read.
    assert "we are zixin integration" in message
    assert "ZohoCRM.coql.READ" in message
    monkeypatch.setattr("sys.stdin", io.StringIO("[1, 2"))
    assert run("connect", crm, "--settings", "-", "--no-input") == 1


def test_a_second_connection_has_to_be_asked_for(
    attached: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    crm, file = attached
    assert run("connect", crm, "--settings", str(file)) == 0
    assert run("connect", crm, "--name", "other", "--settings", str(file)) == 1
    assert "is connected to" in capsys.readouterr().err
    assert run("connect", crm, "--name", "other", "--replace", "--settings", str(file)) == 0
    assert list(connections.read("default")) == ["other"]


def test_what_does_not_open_is_not_kept(
    attached: tuple[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    crm, file = attached
    values = json.loads(file.read_text())
    secret = next(need.name for need in registry.setting_specs(crm) if need.secret and need.name in values)
    file.write_text(json.dumps({**values, secret: "canary-wrong"}))

    assert run("connect", crm, "--settings", str(file)) == 5
    assert "canary" not in capsys.readouterr().err
    assert run("list") != 0
    file.write_text(json.dumps({name: value for name, value in values.items() if name != secret}))
    assert run("connect", crm, "--settings", str(file), "--no-input") == 1
    assert f"{secret} is missing" in capsys.readouterr().err
    monkeypatch.setattr("typer.prompt", lambda text, **_: values.get(text.split(" ")[0], ""))
    assert run("connect", crm, "--settings", str(file)) == 0
    file.chmod(0o644)
    assert run("connect", crm, "--settings", str(file)) == 1


def test_fields_that_somebody_else_made_are_taken_over_only_when_asked(
    attached: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    crm, file = attached
    assert run("connect", crm, "--settings", str(file)) == 0
    assert run("fields", "apply") == 0
    # A lost home: the fields are there, and nobody knows whose.
    config = connections.read("default")[crm]
    connections.change("default", crm, fields={}, install="", field_ids={})
    assert run("fields", "apply") == 1
    assert "zixin did not make them" in capsys.readouterr().err
    assert run("fields", "apply", "--adopt") == 0
    again = connections.read("default")[crm]
    assert (again.fields, again.install, again.field_ids) == (config.fields, config.install, config.field_ids)
