"""Builds the wheel and the source distribution of a tree, without leaving anything in it.

    python -m tests.distribution FOLDER

The source distribution is built from a copy of the tree, the wheel from the unpacked source distribution, as a package
index's users get it.
"""

import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: What work leaves in a tree.
_LEFT = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", "*.egg-info", ".*_cache", ".coverage*", ".hypothesis", "build", "dist"
)


@dataclass(frozen=True)
class Distribution:
    """The two files, and the folder that the source distribution was unpacked in."""

    wheel: Path
    sdist: Path
    unpacked: Path


def build(out: Path, root: Path = ROOT) -> Distribution:
    """Both, into a folder that is made."""
    copy = out / "copy"
    shutil.copytree(root, copy, ignore=_LEFT)
    sdist = out / _run("build_sdist", copy, out)
    with tarfile.open(sdist) as archive:
        # Our own archive, of a moment ago.
        archive.extractall(out / "unpacked")
    unpacked = next((out / "unpacked").iterdir())
    shutil.copytree(unpacked, out / "built")
    wheel = out / _run("build_wheel", out / "built", out)
    return Distribution(wheel, sdist, unpacked)


def _run(hook: str, tree: Path, out: Path) -> str:
    """Call the build backend's hook in that tree; the name of the file it made."""
    code = f"import sys; from setuptools import build_meta; print(build_meta.{hook}(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(out)], cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{hook} failed in {tree}:\n{done.stderr}")
    return done.stdout.splitlines()[-1]


if __name__ == "__main__":
    made = build(Path(sys.argv[1]))
    sys.stdout.write(f"{made.wheel}\n{made.unpacked}\n")
