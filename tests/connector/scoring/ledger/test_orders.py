from typing import Any

import polars as pl
import pytest

from connector.scoring.assess import assess
from connector.scoring.features.tendency import Statistics
from tests.connector.scoring.books import POLICY, books, day, invoice, table

ORDER = {"order_id": "S1", "account_id": "A", "ordered_on": "2026-03-01", "amount": 100_00, "currency": "USD"}


def at(tables: dict[str, pl.DataFrame], as_of: str = "2026-03-02") -> dict[str, Any]:
    return assess(tables, POLICY, day(as_of), portfolio=Statistics(10_000, 80_000)).row(0, named=True)


@pytest.mark.parametrize(
    ("order", "as_of", "exposure"),
    [
        ({}, "2026-03-02", 100_00 + 30_00),
        ({}, "2026-02-28", 0),
        ({"cancelled_on": "2026-03-02"}, "2026-03-02", 30_00),
        ({"cancelled_on": "2026-03-03"}, "2026-03-02", 130_00),
        ({"billed_amount": 60_00}, "2026-03-02", 70_00),
        ({"amount": 20_00, "billed_amount": 60_00}, "2026-03-02", 30_00),
    ],
)
def test_an_order_is_exposure_as_far_as_it_is_not_billed(order: dict[str, object], as_of: str, exposure: int) -> None:
    claim = invoice("I1", 30_00, "2026-03-02", "2026-04-01")

    assert at(books([claim], orders=table("orders", {**ORDER, **order})), as_of)["exposure"] == exposure


def test_the_claims_that_carry_an_order_are_its_billed_part_and_it_counts_once() -> None:
    claim = invoice("I1", 30_00, "2026-03-02", "2026-04-01", order_id="S1")
    orders = table("orders", {**ORDER, "billed_amount": 10_00})

    assert at(books([claim], orders=orders))["exposure"] == 100_00
    whole = books([claim], [("P1", "I1", "2026-03-02", 30_00)], orders=orders)
    assert at(whole)["exposure"] == 70_00


def prepaid(payments: list[tuple[str, str | None, str, int]]) -> dict[str, Any]:
    terms = table("terms", {"account_id": "A", "valid_from": "2015-01-01", "kind": "prepaid", "days": 0})
    limits = table("limits", {"limit_id": "L", "account_id": "A", "amount": 0, "currency": "USD"})
    return at(books([], payments, orders=table("orders", ORDER), terms=terms, limits=limits))


def test_a_prepaid_customer_is_not_rated_and_held_only_until_his_money_is_there() -> None:
    paid, unpaid = prepaid([("P1", None, "2026-03-01", 100_00)]), prepaid([])

    assert [(row["rating"], row["nr_kind"]) for row in (paid, unpaid)] == [("NR", "cash")] * 2
    assert (paid["exposure"], paid["hold"], paid["flags"]) == (0, "none", [])
    assert (unpaid["exposure"], unpaid["hold"]) == (100_00, "block")
    assert [flag["code"] for flag in unpaid["flags"]] == ["PREPAY_DUE"]
    assert unpaid["utilisation"] is None
