"""One poison event is one dead event, an outage ages nobody, and what happened twice is worked on twice."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from adapters.declarative.simulator.system import System
from connector.errors import Retry
from connector.ports import UNNAMED_EVENT, Event
from sync import inbox
from sync.crm_connection import micros
from sync.drain import drain
from tests.connector.scoring.books import POLICY
from tests.story.events import drained, hear, pay
from tests.story.house import House
from tests.zixin.calls import document

NUMBERS = ("A004", "A008", "A012", "A016", "A020", "A024", "A028", "A032")


def counts(house: House) -> dict[str, int]:
    with house.store.read("sim") as session:
        return inbox.count_by_state(session)


def poison(house: House, monkeypatch: pytest.MonkeyPatch, record: str, error: Exception) -> list[list[str]]:
    """Reading that record fails; what is asked for by id."""
    crm, asked = house.link.crm, []
    fetch = crm.fetch

    def fails(source: Any, records: Any) -> Any:
        asked.append(list(records))
        if record in records:
            raise error
        return fetch(source, records)

    monkeypatch.setattr(crm, "fetch", fails)
    return asked


@pytest.mark.parametrize("error", [Retry("E-CRM-DOWN", host="x", status=500), KeyError("id")])
def test_eight_good_events_end_well_beside_a_bad_one(
    live: House, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = [pay(live, number) for number in NUMBERS]
    bad = pay(live, "A036")
    asked = poison(live, monkeypatch, bad, error)
    hear(live, *(Event(f"e{n}", "Customer_Payments", (key,)) for n, key in enumerate(paid)))
    hear(live, Event("bad", "Customer_Payments", (bad,)))

    done = drained(live)

    assert (done.closed, done.put_off, done.pushed.written) == (8, 1, 8)
    # Halved until it is alone: each good record is read once that no bad one was beside.
    read = [key for records in asked if bad not in records for key in records if key in paid]
    assert sorted(read) == sorted(paid)
    for wait in inbox.WAITS_S:
        drained(live, wait + 1)
    assert counts(live) == {"waiting": 0, "dead": 1, "done": 8}
    with live.store.read("sim") as session:
        (dead,) = inbox.deliveries(session, "dead")
    assert (dead["event_id"], dead["cause"]) == ("bad", getattr(error, "code", type(error).__name__))

    monkeypatch.undo()
    with live.store.write("sim") as session:
        assert inbox.resend(session, ["bad"], micros(live.link.crm.now())) == 1
    assert drained(live).closed == 1


def test_an_outage_ages_no_event(live: House, monkeypatch: pytest.MonkeyPatch) -> None:
    record = pay(live, "A004")
    hear(live, Event("e1", "Customer_Payments", (record,)))
    crm = live.link.crm

    def away(*_: Any, **__: Any) -> Any:
        raise Retry("E-CRM-UNREACHABLE", host="x")

    with monkeypatch.context() as gone:
        gone.setattr(crm, "fetch", away)
        gone.setattr(crm, "organisation", away)
        clock = crm.now()
        # Two days, a look every quarter of an hour.
        for _ in range(200):
            clock += timedelta(minutes=15)
            done = drain(
                live.store,
                live.link,
                POLICY,
                language="en",
                clock=partial(datetime.fromtimestamp, clock.timestamp(), UTC),
            )
            assert (done.closed, done.problem) == (0, "E-CRM-UNREACHABLE")
    assert counts(live) == {"waiting": 1, "dead": 0, "done": 0}
    with live.store.read("sim") as session:
        assert inbox.deliveries(session)[0]["attempts"] == 0

    assert drained(live, 3 * 86_400).closed == 1


def test_the_same_words_after_the_work_has_begun_are_another_event(live: House) -> None:
    record = pay(live, "A004")
    event = Event(f"{UNNAMED_EVENT}abc-0", "Customer_Payments", (record,))
    hear(live, event, event)
    assert counts(live)["waiting"] == 1
    with live.store.write("sim") as session:
        inbox.pick_up(session, inbox.waiting_events(session, micros(live.link.crm.now())), 1)
    # It changes while the first is in work, and once more after that.
    hear(live, event)
    hear(live, event)
    assert counts(live)["waiting"] == 2

    assert drained(live, 60).closed == 2
    hear(live, event)
    assert counts(live) == {"waiting": 1, "dead": 0, "done": 2}
    assert drained(live, 60).closed == 1


def test_an_id_with_a_comma_is_one_id(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    first = next(iter(system.objects["invoices"].values()))
    for key in ("a", "b", "a,b"):
        system.put("invoices", key, {**first, "id": key, "number": key})
    assert document(capsys, "sync")["receivables"] == 43
    # Neither is asked for as two others, nor are those taken for it.
    system.objects["invoices"].pop("a,b")

    assert document(capsys, "sync", "--full")["receivables"] == 42
    assert document(capsys, "sync", "--full")["receivables"] == 42
