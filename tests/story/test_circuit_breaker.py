"""What a run would write, when it waits for a person, and what becomes of it then."""

from typing import Any

import pytest

from connector.editions import default_text
from connector.errors import Misconfigured, Retry
from connector.policy import Policy, load
from connector.schema import day_number
from sync.run import approve, run
from sync.store import ratings, runs
from tests.story.house import TODAY, House

#: What they run is measured in the other stories.
pytestmark = pytest.mark.apart

#: Everybody falls by some grades.
HARSH = load(
    default_text()
    .replace("from: 90", "from: 99")
    .replace("from: 82", "from: 98.5")
    .replace("from: 74", "from: 98")
    .replace("from: 66", "from: 97")
    .replace("from: 58", "from: 96")
    .replace("from: 50", "from: 95"),
    "p",
)


def shown(house: House) -> dict[str, dict[str, Any]]:
    rows = house.sim.org.modules["Accounts"].records
    return {key: {name: row[name] for name in row if name.startswith("Credit_")} for key, row in rows.items()}


def sync(house: House, as_of: str, policy: Policy = HARSH, **more: Any) -> Any:
    from datetime import date

    house.sim.control("clock", advance_s=3600)
    return run(house.store, house.link, policy, day_number(date.fromisoformat(as_of)), language="en", **more)


def newest(house: House) -> dict[str, Any]:
    with house.store.read("sim") as session:
        return runs.list_runs(session)[0]


@pytest.fixture
def rated(house: House) -> House:
    house.sync()
    return house


def test_a_dry_run_says_what_the_real_one_then_writes(house: House) -> None:
    for day in (TODAY, "2025-07-21"):
        before = shown(house)
        dry = house.sync(day, dry=True)

        assert shown(house) == before
        assert dry.state == "dry"
        assert dry.pushed.written == 0

        real = house.sync(day)
        after = shown(house)
        document = {item.account: set(item.values) for item in dry.changes}
        assert real.pushed.written == len(document) > 0
        assert sum(len(names) for names in document.values()) == real.pushed.fields
        assert {key for key in after if after[key] != before[key]} == set(document)


def test_a_dry_run_shows_what_would_be_healed(rated: House) -> None:
    rated.sync()
    rated.sim.control("change", module="Accounts", where={"Account_Number": "A004"}, set={"Credit_Hold": "none"})

    dry = rated.sync(dry=True)

    assert [(item.account, item.values) for item in dry.changes] == [(rated.account("A004")["id"], {"hold": "approve"})]


def test_a_run_that_changes_too_much_waits_and_writes_nothing(rated: House) -> None:
    before = shown(rated)

    ran = sync(rated, "2025-07-01")

    assert ran.state == "braked"
    assert ran.verdict is not None
    assert ran.verdict.engine is None
    assert ran.verdict.policy is not None
    # With yesterday's facts, as of yesterday: most who differ do because of the policy.
    assert ran.verdict.policy.worse > 20
    assert ran.verdict.policy.better == 0
    assert shown(rated) == before
    with rated.store.read("sim") as session:
        assert ratings.newest_day(session) == day_number_of(TODAY)
    row = newest(rated)
    assert (row["state"], row["summary"]["brake"]["changed"]) == ("braked", ran.verdict.changed)


def test_a_braked_day_is_nobody_s_prior(rated: House) -> None:
    sync(rated, "2025-07-01")
    later = rated.sync("2025-07-02")
    with rated.store.read() as session:
        days = {row.as_of for row in session.tx.exec_driver_sql("select distinct as_of from assessments")}

    assert later.state == "done"
    assert days == {day_number_of(TODAY), day_number_of("2025-07-02")}


def test_approved_it_is_put_into_force_in_somebody_s_name(rated: House) -> None:
    braked = sync(rated, "2025-07-01")
    before = shown(rated)

    ran = approve(rated.store, rated.link, HARSH, braked.run_id, "Ms Li", day_number_of("2025-07-01"), language="en")

    assert ran.state == "approved"
    assert ran.pushed.written > 20
    assert shown(rated) != before
    with rated.store.read("sim") as session:
        rows = {row["run_id"]: row for row in runs.list_runs(session)}
    assert (rows[braked.run_id]["state"], rows[braked.run_id]["by"]) == ("approved", "Ms Li")
    assert rows[ran.run_id]["by"] == "Ms Li"
    with pytest.raises(Misconfigured, match="does not wait"):
        approve(rated.store, rated.link, HARSH, braked.run_id, "Ms Li", day_number_of("2025-07-01"), language="en")
    with pytest.raises(Misconfigured, match="no run"):
        approve(rated.store, rated.link, HARSH, "sim-1", "Ms Li", day_number_of("2025-07-01"), language="en")


def test_an_older_run_is_scored_again_under_the_brake(rated: House) -> None:
    first = sync(rated, "2025-07-01")
    sync(rated, "2025-07-02")

    ran = approve(rated.store, rated.link, HARSH, first.run_id, "Ms Li", day_number_of("2025-07-01"), language="en")

    assert ran.state == "braked"
    assert ran.run_id != first.run_id


def test_facts_that_moved_since_are_not_approved_unseen(rated: House) -> None:
    braked = sync(rated, "2025-07-01")
    rated.sim.control("delete", module="Invoices", where={"Subject": "A004-5"})
    from sync.pull import pull

    rated.sim.control("clock", advance_s=3600)
    pull(rated.store, rated.link, HARSH.checks)

    ran = approve(rated.store, rated.link, HARSH, braked.run_id, "Ms Li", day_number_of("2025-07-01"), language="en")

    assert ran.state == "braked"
    assert ran.digest != braked.digest


def test_a_run_that_fails_leaves_a_row_that_says_so(rated: House) -> None:
    rated.sim.control("faults", status=503, times=50)

    with pytest.raises(Retry):
        rated.sync("2025-07-01")

    row = newest(rated)
    assert row["state"] == "failed"
    assert row["summary"]["problem"]


def day_number_of(text: str) -> int:
    from datetime import date

    return day_number(date.fromisoformat(text))
