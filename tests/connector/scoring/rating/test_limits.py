"""The methods of the limit, what secures it, and when one in force moves."""

from typing import Any

import polars as pl
import pytest

from connector.editions import default_text
from connector.policy import Policy, load
from connector.scoring.assess import assess, portfolio_statistics
from tests.connector.scoring.books import POLICY, books, day, invoice, table
from tests.connector.scoring.steady import TODAY, decision, ledger, scored

STATEMENT = {
    "account_id": "A",
    "period_end": "2024-12-31",
    "months": 12,
    "published_on": "2025-03-31",
    "currency": "USD",
    "equity": 90_000_00,
    "current_assets": 50_000_00,
    "current_liabilities": 20_000_00,
    "total_assets": 100_000_00,
    "total_liabilities": 10_000_00,
    "net_profit": 20_000_00,
    "ebit": 25_000_00,
    "interest_expense": 1_000_00,
}


def policy(methods: str, **scale: str) -> Policy:
    text = default_text().replace("limits: {peak", f"limits: {{methods: {methods}, peak")
    for old, new in scale.items():
        text = text.replace(old.replace("_", " "), new)
    return load(text, "p")


def terms(row: dict[str, Any]) -> dict[str, tuple[int, bool]]:
    return {term["method"]: (term["amount"], term["binding"]) for term in row["limit_terms"]}


def test_every_method_is_kept_and_the_smallest_binds() -> None:
    rules = policy("{needs: 1, average_sales: 1, equity: 0.1, working_capital: 0.1, high_balance: 1.2}")
    row = scored(ledger(statements=table("statements", STATEMENT)), rules)
    factor = 1.5

    assert row["rating"] == "AAA"
    result = terms(row)
    assert result["equity"][0] == round(90_000_00 * 0.1 * factor)
    assert result["working_capital"][0] == round(30_000_00 * 0.1 * factor)
    # Paid the day it falls due, the month's claim is the highest balance there was.
    assert result["high_balance"][0] == round(1_000_00 * 1.2 * factor)
    # 11,000.00 in 334 days, ten days of credit.
    assert result["average_sales"][0] == 11_000_00 * 10 * 1500 // (364 * 1000)
    assert result["needs"][0] == 11_000_00 * 10 * 1500 * 3 // (364 * 1000 * 2)
    assert [name for name, (_, binding) in result.items() if binding] == ["average_sales"]
    assert row["proposed_limit"] == row["limit"] == 450_00


def test_a_method_without_figures_gives_the_grade_s_conservative_one() -> None:
    rules = policy("{needs: 1, equity: 0.1}")
    careful = load(
        default_text()
        .replace("limits: {peak", "limits: {methods: {needs: 1, equity: 0.1}, peak")
        .replace("limit_factor: 1.5}", "limit_factor: 1.5, limit_without: 100}"),
        "p",
    )

    assert "equity" not in terms(scored(ledger(), rules))
    assert terms(scored(ledger(), careful))["equity"] == (100_00, True)
    assert scored(ledger(), careful)["limit"] == 100_00


def test_insurance_and_securities_add_to_what_the_grade_is_good_for() -> None:
    insured = {"limit_id": "L1", "account_id": "A", "kind": "insured", "amount": 1_000_00, "currency": "USD"}
    pledge = {
        "security_id": "S1",
        "account_id": "A",
        "kind": "guarantee",
        "amount": 500_00,
        "currency": "USD",
        "coverage": 0.5,
        "valid_until": "2025-12-31",
    }
    plain = scored(ledger())
    tables = ledger(limits=table("limits", insured), securities=table("securities", pledge))

    assert scored(tables)["proposed_limit"] == plain["proposed_limit"] + 900_00 + 250_00
    assert terms(scored(tables))["secured"] == (1_150_00, False)
    assert scored(tables)["next_day"] == TODAY + 1
    later = scored(ledger(), as_of=TODAY + 1)
    assert scored(tables, as_of=TODAY + 1)["proposed_limit"] == later["proposed_limit"] + 900_00


@pytest.fixture
def before() -> pl.DataFrame:
    tables = ledger()
    return assess(tables, POLICY, TODAY - 7, portfolio=portfolio_statistics(tables, POLICY, TODAY - 7))


def grown(amount: int) -> dict[str, pl.DataFrame]:
    """The customer with one more claim since."""
    tables = ledger()
    extra = table("receivables", invoice("NEW", amount, "2025-12-28", "2026-01-07"))
    return {**tables, "receivables": pl.concat([tables["receivables"], extra])}


def test_a_limit_rises_with_new_facts_by_a_tenth_at_least_and_falls_at_once(before: pl.DataFrame) -> None:
    was = before["limit"].item()

    assert scored(grown(50_000_00), prior=before)["limit"] > was * 1.1
    little = scored(grown(1_00), prior=before)
    assert little["limit"] <= was
    lower = before.with_columns(pl.col("limit") * 10)
    assert scored(ledger(), prior=lower)["limit"] == scored(ledger())["limit"]
    higher = before.with_columns(pl.col("limit") // 10)
    # Without a new fact or a better grade it stays where it was.
    assert scored(ledger(), prior=higher.with_columns(as_of=pl.lit(TODAY - 1, pl.Int32)))["limit"] == was // 10


def test_no_limit_rises_from_a_stale_picture(before: pl.DataFrame) -> None:
    stale = scored(grown(50_000_00), as_of=day("2026-01-20"), prior=before)

    assert stale["limit"] <= before["limit"].item()


def test_a_natural_person_s_limit_falls_when_a_person_agrees(before: pl.DataFrame) -> None:
    had = before.with_columns(pl.col("limit") * 10)
    tables = ledger()
    tables["accounts"] = tables["accounts"].with_columns(pl.lit(value=True).alias("natural_person"))

    waiting = scored(tables, prior=had)
    agreed = scored({**tables, "decisions": table("decisions", decision("confirmation", "AAA"))}, prior=had)

    assert waiting["limit"] == had["limit"].item()
    assert "downgrade_waits" in waiting["notices"]
    assert agreed["limit"] == scored(ledger())["limit"]


def test_cash_only_leaves_no_room() -> None:
    row = scored(ledger(decisions=table("decisions", decision("cash_only"))))

    assert (row["limit"], row["available"]) == (0, 0)


def test_what_an_unrated_newcomer_gets_is_nothing_and_no_limit() -> None:
    fresh = books([invoice("I1", 5_000_00, "2025-12-20", "2026-01-19")])

    row = scored(fresh)

    assert (row["rating"], row["proposed_limit"], row["limit"]) == ("NR", 0, None)
