"""The migrations end with the tables that the code knows. ZIXIN_REGENERATE=1 writes the baseline anew."""

import os
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine

from connector.errors import Misconfigured
from sync.store import Store, migrations, tables

BASELINE = Path(migrations.__file__).parent / "versions" / "baseline.py"
HEAD = '''"""All tables as of the first release. Written by tests/sync/test_migrations.py."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    {body}
'''


def context(tx: Connection) -> MigrationContext:
    return MigrationContext.configure(tx)


def test_the_baseline_makes_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    if os.environ.get("ZIXIN_REGENERATE"):
        with create_engine("sqlite://").connect() as tx:
            made: Any = produce_migrations(context(tx), tables.metadata)
            lines = str(render_python_code(made.upgrade_ops)).splitlines()
        body = "\n".join(line for line in lines if not line.strip().startswith("#")).strip()
        BASELINE.write_text(HEAD.format(revision=migrations.HEAD, body=body), encoding="utf-8")
    store = Store(tmp_path / "zixin.db")

    with store.read() as tx:
        differences = compare_metadata(context(tx), tables.metadata)
        options = {row[0] for row in tx.exec_driver_sql("select sql from sqlite_master where name = 'receivables'")}
    store.close()

    assert differences == []
    assert "WITHOUT ROWID" in options.pop()


@pytest.mark.parametrize("statement", ["update alembic_version set version_num = '9999'", "drop table alembic_version"])
def test_a_database_of_another_release_is_refused(tmp_path: Path, statement: str) -> None:
    store = Store(tmp_path / "zixin.db")
    with store.write() as tx:
        tx.exec_driver_sql(statement)
    store.close()

    with pytest.raises(Misconfigured, match="revision"):
        Store(tmp_path / "zixin.db")
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
        with store.read() as tx:
            query = f"explain query plan select * from {table} where connection = 'a' and {where}"
            told = " ".join(str(row[3]) for row in tx.exec_driver_sql(query))
        store.close()
        assert index in told
