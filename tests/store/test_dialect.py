"""What only one database understands stands in one module."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: The driver, and SQLAlchemy's own dialect of it.
OF_ONE_DATABASE = ("sqlite3", "sqlalchemy.dialects")


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


def test_no_other_module_imports_a_driver_or_a_dialect() -> None:
    names = [
        path.relative_to(ROOT).as_posix()
        for folder in ("connector", "mappings", "adapters", "sync", "zixin")
        for path in (ROOT / folder).rglob("*.py")
        if any(name.startswith(OF_ONE_DATABASE) for name in imported(path))
    ]
    # A file that is read as a source has nothing to do with the store.
    assert names == ["adapters/sql/database.py", "sync/store/dialect.py"]
