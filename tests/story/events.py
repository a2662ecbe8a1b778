"""Events of a house: payments in its CRM, told of and worked on."""

from typing import Any

from connector.policy import Policy
from connector.ports import Event
from sync import inbox
from sync.crm_connection import micros
from sync.drain import Drained, drain
from tests.connector.scoring.books import POLICY
from tests.story.house import House


def hear(house: House, *events: Event) -> None:
    with house.store.write("sim") as session:
        inbox.take_in(session, events, micros(house.link.crm.now()))


def drained(house: House, seconds: int = 0, policy: Policy = POLICY) -> Drained:
    house.sim.control("clock", advance_s=seconds)
    house.link.crm.organisation()
    return drain(house.store, house.link, policy, language="en", clock=house.link.crm.now)


def of(house: House, module: str, number: str) -> list[dict[str, Any]]:
    account = house.account(number)["id"]
    lookup = "Account_Name" if module == "Invoices" else "Account"
    # A copy: other threads pay meanwhile.
    rows = list(house.sim.org.modules[module].records.values())
    return [row for row in rows if (row[lookup] or {}).get("id") == account]


def pay(house: House, number: str) -> str:
    """Pays everything that the account has open; the id of the last payment."""
    text = ""
    paid = {row["Invoice"]["id"] for row in of(house, "Customer_Payments", number) if row["Invoice"]}
    for claim in of(house, "Invoices", number):
        if claim["id"] not in paid:
            text = house.sim.org.create(
                "Customer_Payments",
                {
                    "Name": f"N{claim['id']}",
                    "Account": claim["Account_Name"],
                    "Invoice": {"id": claim["id"], "name": "x"},
                    "Paid_On": "2025-06-30",
                    "Amount": claim["Grand_Total"],
                    "Currency": "USD",
                    "Kind": "receipt",
                },
            )
    return text


def day_of_text(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)
