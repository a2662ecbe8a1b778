import math

import polars as pl
import pytest

from connector.validation.backtest import Question, foretold, outcomes, paydex_like
from tests.connector.scoring.books import POLICY, books, day, invoice

CUT = day("2025-03-31")


def bad(tables: dict[str, pl.DataFrame], **question: float) -> dict[str, bool]:
    rows = outcomes(tables, POLICY, CUT, Question(**question))  # type: ignore[arg-type]
    return dict(rows.select("account_id", "bad").rows())


@pytest.mark.parametrize(
    ("paid", "question", "expected"),
    [
        ("2025-05-16", {}, False),
        ("2025-05-17", {}, True),
        (None, {}, True),
        ("2025-05-17", {"late_days": 20}, False),
        ("2025-05-17", {"horizon": 20}, None),
    ],
)
def test_bad_is_paid_or_unpaid_too_late(paid: str | None, question: dict[str, float], expected: bool | None) -> None:
    tables = books([invoice("I", 100_00, "2025-04-01", "2025-05-01")], [("P", "I", paid, 100_00)] if paid else [])

    assert bad(tables, **question).get("A") is expected


def test_bad_needs_its_share_of_the_money() -> None:
    claims = [invoice("I", 90_00, "2025-04-01", "2025-05-01"), invoice("J", 10_00, "2025-04-01", "2025-05-01")]
    tables = books(claims, [("P", "I", "2025-05-01", 90_00), ("Q", "J", "2025-06-01", 10_00)])

    assert bad(tables) == {"A": True}
    assert bad(tables, late_share=0.11) == {"A": False}


@pytest.mark.parametrize(
    ("paid", "index"),
    [("2025-02-01", 80.0), ("2025-01-22", 85.0), ("2024-12-15", 100.0), ("2025-02-13", 72.0), ("2025-03-28", 41.66667)],
)
def test_the_index_is_linear_between_its_points(paid: str, index: float) -> None:
    tables = books([invoice("I", 100_00, "2024-12-10", "2025-02-01")], [("P", "I", paid, 100_00)])

    assert paydex_like(tables, POLICY, CUT)["index"].to_list() == [pytest.approx(index)]


def test_a_score_that_sees_lateness_separates_and_what_comes_after_the_cut_is_not_seen() -> None:
    claims, paid = [], []
    for n in range(20):
        late = 20 if n < 6 else 0
        for month in (1, 2, 4):
            key, due = f"C{n:02d}-{month}", f"2025-{month:02d}-05"
            claims.append(invoice(key, 100_00 + n, "2024-12-01", due, f"C{n:02d}"))
            paid.append((f"P{key}", key, f"2025-{month:02d}-{5 + late:02d}", 100_00 + n))
    tables = books(claims, paid, "C00")

    result = foretold(tables, POLICY, [CUT], Question())

    assert (result["customers"], result["bads"], result["auc"], result["ks"]) == (20, 6, 1.0, 1.0)
    assert result["late_money_in_worst_fifth"] == pytest.approx(4 / 6, abs=0.01)
    assert foretold(tables, POLICY, [CUT, CUT], Question())["auc"] == 1.0
    nobody = foretold(tables, POLICY, [CUT], Question(late_days=90))
    assert nobody["auc"] is nobody["late_money_in_worst_fifth"] is None
    assert not math.isnan(result["paydex_like"]["auc"])  # type: ignore[index]
