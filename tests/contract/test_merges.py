"""A merge in any CRM carries what people decided: where the CRM names the survivor at once, else until a person says."""

from pathlib import Path

import pytest

from connector.assessment import OUTPUT_FIELDS
from sync import survivors
from sync.crm_connection import CrmConnection
from sync.run import run
from sync.store import Store, ledger, ratings
from sync.store import links as link_store
from sync.store.facts import put_row
from tests.connector.scoring.books import POLICY, books, day, invoice
from tests.contract.doubles import DOUBLES, Double, every

TODAY = day("2025-06-30")
#: Adapters whose CRM says which account another one was merged into.
TOLD = ("salesforce", "salesforce-bulk")


def merge(double: Double, gone: str, into: str, ids: dict[str, str]) -> None:
    for key in ("I1", "I2"):
        double.edit("invoices", key, account_id=ids[into])
    org = getattr(double, "org", None)
    if org is not None and hasattr(org, "tables"):
        org.delete("Account", ids[gone], merged_into=ids[into])
    else:
        double.remove("accounts", gone)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", every(heavy=True))
def test_a_merge_carries_the_hold(name: str, full: bool, tmp_path: Path) -> None:
    claims = [
        *(invoice(f"I{n}", 100_00, "2025-06-01", "2025-07-30", "A1") for n in (1, 2)),
        *(invoice(f"I{n}", 100_00, "2025-06-01", "2025-07-30", "A2") for n in (3, 4)),
        invoice("I5", 100_00, "2025-06-01", "2025-07-30", "A3"),
    ]
    with DOUBLES[name](books(claims, account="A1")) as double:
        if "deletes" in double.lacks and not full:
            pytest.skip("what is deleted is seen by a full read alone")
        crm = double.crm()
        store = Store(tmp_path / "zixin.db")
        link = CrmConnection("x", crm, double.mapping.with_written(dict(crm.apply(OUTPUT_FIELDS))), crm.organisation())
        double.advance(3600)
        run(store, link, POLICY, TODAY, language="en")
        with store.read("x") as session:
            ids = {number: account for account, number in ledger.numbers(session).items()}
        row = {"decision_id": "D1", "account_id": ids["A1"], "kind": "blacklist", "by": "amy"}
        with store.write("x") as session:
            put_row(session, "decisions", row, 1)
        run(store, link, POLICY, TODAY, language="en")
        double.advance(3600)
        merge(double, "A1", "A2", ids)
        double.advance(3600)
        run(store, link, POLICY, TODAY, language="en", full=full)
        with store.read("x") as session:
            rows = {
                row["customer_id"]: row
                for row in ratings.assessments(session, accounts=[ids["A2"], ids["A3"]]).to_dicts()
            }
            members = link_store.members(session, [ids["A1"]])
            guesses = survivors.guesses(session)
        assert (rows[ids["A2"]]["hold"], rows[ids["A3"]]["hold"]) == ("block", "none")
        assert rows[ids["A2"]]["exposure"] == 400_00
        assert {each.by for each in members.values()} == ({"merge"} if name in TOLD else {"guess"})
        assert guesses == ({} if name in TOLD else {ids["A1"]: ids["A2"]})
        store.close()
