"""What a user gets: the wheel has what the tree has, the source distribution what its tests need."""

import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.distribution import ROOT, Distribution, build
from zixin.config.installation import NAMES, claims

pytestmark = pytest.mark.apart


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    return build(tmp_path_factory.mktemp("dist"))


def tree(*folders: str) -> set[str]:
    files = (file for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file())
    return {
        str(file.relative_to(ROOT))
        for file in files
        if "__pycache__" not in file.parts and file.suffix != ".pyc" and ".mypy_cache" not in file.parts
    }


def test_the_wheel_has_every_file_of_our_packages_and_no_other(built: Distribution) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name and not name.endswith("/")}

    assert names == tree(*NAMES)
    assert "connector/policies/default.yaml" in names
    assert {name.split("/")[0] for name in names} == set(NAMES)


def test_the_source_distribution_has_what_its_tests_and_readers_need(built: Distribution) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}

    results = tree(*NAMES, "tests", "docs", "requirements", "bench", "deploy", ".ci")
    results |= {"CHANGELOG.md", "LICENSE", "README.md", "README.zh-CN.md", "go.py", "pyproject.toml", "setup.cfg"}
    assert results - names == set()
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_wheel_names_what_it_needs_and_the_command(built: Distribution) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        info = next(name for name in wheel.namelist() if name.endswith("METADATA"))
        metadata = wheel.read(info).decode()
        commands = wheel.read(info.replace("METADATA", "entry_points.txt")).decode()

    assert "Requires-Dist: polars" in metadata
    assert "zixin = zixin.cli:main" in commands


def test_nobody_else_claims_our_names_here() -> None:
    assert claims() == {}


def test_another_distribution_with_one_of_our_names_is_told() -> None:
    installed = {"mappings": ["zixin", "flask-mappings"], "sync": ["zixin"], "numpy": ["numpy"]}

    assert claims(installed) == {"mappings": ["flask-mappings"]}


def test_a_tree_that_cannot_be_built_says_why(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "setup.cfg").write_text("[options]\npackages = nonsense:\n")

    with pytest.raises(RuntimeError, match="build_sdist failed"):
        build(tmp_path / "out", tmp_path / "tree")
