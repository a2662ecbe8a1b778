"""One connection, put together: its CRM, its mapping, what its organisation says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from connector.ports import Organisation, Reads
from mappings.load import Mapping


@dataclass(frozen=True, slots=True)
class CrmConnection:
    """A named CRM of a profile."""

    name: str
    crm: Reads
    mapping: Mapping
    organisation: Organisation
    #: IANA zone that business days are counted in.
    time_zone: str = "UTC"

    def today(self) -> date:
        """The business day, by the CRM's clock."""
        return self.crm.now().astimezone(ZoneInfo(self.time_zone)).date()


def instant(micros: int) -> datetime:
    """The instant (aware, UTC) of microseconds since 1970 UTC."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware instant."""
    return round(moment.timestamp() * 1_000_000)
