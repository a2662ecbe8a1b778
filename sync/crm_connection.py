"""One connection, put together: its CRM, its mapping, what its organisation says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from connector.errors import Misconfigured
from connector.ports import Organisation, Reads
from mappings.left_out import Unread
from mappings.load import Mapping

#: Between the CRM's clock and ours, no day is certain.
_APART = timedelta(days=1)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class CrmConnection:
    """A named CRM of a profile."""

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

    def now(self) -> datetime:
        """When something happens here (aware, UTC). The CRM's own clock, `crm.now()`, is for what the CRM dates."""
        return self.clock()

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


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware instant."""
    return round(moment.timestamp() * 1_000_000)
