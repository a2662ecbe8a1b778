"""Within a day, order, number and kind of the reads do not matter: the end is that of one read of it all."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from connector.assessment import OUTPUT_FIELDS
from mappings.load import packaged
from sync.crm_connection import CrmConnection
from sync.run import run
from sync.store import Store
from tests.connector.scoring.books import POLICY
from tests.examples import EXAMPLES
from tests.simulated import simulated_zoho
from tests.story.quarter import TODAY, ledger

#: What happens in the CRM, and what zixin does; a number picks the invoice or the account.
DONE = st.lists(
    st.tuples(
        st.sampled_from(["pay", "unpay", "change", "delete", "limit", "edit", "sync", "sync", "full", "dry"]),
        st.integers(0, 71),
    ),
    min_size=3,
    max_size=6,
)

pytestmark = pytest.mark.apart


class World:
    """A simulated CRM and a store that has assessed one day."""

    def __init__(self, sim: Any, folder: Path) -> None:
        self.sim, self.folder = sim, folder
        crm = sim.crm()
        self.mapping = packaged("zoho").with_written(dict(crm.apply(OUTPUT_FIELDS)))
        self.sync(folder / "a.db", TODAY)
        self.invoices = sorted(sim.org.modules["Invoices"].records)
        self.accounts = sorted(sim.org.modules["Accounts"].records)
        shutil.copy(folder / "a.db", folder / "b.db")

    def sync(self, path: Path, day: int = TODAY + 1, **how: Any) -> None:
        crm = self.sim.crm()
        store = Store(path)
        self.sim.control("clock", advance_s=600)
        run(
            store,
            CrmConnection("sim", crm, self.mapping, crm.organisation(), clock=crm.now),
            POLICY,
            day,
            language="en",
            **how,
        )
        store.close()

    def does(self, what: str, which: int) -> None:
        org, record = self.sim.org, self.invoices[which]
        account = self.accounts[which % len(self.accounts)]
        match what:
            case "pay" if record in org.modules["Invoices"].records:
                owner = org.modules["Invoices"].records[record]["Account_Name"]
                self.sim.control(
                    "create",
                    module="Customer_Payments",
                    set={
                        "Name": f"N{which}",
                        "Account": owner,
                        "Invoice": {"id": record},
                        "Paid_On": "2025-06-30",
                        "Amount": "1000.00",
                        "Currency": "USD",
                    },
                )
            case "unpay":
                payments = sorted(org.modules["Customer_Payments"].records)
                org.delete("Customer_Payments", payments[which % len(payments)])
            case "change" if record in org.modules["Invoices"].records:
                self.sim.control("change", module="Invoices", id=record, set={"Due_Date": "2025-04-01"})
            case "delete" if record in org.modules["Invoices"].records:
                org.delete("Invoices", record)
            case "limit":
                self.sim.control(
                    "change", module="Accounts", id=account, set={"Agreed_Credit_Limit": f"{which + 1}00.00"}
                )
            case "edit":
                field = self.mapping.writes.fields["rating"]
                self.sim.control("change", module="Accounts", id=account, set={field: "AAA"})
            case "sync" | "full" | "dry":
                how: dict[str, bool] = {"full": {"full": True}, "dry": {"dry": True}}.get(what, {})
                self.sync(self.folder / "a.db", **how)

    def end(self, path: Path) -> dict[str, Any]:
        store = Store(path)
        with store.read() as session:
            query = "select customer_id, as_of, rating, score, flags, hold, exposure, overdue, proposed_limit, pending_rating from assessments order by 1, 2"
            rows = [list(row) for row in session.tx.exec_driver_sql(query)]
            results = [
                list(row)
                for row in session.tx.exec_driver_sql("select account_id, as_of, shows from wanted order by 1")
            ]
        store.close()
        return {"assessments": json.dumps(rows), "wanted": json.dumps(results)}


@contextmanager
def world() -> Iterator[World]:
    with simulated_zoho(ledger()) as sim, TemporaryDirectory() as folder:
        yield World(sim, Path(folder))


#: A shorter case is of no help that is worth minutes.
UNSHRUNK = [Phase.explicit, Phase.reuse, Phase.generate]
PARTS = 3


@pytest.mark.slow
@settings(max_examples=3, deadline=None, phases=UNSHRUNK)
@given(DONE)
def test_the_end_of_a_day_does_not_depend_on_how_often_it_was_looked_at(done: list[tuple[str, int]]) -> None:
    looked_at_often_or_once(done)


# In parts, for as many workers.
@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@settings(max_examples=EXAMPLES // PARTS, deadline=None, phases=UNSHRUNK)
@given(done=DONE)
def test_the_end_of_a_day_is_the_same_in_a_hundred_and_fifty_cases(part: int, done: list[tuple[str, int]]) -> None:
    looked_at_often_or_once(done)


def looked_at_often_or_once(done: list[tuple[str, int]]) -> None:
    with world() as here:
        for what, which in done:
            here.does(what, which)
        here.sync(here.folder / "a.db")
        here.sync(here.folder / "b.db")

        assert here.end(here.folder / "a.db") == here.end(here.folder / "b.db")
