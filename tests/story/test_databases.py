"""Accounts in Zoho, invoices and payments in PostgreSQL, orders in ERPNext: one profile, and what happens to its tables."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import text

from adapters import registry
from connector.assessment import OUTPUT_FIELDS
from connector.schema import TABLES, day_number
from connector.scoring.assess import assess, portfolio_statistics
from mappings.feeds import FeedPlan, joined
from mappings.load import packaged
from sync.crm_connection import CrmConnection, Feed
from sync.drain import poll
from sync.run import Ran, run
from sync.store import Store
from sync.store.ledger import numbers as numbers_of
from tests.adapters.sql.double import Database, mapping_of, postgresql
from tests.connector.scoring.books import POLICY, table
from tests.contract.doubles import DOUBLES
from tests.simulated import Sim, Slots, simulated_zoho
from tests.story import quarter

ALIKE = (
    "rating score proposed_limit limit exposure available overdue max_days_overdue hold flags reasons next_review_on"
).split()
CLAIMS = ("receivables", "payments", "allocations")


def ledger() -> dict[str, pl.DataFrame]:
    """The quarter, as if it ended today."""
    days = day_number(datetime.now(UTC).date()) - quarter.TODAY
    tables: dict[str, pl.DataFrame] = {**quarter.ledger(), "orders": orders()}
    return {
        name: frame.with_columns(pl.col(each.name) + days for each in TABLES[name].columns if each.kind == "day")
        for name, frame in tables.items()
    }


def orders() -> pl.DataFrame:
    """One of each third customer, partly billed; one that is closed."""
    rows = [
        {
            "order_id": f"SO-{n}", "account_id": f"A{n:02d}", "ordered_on": "2025-06-10", "amount": 800_00 + 100 * n,
            "currency": "USD", "billed_amount": 200_00 + 25 * n if n % 2 else 0,
        }
        for n in range(0, 24, 3)
    ]  # fmt: skip
    return table("orders", *rows)


@dataclass
class House:
    zoho: Sim
    database: Database
    link: CrmConnection
    store: Store

    def run(self, *, full: bool = False) -> Ran:
        return run(self.store, self.link, POLICY, day_number(self.link.today()), language="en", full=full)

    def page(self, number: str) -> dict[str, Any]:
        records = self.zoho.org.modules["Accounts"].records.values()
        return dict(next(row for row in records if row["Account_Number"] == number))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    whole = ledger()
    own: dict[str, pl.DataFrame] = {name: whole[name] for name in ("accounts", "limits", "rates") if name in whole}
    with ExitStack() as ends:
        zoho = ends.enter_context(simulated_zoho(own))
        facts = {name: whole[name] for name in CLAIMS}
        database = ends.enter_context(postgresql(facts))
        erp = ends.enter_context(DOUBLES["erpnext"]({"accounts": whole["accounts"], "orders": whole["orders"]}))
        database.as_reader()
        crm = zoho.crm()
        plans = {
            "dwh": FeedPlan(required(mapping_of(facts))),
            "erp": FeedPlan(packaged("erpnext"), tables=("orders",)),
        }
        feeds = {
            "dwh": Feed("dwh", database.crm()),
            "erp": Feed("erp", registry.open_crm("erpnext", _settings(erp), Slots(), "erp")),
        }
        mapping = joined(packaged("zoho").with_written(dict(crm.apply(OUTPUT_FIELDS))), plans)
        link = CrmConnection("sim", crm, mapping, crm.organisation(), clock=crm.now, feeds=feeds)
        store = Store(tmp_path / "zixin.db")
        ends.callback(store.close)
        yield House(zoho, database, link, store)


def required(mapping: Any) -> Any:
    parts = {name: part.model_copy(update={"optional": False}) for name, part in mapping.sources.items()}
    return mapping.model_copy(update={"sources": parts})


def _settings(erp: Any) -> dict[str, str]:
    return dict(erp.simulated.credentials(erp.origin))


def test_ratings_are_those_of_the_same_facts_in_one_place(house: House) -> None:
    tables, day = ledger(), day_number(house.link.today())
    wanted = assess(tables, POLICY, day, portfolio=portfolio_statistics(tables, POLICY, day))

    ran = house.run()

    assert (ran.state, ran.rejected, ran.strangers, ran.pulled.away) == ("done", 0, {}, {})
    with house.store.read("sim") as session:
        numbers = numbers_of(session)
    found = {numbers[row["customer_id"]]: row for row in ran.assessed.to_dicts()}
    assert len(found) == 24
    for row in wanted.to_dicts():
        assert {name: found[row["customer_id"]][name] for name in ALIKE} == {name: row[name] for name in ALIKE}
    assert any(found[f"A{n:02d}"]["exposure"] > found["A01"]["exposure"] for n in range(0, 24, 3))


def test_a_row_that_is_updated_changes_the_rating_at_the_next_sync_and_poll(house: House) -> None:
    house.run()
    before = house.page("A01")
    house.database.advance(60)
    house.database.edit("invoices", "A01-4", amount="90000.00")

    done = poll(house.store, house.link, POLICY, language="en")

    assert len(done.scored) == 1
    assert house.page("A01")["Credit_Rating"] != before["Credit_Rating"]
    house.database.edit("invoices", "A01-4", amount="1000.01")
    house.run()
    assert house.page("A01")["Credit_Rating"] == before["Credit_Rating"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("DROP TABLE payments", "E-CRM-OBJECT"),
        pytest.param("ALTER TABLE payments RENAME amount TO betrag", "E-TABLE-COLUMN", marks=pytest.mark.slow),
        ("REVOKE ALL ON payments FROM reader", "E-CRM-PERMISSION"),
        pytest.param("ALTER TABLE payments ALTER amount TYPE text USING 'lots'", "", marks=pytest.mark.slow),
    ],
)
def test_what_happens_to_a_table_is_told_and_writes_nothing_wrong(house: House, words: str, code: str) -> None:
    house.run()
    numbers = [f"A{n:02d}" for n in range(24)]
    pages = {number: house.page(number)["Credit_Rating"] for number in numbers}
    with house.database.writer.begin() as transaction:
        transaction.execute(text(words))

    ran = house.run(full=True)

    # Amounts that are none are rejected, and their customers keep what they have.
    assert ran.pulled.away == ({"dwh": code} if code else {})
    assert code or ran.rejected
    assert {number: house.page(number)["Credit_Rating"] for number in numbers} == pages
