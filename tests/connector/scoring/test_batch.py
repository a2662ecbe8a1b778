"""What others in a batch must not decide: whose amounts overflow, which currency counts, whose id is whose."""

import polars as pl
import pytest

from connector.scoring.assess import assess, portfolio_statistics
from connector.scoring.explanation.explain import explained
from connector.scoring.explanation.what_if import upgrade_paths
from connector.scoring.features.tendency import Gathering, Statistics
from connector.scoring.ledger.ledger import ledger
from tests.connector.scoring.books import POLICY, books, day, invoice, table

TODAY = day("2025-06-30")
FLOOR = {
    "account_id": "B",
    "seller_id": "",
    "valid_from": "2024-01-01",
    "kind": "rolling",
    "floor_amount": 5_000_00,
    "currency": "USD",
}


def items(tables: dict[str, pl.DataFrame]) -> dict[str, dict[str, object]]:
    return {row["receivable_id"]: row for row in ledger(tables, POLICY, TODAY).items.to_dicts()}


@pytest.mark.parametrize("amount", [-40_000_000_00, -(10**15)])
def test_a_large_credit_note_beside_somebody_s_rolling_floor_is_scored(amount: int) -> None:
    rows = [invoice("N", amount, "2025-06-01", "2025-07-01"), invoice("B1", 9_000_00, "2025-01-01", "2025-01-31", "B")]
    tables = books(rows, terms=table("terms", FLOOR))

    result = items(tables)

    assert result["N"]["open"] == amount
    # What the floor does not cover is overdue as ever.
    assert result["B1"]["overdue_base"] == 4_000_00


@pytest.mark.parametrize(
    "more",
    [{}, {"dispute_fault": "ours"}, {"disputed_amount": 50_00}, {"disputed_amount": 50_00, "dispute_fault": "ours"}],
    ids=["all of it", "ours", "half", "half ours"],
)
@pytest.mark.parametrize("settled", [-100_00, -40_00, None])
def test_a_disputed_credit_note_is_never_overdue(settled: int | None, more: dict[str, object]) -> None:
    note = invoice("C", -100_00, "2025-01-01", "2025-01-31", disputed_on="2025-06-01", **more)  # type: ignore[arg-type]
    claim = invoice("I", 300_00, "2025-06-01", "2025-07-31", disputed_on="2025-06-10", disputed_amount=30_00)
    tables = books([note, claim], [] if settled is None else [("P", "C", "2025-02-01", settled)])

    result = items(tables)

    assert [result["C"][name] for name in ("overdue_base", "days_overdue", "late_open", "contested_base")] == [
        0,
        0,
        0,
        0,
    ]
    # Nor does it make what is contested of the others less.
    assert result["I"]["contested_base"] == 30_00


@pytest.mark.parametrize("booked_on", ["2025-12-01", "2025-03-01"])
@pytest.mark.parametrize("others", [True, False], ids=["with other notes", "with none"])
def test_a_note_s_allocation_never_takes_a_payment_of_the_same_id(booked_on: str, *, others: bool) -> None:
    tables = books([invoice("I", 100_00, "2025-01-01", "2025-01-31")], [("X", None, "2025-02-01", 70_00)])
    applied = {"allocation_id": "L", "receivable_id": "I", "adjustment_id": "X", "amount": 100_00, "currency": "USD"}
    note = {"adjustment_id": "X", "account_id": "A", "booked_on": booked_on, "amount": 100_00, "currency": "USD"}
    other = {**note, "adjustment_id": "Y", "booked_on": "2025-03-01", "amount": 1_00}
    tables["allocations"] = table("allocations", applied)
    tables["adjustments"] = table("adjustments", note, *([other] if others else []))

    state = ledger(tables, POLICY, TODAY)

    assert state.items["open"].to_list() == [100_00 if booked_on > "2025-06-30" else 0]
    # The payment settles nothing: all of it is on account, beside the other note.
    assert state.on_account[:-1].tolist() == [70_00 + 1_00 * others]


def test_one_absurd_rate_is_as_good_as_none_and_ends_nobody_s_run() -> None:
    rows = [
        invoice("I1", 10**15, "2025-05-01", "2025-05-31", "A", "XAU"),
        invoice("I2", 100_00, "2025-05-01", "2025-05-31", "B", "USD"),
    ]
    rate = {"currency": "XAU", "base": "USD", "day": "2025-05-01", "rate": 9 * 10**18}
    tables = books(rows, rates=table("rates", rate))
    portfolio = portfolio_statistics(tables, POLICY, TODAY)

    result = {row["customer_id"]: row for row in assess(tables, POLICY, TODAY, portfolio=portfolio).to_dicts()}

    assert "RATE_MISSING" in {flag["code"] for flag in result["A"]["flags"]}
    assert result["B"]["exposure"] == 100_00


def of_two_currencies() -> dict[str, pl.DataFrame]:
    rows = [
        invoice("I1", 700_00, "2025-05-01", "2025-05-31", "A", "EUR"),
        invoice("I2", 100_00, "2025-05-01", "2025-05-31", "B", "USD"),
    ]
    return books(rows, [("P2", "I2", "2025-06-10", 100_00)])


def alone(tables: dict[str, pl.DataFrame], account: str) -> dict[str, pl.DataFrame]:
    return {
        name: frame.filter(account_id=account) if "account_id" in frame.columns else frame
        for name, frame in tables.items()
    }


def test_a_customer_alone_is_in_the_portfolio_s_currency() -> None:
    tables = of_two_currencies()
    portfolio = portfolio_statistics(tables, POLICY, TODAY)

    among = assess(tables, POLICY, TODAY, portfolio=portfolio).filter(customer_id="A")

    assert portfolio.base == "USD"
    assert assess(alone(tables, "A"), POLICY, TODAY, portfolio=portfolio).equals(among)
    assert among["currency"].to_list() == ["USD"]
    document = explained(alone(tables, "A"), POLICY, TODAY, portfolio, "A")
    assert document["currency"] == "USD"
    assert upgrade_paths(alone(tables, "A"), POLICY, TODAY, portfolio, "A")["rating"] == among["rating"][0]


def test_statistics_of_before_the_currency_was_kept_are_read() -> None:
    old = Statistics.from_json('{"late_rate": 80000, "median_amount": 100, "newest": null, "open_total": 0}')

    assert old.base == ""
    assert assess(alone(of_two_currencies(), "A"), POLICY, TODAY, portfolio=old)["currency"].to_list() == ["EUR"]
    assert Statistics.from_json(Statistics(1, 2, base="EUR").to_json()).base == "EUR"


def test_batches_in_two_currencies_are_not_added_up() -> None:
    gathering = Gathering(POLICY.tendency, TODAY)
    gathering.add(ledger(of_two_currencies(), POLICY, TODAY, "USD"))

    with pytest.raises(ValueError, match="EUR cannot be added to amounts in USD"):
        gathering.add(ledger(of_two_currencies(), POLICY, TODAY, "EUR"))
