"""The migrations end with the tables that the code knows, and begin with those of release 0.1.0."""

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from connector.errors import Misconfigured
from sync.store import Store, migrations, tables

BASELINE = Path(migrations.__file__).parent / "versions" / "baseline.py"
#: Of the file as 0.1.0 has it. Stores out there were made by it: a change of tables is a revision of its own.
FROZEN = "3495f15ff64834342ab74750a41209c1c2addf79573cb3d8f3cf693da7f09e49"


def context(tx: Connection) -> MigrationContext:
    return MigrationContext.configure(tx)


def test_the_baseline_is_that_of_the_first_release() -> None:
    assert hashlib.sha256(BASELINE.read_bytes()).hexdigest() == FROZEN


def test_the_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    store = Store(tmp_path / "zixin.db")

    with store.read() as session:
        differences = compare_metadata(context(session.tx), tables.metadata)
        options = {
            row[0] for row in session.tx.exec_driver_sql("select sql from sqlite_master where name = 'receivables'")
        }
    store.close()

    assert differences == []
    assert "WITHOUT ROWID" in options.pop()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("update alembic_version set version_num = '9999'", "revision 9999; this zixin knows revisions up to"),
        ("drop table alembic_version", "a database that zixin did not make"),
        ("delete from alembic_version", "a database that zixin did not make"),
        *[
            (f"update alembic_version set version_num = '{name}'", "a database that zixin did not make")
            for name in ("0000", "00015", "", "a1b2c3d4e5f6")
        ],
    ],
)
def test_a_database_of_a_later_release_or_of_somebody_else_is_refused(
    tmp_path: Path, statement: str, message: str
) -> None:
    store = Store(tmp_path / "zixin.db")
    with store.write() as session:
        session.tx.exec_driver_sql(statement)
    store.close()
    # As another program may have set it.
    with closing(sqlite3.connect(store.path)) as db:
        db.execute("pragma journal_mode = delete")
    before = store.path.read_bytes()

    with pytest.raises(Misconfigured, match=message):
        Store(tmp_path / "zixin.db")
    # Not one byte of a store that is refused is changed.
    assert store.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["zixin.db"]
    assert store.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("table", "where", "index"),
    [
        ("allocations", "source = 'p' and source_id in ('1', '2')", "ix_allocations_source"),
        ("receivables", "deleted_on is null and account_id in ('1', '2')", "ix_receivables_account_id"),
        ("allocations", "receivable_id in ('1', '2')", "ix_allocations_receivable_id"),
        ("receivables", "receivable_id in ('1', '2')", "PRIMARY KEY"),
        ("inbox", "state = 'waiting' and next_at <= 5", "ix_inbox_state"),
    ],
)
def test_a_new_store_is_planned_for_a_million_rows(tmp_path: Path, table: str, where: str, index: str) -> None:
    for _ in range(2):
        store = Store(tmp_path / "zixin.db")
        with store.read() as session:
            query = f"explain query plan select * from {table} where connection = 'a' and {where}"
            message = " ".join(str(row[3]) for row in session.tx.exec_driver_sql(query))
        store.close()
        assert index in message


@pytest.mark.parametrize("name", ["q?mode=memory", "p%20c", "a#b;c", "资 信"])
def test_a_store_lies_where_its_path_says(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / name / "zixin.db")
    store.close()

    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "zixin.db").stat().st_size > 0


def test_the_folder_of_the_installation_may_be_called_anything(tmp_path: Path) -> None:
    place = tmp_path / "50%(here)s off"
    shutil.copytree(Path(migrations.__file__).parents[2], place / "sync", ignore=shutil.ignore_patterns("__pycache__"))
    text = "from pathlib import Path; import sync.store as s; print(s.__file__); s.Store(Path('x') / 'zixin.db')"
    done = subprocess.run([sys.executable, "-c", text], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(place) in done.stdout
