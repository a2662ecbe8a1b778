"""Calls from CRMs and other systems: verified over their raw bytes, and committed before they are acknowledged."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapters.common import standard_webhooks
from connector.errors import Untrusted
from connector.ports import UNNAMED_EVENT, Event, VerifiedCall
from sync.crm_connection import micros
from sync.inbox import InboxWriter
from zixin.services import metrics

#: Calls with a bare token that are worked on in an hour; what comes beyond waits for the next one.
TOKEN_CALLS_AN_HOUR = 100
_HOUR_S = 3_600
#: Events that wait for so long without one being closed are a fault: of the CRM, or of ours.
STALLED_S = 600.0


@dataclass(slots=True)
class WebhookRoute:
    """One connection as the door knows it."""

    name: str
    #: Secrets that count now, the newest first.
    secrets: Sequence[str]
    #: The CRM's own format; None: it has none.
    verify: Callable[[Mapping[str, str], bytes, Sequence[str]], VerifiedCall] | None
    #: The connection whose inbox its events go to; empty: its own. A feed's go to that of the CRM it feeds.
    of: str = ""
    #: Instants of calls with a bare token within the hour.
    tokens: deque[float] = field(default_factory=deque)

    def not_before(self, now: float) -> float:
        """When a call with a bare token is worked on; 0: at once."""
        while self.tokens and self.tokens[0] <= now - _HOUR_S:
            self.tokens.popleft()
        self.tokens.append(now)
        return 0.0 if len(self.tokens) <= TOKEN_CALLS_AN_HOUR else now + _HOUR_S


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that was verified."""

    call: VerifiedCall
    #: How many of its events were new, once they are committed; raises Problem where they cannot be.
    fresh: Future[int]


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether events are taken in (`ready`: one could be committed just now) and worked on."""

    ready: bool
    waiting: int
    dead: int
    #: Everything that works on events is alive.
    threads: bool
    #: Seconds for which nothing was closed while something waited.
    stalled_s: float = 0.0

    @property
    def works(self) -> bool:
        """Events are worked on."""
        return self.threads and self.stalled_s < STALLED_S


@dataclass(frozen=True, slots=True)
class Intake:
    """Where calls are handed in."""

    #: Connection → as the door knows it.
    routes: Mapping[str, WebhookRoute]
    writer: InboxWriter
    #: Called after new events.
    wake: Callable[[], None]

    def take(self, connection: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Taken:
        """Verify a call, `headers` in lower case, and hand its events in. Raises Untrusted, with nothing handed in."""
        route = self.routes.get(connection)
        if route is None:
            raise Untrusted("E-HOOK-SECRET")
        try:
            call = _verified(route, headers, body, now)
        except Untrusted as problem:
            metrics.REFUSED.labels(problem.code).inc()
            raise
        later = 0.0 if call.signed else route.not_before(now.timestamp())
        events = [_of_feed(event, route.name) for event in call.events] if route.of else call.events
        return Taken(call, self.writer.submit(route.of or route.name, events, micros(now), round(later * 1_000_000)))

    def committed(self, taken: Taken, fresh: int) -> None:
        """Count a call whose events are committed, and say that there is work."""
        metrics.ACCEPTED.inc(fresh)
        metrics.REPEATED.inc(len(taken.call.events) - fresh)
        if fresh:
            self.wake()


def _of_feed(event: Event, feed: str) -> Event:
    """The event as the mapping names its object, under an id that no other system gives."""
    bare = event.event_id.removeprefix(UNNAMED_EVENT)
    unnamed = UNNAMED_EVENT if bare != event.event_id else ""
    return replace(event, object=f"{feed}:{event.object}", event_id=f"{unnamed}{feed}:{bare}")


def _verified(route: WebhookRoute, headers: Mapping[str, str], body: bytes, now: datetime) -> VerifiedCall:
    if standard_webhooks.is_ours(headers):
        return standard_webhooks.verify(headers, body, route.secrets, now)
    if route.verify is None:
        raise Untrusted("E-HOOK-HEADERS")
    return route.verify(headers, body, route.secrets)
