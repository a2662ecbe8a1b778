"""What makes the tests quick."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from sync.store import Store
from tests.postgres import MISSING


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says loudly what was not tried for want of a server."""
    skipped = terminalreporter.stats.get("skipped", ())
    count = sum(MISSING in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(f"{count} tests skipped: {MISSING}", red=True, bold=True)


@pytest.fixture(scope="session")
def _pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was just made."""
    path = tmp_path_factory.mktemp("store") / "zixin.db"
    Store(path).close()
    return path


@pytest.fixture(autouse=True)
def _copied_stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new store is a copy of one that was made once: the migrations take a tenth of a second each time.

    Not in the tests of the migrations themselves.
    """
    if "migrations" in request.node.name or "migrations" in str(request.path):
        return
    pristine: Path = request.getfixturevalue("_pristine")
    opened = Store.__init__

    def quick(self: Store, path: Path) -> None:
        if not path.exists() and path.parent.is_dir():
            shutil.copyfile(pristine, path)
            path.chmod(0o600)
        opened(self, path)

    monkeypatch.setattr(Store, "__init__", quick)
