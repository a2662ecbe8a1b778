import json
import subprocess
import sys

import pytest

from app.cli.context import Context
from app.cli.main import hoist


def zixin(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "app.cli", *words], capture_output=True, text=True, check=False)


def test_version_is_printed_to_standard_output() -> None:
    done = zixin("--version")

    assert done.returncode == 0
    assert done.stdout == "zixin 0.1.0\n"


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
