"""What `zixin serve` does beside answering calls: the drain, polling and the night, in one process.

Events, polls and the night work on one store and one connection; the night takes the profile's run lock, and whoever
writes into the CRM the push lease.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connector.errors import Problem
from connector.ports import Reads, WebhookSource
from connector.schema import day_number
from sync import feeds, inbox
from sync.crm_connection import micros
from sync.drain import Drained, drain, poll
from sync.inbox import InboxWriter
from sync.locks import run_lock, serve_lease
from sync.push import push
from sync.run import run
from sync.store import outbox
from zixin import compose
from zixin.compose import Workspace
from zixin.config import connections, settings
from zixin.services import metrics
from zixin.services.intake import Intake, Ready, WebhookRoute

log = logging.getLogger("zixin.serve")

#: An event that is not committed within so long will not be acknowledged in time.
_COMMIT_S = 5.0
#: Longest pause between two looks at the inbox.
_IDLE_S = 5.0
#: A channel is renewed when this much of its life has passed.
_RENEW_AT = 0.8
#: Before a system that cannot call is looked at once more.
_A_DAY_S = 86_400.0
#: Closed events are known for so long, so that a late repetition is still one.
_KEPT_S = 7 * 86_400
#: Seconds between two tries of what was left behind.
_PUSH_AGAIN_S = 10.0
#: Seconds between two looks whether a feed is back.
_AFTER_OUTAGE_S = 60.0
#: Problems that are no fault of ours are waited out for so long before the next look.
_AFTER_PROBLEM_S = 5.0


@dataclass(slots=True)
class Serving:
    """One connection, served."""

    profile: str
    workspace: Workspace
    poll_s: float = 0.0
    #: HH:MM in the policy's time zone; empty: no night of our own.
    nightly: str = ""
    #: Where the CRM can reach us; empty: nowhere.
    public_url: str = ""
    #: Whether a flood of customers who fall waits for a person.
    braked: bool = True
    _stop: threading.Event = field(default_factory=threading.Event)
    _wake: threading.Event = field(default_factory=threading.Event)
    _clerk: InboxWriter | None = None
    _threads: list[threading.Thread] = field(default_factory=list)
    #: Not before this instant of the monotonic clock is what was left behind tried again.
    _push_again: float = 0.0

    def start(self) -> Intake:
        """Start the threads; where calls are handed in."""
        self._clerk = InboxWriter(self.workspace.store)
        metrics.STALLED.set_function(self._stalled_s)
        link = self.workspace.link
        verify = link.crm.verify if isinstance(link.crm, WebhookSource) else None
        routes = {link.name: WebhookRoute(link.name, self.workspace.secrets, verify)}
        for name, feed in link.feeds.items():
            verify = feed.crm.verify if isinstance(feed.crm, WebhookSource) else None
            routes[name] = WebhookRoute(name, feed.secrets, verify, of=link.name)
        loops = [self._drain, *([self._poll] if self.poll_s else []), *([self._night] if self.nightly else [])]
        loops += [self.renew] if self.public_url else []
        loops += [self._catch_up] if link.feeds else []
        for loop in loops:
            waker = self._wake if loop == self._drain else self._stop
            thread = threading.Thread(target=self._kept_alive, args=(loop, waker), name=loop.__name__, daemon=True)
            thread.start()
            self._threads.append(thread)
        return Intake(routes, self._clerk, self._wake.set)

    def stop(self) -> None:
        """End the threads; what is in work is finished."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(timeout=30)
        metrics.STALLED.set_function(lambda: 0.0)
        if self._clerk is not None:
            self._clerk.close()

    def ready(self) -> Ready:
        """Whether an event can be committed now, and what becomes of those that are."""
        name, now = self.workspace.link.name, micros(_now())
        try:
            if self._clerk is None:
                return Ready(False, 0, 0, threads=False)
            self._clerk.beat(name, now).result(timeout=_COMMIT_S)
            can_commit = True
        except (Problem, TimeoutError):
            can_commit = False
        alive = all(thread.is_alive() for thread in self._threads)
        try:
            with self.workspace.store.read(name) as session:
                counts, stalled = inbox.count_by_state(session), inbox.stalled_s(session, now)
        except Problem:
            return Ready(False, 0, 0, alive)
        metrics.WAITING.set(counts["waiting"])
        metrics.DEAD.set(counts["dead"])
        return Ready(can_commit, counts["waiting"], counts["dead"], alive, round(stalled, 1))

    def _stalled_s(self) -> float:
        with self.workspace.store.read(self.workspace.link.name) as session:
            return inbox.stalled_s(session, micros(_now()))

    def _kept_alive(self, loop: Callable[[], float], waker: threading.Event) -> None:
        """Runs a loop's turns; each says how long to wait for the next one, unless its waker is set before."""
        while not self._stop.is_set():
            wait = _AFTER_PROBLEM_S
            try:
                wait = loop()
            except Problem as problem:
                log.warning("%s: %s", loop.__name__, problem.code)
            except Exception as error:  # noqa: BLE001
                # Its text may hold anything, personal data too; where it happened does not.
                log.error("%s: %s at %s", loop.__name__, type(error).__name__, _where(error))  # noqa: TRY400
            waker.wait(wait)
            if waker is not self._stop:
                waker.clear()

    def _drain(self) -> float:
        workspace = self.workspace
        started = time.perf_counter()
        done = drain(
            workspace.store,
            workspace.link,
            workspace.policy,
            language=workspace.language,
            clock=_now,
            braked=self.braked,
        )
        if done.closed or done.put_off or done.held:
            metrics.TURN.observe(time.perf_counter() - started)
            self._told("drain", done)
        elif time.monotonic() >= self._push_again:
            self._push_what_is_left()
        with workspace.store.read(workspace.link.name) as session:
            following = inbox.next_at(session)
        if following is None:
            return _IDLE_S
        return min(_IDLE_S, max(0.0, (following - micros(_now())) / 1_000_000))

    def _push_what_is_left(self) -> None:
        """Write what a kill, a storm or a pause left behind, without waiting for the next event."""
        with self.workspace.store.read(self.workspace.link.name) as session:
            left = outbox.pending(session)
        if left:
            self._push_again = time.monotonic() + _PUSH_AGAIN_S
            pushed = push(self.workspace.store, self.workspace.link)
            metrics.OUTPUT_FIELDS.inc(pushed.written)
            log.info("left over: written %d, deferred %d", pushed.written, pushed.deferred)

    def _catch_up(self) -> float:
        """Read what a feed has to tell that could not be read when it was its turn."""
        if feeds.any_is_back(self.workspace.store, self.workspace.link):
            self._poll()
        return _AFTER_OUTAGE_S

    def _poll(self) -> float:
        done = poll(
            self.workspace.store,
            self.workspace.link,
            self.workspace.policy,
            language=self.workspace.language,
            braked=self.braked,
        )
        if done.scored:
            self._told("poll", done)
        return self.poll_s

    def _told(self, what: str, done: Drained) -> None:
        metrics.CLOSED.inc(done.closed)
        metrics.OUTPUT_FIELDS.inc(done.pushed.written)
        if done.held:
            log.warning("%s: %d customers would fall within an hour and wait for approve", what, done.held)
        if done.waits:
            log.warning("%s: %d customers wait until a run with what the release changed is approved", what, done.waits)
        if done.put_off:
            metrics.PUT_OFF.labels(done.problem or "E-RECORD-UNSEEN").inc(done.put_off)
        log.info(
            "%s: closed %d, put off %d, scored %d, written %d",
            what,
            done.closed,
            done.put_off,
            len(done.scored),
            done.pushed.written,
        )

    def _night(self) -> float:
        zone = ZoneInfo(self.workspace.policy.calendar.time_zone)
        if not await_hour(self.nightly, lambda: datetime.now(zone), self._stop.wait):
            return 0.0
        workspace = self.workspace
        with run_lock(settings.profile_folder(self.profile), self.profile):
            ran = run(
                workspace.store,
                workspace.link,
                workspace.policy,
                day_number(workspace.link.today(ask=True)),
                language=workspace.language,
            )
        log.info(
            "night %s: %s, assessed %d, written %d", ran.run_id, ran.state, ran.assessed.height, ran.pushed.written
        )
        with workspace.store.write(workspace.link.name) as session:
            inbox.forget(session, micros(_now() - timedelta(seconds=_KEPT_S)))
        return 1.0

    def renew(self) -> float:
        """Subscribe to what the mapping reads; seconds until it is to be done again."""
        link = self.workspace.link
        wait = self._subscribed(link.name, link.crm, self.workspace.secrets, "")
        for name, feed in link.feeds.items():
            try:
                wait = min(wait, self._subscribed(name, feed.crm, feed.secrets, name))
            except Problem as problem:
                log.warning("%s: not subscribed: %s", name, problem.code)
                wait = min(wait, _AFTER_PROBLEM_S)
        return wait

    def _subscribed(self, name: str, crm: Reads, secrets: Sequence[str], feed: str) -> float:
        """Subscribe to one system; seconds until it is to be done again."""
        mapping = self.workspace.link.mapping
        own = [
            key for key, part in mapping.sources.items() if mapping.feed_of(key) == feed and part.owner() is not None
        ]
        said = mapping.feeds[feed].customers if feed else None
        objects = sorted({mapping.bare_object(key) for key in own} | ({said.object} if said else set()))
        url = f"{self.public_url.rstrip('/')}/hooks/{name}"
        if not isinstance(crm, WebhookSource) or not secrets:
            log.warning("%s cannot call us when something changes: it is asked every --poll", name)
            return _A_DAY_S
        until, now = crm.subscribe(url, secrets[0], objects), crm.now()
        life = (until - now).total_seconds()
        log.info("subscribed to %d objects of %s until %s", len(objects), name, until.isoformat(timespec="minutes"))
        return max(60.0, life * _RENEW_AT)


