"""What the CRM refuses of fields, over days: sent when it can be taken, not before, and at no cost until then."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from connector.errors import Retry
from connector.plan import AccountOutcome
from connector.ports import Outcome
from sync.push import push
from sync.run import Ran
from sync.store import outbox, refusals
from sync.store.refusals import Refusal, carry_over, of, read
from tests.story.house import TODAY, House


def days(house: House, count: int) -> list[Ran]:
    first = date.fromisoformat(TODAY)
    return [house.sync((first + timedelta(days=n)).isoformat()) for n in range(count)]


def lacking(house: House, field: str, *options: str) -> tuple[str, ...]:
    """Takes options out of a field's list; the list as it was."""
    meta = house.sim.org.modules["Accounts"].fields[field]
    whole = meta.options
    meta.options = tuple(option for option in whole if option not in options)
    return whole


def writes(ran: Ran, house: House) -> int:
    return house.link.crm.spent.calls.get("write", 0)


def test_a_field_that_is_refused_costs_no_write_in_the_nights_after(house: House) -> None:
    healthy = [(ran.pushed.written, ran.pushed.fields) for ran in days(house, 3)]
    with house.store.write() as session:
        for table in ("wanted", "sent", "observed", "runs", "assessments", "statistics", "flags", "falls", "flights"):
            session.tx.exec_driver_sql(f"delete from {table}")
    for row in house.sim.org.modules["Accounts"].records.values():
        for name in house.link.mapping.writes.fields.values():
            row.pop(name, None)
    lacking(house, "Credit_Flags", "OVERDUE_30")
    days_of_want = days(house, 3)
    assert days_of_want[0].refused_fields == {"flags": 30}
    for (written, fields), ran in zip(healthy[1:], days_of_want[1:], strict=True):
        # Those who owe it have no other reason to be written, and no follower becomes one by it.
        assert ran.pushed.written <= written
        assert ran.pushed.fields <= fields
        assert ran.refused_fields["flags"] >= 30


def test_what_no_description_shows_is_not_sent_again_on_the_same_day(house: House) -> None:
    """A rule of the CRM's own on one of our fields: its words are the CRM's, and the lists are whole."""
    crm: Any = house.link.crm
    real = crm.write

    def ruled(changes: Any) -> Any:
        from dataclasses import replace

        for change in list(changes):
            if "Credit_Limit" in change.values and len(change.values) > 1:
                yield Outcome(change.record, "refused", "limit beyond what is allowed", ("Credit_Limit",))
            else:
                yield from real([replace(change)])

    crm.write = ruled
    first = house.sync()
    assert first.refused_fields["limit"] == 120 - first.pushed.refused
    second = house.sync()
    assert (second.pushed.written, second.pushed.refused, writes(second, house)) == (0, 0, 0)
    # It is said as long as it is so.
    assert second.refused_fields == first.refused_fields
    crm.write = real
    assert house.sync("2025-07-01").refused_fields == {}


def test_a_text_that_was_cut_is_written_whole_once_its_field_holds_it(house: House) -> None:
    meta = house.sim.org.modules["Accounts"].fields["Credit_Reasons"]
    meta.length = 40
    ran = house.sync()
    assert (ran.pushed.written, ran.refused_fields) == (120, {})
    with house.store.read("sim") as session:
        cut = {key for key, each in refusals.standing(session).items() if each.cut}
        assert refusals.open_(session) == {}
    assert cut
    assert writes(house.sync(), house) == 0
    meta.length = 2000
    house.sync()
    records = house.sim.org.modules["Accounts"].records
    assert all(len(records[key]["Credit_Reasons"]) > 40 for key in cut)
    with house.store.read("sim") as session:
        assert refusals.standing(session) == {}


def test_a_field_that_is_no_longer_ours_is_owed_no_more(house: House) -> None:
    lacking(house, "Credit_Flags", "OVERDUE_30")
    assert house.sync().refused_fields == {"flags": 30}
    stored = {name: own for name, own in house.link.mapping.writes.fields.items() if name != "flags"}
    from dataclasses import replace

    house.link = replace(house.link, mapping=house.link.mapping.with_written(stored))
    assert house.sync().refused_fields == {}
    assert house.sync("2025-07-01").refused_fields == {}


def test_a_dry_run_says_what_a_mended_field_will_show_and_makes_nothing_wait(house: House) -> None:
    whole = lacking(house, "Credit_Flags", "OVERDUE_30")
    house.sync()
    house.sim.org.modules["Accounts"].fields["Credit_Flags"].options = whole
    ran = house.sync(dry=True)
    assert len(ran.changes) == 30
    with house.store.read("sim") as session:
        assert not outbox.pending(session)
    assert push(house.store, house.link).written == 0
    assert house.sync().pushed.written == 30


def test_answers_are_kept_though_the_description_cannot_be_had(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking(house, "Credit_Flags", "OVERDUE_30")
    crm: Any = house.link.crm
    describe, write = crm.describe, crm.write
    names: list[str] = []

    def down(name: str) -> Any:
        if names:
            raise Retry("E-CRM-DOWN", host="h", status=503)
        return describe(name)

    def writing(changes: Any) -> Any:
        yield from write(changes)
        names.append("from here on")

    monkeypatch.setattr(crm, "describe", down)
    monkeypatch.setattr(crm, "write", writing)
    ran = house.sync()
    # Zoho names the field; what it is called is enough to leave it out.
    assert (ran.pushed.written, ran.refused_fields) == (120, {"flags": 30})
    with house.store.read("sim") as session:
        assert outbox.in_flight(session) == []


def test_a_crms_words_are_never_taken_for_ours() -> None:
    for words in ('{"fields": ["phone"]}', '{"zixin": 2}', "{", "[1]", '{"words": 3}'):
        assert read(words) == Refusal(words)
        stored = of(AccountOutcome("refused", words))
        assert read(stored) == Refusal(words)
        assert json.loads(str(stored))["words"] == words
    owed = of(AccountOutcome("taken", "no", ("flags", "limit"), ("flags",), ("reasons",)))
    assert read(owed) == Refusal("no", ("flags", "limit"), ("flags",), ("reasons",))
    assert read(carry_over(owed, {"flags": None})) == Refusal("no", ("flags",), ("flags",))
    assert carry_over(owed, {"rating": None}) is None
    assert carry_over(of(AccountOutcome("refused", "as a whole")), {"flags": None}) is None
