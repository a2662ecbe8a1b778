import pytest

from connector.schema import day_of
from connector.scoring.ledger.ledger import ledger
from tests.connector.scoring.books import POLICY, books, day, invoice, table


def due(issued: str, *terms: dict[str, object], seller: str | None = None) -> tuple[str, str]:
    claim = invoice("I", 100_00, issued, None, due_basis="unknown", seller_id=seller)
    rows = ({"account_id": "A", "valid_from": "2015-01-01", **row} for row in terms)
    state = ledger(books([claim], terms=table("terms", *rows)), POLICY, day(issued))
    row = state.items.row(0, named=True)
    return day_of(row["due"]).isoformat(), row["due_basis"]


@pytest.mark.parametrize(
    ("issued", "terms", "expected"),
    [
        ("2026-01-31", {"kind": "eom", "days": 30}, "2026-03-02"),
        ("2026-02-10", {"kind": "eom", "days": 30}, "2026-03-30"),
        ("2026-02-10", {"kind": "eom"}, "2026-02-28"),
        ("2026-01-25", {"kind": "cutoff", "days": 30, "cutoff_day": 25}, "2026-02-24"),
        ("2026-01-26", {"kind": "cutoff", "days": 30, "cutoff_day": 25}, "2026-03-27"),
        ("2026-02-03", {"kind": "cutoff", "days": 0, "cutoff_day": 31}, "2026-02-28"),
        ("2026-01-31", {"kind": "cutoff", "days": 0, "cutoff_day": 30}, "2026-02-28"),
        ("2026-01-14", {"kind": "eom", "days": 30, "pay_day": 10}, "2026-03-10"),
        ("2026-01-14", {"kind": "net", "days": 45, "pay_day": 30}, "2026-02-28"),
        ("2026-01-14", {"kind": "net", "days": 45}, "2026-02-28"),
        ("2026-01-14", {"kind": "prepaid", "days": 45}, "2026-01-14"),
        ("2026-01-14", {"kind": "cod"}, "2026-01-14"),
        ("2024-01-31", {"kind": "eom", "days": 29}, "2024-02-29"),
    ],
)
def test_due_days_run_from_the_invoice_the_month_s_end_or_the_cut_off(
    issued: str, terms: dict[str, object], expected: str
) -> None:
    assert due(issued, terms) == (expected, "computed")


def test_the_terms_of_the_day_and_of_the_seller_count() -> None:
    old, new = {"kind": "net", "days": 10}, {"kind": "net", "days": 20, "valid_from": "2026-01-01"}
    own = {"kind": "net", "days": 5, "seller_id": "S"}

    assert due("2025-12-31", old, new)[0] == "2026-01-10"
    assert due("2026-01-01", old, new)[0] == "2026-01-21"
    assert due("2025-12-31", old, own, seller="S")[0] == "2026-01-05"
    assert due("2025-12-31", old, own, seller="T")[0] == "2026-01-10"


def test_terms_that_have_ended_leave_the_due_day_unknown() -> None:
    assert due("2026-01-14", {"kind": "net", "days": 10, "valid_until": "2026-01-13"}) == ("2026-02-13", "unknown")
