"""One connection, put together: its CRM, its mapping, what its organisation says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Mapping_
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from connector.errors import Misconfigured, Problem
from connector.ports import Organisation, Page, Reads
from mappings.left_out import Unread
from mappings.load import Mapping
from sync.store.ties import How

#: Between the CRM's clock and ours, no day is certain.
_APART = timedelta(days=1)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Feed:
    """Another system of the same company, which is only read."""

    name: str
    crm: Reads
    #: Secrets of its hook that count, the newest first.
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def organisation(self) -> Organisation:
        """Who uses it; asked once. Raises Problem: it cannot be reached."""
        return self.crm.organisation()


@dataclass(frozen=True, slots=True)
class CrmConnection:
    """A named CRM of a profile, and what feeds it."""

    name: str
    crm: Reads
    mapping: Mapping
    organisation: Organisation
    #: IANA zone that business days are counted in.
    time_zone: str = "UTC"
    #: What days and instants of ours are by: this machine's clock, or that of a simulator as it was declared.
    clock: Callable[[], datetime] = _now
    #: Fields of its objects, as they were last described, that no source reads.
    unread: tuple[Unread, ...] = ()
    #: Name → system that is read beside it.
    feeds: Mapping_[str, Feed] = field(default_factory=dict)

    def feed(self, source: str) -> Feed | None:
        """The feed that a source of the mapping lies in; None: the CRM."""
        name = self.mapping.feed_of(source)
        if not name:
            return None
        if name not in self.feeds:
            raise Misconfigured("E-FEED-NONE", feed=name, crm=self.name)
        return self.feeds[name]

    def reads(self, source: str) -> Reads:
        """The system that a source of the mapping lies in."""
        feed = self.feed(source)
        return self.crm if feed is None else feed.crm

    def read(self, source: str, cursor: str | None) -> Iterator[Page]:
        """As the port, by the source's name, wherever it lies."""
        return self.reads(source).read(self.mapping.source(source), cursor)

    def fetch(self, source: str, records: Sequence[str]) -> Iterator[Page]:
        """As the port, by the source's name, wherever it lies."""
        return self.reads(source).fetch(self.mapping.source(source), records)

    def ledger(self, source: str, by: str, customers: Sequence[str]) -> Iterator[Page]:
        """As the port, by the source's name, wherever it lies; customers as they are called there."""
        return self.reads(source).ledger(self.mapping.source(source), by, customers)

    def lacks(self, source: str, problem: Problem) -> bool:
        """Whether the problem is that its system has no such object, which the mapping calls optional."""
        return self.mapping.sources[source].optional and problem.code == "E-CRM-OBJECT"

    def organisation_of(self, source: str) -> Organisation:
        """Who uses the system that a source lies in; its home currency is that system's."""
        feed = self.feed(source)
        return self.organisation if feed is None else feed.organisation

    def tie(self, feed: str) -> How:
        """How a feed's customers are tied to accounts."""
        said = self.mapping.feeds[feed].customers
        return How(said is not None and said.account is not None, said is None or said.itself)

    def calls(self) -> dict[str, int]:
        """API → calls so far, those of a feed with its name before them."""
        own = dict(self.crm.spent.calls)
        return own | {
            f"{name}:{api}": n for name, feed in self.feeds.items() for api, n in feed.crm.spent.calls.items()
        }

    def now(self) -> datetime:
        """When something happens here (aware, UTC). The CRM's own clock, `crm.now()`, is for what the CRM dates."""
        return self.clock()

    def day_of(self, at: int) -> date:
        """The business day of microseconds since 1970 UTC."""
        return instant(at).astimezone(ZoneInfo(self.time_zone)).date()

    def today(self, *, ask: bool = False) -> date:
        """The business day, by our clock; `ask`: the CRM's is told by an answer of this moment, not by the last one.

        A process that waited for long has to ask: where our own clock was set meanwhile, an older answer moves with it.
        Raises Misconfigured: the CRM's is more than a day apart, so that one of them says another day than it is.
        """
        if ask:
            self.crm.organisation()
        ours, theirs = self.now(), self.crm.now()
        if abs(ours - theirs) > _APART:
            # One answer may come out of a cache, with the date of another day.
            self.crm.organisation()
            ours, theirs = self.now(), self.crm.now()
        if abs(ours - theirs) > _APART:
            texts = {name: at.isoformat(timespec="minutes") for name, at in (("ours", ours), ("theirs", theirs))}
            raise Misconfigured("E-CLOCK", name=self.name, **texts)
        return ours.astimezone(ZoneInfo(self.time_zone)).date()


def instant(micros: int) -> datetime:
    """The instant (aware, UTC) of microseconds since 1970 UTC."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


def iso(at: int | None) -> str | None:
    """The ISO instant, to the second, of microseconds since 1970 UTC; None of None."""
    return None if at is None else instant(at).isoformat(timespec="seconds")


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware instant."""
    return round(moment.timestamp() * 1_000_000)
