"""The credit desk over the whole line: what people decide reaches the CRM, and what needs another person waits."""

from datetime import date
from typing import Any

import pytest

from connector.credit.decision_rules import Asked
from connector.errors import Misconfigured
from connector.schema import day_number
from sync import decisions
from sync.store import ledger, ratings
from tests.connector.scoring.books import POLICY
from tests.story.house import House

#: What they run is measured in the other stories.
pytestmark = pytest.mark.apart

DAY = day_number(date(2025, 6, 30))
MORE: dict[str, Any] = {"reason": "new_information", "by": "ada", "first": DAY, "last": DAY + 30}


def decide(house: House, number: str, kind: str, value: str | None = None, **more: Any) -> decisions.Decided:
    account = house.account(number)["id"]
    with house.store.read("sim") as session:
        row = ratings.assessed_on(session, account, None)
    rating = row["rating"] if row else None
    result = Asked(**{"kind": kind, "value": value, **MORE, **more})
    return decisions.decide(house.store, "sim", account, result, POLICY, rating=rating, above=10_000_00, now_us=1)


def test_a_hold_and_a_lower_grade_count_from_the_next_sync_and_end_with_their_day(house: House) -> None:
    house.sync()
    before = house.account("A002")["Credit_Rating"]
    decide(house, "A002", "override", "C")
    hold = decide(house, "A002", "hold", "block", last=None)

    assert house.sync().pushed.written == 1
    assert house.account("A002")["Credit_Rating"] == "C" != before
    assert house.account("A002")["Credit_Hold"] == "block"
    assert "rating set to C until 2025-07-30" in house.account("A002")["Credit_Reasons"]

    decisions.end(house.store, "sim", hold.key, "bob", last=DAY - 1, now_us=2)
    house.sync()
    assert house.account("A002")["Credit_Hold"] == "approve"  # That of grade C.
    house.sync(as_of="2025-07-31")
    assert house.account("A002")["Credit_Rating"] != "C"
    with house.store.read("sim") as session:
        done = [row["what"] for row in decisions.history(session, house.account("A002")["id"])]
    assert done == ["ended", "decided", "decided"]


def test_what_needs_another_person_waits_and_is_approved_by_somebody_else(house: House) -> None:
    house.sync()
    account = house.account("A004")["id"]
    decided = decide(house, "A004", "release", "none")
    limit = decide(house, "A004", "permanent", amount=50_000_00, currency="USD", last=None)

    assert (decided.needs, limit.needs) == (("release",), ("limit",))
    assert house.sync().pushed.written == 0
    with pytest.raises(Misconfigured, match="somebody else"):
        decisions.approve(house.store, "sim", decided.key, "ada", POLICY, now_us=2)
    with house.store.read("sim") as session:
        assert [row["state"] for row in decisions.list_decisions(session, account)] == ["waits", "waits"]

    for waiting in (decided, limit):
        assert decisions.approve(house.store, "sim", waiting.key, "bob", POLICY, now_us=3) == account
    house.sync()
    assert house.account("A004")["Credit_Hold"] == "none"
    assert bytes(house.account("A004")["Credit_Limit"]) == b"50000.00"
    with pytest.raises(Misconfigured, match="in force or waits"):
        decisions.approve(house.store, "sim", decided.key, "bob", POLICY, now_us=4)


def test_a_waiting_decision_may_be_rejected_and_one_of_the_crm_is_ended_there(house: House) -> None:
    house.sync()
    decided = decide(house, "A004", "release", "none")
    account = decisions.end(house.store, "sim", decided.key, "bob", last=DAY, now_us=2)
    with house.store.read("sim") as session:
        left = decisions.list_decisions(session, account)
        theirs = ledger.load(session)["limits"]["limit_id"][0]

    assert left == []
    with pytest.raises(Misconfigured, match="decided in the CRM"):
        decisions.end(house.store, "sim", theirs, "bob", last=DAY, now_us=3)


@pytest.mark.parametrize(
    ("kind", "value", "more", "words"),
    [
        ("override", "AAA", {}, "further than the 2 notches"),
        ("override", "A+", {}, "Give one of: AAA"),
        ("hold", "perhaps", {}, "Give one of: none"),
        ("override", "CC", {"reason": "new_informatoin"}, "did you mean"),
        ("override", "CC", {"last": DAY + 400}, "180 days at most"),
        ("release", "none", {"last": None}, "must have an end"),
        ("hold", "block", {"last": DAY - 1}, "before the first day"),
    ],
)
def test_the_policy_s_rules_are_enforced(house: House, kind: str, value: str, more: dict[str, Any], words: str) -> None:
    house.sync()
    with pytest.raises(Misconfigured, match=words):
        decide(house, "A004", kind, value, **more)
