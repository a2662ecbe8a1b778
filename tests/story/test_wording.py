"""Another sentence re-rates nobody; it goes out with the next thing that happens to the customer."""

from datetime import date

from connector.editions import preset_text
from connector.policy import Policy, load
from connector.schema import day_number
from sync.run import Ran, run
from sync.store import outbox, ratings, tables
from tests.story.house import TODAY, House

OLD, NEW = "more than {late_15_share} of the money of 12 months was paid over 15 days late", "mostly late, and by weeks"


def reworded() -> Policy:
    text = preset_text("default")
    assert OLD in text
    return load(text.replace(OLD, NEW), "policy.yaml")


def synced(house: House, policy: Policy) -> Ran:
    house.link.crm.spent.calls.clear()
    house.sim.control("clock", advance_s=3600)
    return run(house.store, house.link, policy, day_number(date.fromisoformat(TODAY)), language="en")


def texts(house: House) -> dict[str, str]:
    with house.store.read("sim") as session:
        accounts = [row.account_id for row in session.tx.execute(tables.desired.select())]
        shown = outbox.shown_values(session, tables.desired, accounts)
    return {key: shows["reasons"] or "" for key, shows in shown.items()}


def test_a_changed_sentence_waits_for_the_customer_s_next_change(house: House) -> None:
    policy = reworded()
    house.sync()
    before = texts(house)

    quiet = synced(house, policy)

    after = texts(house)
    with house.store.read("sim") as session:
        assert NEW in str(ratings.policy(session, policy.version)), "lists and explanations read the same words"
    told = [key for key in after if after[key] != before[key]]
    assert told, "the gate fires for somebody"
    assert all(NEW in after[key] for key in told)
    assert (quiet.assessed.height, quiet.pushed.written) == (0, 0)
    records = house.sim.org.modules["Accounts"].records
    assert not any(NEW in (row["Credit_Reasons"] or "") for row in records.values())

    claims = house.sim.org.modules["Invoices"].records.values()
    claim = next(row for row in claims if row["Account_Name"]["id"] == told[0])
    house.sim.org.change("Invoices", claim["id"], {"Grand_Total": "1000.01"})
    synced(house, policy)

    assert NEW in records[told[0]]["Credit_Reasons"]
    assert sum(NEW in (row["Credit_Reasons"] or "") for row in records.values()) == 1
