"""`zixin doctor` on a profile that is well, and on what goes wrong with it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from adapters import registry
from adapters.registry import Simulated
from tests.waiting import ANSWER_S
from tests.zixin.calls import FORTY, run, served
from zixin.config import connections, settings
from zixin.services import doctor
from zixin.services.doctor import Check


class Attached:
    """A CRM that runs, and its control."""

    def __init__(self, crm: str, origin: str, made: Simulated) -> None:
        self.crm, self.origin, self.made = crm, origin, made

    def control(self, action: str, **told: Any) -> Any:
        return requests.post(f"{self.origin}/control/{self.made.control}/{action}", json=told, timeout=ANSWER_S).json()

    def checks(self) -> list[Check]:
        return list(doctor.examined("default", datetime.now(UTC)))

    def failing(self) -> dict[str, str]:
        return {check.what: check.en for check in self.checks() if check.state == "failed"}

    def looked_at(self) -> dict[str, str]:
        return {check.what: check.en for check in self.checks() if check.state == "look"}


@pytest.fixture(params=["zoho"])
def attached(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attached]:
    """Connected and installed."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served(request.param, FORTY, tmp_path) as up:
        for words in (("connect", request.param, "--settings", str(up.file)), ("fields", "apply")):
            assert run(*words) == 0
        yield Attached(request.param, up.origin, up.made)


@pytest.mark.parametrize(
    "attached",
    ["zoho", *(pytest.param(name, marks=pytest.mark.apart) for name in ("salesforce", "erpnext"))],
    indirect=True,
)
def test_a_profile_that_is_well(attached: Attached, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sync") == 0
    capsys.readouterr()
    assert run("doctor", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["checks"]
    assert {row["group"] for row in rows} >= {"environment", "connection", "fields", "schedule"}
    states = {row["what"]: row["state"] for row in rows}
    assert states["fields"] == states[attached.crm] == states["clock"] == states["runs"] == "ok"
    # A backup was never made, and the key lies beside the data: to be seen to, and no failure.
    assert states["backup"] == states["key"] == "look"
    if attached.crm != "erpnext":
        assert {row["state"] for row in rows if row["group"] == "records"} == {"ok"}
    secrets = {need.name for need in registry.setting_specs(attached.crm) if need.secret}
    values = attached.made.credentials(attached.origin)
    assert not any(value in json.dumps(rows) for name, value in values.items() if name in secrets and value)


def test_a_store_that_is_gone_is_not_made_anew_by_a_look(
    attached: Attached, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings.profile_folder("default") / "zixin.db"
    assert not path.exists()
    for words in (("list",), ("status",), ("explain", "1"), ("runs",)):
        assert run(*words) == 1
        assert "has no store yet" in capsys.readouterr().err
    assert "has no store yet" in attached.looked_at()["runs"]
    # As a disk that was full may leave it.
    path.touch()
    assert run("list") == 1
    assert path.stat().st_size == 0
    path.unlink()
    capsys.readouterr()
    assert run("sync") == 0
    assert f"a new store: {path}" in capsys.readouterr().err
    assert run("list") == 0


def test_scopes_that_are_not_granted_are_named(attached: Attached) -> None:
    assert "we are zixin integration" in {check.what: check.en for check in attached.checks()}["ZohoCRM.users.READ"]
    attached.control("grant", lacks=["ZohoCRM.settings.profiles.READ", "ZohoCRM.notifications.ALL"])
    assert set(attached.failing()) == {"ZohoCRM.settings.profiles.READ", "ZohoCRM.notifications.ALL"}
    assert run("doctor") == 5
    attached.control("revoke")
    assert list(attached.failing()) == ["zoho"]
    assert run("doctor") == 5


@pytest.mark.parametrize("attached", ["salesforce"], indirect=True)
def test_permissions_of_a_salesforce_user(attached: Attached) -> None:
    org = attached.made.application.state.org
    access = next(iter(org.table("UserPermissionAccess").records.values()))
    access["PermissionsCustomizeApplication"] = False
    # What only the installation needs is looked at; what every call needs has failed.
    assert "CustomizeApplication" in attached.looked_at()
    assert attached.failing() == {}
    access["PermissionsApiEnabled"] = False
    assert "ApiEnabled" in attached.failing()
    assert run("doctor") == 5
    org.calls["elsewhere"], org.calls_a_day = 5_000, 5_500
    assert "of 5,500 calls" in attached.looked_at()["quota"]


def test_a_field_that_is_gone_and_records_that_are_missing(attached: Attached) -> None:
    assert run("sync") == 0
    org = attached.made.application.state.org
    stored = connections.read("default")["zoho"].fields
    assert doctor.exit_code(attached.checks()) == 0
    del org.modules["Accounts"].fields[stored["hold"]]
    assert "zixin fields apply" in attached.failing()[stored["hold"]]
    assert run("doctor") == 1

    org.modules["Accounts"].unused.add(stored["limit"])
    for n in range(60):
        org.create("Invoices", {"Subject": f"late {n}"})
    org.ahead_s = 400.0
    attached.control("revoke", tokens_only=True)
    seen = attached.looked_at()
    assert stored["limit"] in seen["Standard"]
    assert "zixin sync --full" in seen["invoices"]
    assert "NTP" in seen["clock"]


def test_without_a_connection_and_with_a_cap(attached: Attached, monkeypatch: pytest.MonkeyPatch) -> None:
    config = connections.read("default")["zoho"]
    connections.change("default", "zoho", credentials={**config.credentials, "credits_a_day": "125"}, fields={})
    assert "zixin fields apply" in attached.failing()["fields"]
    # What is nearly used up is looked at; what is used up in the middle is told, and ends nothing else.
    assert "125" in attached.looked_at()["quota"]
    connections.change("default", "zoho", credentials={**config.credentials, "credits_a_day": "110"})
    assert "cap of 110" in attached.failing()["zoho"]
    monkeypatch.setenv("ZIXIN_KEY", "short")
    assert "shorter" in attached.failing()["key"]
    monkeypatch.setenv("ZIXIN_KEY", "another key of thirty-two letters")
    assert "connect the CRM again" in attached.failing()["connection"]
    assert run("doctor") == 5
    monkeypatch.setenv("ZIXIN_PROFILE", "nobody")
    assert run("doctor") == 1


def test_another_distribution_that_claims_one_of_our_names_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    # A distribution as pip leaves it: a folder of metadata that names what it installed.
    info = tmp_path / "site" / "flask_app-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flask-app\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("mappings\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    assert run("doctor") != 0

    assert "flask-app installs the package mappings, too" in capsys.readouterr().out
