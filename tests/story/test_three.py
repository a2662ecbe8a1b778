"""Accounts in Zoho, invoices and payments in ERPNext, judgements and figures in a folder: one profile."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.scoring.assess import assess, portfolio_statistics
from sync.run import run
from sync.store import Store
from sync.store.ledger import numbers as numbers_of
from tests.connector.scoring.books import POLICY
from tests.story.quarter import TODAY
from tests.story.test_crash import Zygote, end, ended
from tests.story.three import Three, everything, linked, three

ALIKE = (
    "rating score proposed_limit limit exposure available overdue max_days_overdue hold flags reasons next_review_on"
).split()


def test_ratings_are_those_of_the_same_facts_in_one_place(tmp_path: Path) -> None:
    tables = everything()
    wanted = assess(tables, POLICY, TODAY, portfolio=portfolio_statistics(tables, POLICY, TODAY))
    with three(tmp_path / "facts") as house:
        link = linked(house.zoho.crm(), house.told())
        store = Store(tmp_path / "zixin.db")
        ran = run(store, link, POLICY, TODAY, language="en")
        with store.read("sim") as session:
            numbers = numbers_of(session)
        store.close()
        page = next(
            row for row in house.zoho.org.modules["Accounts"].records.values() if row["Account_Number"] == "A02"
        )

    assert (ran.state, ran.rejected, ran.strangers, ran.pulled.away) == ("done", 0, {}, {})
    found = {numbers[row["customer_id"]]: row for row in ran.assessed.to_dicts()}
    rows = wanted.to_dicts()
    assert len(rows) == 24
    for row in rows:
        assert {name: found[row["customer_id"]][name] for name in ALIKE} == {name: row[name] for name in ALIKE}
    # The court's notice out of the folder shows on the page of the CRM.
    assert (found["A02"]["rating"], page["Credit_Rating"]) == ("D", "D")
    assert {"erp", "files"} <= {name.partition(":")[0] for name in link.calls()}


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    result = Zygote()
    yield result
    result.process.communicate()


def undisturbed(house: Three, zygote: Zygote, path: Path) -> tuple[dict[str, Any], int]:
    done = zygote.sync(house.zoho, path, None, feeds=house.told())
    assert done["status"] == 0, done["said"]
    ended(house.zoho, path, linked(house.zoho.crm(), house.told()))
    return end(house.zoho, path), int(done["said"].split()[-1])


@pytest.fixture(scope="module")
def expected(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    place = tmp_path_factory.mktemp("whole")
    with three(place / "facts") as house:
        return undisturbed(house, zygote, place / "zixin.db")


@pytest.mark.apart
@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.slow) for seed in range(60)])
def test_killed_anywhere_between_three_sources_nothing_is_lost(
    seed: int, zygote: Zygote, expected: tuple[dict[str, Any], int], tmp_path: Path
) -> None:
    wanted, points = expected
    at = random.Random(seed).randint(1, points)
    with three(tmp_path / "facts") as house:
        killed = zygote.sync(house.zoho, tmp_path / "zixin.db", at, feeds=house.told())
        ended(house.zoho, tmp_path / "zixin.db", linked(house.zoho.crm(), house.told()))

        result = end(house.zoho, tmp_path / "zixin.db")

    assert killed["status"] == -9
    for name, rows in wanted.items():
        assert result[name] == rows, f"{name} after a kill at point {at} of {points}"
