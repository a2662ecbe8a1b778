"""Makes a release: `python -m tests.release VERSION DAY` on a clean main; docs/releasing.md says what comes before and after.

Sets the version, turns Unreleased in the changelog into the release's heading, commits and tags. Nothing is published.
"""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
_VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
_EMPTY = "## Unreleased\n"


class RefusedError(Exception):
    """Why no release was made; nothing was changed."""


def released(project: str, changelog: str, version: str, day: date) -> tuple[str, str]:
    """The texts of pyproject.toml and CHANGELOG.md after the release. Raises RefusedError."""
    match = _VERSION.search(project)
    if match is None:
        raise RefusedError("pyproject.toml names no version")
    if _parts(version) <= _parts(match[1]) and f"## {match[1]} (" in changelog:
        raise RefusedError(f"{version} does not come after {match[1]}")
    start = changelog.find(_EMPTY)
    if start < 0:
        raise RefusedError("CHANGELOG.md has no heading Unreleased")
    news = changelog[start + len(_EMPTY) :].split("\n## ", 1)[0].strip()
    if not news:
        raise RefusedError("nothing stands under Unreleased: there is nothing to release")
    wrong = [title for title in re.findall(r"^### (.+)$", news, re.MULTILINE) if title not in _TITLES]
    if wrong or not news.startswith("### "):
        raise RefusedError(
            f"under Unreleased stand {', '.join(_TITLES)}, not {', '.join(wrong) or 'lines without one'}"
        )
    heading = f"{_EMPTY}\n## {version} ({day.isoformat()})\n"
    text = changelog[:start] + heading + changelog[start + len(_EMPTY) :]
    return _VERSION.sub(f'version = "{version}"', project, count=1), text


_TITLES = ("Added", "Changed", "Fixed")


def _parts(version: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise RefusedError(f"{version!r} is no version of the form 1.2.3")
    return tuple(int(part) for part in version.split("."))


def release(version: str, day: date, root: Path = ROOT) -> None:
    """Change the two files, commit and tag. Raises RefusedError: on another branch, with changes, or as `released`."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()

    if git("rev-parse", "--abbrev-ref", "HEAD") != "main" or git("status", "--porcelain"):
        raise RefusedError("a release is made of a clean main: commit or stash what was changed")
    project, changelog = root / "pyproject.toml", root / "CHANGELOG.md"
    texts = released(project.read_text(encoding="utf-8"), changelog.read_text(encoding="utf-8"), version, day)
    for file, text in zip((project, changelog), texts, strict=True):
        file.write_text(text, encoding="utf-8")
    git("commit", "-qam", f"Release {version}")
    git("tag", "-a", f"v{version}", "-m", f"zixin {version}")


if __name__ == "__main__":
    try:
        release(sys.argv[1], date.fromisoformat(sys.argv[2]))
    except RefusedError as problem:
        sys.exit(f"no release: {problem}")
    except (IndexError, ValueError):
        sys.exit("python -m tests.release VERSION YYYY-MM-DD")
