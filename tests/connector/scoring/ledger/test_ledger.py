import polars as pl
import pytest

from connector.scoring.ledger.ledger import Ledger, ledger
from tests.connector.scoring.books import POLICY, books, day, invoice, table


def at(tables: dict[str, pl.DataFrame], as_of: str) -> Ledger:
    return ledger(tables, POLICY, day(as_of))


def opened(state: Ledger) -> dict[str, tuple[int, int]]:
    return {row["receivable_id"]: (row["open_base"], row["days_overdue"]) for row in state.items.to_dicts()}


def on_account(state: Ledger) -> int:
    return int(state.on_account.sum())


PARTLY = books(
    [invoice("I1", 100_00, "2025-01-01", "2025-01-31")],
    [("P1", "I1", "2025-01-20", 40_00), ("P2", "I1", "2025-02-10", 60_00)],
)


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2024-12-31", {}),
        ("2025-01-19", {"I1": (100_00, 0)}),
        ("2025-01-31", {"I1": (60_00, 0)}),
        ("2025-02-01", {"I1": (60_00, 1)}),
        ("2025-02-10", {"I1": (0, 0)}),
    ],
)
def test_what_is_open_is_computed_from_allocations_as_of_the_day(
    as_of: str, expected: dict[str, tuple[int, int]]
) -> None:
    assert opened(at(PARTLY, as_of)) == expected


def test_each_part_counts_on_its_own_day() -> None:
    parts = at(PARTLY, "2025-03-01").parts.sort("day")

    assert parts.select("amount_base", "days_late", "days_early").rows() == [(40_00, 0, 11), (60_00, 10, 0)]


def test_a_payment_before_its_invoice_is_money_on_account_until_the_invoice_is_issued() -> None:
    tables = books([invoice("I1", 100_00, "2025-03-01", "2025-03-31")], [("P1", "I1", "2025-02-01", 100_00)])

    assert (opened(at(tables, "2025-02-15")), on_account(at(tables, "2025-02-15"))) == ({}, 100_00)
    assert (opened(at(tables, "2025-03-15")), on_account(at(tables, "2025-03-15"))) == ({"I1": (0, 0)}, 0)


def test_what_is_paid_beyond_a_claim_stays_on_account() -> None:
    tables = books([invoice("I1", 100_00, "2025-01-01", "2025-01-31")], [("P1", "I1", "2025-01-20", 130_00)])

    state = at(tables, "2025-02-15")

    assert opened(state) == {"I1": (0, 0)}
    assert on_account(state) == 30_00


def test_a_returned_payment_reopens_its_invoice_from_its_own_due_day() -> None:
    payment = {"payment_id": "P1", "account_id": "A", "paid_on": "2025-01-20", "amount": 100_00, "currency": "USD"}
    tables = books([invoice("I1", 100_00, "2025-01-01", "2025-01-31")], [("P1", "I1", "2025-01-20", 100_00)])
    tables["payments"] = table("payments", {**payment, "bounced_on": "2025-02-05"})

    assert opened(at(tables, "2025-02-04")) == {"I1": (0, 0)}
    assert opened(at(tables, "2025-02-05")) == {"I1": (100_00, 5)}


def test_a_refund_takes_back_the_latest_part() -> None:
    tables = books(
        [invoice("I1", 100_00, "2025-01-01", "2025-01-31")],
        [("P1", "I1", "2025-01-20", 60_00), ("P2", "I1", "2025-01-25", 40_00), ("R1", "I1", "2025-02-10", -50_00)],
    )

    state = at(tables, "2025-02-11")

    assert opened(state) == {"I1": (50_00, 11)}
    assert state.parts["amount_base"].to_list() == [50_00]


