"""A new adapter stands by itself from its first commit on: the contracts need no edit to know it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("connector", "mappings", "adapters", "sync", "zixin")
ENTRY = '"""An adapter that somebody adds."""\n'
pytestmark = pytest.mark.apart


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("house")
    for floor in FLOORS:
        shutil.copytree(ROOT / floor, place / floor, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", place)
    return place


def broken(place: Path, line: str) -> list[str]:
    """The contracts that are broken once the new adapter has that line."""
    folder = place / "adapters" / "kingdee"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / "entry.py").write_text(f"{ENTRY}\n{line}\n")
    # As lint-imports does, by the interpreter that runs us.
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    names = [words.partition(" BROKEN")[0] for words in done.stdout.splitlines() if " BROKEN" in words]
    assert names or "0 broken" in done.stdout, done.stdout + done.stderr
    return names


@pytest.mark.parametrize(
    ("line", "contract"),
    [
        ("from adapters.common import http", None),
        ("from adapters.registry import SettingSpec", None),
        ("from adapters.zoho import wire", "Adapters do not know each other"),
        ("from adapters.declarative.simulator import own", "Adapters do not know each other"),
        ("from adapters.simulation import faults", "Simulators are known to their own folder and to trial"),
        ("from sync import link", "Floors only go down"),
    ],
)
def test_a_new_adapter_that_leans_on_another_one_is_found(copy: Path, line: str, contract: str | None) -> None:
    names = broken(copy, line)
    assert contract in names if contract else names == []
