"""SQL of one database alone stands in one module, which says what the store asks of a database."""

import ast
from pathlib import Path

from sync.store import Store, dialect, tables

ROOT = Path(__file__).parents[2]


def test_no_other_module_imports_a_dialect() -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("connector", "mappings", "adapters", "sync", "zixin")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy.dialects")
    ]
    assert found == ["sync/store/dialect.py"]


def test_a_counter_begins_at_one_and_goes_up(tmp_path: Path) -> None:
    store, key = Store(tmp_path / "zixin.db"), ["connection", "account_id"]
    with store.write("c") as session:
        for accounts in (["a"], ["a", "b"]):
            rows = [{"connection": "c", "account_id": account} for account in accounts]
            dialect.raise_counter(session, tables.customers, rows, key, "facts_version")
        dialect.raise_counter(session, tables.customers, [], key, "facts_version")
        found = session.tx.exec_driver_sql("select account_id, facts_version from customers order by 1").all()
    store.close()
    assert [tuple(row) for row in found] == [("a", 2), ("b", 1)]


def test_a_row_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    store, key = Store(tmp_path / "zixin.db"), ["connection", "day"]
    with store.write("c") as session:
        first = [{"connection": "c", "day": 1, "body": "one"}]
        assert dialect.insert_new(session, tables.statistics, first, key) == 1
        again = [{"connection": "c", "day": 1, "body": "two"}, {"connection": "c", "day": 2, "body": "two"}]
        assert dialect.insert_new(session, tables.statistics, again, key) == 1
        dialect.upsert(session, tables.statistics, again[1:], key)
        found = session.tx.exec_driver_sql("select day, body from statistics order by 1").all()
    store.close()
    assert [tuple(row) for row in found] == [(1, "one"), (2, "two")]
