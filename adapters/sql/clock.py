"""A column of modified times, whatever a database keeps them in: how an instant is compared with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Connection, case, func, select, types

from adapters.common.columns import autumn, unit_of
from adapters.common.watermark import SECONDS, UNKNOWN
from adapters.sql.database import Database
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


def clock_by_type(type_: types.TypeEngine[Any], zone: str, dialect: str) -> Clock | None:
    """The clock of a column whose type tells it; None: what it holds does (SQLite keeps times as text or numbers)."""
    if dialect == "sqlite":
        return None
    if isinstance(type_, types.DateTime):
        return _zoned() if type_.timezone else _bare(zone)
    return _daily(zone) if isinstance(type_, types.Date) else None


def _zoned() -> Clock:
    return Clock(lambda at: at)


def _bare(zone: str) -> Clock:
    return Clock(lambda at: _local(at, zone).replace(tzinfo=None), longer=autumn(zone))


def _daily(zone: str) -> Clock:
    return Clock(lambda at: _local(at, zone).date(), UNKNOWN)


def newest(database: Database, name: str, column: Column[Any], now: datetime) -> tuple[Any, int]:
    """The greatest value of a column whose type tells no time, and of numbers its units a second.

    A number beyond the next days stands for "never". Raises Misconfigured: its values are of several forms.
    """
    raw, ends = database.raw(column), (now + timedelta(days=3)).timestamp()
    forms: list[Any] = [func.typeof(raw)] if database.dialect == "sqlite" else []
    if isinstance(column.type, types.String) or database.dialect == "sqlite":
        # Behind the day a blank or a T; of a number some digit.
        forms.append(case((func.substr(raw, 5, 1) == "-", func.substr(raw, 11, 1)), else_=""))
    several = select(*forms).where(raw.is_not(None)).distinct().limit(2)

    def ask(connection: Connection) -> tuple[Any, int]:
        found = connection.execute(select(func.max(raw))).scalar_one()
        if forms and found is not None and len(connection.execute(several).all()) > 1:
            told = {"host": database.host, "table": name, "column": column.name}
            raise Misconfigured("E-TABLE-MODIFIED", **told, detail="its values are of several forms")
        if isinstance(found, bool) or not isinstance(found, int | float | Decimal):
            return found, 1
        for unit in (1, 10**3, 10**6, 10**9):
            query = select(func.max(raw)).where(raw.between(10**8 * unit, int(ends * unit)))
            if (most := connection.execute(query).scalar_one()) is not None:
                return most, unit
        return found, 1

    return database.ask(name, ask)


def clock_of(host: str, table: str, column: str, greatest: Any, zone: str, unit: int = 1) -> Clock | None:
    """The clock of a column by its greatest value, as the driver gives it; None: it holds nothing.

    `unit`: units a second, of numbers; `zone`: IANA, of times that bear none; empty: UTC. Raises Misconfigured: the
    value is no time.
    """
    match greatest:
        case None:
            return None
        case datetime() if greatest.tzinfo:
            return _zoned()
        case datetime():
            return _bare(zone)
        case date():
            return _daily(zone)
        case int() | Decimal() | float() if not isinstance(greatest, bool) and greatest >= 10**8:
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
    if found[3] and int(found[4] or 0) * 60 + int(found[5] or 0):
        detail = "text with an offset, which does not sort as its times do where the offset changes"
        raise Misconfigured("E-TABLE-MODIFIED", host=host, table=table, column=column, detail=detail)
    if found[2] or found[3]:
        return Clock(lambda at: at.strftime(form))
    return Clock(lambda at: _local(at, zone).strftime(form), longer=autumn(zone))


def _local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone) if zone else UTC)
