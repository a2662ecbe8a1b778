from typing import Any

import polars as pl
import pytest

from connector.scoring.ledger.ledger import Ledger, ledger
from tests.connector.scoring.books import POLICY, books, day, invoice, table

#: Delivered every month, due at its end: 铺底 50, so that a month of 40 is overdue only on top of it.
MONTHS = [invoice(f"I{m}", 40_00, f"2025-0{m}-01", f"2025-0{m}-28") for m in (1, 2, 3, 4)]


def at(as_of: str, paid: list[tuple[str, str | None, str, int]], floor: int = 50_00, **more: object) -> Ledger:
    rolling = {"account_id": "A", "valid_from": "2025-01-01", "kind": "rolling", "floor_amount": floor}
    terms = table("terms", {**rolling, "currency": "USD", **more})
    return ledger(books(MONTHS, paid, terms=terms), POLICY, day(as_of))


@pytest.mark.parametrize(
    ("as_of", "overdue", "oldest"),
    [
        ("2025-01-31", 0, 0),
        # 80 are due, the floor covers 50: the oldest first, so February's item is 3 days overdue.
        ("2025-03-03", 30_00, 3),
        ("2025-04-01", 70_00, 32),
    ],
)
def test_overdue_is_what_is_due_beyond_the_floor(as_of: str, overdue: int, oldest: int) -> None:
    items = at(as_of, []).items

    assert items["overdue_base"].sum() == overdue
    assert items["days_overdue"].max() == oldest
    late = items.filter(pl.col("late_open") > 0)
    assert late["arrears_base"].sum() == overdue


def test_a_settled_item_is_late_from_the_day_the_floor_was_exceeded() -> None:
    # January's 40 pass the floor when 90 have fallen due: with March's item.
    in_time, late = (
        at("2025-06-01", [("P", "I1", "2025-03-28", 40_00)]),
        at("2025-06-01", [("P", "I1", "2025-04-07", 40_00)]),
    )

    assert in_time.parts["days_late"].to_list() == [0]
    assert late.parts["days_late"].to_list() == [10]


def test_what_never_passed_the_floor_is_never_late() -> None:
    state = at("2025-06-01", [("P", "I4", "2025-05-30", 40_00)], floor=500_00)

    assert state.parts["days_late"].to_list() == [0]
    assert state.items["days_overdue"].max() == 0


@pytest.mark.parametrize("more", [{"valid_until": "2025-03-01"}, {"kind": "net"}, {"currency": "GBP"}])
def test_without_a_floor_in_force_everything_due_is_overdue(more: dict[str, Any]) -> None:
    assert at("2025-04-01", [], **more).items["overdue_base"].sum() == 120_00