def test_a_bill_discharges_when_received_and_is_our_money_when_it_matures() -> None:
    tables = books([invoice("I1", 100_00, "2025-01-01", "2025-01-31")], [("P1", "I1", "2025-01-20", 100_00)])
    tables["payments"] = tables["payments"].with_columns(
        pl.lit("bank_acceptance").alias("instrument"), pl.lit(day("2025-06-30"), pl.Int32).alias("matures_on")
    )

    assert at(tables, "2025-06-29").items.select("open_base", "uncleared_base").row(0) == (0, 100_00)
    assert at(tables, "2025-06-30").items.select("open_base", "uncleared_base").row(0) == (0, 0)


def test_a_stub_is_owed_and_no_lateness() -> None:
    tables = books(
        [invoice("big", 1_000_00, "2025-01-01", "2025-01-31"), invoice("small", 9_00, "2025-01-01", "2025-01-31")],
        [("P1", "big", "2025-01-31", 995_00)],
    )

    assert opened(at(tables, "2025-03-01")) == {"big": (5_00, 0), "small": (9_00, 29)}


def test_a_disputed_item_is_not_overdue_while_the_dispute_is_open() -> None:
    tables = books(
        [invoice("I1", 100_00, "2025-01-01", "2025-01-31", disputed_on="2025-02-05", dispute_closed_on="2025-02-20")]
    )

    assert [opened(at(tables, f"2025-02-{d}"))["I1"][1] for d in ("04", "05", "19", "20")] == [4, 0, 0, 20]


def test_a_dispute_ends_by_itself_and_covers_what_it_is_about() -> None:
    tables = books(
        [
            invoice("all", 100_00, "2025-01-01", "2025-01-31", disputed_on="2025-02-05"),
            invoice("part", 100_00, "2025-01-01", "2025-01-31", disputed_on="2025-02-05", disputed_amount=30_00),
        ]
    )

    items = {row["receivable_id"]: row for row in at(tables, "2025-03-01").items.to_dicts()}

    assert (items["all"]["overdue_base"], items["all"]["late_open"]) == (0, 29)
    assert (items["part"]["overdue_base"], items["part"]["contested_base"]) == (70_00, 30_00)
    assert [opened(at(tables, on))["all"][1] for on in ("2025-08-03", "2025-08-04")] == [0, 185]


def test_while_our_own_fault_is_argued_about_nobody_is_late() -> None:
    ours = {"disputed_on": "2025-02-05", "dispute_closed_on": "2025-03-01", "dispute_fault": "ours"}
    tables = books(
        [invoice(key, 100_00, "2025-01-01", "2025-01-31", **ours) for key in ("soon", "late", "open")],
        [("P1", "soon", "2025-02-20", 100_00), ("P2", "late", "2025-03-11", 100_00)],
    )

    during, after = at(tables, "2025-02-28"), at(tables, "2025-03-31")

    assert set(during.items["late_open"]) == {0}
    assert dict(after.parts.select("receivable_id", "days_late").rows()) == {"soon": 0, "late": 10}
    assert after.items.filter(pl.col("open") > 0)["late_open"].to_list() == [30]


@pytest.mark.parametrize(("kind", "amount", "late"), [("fee", 5_00, 0), ("withholding", 10_00, 90), ("fee", 60_00, 90)])
def test_a_fee_or_withholding_below_materiality_is_no_lateness(kind: str, amount: int, late: int) -> None:
    booked = {"account_id": "A", "booked_on": "2025-05-01", "currency": "USD", "kind": kind, "amount": amount}
    tables = books(
        [invoice("I1", 100_00, "2025-01-01", "2025-01-31")],
        [("P1", "I1", "2025-01-31", 100_00 - amount)],
        adjustments=table("adjustments", {**booked, "adjustment_id": "X"}),
    )
    more = {"allocation_id": "x", "receivable_id": "I1", "adjustment_id": "X", "amount": amount, "currency": "USD"}
    tables["allocations"] = pl.concat([tables["allocations"], table("allocations", more)])

    assert at(tables, "2025-06-01").parts["days_late"].max() == late


