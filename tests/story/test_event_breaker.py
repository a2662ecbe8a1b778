"""A flood of bad news within an hour waits for a person; good news and single falls pass."""

from typing import Any

import pytest

from adapters.zoho.simulator.org import number
from connector.ports import Event
from connector.schema import day_number
from sync import inbox
from sync.run import approve
from sync.store import runs
from tests.connector.scoring.books import POLICY
from tests.story.events import day_of_text, drained, hear, of, pay
from tests.story.house import House

#: What they run is measured in the other stories.
pytestmark = pytest.mark.apart

#: Rated CC or better, and low once they owe that much.
NAMES = [f"A{number:03d}" for number in range(3, 120, 4) if number not in (3, 23, 59, 79, 95, 115)]
PAYS = "A004"


def falls(house: House, names: list[str]) -> list[Event]:
    """Large invoices of these customers turn out not to be paid by far; what the CRM would tell us."""
    events = []
    for name in names:
        claim = next(row for row in of(house, "Invoices", name) if row["Due_Date"] == "2025-01-20")
        house.sim.org.change("Invoices", claim["id"], {"Grand_Total": number("900000")})
        events.append(Event(f"fall {name}", "Invoices", (claim["id"],), (), "update"))
    return events


def low(house: House, names: list[str]) -> int:
    return sum(house.account(name)["Credit_Rating"] in ("C", "D") for name in names)


def listed(house: House) -> list[dict[str, Any]]:
    with house.store.read("sim") as session:
        return runs.list_runs(session)


def test_a_flood_of_falls_waits_for_a_person_and_then_goes_through(live: House) -> None:
    hear(live, *falls(live, NAMES[:22]))
    pay(live, PAYS)
    hear(live, Event("good", "", (), (PAYS,)))

    done = drained(live)

    assert (done.held, done.closed, low(live, NAMES)) == (22, 0, 0)
    # Good news of the same turn is out.
    assert live.account(PAYS)["Credit_Overdue_Since"] is None
    waits = listed(live)[0]
    assert (waits["kind"], waits["state"], waits["summary"]["assessed"]) == ("events", "braked", 22)
    again = drained(live, 301)
    assert (again.held, again.closed, len(listed(live))) == (22, 0, 2)

    agreed = approve(
        live.store, live.link, POLICY, waits["run_id"], "wang", day_number(day_of_text("2025-06-30")), language="en"
    )

    assert (agreed.state, low(live, NAMES)) == ("approved", 22)
    assert drained(live, 302).closed == 23
    with live.store.read("sim") as session:
        assert inbox.count_by_state(session)["dead"] == 0


def test_falls_one_after_the_other_count_together_within_an_hour(live: House) -> None:
    five = POLICY.model_copy(update={"checks": POLICY.checks.model_copy(update={"events_least": 5})})
    for name in NAMES[:4]:
        hear(live, *falls(live, [name]))
        assert drained(live, policy=five).held == 0
    assert low(live, NAMES) == 4

    hear(live, *falls(live, [NAMES[19]]))
    assert (drained(live, policy=five).held, low(live, NAMES)) == (1, 4)

    hear(live, *falls(live, [NAMES[20]]))
    assert drained(live, 3_700, policy=five).held == 0
    # The one that was held back an hour ago was looked at again, too.
    assert low(live, NAMES) == 6


def test_a_demo_has_no_such_brake(live: House) -> None:
    from sync.drain import drain

    hear(live, *falls(live, NAMES[:22]))
    live.link.crm.organisation()
    done = drain(live.store, live.link, POLICY, language="en", clock=live.link.crm.now, braked=False)

    assert (done.held, done.closed, low(live, NAMES)) == (0, 22, 22)
