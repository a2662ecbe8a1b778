"""An invoice with instalments whose payments name the invoice only."""

import polars as pl
import pytest

from connector.scoring.ledger.ledger import ledger
from tests.connector.scoring.books import POLICY, books, day, invoice, table


def instalments(*payments: tuple[str, str, int], order: str = "INV", currency: str = "USD") -> dict[str, pl.DataFrame]:
    parts = [
        invoice(key, 15_000_00, "2026-02-01", due, order_id="INV", kind="instalment")
        for key, due in (("INV-1", "2026-03-01"), ("INV-2", "2026-04-01"))
    ]
    paid = [
        {"payment_id": key, "account_id": "A", "paid_on": on, "amount": sum_, "currency": currency}
        for key, on, sum_ in payments
    ]
    named = [
        {
            "allocation_id": f"{key}|INV",
            "order_id": order,
            "payment_id": key,
            "payment_amount": sum_,
            "payment_currency": currency,
        }
        for key, _, sum_ in payments
    ]
    return books(parts, payments=()) | {
        "payments": table("payments", *paid),
        "allocations": table("allocations", *named),
    }


FIRST, SECOND = ("P1", "2026-02-20", 10_000_00), ("P2", "2026-03-10", 13_500_00)


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2026-03-05", {"INV-1": (5_000_00, 4), "INV-2": (15_000_00, 0)}),
        ("2026-03-11", {"INV-1": (0, 0), "INV-2": (6_500_00, 0)}),
        ("2026-04-11", {"INV-1": (0, 0), "INV-2": (6_500_00, 10)}),
    ],
)
def test_each_part_is_overdue_on_its_own_day(as_of: str, expected: dict[str, tuple[int, int]]) -> None:
    """frappe/erpnext #26969, PR 36574."""
    state = ledger(instalments(FIRST, SECOND), POLICY, day(as_of))

    result = {row["receivable_id"]: (row["open_base"], row["days_overdue"]) for row in state.items.to_dicts()}
    assert {key: result.get(key, (0, 0)) for key in expected} == expected


def test_what_was_late_is_late_by_its_own_part() -> None:
    parts = ledger(instalments(FIRST, SECOND), POLICY, day("2026-03-11")).parts.sort("day")

    late = parts.filter(pl.col("days_late") > 0)
    assert late.select("amount_base", "days_late").rows() == [(5_000_00, 9)]


def test_the_order_of_rows_and_what_goes_beyond_do_not_matter() -> None:
    tables = instalments(FIRST, SECOND, ("P3", "2026-04-02", 9_000_00))
    state = ledger(tables, POLICY, day("2026-04-11"))
    turned = ledger({name: frame.reverse() for name, frame in tables.items()}, POLICY, day("2026-04-11"))

    assert int(state.items["open_base"].sum()) == int(turned.items["open_base"].sum()) == 0
    assert int(state.on_account.sum()) == 2_500_00


def test_money_that_is_taken_back_is_set_off_first() -> None:
    tables = instalments(FIRST, SECOND)
    back = {
        "allocation_id": "back",
        "order_id": "INV",
        "payment_id": "P2",
        "payment_amount": -13_500_00,
        "payment_currency": "USD",
    }
    tables["allocations"] = pl.concat([tables["allocations"], table("allocations", back)])

    state = ledger(tables, POLICY, day("2026-03-11"))

    assert int(state.items["open_base"].sum()) == 20_000_00
    assert int(state.on_account.sum()) == 13_500_00


@pytest.mark.parametrize("tables", [instalments(FIRST, order="NONE"), instalments(FIRST, currency="EUR")])
def test_what_names_another_order_or_comes_in_another_currency_reaches_nothing(tables: dict[str, pl.DataFrame]) -> None:
    state = ledger(tables, POLICY, day("2026-03-05"))

    assert int(state.items["open_base"].sum()) == 30_000_00
