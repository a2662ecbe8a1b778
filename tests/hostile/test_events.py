"""One poison event is one dead event, an outage ages nobody, and what happened twice is worked on twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adapters.declarative.simulator.system import System
from connector.errors import Retry
from connector.ports import UNNAMED_EVENT, Event
from connector.schema import day_number
from sync import inbox
from sync.crm_connection import CrmConnection, micros
from sync.drain import drain
from sync.run import run
from sync.store import Store, ledger, tables
from tests.connector.scoring.books import POLICY, books, invoice
from tests.contract.doubles import DOUBLES, Double, every
from tests.contract.test_writing import written
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


@pytest.fixture(params=every(heavy=True))
def double(request: pytest.FixtureRequest) -> Iterator[Double]:
    claims = [invoice(f"I{n:03d}", 100_00 + n, "2025-01-01", "2025-01-31", f"A{n}") for n in range(9)]
    with DOUBLES[request.param](books(claims, [], "A0")) as result:
        yield result


def test_in_any_system_one_bad_record_spoils_one_event(
    double: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm, named, _ = written(double)
    store = Store(tmp_path / "zixin.db")
    link = CrmConnection("x", crm, double.mapping.with_written(named), crm.organisation())
    double.advance(3600)
    run(store, link, POLICY, day_number(link.today()), language="en")
    with store.read("x") as session:
        claims = tables.CANONICAL["receivables"].c
        # Of an ERPNext invoice each part is a claim; the record is the invoice.
        ids = {row.number: row.source_id for row in session.tx.execute(select(claims.number, claims.source_id))}
    for number in ids:
        double.edit("invoices", number, amount="90000.00")
    bad, fetch = ids["I004"], crm.fetch

    def fails(source: Any, records: Any) -> Any:
        if bad in records:
            raise Retry("E-CRM-DOWN", host="x", status=500)
        return fetch(source, records)

    monkeypatch.setattr(crm, "fetch", fails)
    object_ = double.mapping.sources["invoices"].object
    with store.write("x") as session:
        events = [Event(f"e{number}", object_, (key,)) for number, key in ids.items()]
        inbox.take_in(session, events, micros(link.now()))

    done = drain(store, link, POLICY, language="en", clock=link.now, braked=False)

    with store.read("x") as session:
        states = inbox.count_by_state(session)
        amounts = dict(ledger.load(session)["receivables"].select("number", "amount").iter_rows())
    store.close()
    assert (done.closed, done.put_off, states["waiting"]) == (8, 1, 1)
    assert {number for number, amount in amounts.items() if amount == 90_000_00} == set(ids) - {"I004"}
