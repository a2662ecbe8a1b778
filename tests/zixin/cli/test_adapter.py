"""`zixin adapter check` as whoever writes a connector file uses it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.declarative.entry import connector_of
from adapters.declarative.models import Call
from tests.adapters.declarative.double import RestDouble, rest
from tests.connector.scoring.books import books, invoice
from tests.zixin.calls import run

BOOKS = books(
    [invoice(f"I{n}", 100_00, "2025-01-01", "2025-01-31", f"A{n % 7}") for n in range(400)],
    [("P1", "I1", "2025-01-20", 100_00), ("P1", "I2", "2025-01-20", 50_00)],
)


@pytest.fixture(params=["rest", "erpnext"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[RestDouble]:
    with rest(request.param, BOOKS) as rest_double:
        for name, value in rest_double.simulated.credentials(rest_double.origin).items():
            monkeypatch.setenv(f"ZIXIN_SET_{name.upper()}", value)
        yield rest_double


def steps(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str]]:
    return {row["step"]: (row["state"], row["en"]) for row in json.loads(capsys.readouterr().out)["steps"]}


def test_a_file_that_fits_is_said_to(system: RestDouble, capsys: pytest.CaptureFixture[str]) -> None:
    status = run("adapter", "check", system.name, "--json")

    result = steps(capsys)
    ledger = "invoices" if system.name == "rest" else "Sales Invoice"
    assert result["me"] == ("ok", "Simulated Ltd, USD")
    assert result[f"{ledger}.read"][0] == result[f"{ledger}.by id"][0] == result[f"{ledger}.since"][0] == "ok"
    assert result["describe"][0] == "ok"
    # Nothing was booked as a credit note, and there is one currency.
    odd = {name for name, (state, _) in result.items() if state in ("look", "failed")}
    assert status == (1 if odd else 0)
    assert odd <= {
        "credit_notes.read",
        "credit_note_parts.read",
        "rates.read",
        "Currency Exchange.read",
        "Sales Order.read",
        "Customer Credit Limit.read",
    }
    assert system.system.calls.get("write", 0) == 0


@pytest.mark.parametrize(
    ("old", "new", "step", "words"),
    [
        ("records: $.nothing[*]", "", "accounts.read", "without its records"),
        ("", "id: $.number_of\n", "accounts.read", "is `id` right?"),
        (
            'query: {limit: "{size}", after: "{after}"}',
            'query: {limit: "3"}',
            "invoices.read",
            "a page came twice",
        ),
        ("query: {changed_since:", "query: {changed_sins:", "accounts.since", "is `since` right?"),
        ("modified: $.modified_at", "modified: $.number", "accounts.read", "is `modified` right?"),
        ("path: /company", "path: /nowhere", "me", "refused a call: HTTP 404"),
        ("id: $.id, state: $.ok, words", "words", "write", "its answers prove no write"),
        ("currency: $.currency\n\nobjects", "currency: $.name\n\nobjects", "me", "no home currency"),
    ],
)
def test_a_step_that_is_wrong_is_named(
    old: str,
    new: str,
    step: str,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = (Path(__file__).parents[3] / "adapters/declarative/connectors/rest.yaml").read_text()
    if old.startswith("records"):
        text = text.replace("  accounts:\n    read:", f"  accounts:\n    {old}\n    read:")
    elif not old:
        text = text.replace("  accounts:\n    read:", f"  accounts:\n    {new}    read:")
    else:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with rest("rest", BOOKS) as rest_double:
        secret = tmp_path / "settings.yaml"
        secret.write_text(json.dumps(rest_double.simulated.credentials(rest_double.origin)))
        secret.chmod(0o600)
        assert run("adapter", "check", str(file), "--settings", str(secret), "--json") == 1
        assert words in steps(capsys)[step][1]
        secret.chmod(0o644)
        assert run("adapter", "check", str(file), "--settings", str(secret)) == 1
    assert run("adapter", "check", str(file)) == 1
    assert "base_url is missing, token is missing" in capsys.readouterr().err


def test_a_shipped_file_s_calls_are_calls() -> None:
    for name in ("rest", "erpnext"):
        connector = connector_of(name, {})
        assert all(isinstance(item.read, Call) or item.children for item in connector.objects.values())
