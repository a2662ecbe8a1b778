"""An amount that is as large as the day that does not come is an amount, and days before 1970 are days."""

import pytest

from connector.editions import preset_text
from connector.policy import load
from connector.scoring.assess import assess, measured, portfolio_statistics
from connector.scoring.explanation.explain import explained
from connector.scoring.frame.columns import NEVER
from connector.scoring.ledger.ledger import ledger
from tests.connector.scoring.books import POLICY, books, day, invoice, table

TODAY = day("2025-06-30")


@pytest.mark.parametrize("amount", [NEVER, -NEVER, NEVER - 1])
def test_a_claim_of_that_amount_is_shown(amount: int) -> None:
    tables = books([invoice("I", amount, "2025-05-01", "2025-05-31")])

    row = ledger(tables, POLICY, TODAY).items.row(0, named=True)

    assert [row[name] for name in ("amount", "amount_base", "open", "arrears")] == [amount] * 4
    portfolio = portfolio_statistics(tables, POLICY, TODAY)
    (displayed,) = explained(tables, POLICY, TODAY, portfolio, "A")["facts"]["open"]
    assert displayed["open"] == f"{amount / 100:.2f}"


def test_a_highest_balance_of_that_amount_is_known() -> None:
    methods = "unrated_share: 0.0, methods: {high_balance: 1.0}}"
    policy = load(preset_text("default").replace("unrated_share: 0.0}", methods), "p")
    tables = books([invoice("I", NEVER, "2025-05-01", "2025-05-31")])
    portfolio = portfolio_statistics(tables, policy, TODAY)

    frame = measured(tables, ledger(tables, policy, TODAY), policy, portfolio, TODAY)

    assert frame["high_balance"].to_list() == [NEVER]
    terms = assess(tables, policy, TODAY, portfolio=portfolio)["limit_terms"].to_list()[0]
    assert [term["method"] for term in terms] == ["high_balance"]


def test_a_floor_covers_what_has_no_due_day_before_what_fell_due_before_1970() -> None:
    # Late though not due: a dispute that was our fault is over.
    argued = {"disputed_on": "2025-01-10", "dispute_closed_on": "2025-03-01", "dispute_fault": "ours"}
    rows = [invoice("none", 100_00, "2025-01-01", None), invoice("old", 100_00, "1960-01-01", "1960-02-01")]
    tables = books([{**rows[0], **argued}, rows[1]])
    floor = {
        "account_id": "A",
        "valid_from": "1950-01-01",
        "kind": "rolling",
        "floor_amount": 100_00,
        "currency": "USD",
    }
    tables["terms"] = table("terms", floor)

    items = {row["receivable_id"]: row["late_open"] for row in ledger(tables, POLICY, TODAY).items.to_dicts()}

    assert items["none"] == 0
    assert items["old"] > 20_000
