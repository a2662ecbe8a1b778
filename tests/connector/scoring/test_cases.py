"""Faults that other systems had with ledgers, with the right outcome worked out by hand."""

from typing import Any

import polars as pl
import pytest

from connector.scoring.assess import assess
from connector.scoring.features.tendency import Statistics
from tests.connector.scoring.books import POLICY, books, day, invoice, table


def at(tables: dict[str, pl.DataFrame], as_of: str, account: str = "A") -> dict[str, Any]:
    rows = assess(tables, POLICY, day(as_of), portfolio=Statistics(10_000_00, 80_000)).to_dicts()
    return next(row for row in rows if row["customer_id"] == account)


def figures(row: dict[str, Any]) -> tuple[int, int, int]:
    return row["exposure"], row["overdue"], row["max_days_overdue"]


def codes(row: dict[str, Any]) -> list[str]:
    return [flag["code"] for flag in row["flags"]]


def test_a_payment_counts_on_its_own_day_whenever_the_clerk_matched_it() -> None:
    claims = [invoice(f"M{n}", 10_000_00, "2019-03-15", "2019-04-14", currency="EUR") for n in range(5)]
    claims.append(invoice("M6", 100_000_00, "2019-04-20", "2019-05-20", currency="EUR"))
    paid = [("P1", "M0", "2019-02-15", 1_000_00), ("P2", "M0", "2019-05-02", 9_000_00)]
    paid += [("P2", f"M{n}", "2019-05-02", 10_000_00) for n in range(1, 5)]
    tables = books(claims, paid, currency="EUR")
    tables["allocations"] = tables["allocations"].with_columns(pl.lit(day("2019-05-02"), pl.Int32).alias("applied_on"))

    assert figures(at(tables, "2019-04-30")) == (149_000_00, 49_000_00, 16)
    assert figures(at(tables, "2019-05-02")) == (100_000_00, 0, 0)


def test_a_payment_older_than_its_invoice_is_on_account_until_then() -> None:
    paid = [
        ("P1", "I1", "2016-11-09", 1_500_00),
        ("P2", "I1", "2016-11-30", 1_000_00),
        ("P3", "I1", "2017-01-30", 2_000_00),
    ]
    tables = books([invoice("I1", 10_000_00, "2016-11-30", "2017-02-28")], paid)

    early = at(tables, "2016-11-20")
    assert (figures(early), early["on_account"]) == ((0, 0, 0), 1_500_00)
    assert figures(at(tables, "2017-02-28")) == (5_500_00, 0, 0)
    assert figures(at(tables, "2017-04-04")) == (5_500_00, 5_500_00, 35)


def test_an_invoice_due_before_it_was_issued_is_overdue_from_its_issue_and_noticed() -> None:
    tables = books(
        [invoice("I1", 8_000_00, "2026-02-10", "2026-01-31"), invoice("I2", 500_00, "2026-02-12", "2026-03-14")]
    )

    assert figures(at(tables, "2026-02-05")) == (0, 0, 0)
    row = at(tables, "2026-02-20")
    assert figures(row) == (8_500_00, 8_000_00, 20)
    assert row["notices"] == ["implausible_date"]


CREDIT = {"adjustment_id": "C", "account_id": "A", "kind": "credit_note", "booked_on": "2025-06-01", "currency": "USD"}


@pytest.mark.parametrize(("credit", "exposure", "hold"), [(2_000_00, 3_000_00, "approve"), (6_000_00, 0, "none")])
def test_an_open_credit_lowers_exposure_and_who_owes_nothing_in_sum_is_not_chased(
    credit: int, exposure: int, hold: str
) -> None:
    debt = invoice("I1", 5_000_00, "2025-12-01", "2025-12-31")
    prompt = [invoice(f"O{n}", 5_000_00, "2025-01-01", f"2025-0{n}-28") for n in range(1, 7)]
    paid = [(f"P{n}", f"O{n}", f"2025-0{n}-28", 5_000_00) for n in range(1, 7)]
    note = books([debt, *prompt], paid, adjustments=table("adjustments", {**CREDIT, "amount": credit}))
    negative = books([debt, *prompt, invoice("C", -credit, "2025-06-01", "2025-06-01")], paid)

    for tables in (note, negative):
        row = at(tables, "2026-01-31")
        assert figures(row) == (exposure, 5_000_00, 31)
        assert row["hold"] == hold
        assert ("OVERDUE_30" in codes(row)) == (hold != "none")


def cheque(**more: object) -> dict[str, pl.DataFrame]:
    tables = books([invoice("I1", 20_000_00, "2025-12-16", "2026-01-15")], [("P1", "I1", "2026-01-10", 20_000_00)])
    values = {"payment_id": "P1", "account_id": "A", "paid_on": "2026-01-10", "amount": 20_000_00, "currency": "USD"}
    return {**tables, "payments": table("payments", {**values, "instrument": "cheque", **more})}


def test_a_cheque_discharges_at_once_is_exposure_until_it_clears_and_reopens_when_it_bounces() -> None:
    bounced, slow, good = (
        cheque(bounced_on="2026-01-20"),
        cheque(matures_on="2026-03-01", cleared_on="2026-03-03"),
        cheque(cleared_on="2026-02-20"),
    )

    before = [at(tables, "2026-01-18") for tables in (bounced, good)]
    assert [figures(row) for row in before] == [(20_000_00, 0, 0)] * 2
    # The bounce does not leak back: until then both are twins.
    assert before[0] == before[1]
    assert figures(at(bounced, "2026-02-14")) == (20_000_00, 20_000_00, 30)
    assert figures(at(slow, "2026-02-14")) == (20_000_00, 0, 0)
    assert [figures(at(tables, "2026-03-10")) for tables in (slow, good)] == [(0, 0, 0)] * 2
    assert "BOUNCED" in codes(at(bounced, "2026-01-20"))
    assert "BOUNCED" not in codes(before[0])


def test_a_voided_invoice_and_its_reissue_never_count_beside_each_other() -> None:
    claims = [
        invoice("V1", 12_000_00, "2026-01-01", "2026-01-31", voided_on="2026-02-10"),
        invoice("V2", 9_000_00, "2026-02-10", "2026-03-31", original_due="2026-01-31", supersedes_id="V1"),
    ]
    tables = books(claims, [("P1", "V2", "2026-03-05", 9_000_00)])

    assert figures(at(tables, "2026-02-05")) == (12_000_00, 12_000_00, 5)
    assert figures(at(tables, "2026-02-15")) == (9_000_00, 0, 0)
    assert figures(at(tables, "2026-03-06")) == (0, 0, 0)
    assert "CREDIT_TERM_EXTENDED" not in codes(at(tables, "2026-02-05"))
    assert "CREDIT_TERM_EXTENDED" in codes(at(tables, "2026-02-15"))


def test_one_payment_over_three_invoices_is_as_good_as_three_payments() -> None:
    claims = [invoice(f"{a}{n}", 1_000_00, "2026-01-01", "2026-01-31", a) for a in "AB" for n in range(3)]
    paid = [("P", f"A{n}", "2026-01-25", 1_000_00) for n in range(3)] + [
        (f"Q{n}", f"B{n}", "2026-01-25", 1_000_00) for n in range(3)
    ]
    tables = books(claims, paid)

    one, three = at(tables, "2026-03-01", "A"), at(tables, "2026-03-01", "B")

    assert figures(one) == (0, 0, 0)
    assert {**one, "customer_id": "B"} == three
    assert one["on_account"] == 0
