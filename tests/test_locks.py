"""What is installed comes from the locks: what is imported, with its extras, and the tools that build."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from zixin.config.installation import NAMES

ROOT = Path(__file__).parents[1]
#: What a user may add: an extra of zixin's own, and a library that is asked for and does without.
OPTIONAL = {"zcrmsdk", "keyring", "deltalake"}


def locked(name: str) -> dict[str, Requirement]:
    """Distribution → what the lock says of it."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (re.split(r" --hash| #", line)[0].strip() for line in text.splitlines())
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in pins}


def imported(files: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Top-level modules that files import, wherever in them, and where."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            yield from ((name.split(".")[0], file) for name in names)


def not_locked(files: Iterable[Path], lock: Iterable[str]) -> list[str]:
    """Imports that no distribution of the lock brings; what is not installed is taken to bear its module's name."""
    of, pins = metadata.packages_distributions(), set(lock)
    names = {*sys.stdlib_module_names, *NAMES, "tests"}
    return sorted(
        {
            f"{module} in {file.relative_to(ROOT)}"
            for module, file in imported(files)
            if module not in names and not pins & {canonicalize_name(name) for name in of.get(module, [module])}
        }
    )


def test_what_the_product_imports_is_in_its_lock() -> None:
    files = [file for folder in NAMES for file in (ROOT / folder).rglob("*.py")]

    assert len(files) > 200
    assert not_locked(files, [*locked("core.txt"), *OPTIONAL]) == []


def test_what_the_tests_import_is_in_their_lock() -> None:
    assert not_locked([*(ROOT / "tests").rglob("*.py"), ROOT / "go.py"], locked("test.txt")) == []


def test_an_import_that_nothing_brings_is_found() -> None:
    # As if the lock held pytest alone.
    assert not_locked([Path(__file__)], ["pytest"]) == ["packaging in tests/test_locks.py"]


@pytest.mark.parametrize("lock", ["core.txt", "test.txt"])
def test_each_pin_brings_what_it_needs_itself_with_the_extras_that_are_asked_for(lock: str) -> None:
    pins, lacks = locked(lock), []
    for name, pin in pins.items():
        if pin.marker and not pin.marker.evaluate():
            continue
        for line in metadata.requires(name) or ():
            need = Requirement(line)
            holds = [need.marker is None or need.marker.evaluate({"extra": extra}) for extra in ("", *pin.extras)]
            requirement = pins.get(canonicalize_name(need.name))
            if any(holds) and (requirement is None or not need.extras <= requirement.extras):
                lacks.append(f"{pin} needs {need}")

    assert lacks == []


@pytest.mark.parametrize("lock", ["core.txt", "test.txt"])
def test_what_is_installed_is_what_the_lock_says(lock: str) -> None:
    pins = [pin for pin in locked(lock).values() if pin.marker is None or pin.marker.evaluate()]

    assert [pin.name for pin in pins if not pin.specifier.contains(metadata.version(pin.name), prereleases=True)] == []


def test_what_the_project_asks_for_is_locked_and_so_is_what_builds_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    core, test = locked("core.txt"), locked("test.txt")
    requirements = [Requirement(line) for line in project["project"]["dependencies"]]
    tools = [*project["project"]["optional-dependencies"]["test"], *project["build-system"]["requires"]]

    for needs, pins in ((requirements, core), (requirements, test), ([Requirement(line) for line in tools], test)):
        for need in needs:
            pin = pins[canonicalize_name(need.name)]
            assert need.specifier.contains(next(iter(pin.specifier)).version), f"{need}: locked as {pin}"
            assert need.extras <= pin.extras
