"""A profile whose portfolio was rated, as the commands without a CRM meet it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.house import House, standing


@pytest.fixture
def rated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The profile `default` beside a simulated CRM of 120 customers, synced once."""
    folder = tmp_path / "home" / "default"
    folder.mkdir(parents=True)
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    kept = {"sim": {"crm": "zoho", "credentials": {}, "language": "en", "fields": {}}}
    (folder / "connections.json").write_text(json.dumps(kept))
    with standing(folder) as house:
        house.sync()
        yield house
