"""Every check: `python3 go.py test` on a bare machine, `python -m tests` where everything is installed.

    python3 go.py test          lint, format, types, contracts, and every test that is quick
    python3 go.py test --cov    the same, and branch coverage, which fails under 90 %
    python3 go.py test --slow   what is heavy: more kills, longer runs
    python3 go.py test WORDS    pytest alone, with these words (a path, a node id, -k NAME); --slow may stand before them

A check that fails does not stop the others. The end names each that failed with the command that repeats it, and what
was skipped with what it takes to run it.
"""

import json
import os
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]

#: Check → words after `python`.
LINT = {
    "ruff": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "--quiet", "."],
    "mypy": ["-m", "mypy"],
    "imports": ["-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
}
#: Three workers on two cores: one of them mostly waits for a server to start or end.
_SPREAD = ["-n", "3", "--dist", "worksteal"]
_NO_TESTS = 5
#: Failed tests that are named one by one.
_NAMED = 10


@dataclass
class Results:
    """What all checks came to."""

    #: Where they run.
    root: Path = ROOT
    #: Check or test → command that repeats it.
    failed: dict[str, str] = field(default_factory=dict)
    #: Reason → how many tests.
    skipped: Counter[str] = field(default_factory=Counter)


def main(words: Sequence[str], root: Path = ROOT) -> int:
    """Run the checks that the words ask for; the exit code."""
    results = Results(root)
    match list(words):
        case []:
            lint(results)
            run_pytest(results, "pytest", _SPREAD)
        case ["--cov"]:
            lint(results)
            # Processes that are killed are measured by nothing, and take twice as long.
            run_pytest(results, "pytest", [*_SPREAD, "-m", "not slow and not apart", "--cov"])
            run_pytest(results, "pytest apart", [*_SPREAD, "-m", "not slow and apart"])
        case ["--slow"]:
            run_pytest(results, "pytest slow", [*_SPREAD, "-m", "slow"], again=["--slow"])
        case ["--slow", *more]:
            run_pytest(results, "pytest slow", ["-m", "slow", *more], again=["--slow"])
        case more:
            run_pytest(results, "pytest", more)
    say_end(results)
    return 1 if results.failed else 0


def lint(results: Results) -> None:
    """What needs no test to run."""
    for name, command in LINT.items():
        say(name)
        if subprocess.call([sys.executable, *command], cwd=results.root) != 0:
            results.failed[name] = shlex.join([_python(), *command])


def run_pytest(results: Results, name: str, words: Sequence[str], again: Sequence[str] = ()) -> None:
    """One run of pytest; what it says of itself goes to the results. `again`: words of ours that repeat it."""
    say(name)
    command = ["-m", "pytest", "-q", "-p", "tests.report", *words]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        env = {**os.environ, "ZIXIN_TEST_REPORT": str(file), "PYTHONPATH": str(ROOT)}
        code = subprocess.call([sys.executable, *command], cwd=results.root, env=env)
        told = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"failed": [], "skipped": {}}
    results.skipped.update(told["skipped"])
    failed = told["failed"]
    repeat = ["python3", "go.py", "test", *again]
    for node in failed[:_NAMED]:
        results.failed[f"{name}: {node}"] = shlex.join([*repeat, node])
    if len(failed) > _NAMED:
        results.failed[f"{name}: {len(failed) - _NAMED} more"] = shlex.join([*repeat, "--last-failed"])
    if code != 0 and not failed:
        # Too little coverage, a word that pytest does not know, a worker that died.
        why = f"{name}: no such test" if code == _NO_TESTS else name
        results.failed[why] = shlex.join([_python(), *command])


def say_end(results: Results) -> None:
    """The last lines: what was skipped, what failed."""
    for reason, count in sorted(results.skipped.items()):
        say(f"skipped {count}: {reason}")
    for name, command in results.failed.items():
        say(f"FAILED {name}\n        {command}")
    say(f"{len(results.failed)} failed" if results.failed else "all checks passed")


def say(line: str) -> None:
    """One line of progress, on standard error."""
    sys.stderr.write(f"go.py: {line}\n")
    sys.stderr.flush()


def _python() -> str:
    here = Path(sys.executable)
    return str(here.relative_to(ROOT)) if here.is_relative_to(ROOT) else str(here)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
