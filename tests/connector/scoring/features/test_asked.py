"""A batch computes what the policy looks at, and nothing else."""

from datetime import date

from connector.schema import day_number
from connector.scoring.assess import portfolio_statistics, prepared
from connector.scoring.ledger.ledger import ledger
from tests.connector.scoring.books import POLICY, books, invoice

TODAY = day_number(date(2026, 1, 1))


def test_what_nobody_asks_for_is_not_computed_and_the_rest_is_the_same() -> None:
    tables = books([invoice("I", 5_000_00, "2025-10-01", "2025-10-31")], [("P", "I", "2025-11-20", 2_000_00)])
    state, portfolio = ledger(tables, POLICY, TODAY), portfolio_statistics(tables, POLICY, TODAY)

    everything = prepared(tables, state, POLICY, portfolio, TODAY)
    asked = prepared(tables, state, POLICY, portfolio, TODAY, asked=POLICY.asked)

    left = set(everything.columns) - set(asked.columns)
    assert {"paydex_like", "average_days_late", "overdue_1_30", "bad_debts"} <= left
    assert not left & POLICY.asked
    assert asked.equals(everything.select(asked.columns))
