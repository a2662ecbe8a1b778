"""Events: kept once, tried again and longer each time, dead after the last, and done only when they are."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from connector.errors import Misconfigured
from connector.ports import Event
from sync import inbox
from sync.store import Store, tables
from tests.waiting import ANSWER_S

SECOND = 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "zixin.db")


def event(key: str) -> Event:
    return Event(key, "Invoices", ("1", "2"), ("K1",), "update")


def test_an_event_is_kept_once_and_comes_back_as_it_was(store: Store) -> None:
    with store.write("sim") as session:
        assert inbox.take_in(session, [event("a"), event("b")], 10) == 2
        assert inbox.take_in(session, [event("a")], 20) == 0
        waitings = inbox.waiting_events(session, 20)

    assert [item.event for item in waitings] == [event("a"), event("b")]
    assert waitings[0].received_at == 10


def test_it_is_tried_again_after_longer_and_longer_and_is_dead_in_the_end(store: Store) -> None:
    now, waits = 0, []
    with store.write("sim") as session:
        inbox.take_in(session, [event("a")], 0)
        while waitings := inbox.waiting_events(session, now):
            inbox.reschedule(session, waitings, "E-CRM-DOWN", now)
            following = inbox.next_at(session)
            if following is None:
                break
            waits.append((following - now) // SECOND)
            now = following
        dead = inbox.deliveries(session, "dead")
        assert inbox.count_by_state(session)["dead"] == 1
        assert inbox.resend(session, ["a", "b"], now) == 1
        assert inbox.count_by_state(session)["waiting"] == 1

    assert tuple(waits) == inbox.WAITS_S
    assert (dead[0]["event_id"], dead[0]["cause"]) == ("a", "E-CRM-DOWN")


def test_what_is_done_says_nothing_any_more_and_is_forgotten_later(store: Store) -> None:
    with store.write("sim") as session:
        inbox.take_in(session, [event("a")], 0)
        inbox.close(session, ["a"], 5)
        assert inbox.waiting_events(session, 10) == []
        assert session.tx.exec_driver_sql("select body from inbox").scalar_one() == "{}"
        # A repetition of what is done is still known.
        assert inbox.take_in(session, [event("a")], 6) == 0
        inbox.forget(session, 6)
        assert inbox.deliveries(session) == []


def test_many_callers_at_once_are_committed_together_and_all_of_them_told(store: Store) -> None:
    desk = inbox.InboxWriter(store)
    with ThreadPoolExecutor(16) as threads:
        done = list(threads.map(lambda n: desk.submit("sim", [event(f"e{n % 200}")], n).result(), range(400)))
    desk.close()

    with store.read("sim") as session:
        assert inbox.count_by_state(session)["waiting"] == 200
        assert [row[0] for row in session.tx.exec_driver_sql("pragma synchronous")] == [2]
    assert sum(done) == 200


def test_what_could_not_be_committed_is_not_acknowledged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = inbox.InboxWriter(store)
    monkeypatch.setattr(store, "write", lambda: (_ for _ in ()).throw(Misconfigured("E-STORE-FULL", path="x")))

    with pytest.raises(Misconfigured):
        desk.submit("sim", [event("a")], 0).result(timeout=ANSWER_S)
    desk.close()


def test_an_event_does_not_wait_for_a_clock_that_was_set_back(store: Store) -> None:
    day = 86_400_000_000
    with store.write("c") as session:
        inbox.take_in(session, [Event("e", "x", ("1",), (), "update")], 2 * day)
        inbox.reschedule(session, inbox.waiting_events(session, 2 * day), "E-CRM-DOWN", 2 * day)
    with store.read("c") as session:
        assert inbox.waiting_events(session, 2 * day) == []
        assert len(inbox.waiting_events(session, day)) == 1


def test_it_is_stalled_while_something_waits_and_nothing_is_closed(store: Store) -> None:
    with store.write("sim") as session:
        assert inbox.stalled_s(session, 100 * SECOND) == 0
        inbox.take_in(session, [event("a"), event("b")], 100 * SECOND)
        assert inbox.stalled_s(session, 160 * SECOND) == 60
        inbox.close(session, ["a"], 150 * SECOND)
        assert inbox.stalled_s(session, 160 * SECOND) == 10
        inbox.close(session, ["b"], 170 * SECOND)
        assert inbox.stalled_s(session, 900 * SECOND) == 0


def test_a_beat_is_committed_behind_what_waits(store: Store) -> None:
    writer = inbox.InboxWriter(store)
    assert writer.beat("sim", 5).result(timeout=ANSWER_S) == 0
    writer.close()
    with store.read("sim") as session:
        assert session.tx.execute(select(tables.heartbeats.c.at)).scalar_one() == 5
