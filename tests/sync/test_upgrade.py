"""A store of an older release is brought up to date by one process that has it alone, after a backup of it."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.errors import Busy, Misconfigured
from sync import backup, restore
from sync.locks import run_lock, serve_lease
from sync.store import Store, migrations
from sync.store.revision import bring_up
from sync.upgrade import upgrade
from tests.sync.later import HEAD, NOW, OURS, place, revision

ACCOUNTS = 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A profile's folder with a store of our revision, as the next release finds it."""
    path = tmp_path / "profile"
    store = Store(path / "zixin.db")
    with store.write() as session:
        names = [row[1] for row in session.tx.exec_driver_sql("pragma table_info(accounts)") if row[3]]
        for n in range(ACCOUNTS):
            values = [f"{name}{n}" if name != "connection" else "c" for name in names]
            marks = ", ".join("?" for _ in names)
            session.tx.exec_driver_sql(f"insert into accounts ({', '.join(names)}) values ({marks})", tuple(values))
    store.close()
    (path / "policy.yaml").write_text("# own\n")
    return path


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the code is that of the next release."""
    monkeypatch.setattr(migrations, "PLACE", place(tmp_path))
    monkeypatch.setattr(migrations, "HEAD", HEAD)


def test_the_store_is_brought_up_to_date_after_a_backup_of_it_as_it_was(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: None
) -> None:
    done = upgrade(folder, "p", NOW)

    assert done is not None
    assert (done.found, done.now, done.kept.parent) == (OURS, HEAD, folder)
    assert revision(folder / "zixin.db") == (HEAD, ACCOUNTS)
    assert done.kept.stat().st_mode & 0o077 == 0
    assert backup.last(folder) is None
    assert upgrade(folder, "p", NOW) is None
    Store(folder / "zixin.db").close()
    # The release before takes the backup.
    monkeypatch.undo()
    restore.put_back(done.kept, tmp_path / "before", "p", NOW, replace=False)
    assert revision(tmp_path / "before" / "zixin.db") == (OURS, None)
    assert (tmp_path / "before" / "policy.yaml").read_text() == "# own\n"


def test_a_look_changes_nothing_and_says_what_to_run(folder: Path, later: None) -> None:
    with pytest.raises(Misconfigured, match=rf"revision {OURS}; this zixin works on revision {HEAD}.*zixin sync"):
        Store(folder / "zixin.db")

    assert revision(folder / "zixin.db") == (OURS, None)


def test_a_store_that_anybody_uses_is_left_alone(folder: Path, later: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for lease in (serve_lease, run_lock):
        with lease(folder, "p"), pytest.raises(Busy):
            upgrade(folder, "p", NOW)
    monkeypatch.setattr("sync.store.dialect._ALONE_S", 0.1)
    # As 0.1.0 serves: without a lease, with a connection that it keeps.
    held = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\ndb.execute('pragma journal_mode = wal')\n"
    held += "db.execute('select 1 from accounts')\nprint(flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", held, str(folder / "zixin.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(Busy, match="stop zixin serve"):
            upgrade(folder, "p", NOW)
        process.communicate(b"")

    assert list(folder.glob("before-*")) == []
    assert upgrade(folder, "p", NOW) is not None


def test_a_revision_that_fails_leaves_the_store_and_no_copies_of_it(folder: Path, tmp_path: Path, later: None) -> None:
    (migrations.PLACE / "versions" / "broken.py").write_text(
        f'from alembic import op\nrevision, down_revision = "9999", "{HEAD}"\n'
        'def upgrade():\n    op.execute("create table more (x text)")\n    raise ArithmeticError\n'
    )

    with pytest.raises(ArithmeticError):
        upgrade(folder, "p", NOW)

    assert revision(folder / "zixin.db") == (OURS, None)
    assert list(folder.glob("before-*")) == []


def test_a_ctrl_c_behind_the_commit_keeps_the_backup_and_one_that_is_there_is_kept(
    folder: Path, later: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / f"before-{HEAD}-20261201T080000.tar.gz").write_text("of an upgrade that was killed")
    real = bring_up

    def interrupted(*given: Any) -> None:
        real(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr("sync.upgrade.bring_up", interrupted)
    with pytest.raises(KeyboardInterrupt):
        upgrade(folder, "p", NOW)

    assert revision(folder / "zixin.db")[0] == HEAD
    names = sorted(path.name for path in folder.glob("before-*"))
    assert names == [f"before-{HEAD}-20261201T080000-2.tar.gz", f"before-{HEAD}-20261201T080000.tar.gz"]


def test_a_newer_store_is_refused_before_anything_is_written(folder: Path) -> None:
    with sqlite3.connect(folder / "zixin.db") as db:
        db.execute("update alembic_version set version_num = '0009'")
    db.close()

    with pytest.raises(Misconfigured, match=rf"revision 0009.*up to {OURS}.*nothing was changed"):
        upgrade(folder, "p", NOW)

    assert list(folder.glob("*.lock")) + list(folder.glob("before-*")) == []


@pytest.mark.parametrize("steps", [17, pytest.param(1, marks=pytest.mark.slow)])
def test_a_kill_at_any_step_leaves_the_old_store_or_the_new_one(folder: Path, steps: int) -> None:
    out = subprocess.run(
        [sys.executable, "-m", "tests.sync.later", str(folder), str(steps)], check=True, capture_output=True, text=True
    )

    left = json.loads(out.stdout)
    assert len(left) > 100 // steps
    assert left[-1] == {"killed": False, "revision": HEAD, "later": ACCOUNTS, "backups": left[-1]["backups"]}
    for step in left[:-1]:
        assert (step["revision"], step["later"]) in ((OURS, None), (HEAD, ACCOUNTS)), step
        # Never the new store without the backup of the old one.
        assert step["backups"] or step["revision"] == OURS
    assert any(step["backups"] and step["revision"] == OURS for step in left)
