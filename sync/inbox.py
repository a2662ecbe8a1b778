"""The inbox: an event is acknowledged once its row is committed, and closed once what it changed has been scored.

Events that arrive together are committed together: one fsync for all who wait. The database is in
WAL mode with synchronous = FULL. Source: docs/rules.md, "Events and runs".
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update

from connector.ports import UNNAMED_EVENT, Event
from sync.store import Store, tables
from sync.store.dialect import batches, insert_new, upsert
from sync.store.session import Reading, Writing

#: Seconds before each next try; after the last one an event is dead until a person sends it again.
WAITS_S = (1, 2, 4, 8, 16, 60, 300)
#: Between two looks whether the CRM is back.
_OUTAGE_S = 15
#: Nothing waits for longer: a bare token's budget is one of an hour.
_LONGEST_S = 7_200
_MOST_A_COMMIT = 500
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that has yet to be worked on."""

    event: Event
    received_at: int
    attempts: int


def take_in(session: Writing, events: Iterable[Event], now_us: int, not_before: int = 0) -> int:
    """Store events; one that is there already is left as it is. Returns how many are new.

    They are worked on at once, or from `not_before` on. One whose call says no id is there already only while it waits
    and nobody has picked it up: what a CRM says in the same words after that has happened again.
    """
    events = _again(session, events, now_us)
    rows = [
        {
            "connection": session.connection,
            "event_id": event.event_id,
            "body": _body(event),
            "state": "waiting",
            "received_at": now_us,
            "attempts": 0,
            "next_at": max(now_us, not_before),
            "cause": None,
            "closed_at": None,
        }
        for event in events
    ]
    return insert_new(session, tables.inbox, rows, ["connection", "event_id"])


def _again(session: Reading, events: Iterable[Event], now_us: int) -> list[Event]:
    """The events, those without an id under a name of their own where the one of that name is in work or done."""
    table = tables.inbox
    result = []
    for event in events:
        if event.event_id.startswith(UNNAMED_EVENT):
            alike = or_(
                table.c.event_id == event.event_id, table.c.event_id.startswith(f"{event.event_id}+", autoescape=True)
            )
            query = select(table.c.event_id, table.c.state, table.c.picked_at).where(session.own(table), alike)
            there = session.tx.execute(query).all()
            fresh = next((row.event_id for row in there if row.state == "waiting" and row.picked_at is None), None)
            key = fresh or (f"{event.event_id}+{now_us}" if there else event.event_id)
            event = replace(event, event_id=key)
        result.append(event)
    return result


def pick_up(session: Writing, events: Iterable[Waiting], now_us: int) -> None:
    """Somebody begins to work on these."""
    _set(session, [item.event.event_id for item in events], {"picked_at": now_us})


def waiting_events(session: Reading, now_us: int, limit: int = 500) -> list[Waiting]:
    """Events to work on now, oldest first.

    None waits for longer than the longest wait: one that seems to was put off before the clock was set back.
    """
    table = tables.inbox
    due = or_(table.c.next_at <= now_us, table.c.next_at > now_us + _LONGEST_S * _SECOND)
    query = select(table).where(session.own(table), table.c.state == "waiting", due)
    rows = session.tx.execute(query.order_by(table.c.received_at, table.c.event_id).limit(limit)).mappings()
    return [Waiting(_event(row["event_id"], row["body"]), row["received_at"], row["attempts"]) for row in rows]


def next_at(session: Reading) -> int | None:
    """When the next event is to be worked on; None: none waits."""
    table = tables.inbox
    query = select(func.min(table.c.next_at)).where(session.own(table), table.c.state == "waiting")
    value: int | None = session.tx.execute(query).scalar_one()
    return value


def close(session: Writing, events: Sequence[str], now_us: int) -> None:
    """These are done; what they said is not kept."""
    _set(session, events, {"state": "done", "closed_at": now_us, "body": "{}", "cause": None})


def reschedule(session: Writing, events: Iterable[Waiting], cause: str, now_us: int) -> None:
    """Try these again later, and longer each time; after the last time they are dead."""
    for item in events:
        tries = item.attempts + 1
        dead = tries > len(WAITS_S)
        again = now_us + (0 if dead else WAITS_S[tries - 1] * _SECOND)
        values = {"attempts": tries, "next_at": again, "cause": cause, "state": "dead" if dead else "waiting"}
        _set(session, [item.event.event_id], values)


def wait_out(session: Writing, events: Iterable[Waiting], cause: str, now_us: int) -> None:
    """These wait until the CRM is back, as long as that takes: it is no fault of theirs, and makes them no older."""
    keys = [item.event.event_id for item in events]
    _set(session, keys, {"next_at": now_us + _OUTAGE_S * _SECOND, "cause": cause})


