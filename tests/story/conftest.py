"""A store beside a simulated CRM, for every story."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.house import House, standing


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with standing(tmp_path) as result:
        yield result


@pytest.fixture
def live(house: House) -> House:
    """A house on its day by the CRM's clock, too."""
    from datetime import UTC, datetime

    ahead = datetime(2025, 6, 30, 8, tzinfo=UTC) - datetime.now(UTC)
    house.sim.org.ahead_s = ahead.total_seconds()
    # What it was filled with is not of a later day than its clock.
    for module in house.sim.org.modules.values():
        for row in module.records.values():
            row["Modified_Time"] = house.sim.org.stamp()
    house.link.crm._http.skew_s = ahead.total_seconds()  # type: ignore[attr-defined]
    house.sync()
    house.sim.org.ahead_s = ahead.total_seconds() + 3600
    return house
