"""A store beside a simulated Zoho of 120 customers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from adapters.zoho.simulator.org import Org
from connector.assessment import OUTPUT_FIELDS
from connector.schema import day_number
from mappings.load import packaged
from sync.crm_connection import CrmConnection
from sync.run import Ran, run
from sync.store import Store
from tests.connector.scoring.books import POLICY, books, invoice, table
from tests.simulated import Sim, simulated_zoho

TODAY = "2025-06-30"


@dataclass
class House:
    """A store beside a simulated CRM."""

    sim: Sim
    store: Store
    link: CrmConnection

    def sync(self, as_of: str = TODAY, **more: Any) -> Ran:
        from datetime import date

        self.link.crm.spent.calls.clear()
        self.sim.control("clock", advance_s=3600)
        return run(self.store, self.link, POLICY, day_number(date.fromisoformat(as_of)), language="en", **more)

    def account(self, number: str) -> dict[str, Any]:
        rows = self.sim.org.modules["Accounts"].records.values()
        return next(row for row in rows if row["Account_Number"] == number)


def ledger() -> dict[str, pl.DataFrame]:
    claims, paid = [], []
    for n in range(120):
        account = f"A{n:03d}"
        for month in range(1, 6):
            key, late = f"{account}-{month}", (n * 7 + month) % 23 - 3
            claims.append(invoice(key, 1_000_00 + n, f"2025-{month:02d}-01", f"2025-{month:02d}-20", account))
            if not (month == 5 and n % 4 == 0):
                paid.append(
                    (
                        f"P{key}",
                        key,
                        f"2025-{month + (late > 8):02d}-{20 + late if late <= 8 else late:02d}",
                        1_000_00 + n,
                    )
                )
    limit = {"limit_id": "L", "account_id": "A001", "amount": 5_000_00, "currency": "USD", "valid_until": "2025-07-10"}
    return books(claims, paid, "A000", limits=table("limits", limit))


@contextmanager
def standing(tmp_path: Path, org: Org | None = None) -> Iterator[House]:
    """`org`: one that is filled, and has zixin's fields, already."""
    with simulated_zoho(ledger(), org) as sim:
        crm = sim.crm()
        mapping = packaged("zoho").with_written(dict(crm.apply(OUTPUT_FIELDS)))
        store = Store(tmp_path / "zixin.db")
        yield House(sim, store, CrmConnection("sim", crm, mapping, crm.organisation(), clock=crm.now))
        store.close()
