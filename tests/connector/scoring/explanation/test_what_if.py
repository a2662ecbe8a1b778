"""What if, and the smallest change that lifts a rating."""

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from connector.errors import Misconfigured
from connector.scoring.assess import assess, portfolio_statistics
from connector.scoring.explanation.what_if import _paid, upgrade_paths, with_values
from tests.connector.scoring.books import POLICY, invoice, table
from tests.connector.scoring.steady import TODAY, ledger


def owing(*ages: int, late: int = 0) -> dict[str, pl.DataFrame]:
    """The customer with overdue items of these ages beside his settled ones."""
    tables = ledger(late)
    extra = [
        {
            **invoice(f"OLD{age}", 1_000_00, "2025-01-01", None),
            "issued": TODAY - age - 30,
            "due": TODAY - age,
            "original_due": TODAY - age,
        }
        for age in ages
    ]
    return {**tables, "receivables": pl.concat([tables["receivables"], table("receivables", *extra)])}


def asked(tables: dict[str, pl.DataFrame]) -> dict[str, Any]:
    return upgrade_paths(tables, POLICY, TODAY, portfolio_statistics(tables, POLICY, TODAY), "A")


def rating(tables: dict[str, pl.DataFrame]) -> str:
    frame = assess(tables, POLICY, TODAY, portfolio=portfolio_statistics(tables, POLICY, TODAY))
    return str(frame["rating"].item())


def test_the_fewest_overdue_items_whose_payment_lifts_the_rating_are_named_and_do() -> None:
    tables = owing(100, 40, 20)
    before = rating(tables)

    result = asked(tables)

    way = result["ways"][0]
    assert way["what"] == "pay_overdue"
    count = len(way["items"].split(", "))
    items = [
        {"account_id": "A", "receivable_id": key, "open": 1_000_00, "currency": "USD"}
        for key in ("OLD100", "OLD40", "OLD20")
    ]
    order = ["AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C", "D"]
    # With the portfolio's statistics held still, as `rise` holds them.
    portfolio = portfolio_statistics(tables, POLICY, TODAY)

    def after(n: int) -> str:
        frame = assess(_paid(tables, items[:n], TODAY), POLICY, TODAY, portfolio=portfolio)
        return str(frame["rating"].item())

    assert order.index(after(count)) < order.index(before)
    assert count == 1 or order.index(after(count - 1)) >= order.index(before)
    assert f"{count * 1000}.00" == way["amount"]
    assert "OLD100" in way["zh"]


def test_a_single_feature_that_would_do_is_named_with_how_far_it_has_to_go() -> None:
    tables = ledger(late=6)
    result = asked(tables)

    assert result["to"] is not None
    assert result["ways"]
    way = result["ways"][0]
    portfolio = portfolio_statistics(tables, POLICY, TODAY)
    done = with_values(tables, POLICY, TODAY, portfolio, "A", {way["what"]: Decimal(str(way["to"]))})
    assert (done["now"]["rating"], done["then"]["rating"]) == (result["rating"], result["to"])
    assert "→" in way["en"]
    assert "→" in way["zh"]


def test_who_is_best_or_not_rated_has_nowhere_to_rise_and_gates_are_named() -> None:
    assert asked(ledger())["to"] is None
    # He owes something for half a year, which is default whatever else.
    lost = asked(owing(200))
    assert lost["rating"] == "D"
    assert [gate["gate"] for gate in lost["gates"] if gate["effect"] == "D"] == ["overdue_180"]
    assert lost["ways"][0]["what"] == "pay_overdue"


def test_another_value_of_a_feature_changes_what_hangs_on_it() -> None:
    tables = ledger()
    portfolio = portfolio_statistics(tables, POLICY, TODAY)

    result = with_values(tables, POLICY, TODAY, portfolio, "A", {"material_overdue_days": Decimal(95)})

    assert result["now"]["flags"] != result["then"]["flags"]
    assert "OVERDUE_90" in result["then"]["flags"]
    assert (result["now"]["rating"], result["then"]["rating"]) == ("AAA", "BB")
    with pytest.raises(Misconfigured, match="no feature charm"):
        with_values(tables, POLICY, TODAY, portfolio, "A", {"charm": Decimal(1)})
