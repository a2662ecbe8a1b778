"""A zixin of the day after: one revision more than ours, so that today's stores are old.

Its table `later` holds every account as it stands in the tables of ours, which is what a real revision has to carry over.
As a module (`python -m tests.sync.later FOLDER STEPS`) it upgrades copies of a profile's folder, each killed so many steps
later than the one before, and prints a JSON list of killed, revision, later, backups.
"""

import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import alembic.command  # noqa: F401 (not once in every child)

from sync.store import migrations
from sync.upgrade import upgrade

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
#: Our own newest revision, and the one that is made up behind it.
OURS = migrations.HEAD
HEAD = f"{int(OURS) + 1:04d}"
_REVISION = f"""
from alembic import op

revision, down_revision, branch_labels, depends_on = "{HEAD}", "{OURS}", None, None

def upgrade():
    op.execute("create table later (connection text, account_id text, primary key (connection, account_id))")
    op.execute("insert into later select connection, account_id from accounts where true")
"""
_KILLED = 9


def place(folder: Path) -> Path:
    """Alembic's folder with that revision in it."""
    path = folder / "migrations"
    shutil.copytree(migrations.PLACE, path, ignore=shutil.ignore_patterns("__pycache__"))
    (path / "versions" / "later.py").write_text(_REVISION)
    return path


def revision(store: Path) -> tuple[str, int | None]:
    """A store's revision, and the rows of `later`; None: it has no such table. Raises where it is damaged."""
    with closing(sqlite3.connect(store)) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        match = db.execute("select version_num from alembic_version").fetchone()[0]
        there = db.execute("select 1 from sqlite_schema where name = 'later'").fetchone()
        return match, db.execute("select count(*) from later").fetchone()[0] if there else None


def _killed_at(step: int, folder: Path) -> bool:
    """Upgrades the folder in a process of its own, which dies before its step-th statement; False: it got to the end."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == _KILLED
    left = step

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os._exit(_KILLED)

    real = sqlite3.connect

    def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = real(*args, **kwargs)
        db.set_trace_callback(count)
        return db

    sqlite3.connect = traced  # type: ignore[assignment]
    upgrade(folder, "p", NOW)
    os._exit(0)


def main() -> None:
    """Prints what each kill left."""
    with TemporaryDirectory() as stored:
        migrations.PLACE, migrations.HEAD = place(Path(stored)), HEAD
        results: list[dict[str, Any]] = []
        while not results or results[-1]["killed"]:
            folder = Path(stored) / "copy"
            shutil.copytree(sys.argv[1], folder)
            killed = _killed_at(len(results) * int(sys.argv[2]), folder)
            left, rows = revision(folder / "zixin.db")
            backups = [path.name for path in folder.glob("before-*")]
            results.append({"killed": killed, "revision": left, "later": rows, "backups": backups})
            # What a kill left is upgraded by the next one that comes.
            again = upgrade(folder, "p", NOW.replace(hour=9))
            assert (again is None) == (left == HEAD)
            assert revision(folder / "zixin.db")[0] == HEAD
            shutil.rmtree(folder)
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