def hold(session: Writing, events: Iterable[Waiting], cause: str, now_us: int) -> None:
    """These wait for a person: looked at again from time to time, never dead."""
    keys = [item.event.event_id for item in events]
    _set(session, keys, {"next_at": now_us + WAITS_S[-1] * _SECOND, "cause": cause})


def resend(session: Writing, events: Sequence[str], now_us: int) -> int:
    """Dead events wait again; how many there were."""
    table = tables.inbox
    count = 0
    for batch in batches(events):
        these = and_(session.own(table), table.c.event_id.in_(batch), table.c.state == "dead")
        done = session.tx.execute(update(table).where(these).values(state="waiting", attempts=0, next_at=now_us))
        count += done.rowcount
    return count


def deliveries(session: Reading, state: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Events, newest first: event_id, state, received_at, attempts, cause, closed_at."""
    table = tables.inbox
    query = select(*(column for column in table.c if column.name not in ("connection", "body")))
    query = query.where(session.own(table))
    if state is not None:
        query = query.where(table.c.state == state)
    newest = query.order_by(table.c.received_at.desc(), table.c.event_id).limit(limit)
    return [dict(row) for row in session.tx.execute(newest).mappings()]


def stalled_s(session: Reading, now_us: int) -> float:
    """For how long nothing was closed while something waited, in seconds; 0: nothing waits."""
    table = tables.inbox
    waits = and_(session.own(table), table.c.state == "waiting")
    oldest = session.tx.execute(select(func.min(table.c.received_at)).where(waits)).scalar_one()
    if oldest is None:
        return 0.0
    closed = session.tx.execute(select(func.max(table.c.closed_at)).where(session.own(table))).scalar_one()
    return max(0.0, float(now_us - max(oldest, closed or 0)) / _SECOND)


def count_by_state(session: Reading) -> dict[str, int]:
    """State → events."""
    table = tables.inbox
    query = select(table.c.state, func.count()).where(session.own(table)).group_by(table.c.state)
    return {"waiting": 0, "dead": 0, "done": 0, **{row[0]: row[1] for row in session.tx.execute(query)}}


def forget(session: Writing, before: int) -> None:
    """Drop events that were closed before that instant."""
    table = tables.inbox
    session.tx.execute(delete(table).where(session.own(table), table.c.closed_at < before))


def _set(session: Writing, events: Sequence[str], values: dict[str, Any]) -> None:
    table = tables.inbox
    for batch in batches(events):
        these = and_(session.own(table), table.c.event_id.in_(batch))
        session.tx.execute(update(table).where(these).values(values))


def _body(event: Event) -> str:
    document = {"object": event.object, "records": event.records, "accounts": event.accounts, "op": event.op}
    return json.dumps(document, separators=(",", ":"))


def _event(key: str, body: str) -> Event:
    payload = json.loads(body)
    return Event(key, payload["object"], tuple(payload["records"]), tuple(payload["accounts"]), payload["op"])


@dataclass(frozen=True, slots=True)
class PendingEvents:
    """Events that somebody waits for to be committed."""

    connection: str
    events: Sequence[Event]
    now_us: int
    not_before: int
    done: Future[int] = field(default_factory=Future)


class InboxWriter:
    """Takes events from many callers and commits those that wait together in one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: queue.Queue[PendingEvents | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="inbox", daemon=True)
        self._thread.start()

    def submit(self, connection: str, events: Sequence[Event], now_us: int, not_before: int = 0) -> Future[int]:
        """Done once they are committed; its result is how many were new."""
        handed = PendingEvents(connection, events, now_us, not_before)
        self._asked.put(handed)
        return handed.done

    def beat(self, connection: str, now_us: int) -> Future[int]:
        """Done once a row of its own is committed, behind whatever waits: whoever asks knows that events would be."""
        handed = PendingEvents(connection, (), now_us, 0)
        self._asked.put(handed)
        return handed.done

    def close(self) -> None:
        """Commit what waits, and end."""
        self._asked.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (first := self._asked.get()) is not None:
            pending_events = [first]
            last = False
            while len(pending_events) < _MOST_A_COMMIT:
                try:
                    item = self._asked.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    last = True
                    break
                pending_events.append(item)
            self._commit(pending_events)
            if last:
                return

    def _commit(self, asked: list[PendingEvents]) -> None:
        try:
            with self._store.write() as session:
                counts = [
                    take_in(session.of(item.connection), item.events, item.now_us, item.not_before) for item in asked
                ]
                for item in asked:
                    if not item.events:
                        row = {"connection": item.connection, "at": item.now_us}
                        upsert(session, tables.heartbeats, [row], ["connection"])
        except BaseException as error:  # noqa: BLE001
            # Whoever waits is told; what was not committed is not acknowledged.
            for item in asked:
                item.done.set_exception(error)
            return
        for item, count in zip(asked, counts, strict=True):
            item.done.set_result(count)
