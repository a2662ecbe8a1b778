import json
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.zixin.calls import run
from zixin.cli.context import Context
from zixin.cli.main import _of_home, hoist


def zixin(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "zixin", *words], capture_output=True, text=True, check=False)


def test_version_is_printed_to_standard_output() -> None:
    done = zixin("--version")

    assert done.returncode == 0
    assert done.stdout == f"zixin {version('zixin')}\n"


def test_an_unknown_language_is_a_usage_error() -> None:
    done = zixin("--lang", "fr", "--version")
    assert done.returncode == 0  # `--version` is eager

    assert zixin("--lang", "fr", "nothing").returncode == 2


@pytest.mark.parametrize(
    ("words", "hoisted"),
    [
        (["list", "--json"], ["--json", "list"]),
        (["list", "--lang", "zh-CN", "--flag", "X"], ["--lang", "zh-CN", "list", "--flag", "X"]),
        (["list", "--profile=demo"], ["--profile=demo", "list"]),
        (["explain", "--", "--json"], ["explain", "--", "--json"]),
        (["list", "--lang"], ["--lang", "list"]),
    ],
)
def test_global_options_may_stand_after_the_command(words: list[str], hoisted: list[str]) -> None:
    assert hoist(words) == hoisted


def test_with_json_standard_output_holds_the_document_alone(capsys: pytest.CaptureFixture[str]) -> None:
    context = Context(json=True, language="zh-CN")

    context.say(context.words("rated", "已评级"))
    context.progress("reading")
    context.document({"assessed": 1})

    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"assessed": 1}
    assert shown.err == "已评级\nreading\n"


@pytest.mark.parametrize(
    "words", [("demo", "--once"), ("init", "--no-input"), ("connect", "zoho", "--no-input"), ("sync",)]
)
def test_a_home_that_cannot_be_used_ends_with_what_to_set(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "file" / "home"))
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    code = run(*words, "--lang", "zh-CN")

    for number, handler in usual.items():
        signal.signal(number, handler)
    message = capsys.readouterr().err
    assert code != 0
    assert "请将 ZIXIN_HOME 设为可写的目录" in message
    assert "Traceback" not in message


def test_the_doctor_says_that_a_home_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "file" / "home"))

    assert run("doctor") != 0

    assert "file cannot be written: set ZIXIN_HOME" in capsys.readouterr().out


def test_an_error_about_a_file_elsewhere_is_not_taken_for_one_of_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))

    with pytest.raises(PermissionError):
        _of_home(PermissionError(13, "Permission denied", str(tmp_path / "other" / "x.csv")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "E-NO-CONNECTION"),
        ("[]", "not what zixin connect writes"),
        ('{"zoho": 1}', "not what zixin connect writes"),
        ("{", "E-FILE"),
    ],
)
def test_a_file_of_connections_that_is_damaged_is_told(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path))
    (tmp_path / "default").mkdir(mode=0o700)
    (tmp_path / "default" / "connections.json").write_text(text)
    for words in (("list",), ("status",), ("sync",)):
        assert run(*words) == 1
        assert said in capsys.readouterr().err
    assert run("doctor") == 1
    assert "connections.json" in capsys.readouterr().out or text == "{}"