def _where(error: BaseException) -> str:
    """The trace from the innermost call outwards: file, line and function, and no values."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return ", ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)


def _now() -> datetime:
    return datetime.now(UTC)


#: Between two looks at the clock, which somebody may have set meanwhile.
_LOOK_S = 300.0


def await_hour(hour: str, now: Callable[[], datetime], wait: Callable[[float], bool]) -> bool:
    """Waits until the next HH:MM of the clock; False: `wait`, which takes seconds, was interrupted.

    A clock that is set meanwhile counts from then on: set back by a day, the hour is not awaited for one.
    """
    then = now() + timedelta(seconds=seconds_until(hour, now()))
    while (left := (then - now()).total_seconds()) > 0:
        if wait(min(left, _LOOK_S)):
            return False
        at = now()
        then = then if then <= at else min(then, at + timedelta(seconds=seconds_until(hour, at)))
    return True


def seconds_until(hour: str, now: datetime) -> float:
    """Seconds from an aware instant to the next HH:MM of its zone."""
    hours, minutes = (int(part) for part in hour.split(":"))
    then = now.replace(hour=hours, minute=minutes, second=0, microsecond=0)
    if then <= now:
        then = (then + timedelta(days=1)).replace(hour=hours, minute=minutes)
    return (then - now).total_seconds()


@contextmanager
def serving(profile: str, workspace: Workspace, **how: Any) -> Iterator[tuple[Serving, Intake]]:
    """Serves a connection while the block runs: the threads, and where calls are handed in.

    Raises Busy: another process serves the profile.
    """
    result = Serving(profile, workspace, **how)
    with serve_lease(settings.profile_folder(profile), profile):
        intake = result.start()
        try:
            yield result, intake
        finally:
            with suppress(Problem):
                result.stop()


@contextmanager
def serving_profile(profile: str, **how: Any) -> Iterator[tuple[Serving, Intake]]:
    """Opens a profile and serves it while the block runs; a connection without a secret gets one.

    Raises as `serving` does; Denied: the CRM lacks our fields, or hides them.
    """
    for name, config in connections.read(profile).items():
        if not config.secrets:
            connections.new_secret(profile, rotate=False, of=name)
    with compose.open_workspace(profile, keep=True) as workspace:
        compose.check_fields(workspace)
        with serving(profile, workspace, **how) as made:
            yield made
