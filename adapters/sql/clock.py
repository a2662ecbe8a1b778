"""A column of modified times, whatever a database keeps them in: how an instant is compared with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from adapters.common.columns import unit_of
from adapters.common.watermark import SECONDS, UNKNOWN
from connector.errors import Misconfigured

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T])\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:(Z)|([+-])(\d{2})(?::?(\d{2}))?)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"\d{9,19}(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Clock:
    """How times are kept in one column."""

    #: An instant (aware, of a whole second) as the column has it.
    value: Callable[[datetime], Any]
    #: How a settled read begins: of days, one day may bring more.
    step: timedelta = SECONDS
    #: What a window that is read again takes beside its own length: an hour that comes twice a year.
    longer: timedelta = timedelta(0)


def clock_of(host: str, table: str, column: str, greatest: Any, zone: str) -> Clock | None:
    """The clock of a column by its greatest value, as the driver gives it; None: it holds nothing.

    `zone`: IANA, of times that bear none; empty: UTC. Raises Misconfigured: the value is no time.
    """
    match greatest:
        case None:
            return None
        case datetime() if greatest.tzinfo:
            return Clock(lambda at: at)
        case datetime():
            return Clock(lambda at: _local(at, zone).replace(tzinfo=None), longer=_longer(zone))
        case date():
            return Clock(lambda at: _local(at, zone).date(), UNKNOWN)
        case int() | Decimal() | float() if not isinstance(greatest, bool) and greatest >= 10**8:
            unit = unit_of(float(greatest))
            return Clock(lambda at: int(at.timestamp()) * unit)
        case str():
            return _of_words(host, table, column, greatest.strip(), zone)
    raise Misconfigured("E-TABLE-MODIFIED", host=host, table=table, column=column, detail=type(greatest).__name__)


def _of_words(host: str, table: str, column: str, greatest: str, zone: str) -> Clock:
    """Text that sorts as its times do: all of one form."""
    if _NUMBER.fullmatch(greatest):
        unit = unit_of(float(greatest))
        return Clock(lambda at: str(int(at.timestamp()) * unit))
    if _DAY.fullmatch(greatest):
        return Clock(lambda at: _local(at, zone).date().isoformat(), UNKNOWN)
    found = _ISO.fullmatch(greatest)
    if found is None:
        detail = "text that is no ISO time"
        raise Misconfigured("E-TABLE-MODIFIED", host=host, table=table, column=column, detail=detail)
    form = f"%Y-%m-%d{found[1]}%H:%M:%S"
    if found[2] or found[3]:
        minutes = int(found[4] or 0) * 60 + int(found[5] or 0)
        offset = timezone(timedelta(minutes=-minutes if found[3] == "-" else minutes))
        return Clock(lambda at: at.astimezone(offset).strftime(form))
    return Clock(lambda at: _local(at, zone).strftime(form), longer=_longer(zone))


def _local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone) if zone else UTC)


def _longer(zone: str) -> timedelta:
    """Of a zone whose clocks go back in autumn, that hour."""
    if not zone:
        return timedelta(0)
    offsets = {datetime(2025, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7)}
    return timedelta(hours=len(offsets) - 1)
