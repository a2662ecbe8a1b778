from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync.store import Store
from tests.store.databases import DATABASES, Database


@pytest.fixture(params=DATABASES, ids=lambda database: str(database.name))
def database(request: pytest.FixtureRequest) -> Database:
    result: Database = request.param
    why = result.exempt.get(request.node.originalname)
    if why:
        pytest.skip(why)
    return result


@pytest.fixture
def opened(database: Database, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the same store once more, as another process would."""
    stores: list[Store] = []

    def again() -> Store:
        stores.append(database.store(tmp_path))
        return stores[-1]

    yield again
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    return opened()
