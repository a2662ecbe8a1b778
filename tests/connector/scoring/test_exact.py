"""What must not change a score by a single digit: splitting, order of rows, what comes later. Frames of many customers."""

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.schema import day_of
from connector.scoring.assess import assess
from connector.scoring.tendency import Statistics
from tests.connector.scoring.books import POLICY, books, day, invoice

TODAY = day("2025-06-30")
PORTFOLIO = Statistics(100_00, 100_000)
Payment = tuple[str, str | None, str, int]
# One claim: amount, days since due, days late when paid or None, share paid in hundredths.
CLAIM = st.tuples(
    st.integers(1_00, 10**13), st.integers(-60, 400), st.none() | st.integers(-30, 120), st.integers(1, 100)
)
CUSTOMERS = st.lists(st.lists(CLAIM, min_size=1, max_size=6), min_size=8, max_size=8)


def drawn(customers: list[list[tuple[int, int, int | None, int]]]) -> tuple[list[dict[str, object]], list[Payment]]:
    rows: list[dict[str, object]] = []
    paid: list[Payment] = []
    for number, claims in enumerate(customers):
        for k, (amount, age, late, share) in enumerate(claims):
            key = f"A{number}-{k}"
            rows.append({**invoice(key, amount, "2024-01-01", None, f"A{number}"), "due": TODAY - age})
            if late is not None and late <= age:
                paid.append((f"P{key}", key, day_of(TODAY - age + late).isoformat(), max(2, amount * share // 100)))
    return rows, paid


def scored(rows: list[dict[str, object]], paid: list[Payment], **more: Any) -> dict[str, dict[str, Any]]:
    made = assess({**books(rows, paid, "A0"), **more}, POLICY, TODAY, portfolio=PORTFOLIO)
    return {row["customer_id"]: row for row in made.to_dicts()}


@settings(max_examples=20, deadline=None)
@given(CUSTOMERS, st.integers(1, 9))
def test_splitting_a_payment_changes_nothing(
    customers: list[list[tuple[int, int, int | None, int]]], tenths: int
) -> None:
    rows, paid = drawn(customers)
    split: list[Payment] = []
    for key, claim, on, amount in paid:
        first = max(1, amount * tenths // 10)
        split += (
            [(f"{key}a", claim, on, first), (f"{key}b", claim, on, amount - first)]
            if first < amount
            else [(key, claim, on, amount)]
        )

    whole, parts = scored(rows, paid), scored(rows, split)

    for account, row in whole.items():
        assert {name: parts[account][name] for name in row} == row


@settings(max_examples=20, deadline=None)
@given(CUSTOMERS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    customers: list[list[tuple[int, int, int | None, int]]], chance: random.Random
) -> None:
    rows, paid = drawn(customers)
    tables = books(rows, paid, "A0")
    mixed = {
        name: frame.sample(fraction=1, shuffle=True, seed=chance.randint(0, 99)) if frame.height else frame
        for name, frame in tables.items()
    }

    before = assess(tables, POLICY, TODAY, portfolio=PORTFOLIO).sort("customer_id")
    after = assess(mixed, POLICY, TODAY, portfolio=PORTFOLIO).sort("customer_id")

    assert before.equals(after)


@settings(max_examples=20, deadline=None)
@given(CUSTOMERS)
def test_what_comes_after_the_day_changes_nothing(customers: list[list[tuple[int, int, int | None, int]]]) -> None:
    rows, paid = drawn(customers)
    settled = {claim for _, claim, _, _ in paid}
    later: list[Payment] = [
        (f"L{row['receivable_id']}", str(row["receivable_id"]), "2025-07-01", 1_00)
        for row in rows
        if row["receivable_id"] not in settled
    ]
    tomorrow = [
        invoice(f"N{number}", 5_00, "2025-07-01", "2025-07-31", f"A{number}") for number in range(len(customers))
    ]

    assert scored([*rows, *tomorrow], [*paid, *later]) == scored(rows, paid)


@pytest.mark.parametrize("amount", [1, 10**15 - 1])
def test_the_bounds_of_money_and_days_are_scored(amount: int) -> None:
    rows = [{**invoice("I", amount, "1900-01-01", None), "due": day("1900-01-02")}]

    alone = scored(rows, [])["A"]
    paid = scored(rows, [("P", "I", "2025-06-30", amount)])["A"]

    assert alone["exposure"] == amount
    assert alone["max_days_overdue"] == TODAY - day("1900-01-02")
    assert paid["score"] >= alone["score"]
    assert pl.Series([alone["score"]]).is_finite().all()
