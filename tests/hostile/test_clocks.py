"""A CRM whose clock is off for a while: nothing that changes afterwards is hidden by it."""

from collections.abc import Iterator

import pytest

from tests.connector.scoring.books import books, invoice
from tests.contract.doubles import DOUBLES, Double, every
from tests.contract.test_reading import read
from tests.simulated import Slots

HOUR_S, DAY_S = 3_600, 86_400


@pytest.fixture(params=every())
def double(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    """Forty invoices, in a CRM whose clock is its own affair."""
    monkeypatch.setattr(Slots, "declared", False)
    claims = [invoice(f"I{n:03d}", 100_00 + n, "2025-01-01", "2025-01-31", "A0") for n in range(40)]
    with DOUBLES[request.param](books(claims, [], "A0")) as result:
        yield result


@pytest.mark.parametrize("off_s", [2 * HOUR_S, 7 * DAY_S])
def test_a_clock_that_was_ahead_for_one_read_hides_no_later_change(double: Double, off_s: int) -> None:
    crm = double.crm()
    _, cursor, _ = read(double, "invoices", crm=crm)
    double.advance(off_s)
    double.edit("invoices", "I001", amount="1.00")
    frame, cursor, _ = read(double, "invoices", cursor, crm)
    assert "I001" in set(frame["number"])
    double.advance(-off_s)

    double.edit("invoices", "I002", amount="2.00")
    frame, cursor, _ = read(double, "invoices", cursor, crm)

    assert dict(frame.select("number", "amount").iter_rows())["I002"] == 2_00
    double.edit("invoices", "I003", amount="3.00")
    frame, _, _ = read(double, "invoices", cursor, crm)
    assert dict(frame.select("number", "amount").iter_rows())["I003"] == 3_00


def test_reads_without_rows_do_not_move_on(double: Double) -> None:
    crm = double.crm()
    _, cursor, _ = read(double, "invoices", crm=crm)
    for _ in range(3):
        # Nothing changes, and the clock of the answers runs away.
        double.advance(DAY_S)
        _, cursor, _ = read(double, "invoices", cursor, crm)
    double.advance(-3 * DAY_S)

    double.edit("invoices", "I002", amount="2.00")

    frame, _, _ = read(double, "invoices", cursor, crm)
    assert dict(frame.select("number", "amount").iter_rows())["I002"] == 2_00
