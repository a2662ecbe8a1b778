"""Features beside paying early or late, each checked by hand."""

from typing import Any

import polars as pl
import pytest

from connector.scoring.features.features import features
from connector.scoring.features.tendency import Statistics
from connector.scoring.ledger.ledger import ledger
from tests.connector.scoring.books import POLICY, books, day, invoice, table

AS_OF = "2025-06-30"


def of(tables: dict[str, pl.DataFrame], open_total: int = 1_000_00) -> dict[str, Any]:
    state = ledger(tables, POLICY, day(AS_OF))
    return features(tables, state, POLICY, Statistics(100_00, 80_000, open_total), day(AS_OF)).row(0, named=True)


def test_ageing_buckets_and_share_of_receivables() -> None:
    dues = {
        "I0": "2025-07-15",
        "I1": "2025-06-29",
        "I2": "2025-05-31",
        "I3": "2025-05-30",
        "I4": "2025-03-31",
        "I5": "2025-03-01",
    }
    row = of(books([invoice(key, 10_00, "2025-01-01", due) for key, due in dues.items()]))

    buckets = [row[name] for name in ("overdue_1_30", "overdue_31_60", "overdue_61_90", "overdue_over_90")]
    assert buckets == [20_00, 10_00, 0, 20_00]
    assert sum(buckets) == row["overdue"]
    assert row["share_of_receivables"] == pytest.approx(0.06)
    assert of(books([invoice("I", 1, AS_OF, AS_OF)]), open_total=0)["share_of_receivables"] is None


def test_late_items_partial_payments_and_the_index() -> None:
    claims = [invoice(f"I{n}", 100_00, "2025-04-01", "2025-05-01") for n in range(4)]
    row = of(
        books(
            claims,
            [("P0", "I0", "2025-05-31", 100_00), ("P1", "I1", "2025-05-01", 100_00), ("P2", "I2", "2025-06-01", 40_00)],
        )
    )

    assert row["late_items_90"] == 3
    assert row["partial_payments"] == 1
    # By amount: 30 days late 50 points, on the day 80, 31 days late 49.667.
    assert row["paydex_like"] == pytest.approx((100 * 50 + 100 * 80 + 40 * 49.666) / 240)
    # 30, 0, 31 for .4 of an item, and what is open at 60 joins: .6 and 1 of an item.
    assert row["average_days_late"] == pytest.approx((30 + 0.4 * 31 + 1.6 * 60) / 4)


PROMISE = {"account_id": "A", "made_on": "2025-05-10", "due": "2025-05-31", "amount": 100_00, "currency": "USD"}


@pytest.mark.parametrize(
    ("about", "paid", "broken"),
    [
        ("I1", [("P", "I1", "2025-05-31", 100_00)], 0),
        ("I1", [("P", "I1", "2025-06-01", 100_00)], 1),
        ("I1", [("P", "I1", "2025-05-20", 50_00)], 1),
        ("I1", [("P", "I1", "2025-05-20", 96_00)], 0),
        ("I1", [("P", "I1", "2025-05-01", 100_00)], 0),
        ("gone", [], 0),
        (None, [("P", None, "2025-05-20", 100_00)], 0),
        (None, [("P", None, "2025-06-20", 100_00)], 1),
    ],
)  # fmt: skip
def test_a_promise_is_kept_by_its_day(
    about: str | None, paid: list[tuple[str, str | None, str, int]], broken: int
) -> None:
    promises = table("promises", {**PROMISE, "promise_id": "V", "receivable_id": about})

    row = of(books([invoice("I1", 100_00, "2025-04-01", "2025-05-01")], paid, promises=promises))

    assert (row["broken_promises"], row["bad_records"]) == (broken, broken)


def test_a_promise_of_tomorrow_is_not_broken() -> None:
    promises = table("promises", {**PROMISE, "promise_id": "V", "due": "2025-06-30"})

    assert of(books([invoice("I1", 100_00, "2025-04-01", "2025-05-01")], promises=promises))["broken_promises"] == 0


def test_deductions_acceptances_and_days_of_sales() -> None:
    note = {"account_id": "A", "kind": "deduction", "booked_on": "2025-06-01", "currency": "USD"}
    tables = books(
        [invoice("I1", 365_00, "2025-04-01", "2025-07-01"), invoice("N1", -5_00, "2025-06-01", "2025-06-01")],
        [("P1", "I1", "2025-06-01", 65_00)],
        adjustments=table("adjustments", {**note, "adjustment_id": "D", "amount": 31_50}),
    )
    tables["payments"] = tables["payments"].with_columns(
        pl.lit("commercial_acceptance").alias("instrument"), pl.lit(day("2025-12-01"), pl.Int32).alias("matures_on")
    )

    row = of(tables)

    assert row["deductions_share"] == pytest.approx(0.1)
    assert (row["commercial_acceptances"], row["uncleared"]) == (65_00, 65_00)
    assert row["days_sales_outstanding"] == pytest.approx(300)


