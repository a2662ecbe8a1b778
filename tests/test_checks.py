"""What the end of `python3 go.py test` says."""

from pathlib import Path

import pytest

from tests.__main__ import LINT, ROOT, Results, lint, main, say_end

pytestmark = pytest.mark.apart

SOME = """
import pytest

@pytest.mark.parametrize("name", ["good", "bad one"])
def test_a(name):
    assert name == "good"

@pytest.fixture
def broken():
    raise RuntimeError

def test_b(broken): ...

@pytest.mark.skip(reason="needs cc: apt-get install gcc")
def test_c(): ...

@pytest.mark.skip(reason="needs cc: apt-get install gcc")
def test_d(): ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "setup.cfg").write_text("[tool:pytest]\naddopts = -p no:cacheprovider\nmarkers =\n    slow:\n")
    return tmp_path


def test_each_failed_test_is_named_with_the_command_that_repeats_it(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "test_some.py").write_text(SOME)

    code = main(["test_some.py"], folder)

    messages = capfd.readouterr().err.splitlines()
    assert code == 1
    assert messages[-6:] == [
        "go.py: skipped 2: needs cc: apt-get install gcc",
        "go.py: FAILED pytest: test_some.py::test_a[bad one]",
        "        python3 go.py test 'test_some.py::test_a[bad one]'",
        "go.py: FAILED pytest: test_some.py::test_b",
        "        python3 go.py test test_some.py::test_b",
        "go.py: 2 failed",
    ]


def test_what_is_slow_is_repeated_as_such_and_many_failures_by_one_command(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = 'import pytest\n@pytest.mark.slow\n@pytest.mark.parametrize("n", range(12))\ndef test_e(n): assert False'
    (folder / "test_more.py").write_text(code)

    assert main(["--slow", "test_more.py"], folder) == 1

    messages = capfd.readouterr().err.splitlines()
    assert messages[-3:] == [
        "go.py: FAILED pytest slow: 2 more",
        "        python3 go.py test --slow --last-failed",
        "go.py: 11 failed",
    ]
    assert "        python3 go.py test --slow 'test_more.py::test_e[0]'" in messages


def test_a_run_that_ends_without_a_failed_test_fails_all_the_same(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "test_f.py").write_text("def test_f(): ...")

    assert main(["--no-such-option"], folder) == 1
    assert "-p tests.report --no-such-option" in capfd.readouterr().err
    assert main(["-k", "nothing"], folder) == 1
    assert "FAILED pytest: no such test" in capfd.readouterr().err
    assert main(["test_f.py"], folder) == 0
    assert capfd.readouterr().err.splitlines()[-1] == "go.py: all checks passed"


def test_a_check_that_fails_does_not_stop_the_others(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wrong.py").write_text("import os\n")
    results = Results(tmp_path)

    lint(results)
    say_end(results)

    messages = capfd.readouterr().err.splitlines()
    assert [f"go.py: {name}" in messages for name in LINT] == [True] * len(LINT)
    assert "ruff" in results.failed
    assert results.failed["ruff"].endswith("-m ruff check .")
    assert ROOT.joinpath("go.py").exists()
