from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.declarative.simulator.system import System
from tests.connector.scoring.books import books, invoice
from tests.contract.doubles import DOUBLES, Double, every
from tests.story.conftest import house, live
from tests.zixin.calls import FORTY, run, served

__all__ = ["house", "live", "six", "system"]


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[System]:
    """A profile that was synced once with a simulated system of forty invoices."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served("rest", FORTY, tmp_path) as up:
        for words in (("connect", "rest", "--settings", str(up.file)), ("fields", "apply"), ("sync",)):
            assert run(*words) == 0
        capsys.readouterr()
        yield up.made.application.state.system


@pytest.fixture(params=every(heavy=True))
def six(request: pytest.FixtureRequest) -> Iterator[Double]:
    """Six customers with an invoice each, in every system."""
    claims = [invoice(f"I{n:03d}", 100_00 + n, "2025-01-01", "2025-01-31", f"A{n}") for n in range(6)]
    with DOUBLES[request.param](books(claims, [], "A0")) as result:
        yield result
