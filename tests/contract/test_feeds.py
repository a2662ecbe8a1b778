"""Any system feeds a CRM: the ratings are those of the same facts in one CRM."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector.assessment import OUTPUT_FIELDS
from mappings.feeds import FeedPlan, joined
from sync.crm_connection import CrmConnection, Feed
from sync.run import Ran, run
from sync.store import Store
from sync.store.ledger import numbers as numbers_of
from tests.connector.scoring.books import POLICY
from tests.contract.doubles import DOUBLES, Double
from tests.contract.test_whole import ALIKE, PIECEMEAL, books, rated
from tests.contract.test_writing import TODAY

#: What the CRM has itself: customers, what people agreed, rates.
OWN = ("accounts", "limits", "rates")


@dataclass
class Fed:
    """A simulated Zoho with the customers, and a system with what they owe and paid."""

    crm: Double
    feed: Double
    store: Store
    link: CrmConnection

    def sync(self, as_of: int = TODAY, **more: Any) -> Ran:
        return run(self.store, self.link, POLICY, as_of, language="en", **more)

    def rated(self, ran: Ran) -> dict[str, tuple[Any, ...]]:
        """Number → what a customer was found to be."""
        with self.store.read("x") as session:
            numbers = numbers_of(session)
        return {numbers[row["customer_id"]]: tuple(row[name] for name in ALIKE) for row in ran.assessed.to_dicts()}


@contextmanager
def fed(name: str, folder: Path, **plan: Any) -> Iterator[Fed]:
    """That system as the feed `erp`."""
    whole = books()
    with ExitStack() as ends:
        crm = ends.enter_context(DOUBLES["zoho"]({table: whole[table] for table in OWN if table in whole}))
        feed = ends.enter_context(DOUBLES[name](whole))
        adapter = crm.crm()
        named = dict(adapter.apply(OUTPUT_FIELDS))
        mapping = joined(crm.mapping.with_written(named), {"erp": FeedPlan(feed.mapping, **plan)})
        store = Store(folder / "zixin.db")
        ends.callback(store.close)
        link = CrmConnection("x", adapter, mapping, adapter.organisation(), feeds={"erp": Feed("erp", feed.crm())})
        crm.advance(3600)
        feed.advance(3600)
        yield Fed(crm, feed, store, link)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, ...]]:
    with DOUBLES["zoho"](books()) as double:
        return rated(double, tmp_path_factory.mktemp("zoho"))


#: Each has a story of its own that is quick; here all of them are tried alike.
FEEDS = [
    pytest.param(name, marks=() if name == "rest" else pytest.mark.slow)
    for name in sorted(DOUBLES)
    if name not in PIECEMEAL
]


@pytest.mark.parametrize("name", FEEDS)
def test_facts_in_another_system_are_rated_like_those_in_the_crm(
    name: str, reference: dict[str, tuple[Any, ...]], tmp_path: Path
) -> None:
    with fed(name, tmp_path) as house:
        ran = house.sync()

        result = house.rated(ran)
        assert (ran.rejected, ran.state, ran.pulled.away) == (0, "done", {})
        assert {key: (result[key], want) for key, want in reference.items() if result[key] != want} == {}
        # Nothing has changed: nobody is looked at again, and nothing is written.
        again = house.sync(TODAY)
        assert (again.assessed.height, again.pushed.written) == (0, 0)
