from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.declarative.simulator.system import System
from tests.story.conftest import house, live
from tests.zixin.calls import FORTY, run, served

__all__ = ["house", "live", "system"]


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[System]:
    """A profile that was synced once with a simulated system of forty invoices."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served("rest", FORTY, tmp_path) as up:
        for words in (("connect", "rest", "--settings", str(up.file)), ("fields", "apply"), ("sync",)):
            assert run(*words) == 0
        capsys.readouterr()
        yield up.made.application.state.system
