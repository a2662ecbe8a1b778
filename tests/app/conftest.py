"""A profile whose portfolio was rated, as the commands without a CRM meet it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import connections
from app.connections import Kept
from tests.story.house import House, standing


@pytest.fixture
def rated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The profile `default` beside a simulated CRM of 120 customers, synced once."""
    folder = tmp_path / "home" / "default"
    folder.mkdir(parents=True)
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    connections.keep("default", {"sim": Kept("zoho")})
    with standing(folder) as house:
        house.sync()
        yield house