def test_sales_change_and_surge_need_history() -> None:
    monthly = [invoice(f"I{m}", 100_00, f"2024-{m:02}-15", f"2024-{m:02}-28") for m in range(5, 13)]
    recent = [invoice("J", 300_00, "2025-06-15", "2025-07-15")]
    order = {"account_id": "A", "ordered_on": "2025-06-20", "amount": 500_00, "currency": "USD"}

    grown, new = of(books(monthly + recent)), of(books(recent))
    ordered = of(books(monthly, orders=table("orders", {**order, "order_id": "O"})))

    # Half-years from 5 July and 2 January: six invoices, then one of 300.
    assert grown["sales_change"] == pytest.approx(300 / 600 - 1)
    assert grown["order_surge"] == pytest.approx(300 * 12 / 900)
    assert (new["sales_change"], new["order_surge"]) == (None, None)
    assert ordered["order_surge"] == pytest.approx(12)


def test_the_company_and_its_records() -> None:
    tables = books([invoice("I1", 1, "2025-06-01", "2025-07-01")])
    tables["accounts"] = table(
        "accounts",
        {"account_id": "A", "name": "A", "founded_on": "2025-06-20", "registered_capital": 5_00, "currency": "USD"},
    )
    seen = {"account_id": "A", "observed_on": "2025-01-01"}
    tables["evidence"] = table(
        "evidence",
        {**seen, "evidence_id": "1", "kind": "tax", "value": "A"},
        {**seen, "evidence_id": "2", "kind": "tax", "value": "m", "observed_on": "2025-02-01"},
        {**seen, "evidence_id": "3", "kind": "legal", "value": "被执行人"},
        {**seen, "evidence_id": "4", "kind": "legal", "value": "破产", "valid_until": "2025-03-01"},
        {**seen, "evidence_id": "5", "kind": "legal", "value": None, "observed_on": "2025-07-01"},
    )

    row = of(tables)

    names = ("company_age", "registered_capital", "tax_grade", "legal_cases", "insolvency")
    assert [row[name] for name in names] == [10, 5_00, 3, 1, 0]


STATEMENT = {
    "account_id": "A", "period_end": "2025-03-31", "months": 6, "currency": "USD", "consolidated": False,
    "total_assets": 1_000, "current_assets": 500, "inventory": 100, "total_liabilities": 400,
    "current_liabilities": 250, "retained_earnings": 200, "revenue": 800, "cost_of_sales": 600, "ebit": 50,
    "interest_expense": 10, "net_profit": 24, "operating_cash_flow": 25, "market_value": 900,
}  # fmt: skip


def test_ratios_of_the_newest_statement_that_was_known() -> None:
    statements = table(
        "statements",
        {**STATEMENT, "period_end": "2024-12-31", "months": 12},
        STATEMENT,
        {**STATEMENT, "consolidated": True, "current_assets": 1},
        {**STATEMENT, "period_end": "2025-05-31", "published_on": "2025-07-01", "current_assets": 2},
    )

    row = of(books([], statements=statements))

    assert row["statement_age"] == 91
    expected = {
        "current_ratio": 2, "quick_ratio": 1.6, "debt_ratio": 0.4, "equity": 600, "net_margin": 0.03, "gross_margin": 0.25,
        "return_on_assets": 0.048, "interest_cover": 5, "asset_turnover": 1.6, "cash_flow_ratio": 0.2, "earning_signs": 2,
        "altman_z": 1.2 * 0.25 + 1.4 * 0.2 + 3.3 * 0.1 + 0.6 * 2.25 + 0.999 * 1.6,
        "altman_z1": 0.717 * 0.25 + 0.847 * 0.2 + 3.107 * 0.1 + 0.42 * 1.5 + 0.998 * 1.6,
        "altman_z2": 6.56 * 0.25 + 3.26 * 0.2 + 6.72 * 0.1 + 1.05 * 1.5,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_a_ratio_without_its_figures_is_missing() -> None:
    thin = {**STATEMENT, "current_liabilities": 0, "revenue": None, "interest_expense": 0, "market_value": None}
    row = of(books([], statements=table("statements", thin)))

    missing = ("current_ratio", "net_margin", "altman_z", "altman_z1", "asset_turnover")
    assert [row[name] for name in missing] == [None] * 5
    assert row["interest_cover"] == 100
    assert of(books([]))["debt_ratio"] is None
