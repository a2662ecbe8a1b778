"""zixin's fields in a CRM over their life: made, drifted in every way, removed and nothing else with them."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.assessment import OUTPUT_FIELDS
from tests.adapters.declarative.double import ByName
from tests.zixin.calls import run, served
from tests.zixin.crms import BOOKS, EVERY, SEEDS, Crm
from zixin import compose
from zixin.config import connections
from zixin.services import crm_fields


@pytest.fixture(params=["zoho"])
def crm(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crm]:
    """Attached, with every field, the optional ones too."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served(request.param, BOOKS, tmp_path) as up:
        assert run("connect", request.param, "--settings", str(up.file)) == 0
        assert run("fields", "apply", "--with", "score,exposure,next_review") == 0
        yield Crm(request.param, up.made)


def drifts() -> list[crm_fields.Drift]:
    with compose.open_workspace("default") as house:
        return crm_fields.find_drift("default", house.link)


@pytest.mark.parametrize("crm", EVERY, indirect=True)
def test_every_way_a_field_can_drift_is_found(crm: Crm) -> None:
    config = connections.read("default")[crm.name]
    items = {item.name: item for item in OUTPUT_FIELDS}
    assert set(config.fields) == set(items)
    seeded = 0
    with compose.open_workspace("default") as house:
        assert crm_fields.find_drift("default", house.link) == []
        for way, seed in SEEDS[crm.name].items():
            for key, name in config.fields.items():
                whole = copy.deepcopy(crm.fields()[name])
                if not seed(crm.fields(), name, items[key]):
                    continue
                seeded += 1
                names = [drift.field for drift in crm_fields.find_drift("default", house.link)]
                assert names == [name], f"{way} of {name}: {names}"
                _restored(crm, name, whole)
    assert seeded >= 30
    assert drifts() == []


def _restored(crm: Crm, name: str, meta: Any) -> None:
    fields = crm.fields()
    if isinstance(fields, ByName):
        fields._records[f"Customer-{name}"] = meta
    else:
        fields[name] = meta


@pytest.mark.apart
@pytest.mark.parametrize("crm", ["espocrm"], indirect=True)
def test_where_nothing_tells_the_layouts_the_step_is_printed(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    name = connections.read("default")[crm.name].fields["hold"]
    del crm.fields()[name]
    capsys.readouterr()
    assert run("fields", "apply") == 0
    assert "Entity Manager" in capsys.readouterr().out
    assert run("fields", "apply") == 0
    assert "Entity Manager" not in capsys.readouterr().out


@pytest.mark.parametrize("crm", EVERY, indirect=True)
def test_remove_takes_what_apply_made_and_nothing_else(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    config = connections.read("default")[crm.name]
    before = {name for name in crm.fields() if name not in config.fields.values()}
    assert run("fields", "remove", "--no-input") == 2
    # A field of ours that somebody made anew by hand is theirs, where the CRM lets us tell.
    theirs = config.fields["limit"]
    tells = crm.name != "espocrm"
    if tells:
        seed = SEEDS[crm.name]["marked"]
        seed(crm.fields(), theirs, next(item for item in OUTPUT_FIELDS if item.name == "limit"))
    capsys.readouterr()
    assert run("fields", "remove", "--yes", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["fields"]
    left = {row["field"] for row in rows if row["action"] == "leave"}
    assert left == ({theirs} if tells else set())
    assert set(crm.fields()) == before | left
    assert run("fields", "remove") == 0
    assert "Nothing to remove" in capsys.readouterr().out


def test_after_a_lost_home_the_mark_tells_what_is_ours(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = connections.read("default")["zoho"]
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "new"))
    assert run("connect", "zoho", "--settings", str(tmp_path / "settings.yaml")) == 0
    assert run("fields", "apply") == 1
    # A field that was there before zixin is taken into use by --adopt, and never removed.
    crm.fields()[result.fields["hold"]].tip = ""
    assert run("fields", "apply", "--adopt") == 0
    config = connections.read("default")["zoho"]
    assert config.install == result.install
    assert [drift.field for drift in drifts()] == []
    assert run("fields", "remove", "--yes") == 0
    assert result.fields["hold"] in crm.fields()
    assert result.fields["rating"] not in crm.fields()


def test_optional_fields_of_before_are_kept_until_an_admin_says_otherwise(crm: Crm) -> None:
    before = connections.read("default")["zoho"].fields
    connections.change("default", "zoho", optional=())
    assert drifts() == []
    assert run("fields", "apply") == 0
    config = connections.read("default")["zoho"]
    assert config.fields == before
    assert config.optional == ("score", "exposure", "next_review")
    assert run("fields", "apply", "--with", "score") == 0
    assert set(connections.read("default")["zoho"].fields) == set(before) - {"exposure", "next_review"}
    assert run("fields", "apply", "--with", "none") == 0
    assert len(connections.read("default")["zoho"].fields) == 8
    # What is no longer written is still ours to remove.
    assert run("fields", "remove", "--yes") == 0
    assert not set(before.values()) & set(crm.fields())


def test_labels_are_in_the_language_of_the_connection(
    tmp_path: Path, crm: Crm, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fields", "remove", "--yes") == 0
    assert run("connect", "zoho", "--lang", "zh-CN", "--settings", str(tmp_path / "settings.yaml")) == 0
    assert run("fields", "apply", "--with", "none") == 0
    config = connections.read("default")["zoho"]
    meta = crm.fields()[config.fields["rating"]]
    assert (meta.label, meta.tip) == ("信用等级", f"Credit Rating [zixin {config.install}]")
    assert len(config.fields) == 8
    assert meta.access[crm.state.profiles["Standard"]] == "read_only"
    assert crm.state.profiles["Administrator"] not in meta.access
    assert run("fields", "apply", "--with", "mood") == 2
    crm.state.modules["Accounts"].unused.add(config.fields["limit"])
    capsys.readouterr()
    assert run("fields", "apply") == 0
    assert f"put on it {config.fields['limit']}" in capsys.readouterr().out
