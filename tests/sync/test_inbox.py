"""Events: kept once, tried again and longer each time, dead after the last, and done only when they are."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connector.errors import Misconfigured
from connector.ports import Event
from sync import inbox
from sync.store import Store
from tests.waiting import ANSWER_S

SECOND = 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "zixin.db")


def event(key: str) -> Event:
    return Event(key, "Invoices", ("1", "2"), ("K1",), "update")


def test_an_event_is_kept_once_and_comes_back_as_it_was(store: Store) -> None:
    with store.write() as tx:
        assert inbox.take_in(tx, "sim", [event("a"), event("b")], 10) == 2
        assert inbox.take_in(tx, "sim", [event("a")], 20) == 0
        found = inbox.waiting(tx, "sim", 20)

    assert [item.event for item in found] == [event("a"), event("b")]
    assert found[0].received_at == 10


def test_it_is_tried_again_after_longer_and_longer_and_is_dead_in_the_end(store: Store) -> None:
    now, waits = 0, []
    with store.write() as tx:
        inbox.take_in(tx, "sim", [event("a")], 0)
        while found := inbox.waiting(tx, "sim", now):
            inbox.put_off(tx, "sim", found, "E-CRM-DOWN", now)
            following = inbox.next_at(tx, "sim")
            if following is None:
                break
            waits.append((following - now) // SECOND)
            now = following
        dead = inbox.deliveries(tx, "sim", "dead")
        assert inbox.counted(tx, "sim")["dead"] == 1
        assert inbox.resend(tx, "sim", ["a", "b"], now) == 1
        assert inbox.counted(tx, "sim")["waiting"] == 1

    assert tuple(waits) == inbox.WAITS_S
    assert (dead[0]["event_id"], dead[0]["cause"]) == ("a", "E-CRM-DOWN")


def test_what_is_done_says_nothing_any_more_and_is_forgotten_later(store: Store) -> None:
    with store.write() as tx:
        inbox.take_in(tx, "sim", [event("a")], 0)
        inbox.close(tx, "sim", ["a"], 5)
        assert inbox.waiting(tx, "sim", 10) == []
        assert tx.exec_driver_sql("select body from inbox").scalar_one() == "{}"
        # A repetition of what is done is still known.
        assert inbox.take_in(tx, "sim", [event("a")], 6) == 0
        inbox.forget(tx, "sim", 6)
        assert inbox.deliveries(tx, "sim") == []


def test_many_callers_at_once_are_committed_together_and_all_of_them_told(store: Store) -> None:
    desk = inbox.Clerk(store)
    with ThreadPoolExecutor(16) as threads:
        done = list(threads.map(lambda n: desk.hand_in("sim", [event(f"e{n % 200}")], n).result(), range(400)))
    desk.close()

    with store.read() as tx:
        assert inbox.counted(tx, "sim")["waiting"] == 200
        assert [row[0] for row in tx.exec_driver_sql("pragma synchronous")] == [2]
    assert sum(done) == 200


def test_what_could_not_be_committed_is_not_acknowledged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = inbox.Clerk(store)
    monkeypatch.setattr(store, "write", lambda: (_ for _ in ()).throw(Misconfigured("E-STORE-FULL", path="x")))

    with pytest.raises(Misconfigured):
        desk.hand_in("sim", [event("a")], 0).result(timeout=ANSWER_S)
    desk.close()
