"""How a release is made."""

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from tests.release import ROOT, RefusedError, release, released

DAY = date(2026, 12, 24)
PROJECT = '[project]\nname = "zixin"\nversion = "0.1.0"\n'
NEWS = "# Changelog\n\n## Unreleased\n\n### Fixed\n\n- A thing.\n\n## 0.1.0 (2026-11-01)\n\n- First.\n"


def test_what_stood_under_unreleased_stands_under_the_release() -> None:
    project, changelog = released(PROJECT, NEWS, "0.2.0", DAY)

    assert 'version = "0.2.0"' in project
    assert changelog == NEWS.replace("## Unreleased\n", "## Unreleased\n\n## 0.2.0 (2026-12-24)\n")


@pytest.mark.parametrize(
    ("project", "changelog", "version", "why"),
    [
        (PROJECT, NEWS, "0.1.0", "does not come after"),
        (PROJECT, NEWS, "0.2", "no version of the form"),
        (PROJECT, NEWS.replace("### Fixed\n\n- A thing.\n\n", ""), "0.2.0", "nothing stands under"),
        (PROJECT, NEWS.replace("### Fixed", "### Improved"), "0.2.0", "not Improved"),
        (PROJECT, NEWS.replace("### Fixed\n\n", ""), "0.2.0", "lines without one"),
        (PROJECT, "# Changelog\n", "0.2.0", "no heading Unreleased"),
        ("[project]\n", NEWS, "0.2.0", "names no version"),
    ],
)
def test_what_is_no_release_is_refused(project: str, changelog: str, version: str, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        released(project, changelog, version, DAY)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git: apt-get install -y git")
def test_a_release_is_a_commit_and_a_tag_of_a_clean_main(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *words]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q", "-b", "main")
    git("config", "user.name", "x")
    git("config", "user.email", "x@example.com")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "CHANGELOG.md").write_text(NEWS)
    git("commit", "-q", "--allow-empty", "-m", "first")
    with pytest.raises(RefusedError, match="clean main"):
        release("0.2.0", DAY, tmp_path)
    git("add", "-A")
    git("commit", "-qm", "all")

    release("0.2.0", DAY, tmp_path)

    assert git("describe", "--tags") == "v0.2.0"
    assert git("log", "-1", "--format=%s") == "Release 0.2.0"
    assert git("status", "--porcelain") == ""


def test_what_stands_under_unreleased_of_ours_can_be_released() -> None:
    project, changelog = ((ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "CHANGELOG.md"))
    # Right after a release nothing stands there.
    if not changelog.split("## Unreleased\n")[1].lstrip().startswith("## "):
        released(project, changelog, "99.0.0", DAY)
