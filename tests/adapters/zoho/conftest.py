from collections.abc import Iterator

import pytest

from tests.simulated import Sim, simulated_zoho


@pytest.fixture
def sim() -> Iterator[Sim]:
    with simulated_zoho() as result:
        yield result
