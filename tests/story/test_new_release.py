"""A new release meets a CRM whose fields an earlier one made: upgrade, doctor, fields plan, apply, sync.

The release raises a flag more, writes a longer text, calls a field otherwise in Chinese, and has other tables.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.store import migrations
from tests.connector.scoring.books import books, invoice
from tests.sync.later import HEAD, OURS, place, revision
from tests.zixin.calls import document, run, served
from tests.zixin.crms import EVERY, Crm
from tests.zixin.earlier import NEW_FLAG, OTHER_LABEL, earlier_release
from zixin import compose
from zixin.config import connections, settings

#: A1 has paid for half a year and owes since; A2 owes nothing.
MONTHS = [f"2024-{month:02d}" for month in range(6, 12)]
BOOKS = books(
    [
        invoice("I1", 100_00, "2025-01-01", "2025-01-31", "A1"),
        *(invoice(f"{a}-{month}", 100_00, f"{month}-01", f"{month}-20", a) for a in ("A1", "A2") for month in MONTHS),
    ],
    [(f"P{a}-{month}", f"{a}-{month}", f"{month}-18", 100_00) for a in ("A1", "A2") for month in MONTHS],
)


@pytest.fixture(params=["zoho"])
def crm(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crm]:
    """Installed in Chinese and synced by the earlier release, in whose days the year was not over; today's is here."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served(request.param, BOOKS, tmp_path) as up:
        with earlier_release():
            for words in (
                ("connect", request.param, "--settings", str(up.file), "--lang", "zh-CN"),
                ("fields", "apply"),
                ("sync", "--as-of", "2025-02-05"),
            ):
                assert run(*words) == 0
        monkeypatch.setattr(migrations, "PLACE", place(tmp_path))
        monkeypatch.setattr(migrations, "HEAD", HEAD)
        yield Crm(request.param, up.made)


@pytest.mark.parametrize("crm", EVERY, indirect=True)
def test_nothing_of_an_account_is_lost_on_the_way(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    config = connections.read("default")[crm.name]
    before = copy.deepcopy(crm.accounts())
    debtor = next(key for key, row in before.items() if "OVERDUE_1" in _flags(crm, row))
    # ERPNext keeps flags as text: no list refuses one.
    listed = crm.name != "erpnext"

    # Nothing of this needs the store, which is still of the release before.
    assert run("fields", "plan") == 0
    checks = document(capsys, "doctor")["checks"]
    assert not listed or any(f"add the options {NEW_FLAG}" in check["en"] for check in checks)
    assert revision(settings.profile_folder("default") / "zixin.db")[0] == OURS

    # Whoever goes on without looking loses nothing but the one field.
    code, done = run("sync"), document(capsys, "runs")["runs"][0]["summary"]
    assert revision(settings.profile_folder("default") / "zixin.db")[0] == HEAD
    assert done["refused"] == (1 if listed else 0)
    assert done["refused_fields"] == ({"flags": 1} if listed else {})
    assert code == (4 if listed else 0)
    row = crm.accounts()[debtor]
    assert row[config.fields["rating"]] != before[debtor][config.fields["rating"]]
    assert str(row[config.fields["rated_on"]]) > str(before[debtor][config.fields["rated_on"]])
    assert (NEW_FLAG in _flags(crm, row)) == (not listed)
    if listed:
        errors = document(capsys, "errors", done["run"])["errors"]
        assert [(each["what"], each["record"], each["column"]) for each in errors] == [("refused", debtor, "flags")]
        assert "zixin fields plan" in errors[0]["reason"]

    checks = document(capsys, "doctor")["checks"]
    result = {(check["group"], check["what"]): check["en"] for check in checks if check["state"] != "ok"}
    if listed:
        assert f"add the options {NEW_FLAG}" in result["fields", config.fields["flags"]]
        assert "1 account" in result["fields", f"{config.fields['flags']} refused"]

    assert run("fields", "plan") == run("fields", "apply") == 0
    capsys.readouterr()
    assert run("sync") == 0
    row = crm.accounts()[debtor]
    assert NEW_FLAG in _flags(crm, row)
    label = next(field for field in _described() if field.name == config.fields["flags"]).label
    assert label in ("信用预警", config.fields["flags"])
    assert label != OTHER_LABEL
    checks = document(capsys, "doctor")["checks"]
    assert not [check for check in checks if check["what"].endswith("refused") or check["state"] == "failed"]
    assert document(capsys, "status")["refused"] == 0
    # What is the CRM's own is as it was, of every account; ours is whole.
    ours = set(config.fields.values())
    for key, old in before.items():
        now = crm.accounts()[key]
        own = {name for name in old if name not in ours and not name.lower().startswith(("modif", "last", "systemmod"))}
        assert {name: now[name] for name in own} == {name: old[name] for name in own}
    assert all(row.get(config.fields[name]) not in (None, "") for name in ("rating", "hold", "reasons", "rated_on"))


def _flags(crm: Crm, row: dict[str, Any]) -> str:
    shown = row.get(connections.read("default")[crm.name].fields["flags"]) or ""
    return shown if isinstance(shown, str) else ";".join(shown)


def _described() -> Any:
    link = compose.open_attached("default").link
    return link.crm.describe(link.mapping.writes.object).fields
