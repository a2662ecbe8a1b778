"""A profile stays on the edition of the policy that it has, until somebody takes another one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector.editions import Edition, editions
from tests.connector.second_edition import second_edition
from tests.story.house import House
from tests.zixin.calls import FORTY, document, run, served
from zixin.config import settings
from zixin.services import doctor


@pytest.fixture
def two(rated: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Edition, Edition]:
    """The profile `default` was rated; the release after has a second edition."""
    (tmp_path / "release").mkdir()
    return second_edition(tmp_path / "release", monkeypatch)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return document(capsys, "policy", "editions", *words)


def test_a_profile_that_was_rated_stays_on_the_first_edition(two: tuple[Edition, Edition]) -> None:
    path = settings.profile_folder("default") / "policy.yaml"
    assert settings.policy_in("default", "CNY", rated=True).edition == "default/1"
    assert settings.policy_in("default", "CNY", rated=False).edition == "default/2"

    settings.keep_policy("default", "CNY", rated=True)

    assert path.read_text() == two[0].text.replace("base_currency: USD", "base_currency: CNY")
    assert path.stat().st_mode & 0o077 == 0
    assert settings.policy("default").version == two[0].rules("CNY").version
    settings.keep_policy("default", "USD", rated=False)
    assert settings.policy("default").base_currency == "CNY"
    checks = [line for line in doctor._environment("default") if line.what == "policy"]
    assert [(line.state, "default/2" in line.en) for line in checks] == [("look", True)]
    settings.forget_policy("default")
    assert not path.exists()


def test_a_new_edition_is_shown_with_whom_it_moves_and_taken_when_asked(
    two: tuple[Edition, Edition], capsys: pytest.CaptureFixture[str]
) -> None:
    settings.keep_policy("default", "USD", rated=True)

    match = told(capsys)

    assert (match["edition"], match["changed"], match["newer"]) == ("default/1", False, "default/2")
    assert [each["key"] for each in match["differences"]] == ["scale.BBB.from", "gates.twice", "limits.peak"]
    moved = match["moves"]
    assert moved["customers"] == 120
    assert 0 < moved["limits_down"] <= moved["moved"] <= 120
    assert moved["limits_up"] == 0
    assert run("policy", "editions", "--lang", "zh-CN") == 0
    text = capsys.readouterr().out
    assert "等级 BBB，from：66 → 67" in text
    assert "120 个客户中有" in text

    assert run("policy", "editions", "--take", "default/2") == 0

    assert "on edition default/2 from now on" in capsys.readouterr().out
    folder = settings.profile_folder("default")
    assert (folder / "policy.yaml").read_text() == two[1].text
    assert [path.read_text() for path in folder.glob("policy.before-*.yaml")] == [two[0].text]
    assert told(capsys)["newer"] is None


def test_a_policy_that_was_changed_is_not_replaced_unless_asked(
    two: tuple[Edition, Edition], capsys: pytest.CaptureFixture[str]
) -> None:
    own = settings.profile_folder("default") / "policy.yaml"
    own.write_text(two[0].text.replace("peak: 1.5", "peak: 1.4"))
    match = told(capsys)
    assert (match["edition"], match["changed"], match["newer"]) == ("default/1", True, "default/2")

    assert run("policy", "editions", "--take", "default/2") == 1
    assert "says something of its own" in capsys.readouterr().err
    assert "peak: 1.4" in own.read_text()
    assert run("policy", "editions", "--take", "default/3") == 2
    assert run("policy", "editions", "--take", "default/2", "--replace") == 0

    assert settings.policy("default").edition == "default/2"
    assert "peak: 1.4" in next(own.parent.glob("policy.before-*.yaml")).read_text()
    own.write_text(two[0].text.replace("edition: default/1\n", "").replace("peak: 1.5", "peak: 1.4"))
    assert told(capsys)["edition"] is None
    assert run("policy", "editions") == 0
    assert "of your own making" in capsys.readouterr().out


def test_an_edition_is_taken_before_anything_was_rated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    match = told(capsys)
    assert (match["edition"], match["newer"], match["moves"]) == (editions("default")[-1].name, None, None)
    assert run("policy", "editions", "--take", "cn-b2b-100/1") == 0
    assert settings.policy("default").edition == "cn-b2b-100/1"
    assert editions("cn-b2b-100")[0].name in capsys.readouterr().out


def test_before_the_first_rating_amounts_count_in_the_crm_s_currency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served("zoho", FORTY, tmp_path, "CNY") as up:
        for words in (("connect", "zoho", "--settings", str(up.file)), ("fields", "apply")):
            assert run(*words) == 0
        assert run("policy", "editions", "--take", "financial-ratios/1") == 0
        assert (settings.policy("default").base_currency, settings.policy("default").edition) == (
            "CNY",
            "financial-ratios/1",
        )
        settings.policy_file("default").unlink()

        # A sync lays the edition that it rates by into the profile.
        assert run("sync") == 0
        assert settings.policy("default").edition == editions("default")[-1].name
        assert settings.policy("default").base_currency == "CNY"
        assert document(capsys, "doctor")["checks"]


def test_a_threshold_that_was_changed_under_a_sentence_of_before_is_told(two: tuple[Edition, Edition]) -> None:
    own = settings.profile_folder("default") / "policy.yaml"

    def told() -> list[str]:
        return [check.en for check in doctor.examined("default", datetime.now(UTC)) if check.what == "policy"]

    own.write_text(two[0].text)
    assert ["figure" in line for line in told()] == [False]
    # The line that says which edition it was made from stays.
    own.write_text(two[0].text.replace("gt: 180}", "gt: 120}"))
    assert ["gates.overdue_180.en holds the figure 180" in line for line in told()] == [True]
