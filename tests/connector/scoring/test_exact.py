"""What must not change a score by a single digit: splitting, order of rows, what comes later. Frames of many customers."""

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.schema import day_of
from connector.scoring.assess import assess
from connector.scoring.features.tendency import Statistics
from tests.connector.scoring.books import POLICY, books, day, invoice, table
from tests.examples import TOGETHER, together

TODAY = day("2025-06-30")
ROOT = Path(__file__).parents[3]
PORTFOLIO = Statistics(100_00, 100_000)
Payment = tuple[str, str | None, str, int]
# One claim: amount, days since due, days late when paid or None, share paid in hundredths.
CLAIM = st.tuples(
    st.integers(1_00, 10**13), st.integers(-60, 400), st.none() | st.integers(-30, 120), st.integers(1, 100)
)
CUSTOMERS = st.lists(st.lists(CLAIM, min_size=1, max_size=4), min_size=TOGETHER, max_size=TOGETHER)


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
    frame = assess({**books(rows, paid, "A0"), **more}, POLICY, TODAY, portfolio=PORTFOLIO)
    return {row["customer_id"]: row for row in frame.to_dicts()}


@together
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


@together
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


@together
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


def portfolio_of(seed: int, size: int) -> dict[str, pl.DataFrame]:
    """Customers with up to three floors of parents, bounds of money among them."""
    chance = random.Random(seed)
    amounts = (1, 99, 100_00, 12_345_67, 10**13, 10**15 - 1)
    customers = [
        [
            (
                chance.choice(amounts),
                chance.randint(-60, 400),
                chance.choice([None, -30, 0, 4, 40]),
                chance.randint(1, 100),
            )
            for _ in range(chance.randint(1, 6))
        ]
        for _ in range(size)
    ]
    tables = books(*drawn(customers), "A0")
    parents = [None if n % 4 == 0 else f"A{n - 1}" for n in range(size)]
    own = pl.DataFrame({"account_id": [f"A{n}" for n in range(size)], "parent_id": parents})
    accounts = tables["accounts"].drop("parent_id").join(own, on="account_id", how="left")
    limit = {"kind": "permanent", "amount": 5_000_00, "currency": "USD"}
    given = [
        {**limit, "limit_id": str(n), "account_id": f"A{n}", "scope": scope}
        for n in range(0, size, 3)
        for scope in ("account", "group")
    ]
    return {**tables, "accounts": accounts, "limits": table("limits", *given)}


def only(tables: dict[str, pl.DataFrame], accounts: list[str]) -> dict[str, pl.DataFrame]:
    return {
        name: frame.filter(pl.col("account_id").is_in(accounts)) if "account_id" in frame.columns else frame
        for name, frame in tables.items()
    }


def test_a_group_scores_the_same_alone_in_a_batch_and_among_all() -> None:
    tables = portfolio_of(7, 48)
    whole = assess(tables, POLICY, TODAY, portfolio=PORTFOLIO)

    for first in range(0, 48, 4):
        group = [f"A{n}" for n in range(first, first + 4)]
        batch = [*group, *(f"A{n % 48}" for n in range(first + 4, first + 12))]
        expected = whole.filter(pl.col("customer_id").is_in(group)).sort("customer_id")
        for members in (group, batch):
            frame = assess(only(tables, members), POLICY, TODAY, portfolio=PORTFOLIO)
            assert frame.filter(pl.col("customer_id").is_in(group)).sort("customer_id").equals(expected)


def test_the_hash_seed_of_the_process_changes_nothing() -> None:
    program = (
        "import hashlib; from tests.connector.scoring.test_exact import *;"
        "made = assess(portfolio_of(7, 24), POLICY, TODAY, portfolio=PORTFOLIO);"
        "print(hashlib.sha256(made.write_ndjson().encode()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(seen) == 1
    assert len(seen.pop().strip()) == 64
