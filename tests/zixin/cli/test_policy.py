import json
from pathlib import Path

import pytest

from connector.editions import default_text
from tests.zixin.calls import run


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("name", ["default", "cn-b2b-100", "financial-ratios"])
def test_a_shipped_policy_can_be_shown_and_is_sound(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("policy", "show", name) == 0
    (tmp_path / "policy.yaml").write_text(capsys.readouterr().out)

    assert run("policy", "check", str(tmp_path / "policy.yaml")) == 0
    text = capsys.readouterr().out
    assert "sound" in text
    assert run("policy", "check", name) == 0
    assert capsys.readouterr().out == text


def test_an_unknown_key_is_named_with_its_line_and_a_suggestion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = default_text().replace("half_life_days: 120", "halflife_days: 120")
    (tmp_path / "policy.yaml").write_text(text)

    assert run("policy", "check", str(tmp_path / "policy.yaml")) == 1

    line = next(n for n, words in enumerate(text.splitlines(), 1) if "halflife" in words)
    result = capsys.readouterr().err
    assert f"line {line}" in result
    assert "half_life_days" in result


def test_an_indicator_that_could_reward_a_late_payer_is_shown_with_an_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = default_text().replace("[[0, 100], [0.1, 70], [0.3, 35], [1, 0]]", "[[0, 0], [0.3, 100]]")
    (tmp_path / "policy.yaml").write_text(text)

    assert run("policy", "check", str(tmp_path / "policy.yaml")) == 1
    assert "leaves an invoice unpaid for 40 days instead of paying it today" in capsys.readouterr().out
    assert run("policy", "check", str(tmp_path / "policy.yaml"), "--lang", "zh-CN") == 1
    assert "逾期40天仍未付" in capsys.readouterr().out
    assert run("policy", "check", str(tmp_path / "policy.yaml"), "--json") == 1
    finding = json.loads(capsys.readouterr().out)["findings"][0]
    assert finding["indicator"] == "overdue"
    assert finding["points"]["worse"] > finding["points"]["better"]


def test_an_unknown_shipped_policy_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy", "show", "cnb2b") == 2
    assert "cn-b2b-100" in capsys.readouterr().err


def test_a_figure_that_stands_in_a_sentence_itself_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(default_text().replace("more than {material_overdue_days} overdue", "more than 180 days overdue"))

    assert run("policy", "check", str(file)) == 1
    assert "gates.overdue_180.en: holds the figure 180 itself" in capsys.readouterr().out
    assert run("policy", "check", str(file), "--lang", "zh-CN") == 1
    assert "直接写了数字 180" in capsys.readouterr().out
    assert run("policy", "check", "default") == 0
