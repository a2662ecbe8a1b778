"""What comes from outside: statements and judgements count while they are in force, say when they are stale, and then
help no more.
"""

from typing import Any

import polars as pl
import pytest

from tests.connector.scoring.books import table
from tests.connector.scoring.steady import TODAY, ledger, scored

GOOD = {
    "account_id": "A", "period_end": "2024-12-31", "months": 12, "published_on": "2025-04-30", "currency": "USD",
    "total_assets": 100, "total_liabilities": 30, "current_assets": 60, "current_liabilities": 30, "equity": 70,
    "revenue": 120, "net_profit": 15, "ebit": 20, "interest_expense": 1,
}  # fmt: skip
POOR = {**GOOD, "total_liabilities": 98, "current_assets": 20, "equity": 2, "net_profit": -10, "ebit": -8}


def judgement(value: str, **more: Any) -> dict[str, Any]:
    return {
        "evidence_id": f"{value}{more}", "account_id": "A", "kind": "bureau", "observed_on": "2025-06-01",
        "value": value, **more,
    }  # fmt: skip


def score(late: int = 6, **more: pl.DataFrame) -> float:
    return float(scored(ledger(late, **more))["score"])


def test_statements_move_the_score_both_ways_and_count_from_their_publication() -> None:
    plain = score()

    assert score(statements=table("statements", GOOD)) > plain > score(statements=table("statements", POOR))
    early = {**POOR, "published_on": "2026-02-01"}
    assert score(statements=table("statements", early)) == plain


def test_the_newest_statement_counts_and_the_year_before_tells_the_change() -> None:
    from tests.connector.scoring.features.test_features import of

    older = {**GOOD, "period_end": "2023-12-31", "published_on": "2024-04-30", "revenue": 100, "total_liabilities": 40}
    row = of(ledger(statements=table("statements", older, GOOD)))

    assert row["debt_ratio"] == 0.3
    assert row["revenue_change"] == pytest.approx(0.2)
    assert row["debt_change"] == pytest.approx(0.1)


def test_a_statement_of_two_years_ago_is_said_to_be_stale_and_helps_no_more() -> None:
    old = {**GOOD, "period_end": "2023-12-30", "published_on": "2024-04-30"}
    row = scored(ledger(6, statements=table("statements", old)))

    assert "statement_stale" in row["notices"]
    assert row["score"] == score()


def test_outside_judgements_are_weighed_while_they_are_in_force() -> None:
    from tests.connector.scoring.features.test_features import of

    rows = [
        judgement("80", weight=3.0), judgement("BB", kind="industry"), judgement("gossip", kind="news"),
        judgement("0", valid_until="2025-12-30"), judgement("0", observed_on="2026-03-01"),
        judgement("0", observed_on="2023-06-01"), judgement("nan"), judgement("A", kind="tax"),
    ]  # fmt: skip

    result = of(ledger(evidence=table("evidence", *rows)), as_of="2025-12-31")

    # BB is the fifth of ten grades: 56 of 100.
    assert result["external_score"] == pytest.approx((3 * 80 + 56) / 4)
    assert score(evidence=table("evidence", judgement("95"))) > score(evidence=table("evidence", judgement("5")))


def test_old_judgements_say_that_they_are_stale_and_help_no_more() -> None:
    row = scored(ledger(6, evidence=table("evidence", judgement("100", observed_on="2023-06-01"))))

    assert "evidence_stale" in row["notices"]
    assert row["score"] == score()
    assert row["as_of"] == TODAY
