"""A store beside a simulated CRM, for every story."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.house import House, standing


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with standing(tmp_path) as made:
        yield made
