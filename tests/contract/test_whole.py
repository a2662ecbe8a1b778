"""The same books in any CRM are rated the same: what differs is the wire, not the customer."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connector.assessment import OUTPUT_FIELDS
from sync.crm_connection import CrmConnection
from sync.run import run
from sync.store import Store
from sync.store.ledger import numbers as numbers_of
from tests.connector.scoring.books import POLICY, table
from tests.contract.doubles import DOUBLES, Double
from tests.contract.test_writing import TODAY
from tests.story.house import ledger

ALIKE = ("rating", "score", "limit", "exposure", "overdue", "max_days_overdue", "hold")


def books() -> dict[str, pl.DataFrame]:
    """Partly paid, overdue, paid late, a credit note, an unapplied payment, and a foreign currency with its rate."""
    result = dict(ledger())
    note = {"adjustment_id": "N1", "account_id": "A004", "kind": "credit_note", "booked_on": "2025-06-01", "amount": 200_00, "currency": "USD"}  # fmt: skip
    result["adjustments"] = table("adjustments", note)
    applied = {"allocation_id": "N1|A004-5", "receivable_id": "A004-5", "adjustment_id": "N1", "amount": 200_00, "currency": "USD", "payment_amount": 200_00, "payment_currency": "USD"}  # fmt: skip
    result["allocations"] = pl.concat([result["allocations"], table("allocations", applied)])
    euro = {"receivable_id": "E1", "account_id": "A005", "number": "E1", "issued": "2025-06-01", "due": "2025-06-20", "amount": 700_00, "currency": "EUR"}  # fmt: skip
    result["receivables"] = pl.concat([result["receivables"], table("receivables", euro)])
    result["rates"] = table("rates", {"currency": "EUR", "base": "USD", "day": "2025-01-01", "rate": 1_250_000_000_000})
    loose = {"payment_id": "L1", "account_id": "A006", "paid_on": "2025-06-02", "amount": 333_00, "currency": "USD"}
    result["payments"] = pl.concat([result["payments"], table("payments", loose)])
    return result


def rated(double: Double, folder: Path) -> dict[str, tuple[Any, ...]]:
    """Number → what a customer was found to be."""
    crm = double.crm()
    named = dict(crm.apply(OUTPUT_FIELDS))
    store = Store(folder / "zixin.db")
    link = CrmConnection("x", crm, double.mapping.with_written(named), crm.organisation())
    double.advance(3600)
    done = run(store, link, POLICY, TODAY, language="en")
    with store.read("x") as session:
        numbers = numbers_of(session)
    store.close()
    assert done.rejected == 0
    return {numbers[row["customer_id"]]: tuple(row[name] for name in ALIKE) for row in done.assessed.to_dicts()}


#: In files of 150 rows these books are more downloads a minute than Zoho allows.
PIECEMEAL = ("zoho-bulk",)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, ...]]:
    with DOUBLES["zoho"](books()) as double:
        return rated(double, tmp_path_factory.mktemp("zoho"))


@pytest.mark.parametrize("name", sorted(set(DOUBLES) - {"zoho", *PIECEMEAL}))
def test_the_same_books_are_rated_the_same(name: str, reference: dict[str, tuple[Any, ...]], tmp_path: Path) -> None:
    with DOUBLES[name](books()) as double:
        result = rated(double, tmp_path)

    assert len(result) == 120
    assert {key: (result[key], want) for key, want in reference.items() if result[key] != want} == {}
