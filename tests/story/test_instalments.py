"""An ERPNext invoice with instalments, paid by payments that name the invoice only."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from connector.assessment import OUTPUT_FIELDS
from connector.ports import Installs
from connector.schema import day_number
from sync.crm_connection import CrmConnection
from sync.run import run
from sync.store import Store
from tests.adapters.declarative.double import rest
from tests.connector.scoring.books import POLICY, books, invoice


@pytest.mark.parametrize(
    ("as_of", "exposure", "overdue", "days"),
    [("2026-03-05", 20_000_00, 5_000_00, 4), ("2026-03-11", 6_500_00, 0, 0), ("2026-04-11", 6_500_00, 6_500_00, 10)],
)
def test_each_instalment_falls_due_on_its_own_day(
    as_of: str, exposure: int, overdue: int, days: int, tmp_path: Path
) -> None:
    """frappe/erpnext #26969, PR 36574; odoo/odoo PR 210974."""
    claim = invoice("INV", 30_000_00, "2026-02-01", "2026-04-01")
    payments = [("P1", "INV", "2026-02-20", 10_000_00), ("P2", "INV", "2026-03-10", 13_500_00)]
    with rest("erpnext", books([claim], payments)) as double:
        system = double.system
        lines = [
            {"name": f"INV-{n}", "due_date": due, "payment_amount": Decimal(15_000)}
            for n, due in ((1, "2026-03-01"), (2, "2026-04-01"))
        ]
        system.put("Sales Invoice", "INV", {"payment_schedule": lines})
        crm = double.crm()
        assert isinstance(crm, Installs)
        store = Store(tmp_path / "zixin.db")
        link = CrmConnection("x", crm, double.mapping.with_written(dict(crm.apply(OUTPUT_FIELDS))), crm.organisation())
        done = run(store, link, POLICY, day_number(date.fromisoformat(as_of)), language="en")
        store.close()

    row = done.assessed.to_dicts()[0]
    assert done.rejected == 0
    assert (row["exposure"], row["overdue"], row["max_days_overdue"]) == (exposure, overdue, days)
