"""What a release or another policy changes waits for a person, apart from what facts and days do."""

from typing import Any

import pytest

from connector.policy import ENGINE, load
from connector.ports import Event
from connector.schema import day_number
from sync.causes import causes, in_force
from sync.run import approve, run
from sync.store import ratings
from tests.connector.scoring.books import POLICY
from tests.story.events import day_of_text, drained, hear, of, pay
from tests.story.house import TODAY, House

#: What they run is measured in the other stories.
pytestmark = pytest.mark.apart

TOMORROW = "2025-07-01"
#: Whom the release before rated otherwise, from the same facts.
MOVED, OTHER = "A004", "A008"
TIGHT = load(POLICY.model_dump_json(by_alias=True).replace('"peak":1.5', '"peak":1.25'), "p")


def by_the_engine_before(house: House, *, version: str) -> None:
    """Makes the results in force those of an earlier engine, which rated one customer better than ours does."""
    account = house.account(MOVED)["id"]
    with house.store.write() as session:
        for table, column in (("policies", "version"), ("assessments", "policy_version"), ("runs", "policy_version")):
            session.tx.exec_driver_sql(f"update {table} set {column} = ?", (version,))
        session.tx.exec_driver_sql(
            "update assessments set rating = 'AAA', \"limit\" = 900000 where customer_id = ?", (account,)
        )


@pytest.fixture(params=["{}", "{}.1"])
def older(live: House, request: pytest.FixtureRequest) -> House:
    """0.1.0 wrote a hash alone, of every key."""
    by_the_engine_before(live, version=request.param.format(POLICY.version.partition(".")[0]))
    return live


def shown(house: House, number: str) -> tuple[Any, Any]:
    row = house.account(number)
    return row["Credit_Rating"], row["Credit_Overdue_Since"]


def test_the_first_night_of_a_release_waits_where_its_engine_moves_anybody(older: House) -> None:
    before = shown(older, MOVED)

    ran = older.sync(TOMORROW)

    assert (ran.state, shown(older, MOVED)) == ("braked", before)
    assert ran.verdict is not None
    assert ran.verdict.policy is None
    moved = ran.verdict.engine
    assert moved is not None
    assert (moved.customers, moved.moved, moved.worse, moved.limits_down) == (120, 1, 1, 1)
    assert ran.summary(older.link)["brake"]["engine"]["moved"] == 1
    dry = older.sync(TOMORROW, dry=True)
    assert (dry.state, dry.verdict and dry.verdict.stopped) == ("dry", True)

    agreed = approve(
        older.store, older.link, POLICY, ran.run_id, "wang", day_number(day_of_text(TOMORROW)), language="en"
    )

    assert agreed.state == "approved"
    assert causes(older.store, "sim", POLICY).engine is None
    assert older.sync("2025-07-02").state == "done"


def test_a_release_that_moves_nobody_passes(live: House) -> None:
    with live.store.write() as session:
        session.tx.exec_driver_sql("update policies set version = 'abc'")
        session.tx.exec_driver_sql("update assessments set policy_version = 'abc'")

    ran = live.sync(TOMORROW)

    assert ran.state == "done"
    assert ran.verdict is not None
    assert ran.verdict.engine is not None
    assert (ran.verdict.engine.customers, ran.verdict.engine.moved) == (120, 0)
    assert f".{ENGINE}" in str(ran.assessed["policy_version"][0])


def test_events_meanwhile_leave_whom_the_release_moves_as_approved_and_rate_the_others(older: House) -> None:
    before = shown(older, MOVED)
    for number in (MOVED, OTHER):
        hear(older, Event(f"pay {number}", "Customer_Payments", (pay(older, number),), (), "create"))

    done = drained(older)

    assert (done.closed, done.waits, done.held) == (2, 1, 0)
    assert done.scored == [older.account(OTHER)["id"]]
    assert shown(older, OTHER)[1] is None
    assert shown(older, MOVED) == before
    # The next run tells of him, and rates him once it is approved.
    ran = older.sync(TOMORROW)
    assert ran.state == "braked"
    approve(older.store, older.link, POLICY, ran.run_id, "wang", day_number(day_of_text(TOMORROW)), language="en")
    assert shown(older, MOVED)[1] is None


def test_a_tighter_hold_waits_for_nobody(older: House) -> None:
    claim = next(row for row in of(older, "Invoices", MOVED) if row["Due_Date"] == "2025-01-20")
    older.sim.org.change("Invoices", claim["id"], {"Grand_Total": type(claim["Grand_Total"])(b"900000")})
    hear(older, Event("falls", "Invoices", (claim["id"],), (), "update"))

    done = drained(older)

    assert (done.closed, done.waits, len(done.scored)) == (1, 0, 1)
    assert older.account(MOVED)["Credit_Hold"] == "block"


def test_another_policy_rates_nobody_before_it_is_approved(live: House) -> None:
    ran = run(live.store, live.link, TIGHT, day_number(day_of_text(TODAY)), language="en")
    assert ran.state == "braked"
    assert ran.verdict is not None
    assert ran.verdict.engine is None
    assert ran.verdict.policy is not None
    assert ran.verdict.policy.limits_down > 20
    assert ran.verdict.policy.better == ran.verdict.policy.worse == 0
    record = pay(live, MOVED)
    hear(live, Event("e1", "Customer_Payments", (record,), (), "create"))

    done = drained(live, policy=TIGHT)

    assert (done.closed, done.waits, len(done.scored)) == (1, 0, 1)
    assert in_force(live.store, "sim", TIGHT).version == POLICY.version
    with live.store.read("sim") as session:
        row = ratings.assessed_on(session, live.account(MOVED)["id"], None)
        assert row is not None
        assert ratings.policy(session, row["policy_version"]) is not None
    assert row["policy_version"] == POLICY.version
    again = run(live.store, live.link, TIGHT, day_number(day_of_text(TODAY)), language="en")
    approve(live.store, live.link, TIGHT, again.run_id, "wang", day_number(day_of_text(TODAY)), language="en")
    assert in_force(live.store, "sim", TIGHT).version == TIGHT.version


def test_another_policy_that_moves_nobody_passes(live: House) -> None:
    other = load(POLICY.model_dump_json(by_alias=True).replace('"changed_least":20', '"changed_least":21'), "p")

    ran = run(live.store, live.link, other, day_number(day_of_text(TOMORROW)), language="en")

    assert ran.state == "done"
    assert ran.verdict is not None
    assert ran.verdict.policy is not None
    assert ran.verdict.policy.moved == 0