def test_a_credit_note_settles_without_being_a_payment_and_an_open_one_is_on_account() -> None:
    note = {"account_id": "A", "kind": "credit_note", "booked_on": "2025-01-15", "currency": "USD"}
    tables = books(
        [invoice("I1", 100_00, "2025-01-01", "2025-01-31"), invoice("N1", -20_00, "2025-01-05", "2025-01-05")],
        adjustments=table(
            "adjustments",
            {**note, "adjustment_id": "C1", "amount": 40_00},
            {**note, "adjustment_id": "C2", "amount": 7_00},
        ),
    )
    tables["allocations"] = table(
        "allocations",
        {"allocation_id": "x", "receivable_id": "I1", "adjustment_id": "C1", "amount": 40_00, "currency": "USD"},
    )

    state = at(tables, "2025-02-10")

    assert opened(state) == {"I1": (60_00, 10), "N1": (-20_00, 0)}
    assert state.parts.is_empty()
    assert on_account(state) == 27_00


def test_a_write_off_leaves_no_claim_and_stays_lateness() -> None:
    tables = books(
        [invoice("I1", 100_00, "2025-01-01", "2025-01-31")],
        adjustments=table(
            "adjustments",
            {
                "adjustment_id": "W",
                "account_id": "A",
                "kind": "write_off",
                "booked_on": "2025-05-01",
                "amount": 100_00,
                "currency": "USD",
            },
        ),
    )
    tables["allocations"] = table(
        "allocations",
        {"allocation_id": "x", "receivable_id": "I1", "adjustment_id": "W", "amount": 100_00, "currency": "USD"},
    )

    state = at(tables, "2025-06-01")

    assert opened(state) == {"I1": (0, 0)}
    assert state.parts["days_late"].to_list() == [90]
    assert state.written_off.written_off_base.tolist() == [100_00]


def test_without_a_due_day_the_policy_s_terms_hold_and_without_a_rate_nothing_is_counted() -> None:
    tables = books(
        [
            invoice("I1", 100_00, "2025-01-01", None, due_basis="unknown"),
            invoice("I2", 5, "2025-01-01", "2025-01-31", currency="GBP"),
        ]
    )

    items = {row["receivable_id"]: row for row in at(tables, "2025-02-10").items.to_dicts()}

    assert items["I1"]["days_overdue"] == 10
    assert (items["I2"]["open_base"], items["I2"]["rate_missing"]) == (None, True)


def test_a_payment_in_another_currency_settles_at_the_rate_of_its_day() -> None:
    tables = books(
        [invoice("I1", 110_00, "2025-01-01", "2025-01-31")],
        [("P1", None, "2025-01-20", 100_00)],
        currency="EUR",
        rates=table(
            "rates",
            {"currency": "EUR", "base": "USD", "day": "2025-01-10", "rate": 11 * 10**11},
            {"currency": "EUR", "base": "USD", "day": "2025-02-01", "rate": 9 * 10**11},
        ),
    )
    tables["allocations"] = table(
        "allocations",
        {
            "allocation_id": "x",
            "receivable_id": "I1",
            "payment_id": "P1",
            "currency": "USD",
            "payment_amount": 100_00,
            "payment_currency": "EUR",
        },
    )

    state = at(tables, "2025-02-10")

    assert opened(state) == {"I1": (0, 0)}
    assert on_account(state) == 0


@pytest.mark.parametrize("kind", ["payment_id", "adjustment_id"])
def test_an_allocation_outlives_neither_its_payment_nor_its_credit_note(kind: str) -> None:
    tables = books([invoice("I1", 1_000_00, "2026-01-01", "2026-01-31")])
    left = {"allocation_id": "x", "receivable_id": "I1", kind: "gone", "amount": 1_000_00, "currency": "USD"}
    tables["allocations"] = table("allocations", left)

    assert opened(at(tables, "2026-02-11")) == {"I1": (1_000_00, 11)}
