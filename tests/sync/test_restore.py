"""A restore that is killed leaves the old profile or one that the next call finishes, and loses no file."""

import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector.errors import Misconfigured
from sync import backup, restore
from sync.store import Store
from tests.zixin.calls import run

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
#: What a restore does to the disk, one call after the other.
STEPS = ("os.fsync", "pathlib.Path.rename", "pathlib.Path.unlink", "pathlib.Path.rmdir", "pathlib.Path.write_text")


class Killed(BaseException):
    """In the place of a kill: nothing of ours catches it, and what would tidy up is switched off."""


def profile(folder: Path, day: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "policy.yaml").write_text(f"# {day}\n")
    (folder / "connections.json").write_text("{}")
    Store(folder / "zixin.db").close()
    with closing(sqlite3.connect(folder / "zixin.db", isolation_level=None)) as db:
        db.execute("pragma user_version = " + day)
    return folder


def content(folder: Path) -> tuple[str, int] | None:
    """The day that the settings and the store are of; None: something is missing."""
    if not (folder / "policy.yaml").exists() or not (folder / "zixin.db").exists():
        return None
    with closing(sqlite3.connect(folder / "zixin.db", isolation_level=None)) as db:
        return (folder / "policy.yaml").read_text().strip(), db.execute("pragma user_version").fetchone()[0]


def killed_at(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process die before the step of that number."""
    left = [count]

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **more: Any) -> Any:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return real(*given, **more)

        return step

    for name in STEPS:
        owner, _, called = name.rpartition(".")
        target = os if owner == "os" else Path
        monkeypatch.setattr(target, called, dying(getattr(target, called)))
    # A kill leaves the folder that was worked in.
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)


@pytest.mark.parametrize("there", [True, False])
def test_killed_before_any_step_it_is_the_old_profile_or_is_finished(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "b.tar.gz"
    backup.make(profile(tmp_path / "source", "1"), "p", file, NOW)
    pristine = profile(tmp_path / "pristine", "2")
    cut_off, steps = 0, 0
    for steps in range(200):
        folder = tmp_path / f"case-{steps}"
        if there:
            shutil.copytree(pristine, folder)
        with monkeypatch.context() as patched:
            killed_at(steps, patched)
            try:
                restore.put_back(file, folder, "p", NOW, replace=there)
                break
            except Killed:
                pass
        if restore.unfinished(folder):
            cut_off += 1
            # Finished by the restore of the same file, which moves nothing aside a second time.
            restore.put_back(file, folder, "p", NOW, replace=False)
        else:
            assert content(folder) in ((("# 2", 2) if there else None), ("# 1", 1))
            if content(folder) != ("# 1", 1):
                restore.put_back(file, folder, "p", NOW, replace=there)
        assert content(folder) == ("# 1", 1)
        items = [content(aside) for aside in folder.glob("before-restore-*")]
        assert items == ([("# 2", 2)] if there else [])
        assert not restore.unfinished(folder)
    assert steps > 15
    assert cut_off > 5


def test_what_kills_left_is_swept_and_what_is_worked_in_stays(tmp_path: Path) -> None:
    folder, file = profile(tmp_path / "p", "1"), tmp_path / "out" / "b.tar.gz"
    (tmp_path / "out" / ".zixin-killed").mkdir(parents=True)
    (tmp_path / "out" / ".zixin-killed" / "held").touch()
    with backup.place(tmp_path / "out") as working:
        backup.make(folder, "p", file, NOW)
        assert working.is_dir()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.tar.gz"]


def test_every_command_says_that_a_restore_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path))
    (tmp_path / "default" / "restoring").mkdir(parents=True)
    for words in (["list"], ["status"], ["doctor"], ["sync"], ["backup"]):
        assert run(*words) == 1
        assert "restore of the profile default was cut off" in capsys.readouterr().err


def test_bytes_that_were_changed_never_end_in_a_trace(tmp_path: Path) -> None:
    file, bad, folder = tmp_path / "b.tar.gz", tmp_path / "bad.tar.gz", tmp_path / "new"
    backup.make(profile(tmp_path / "source", "1"), "p", file, NOW)
    whole = file.read_bytes()
    chance = random.Random(36)
    refused = 0
    for _ in range(250):
        changed = bytearray(whole)
        start = chance.randrange(len(whole))
        changed[start : start + chance.randrange(1, 40)] = chance.randbytes(chance.randrange(40))
        bad.write_bytes(changed)
        try:
            restore.put_back(bad, folder, "p", NOW, replace=False)
        except Misconfigured as problem:
            refused += problem.code == "E-RESTORE-FILE" and not folder.exists()
        else:
            # A byte that counts for nothing, of the archive's head or padding.
            refused += content(folder) == ("# 1", 1)
            shutil.rmtree(folder)
    assert refused == 250


@pytest.mark.skipif(sys.platform == "win32", reason="no such error there")
def test_a_full_disk_is_not_said_of_the_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "b.tar.gz"
    backup.make(profile(tmp_path / "source", "1"), "p", file, NOW)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Misconfigured, match="No space left") as caught:
        restore.put_back(file, tmp_path / "new", "p", NOW, replace=False)
    assert caught.value.code == "E-RESTORE-WRITE"


def test_a_store_of_a_later_release_is_told_in_the_name_of_the_backup(tmp_path: Path) -> None:
    file, folder = tmp_path / "b.tar.gz", profile(tmp_path / "source", "1")
    with closing(sqlite3.connect(folder / "zixin.db", isolation_level=None)) as db:
        db.execute("update alembic_version set version_num = '9999'")
    backup.make(folder, "p", file, NOW)
    with pytest.raises(Misconfigured, match=r"b\.tar\.gz is of revision 9999"):
        restore.put_back(file, tmp_path / "new", "p", NOW, replace=False)
    assert not (tmp_path / "new").exists()


def test_a_store_that_cannot_be_read_is_told_when_it_is_backed_up(tmp_path: Path) -> None:
    (tmp_path / "p" / "zixin.db").mkdir(parents=True)
    with pytest.raises(Misconfigured, match="cannot be opened"):
        backup.make(tmp_path / "p", "p", tmp_path / "b.tar.gz", NOW)
    assert not (tmp_path / "b.tar.gz").exists()
