"""A profile whose portfolio was rated, as the commands without a CRM meet it."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.zoho.simulator.org import Org
from tests.story.house import House, standing
from zixin.config import connections
from zixin.config.connections import ConnectionConfig


@pytest.fixture(scope="session")
def _once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Org]:
    """The database and the CRM after one sync, to be copied."""
    folder = tmp_path_factory.mktemp("rated")
    with standing(folder) as house:
        house.sync()
    return folder / "zixin.db", copy.deepcopy(house.sim.org)


@pytest.fixture
def rated(_once: tuple[Path, Org], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The profile `default` beside a simulated CRM of 120 customers, synced once."""
    folder = tmp_path / "home" / "default"
    folder.mkdir(parents=True)
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    connections.keep("default", {"sim": ConnectionConfig("zoho")})
    shutil.copy(_once[0], folder / "zixin.db")
    with standing(folder, copy.deepcopy(_once[1])) as house:
        yield house
