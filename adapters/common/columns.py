"""Columns of text as a page has them, whatever kept them: databases and lakes give the same facts in many forms.

Numbers come as plain decimals, yes and no as `true` and `false`, times as ISO instants with offset. A time without a
zone is one of the declared zone; where none is declared it is its day as it stands, and so is one of midnight: that is
how databases keep days in columns of times.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

#: What a column holds, as far as its text differs by that.
Shape = Literal["flag", "time", "day", "float", "padded", "text"]

#: A day and a time, apart by a blank or a T, with the offset where one is given.
_TIME = r"^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?(?::\d{2})?$"
#: How PostgreSQL writes a bound that is none.
_ENDLESS = ["infinity", "-infinity"]
_EXPONENT = re.compile(r"[+-]?[0-9.]+[eE][+-]?[0-9]+")
#: Characters of a day, and a time behind it that no endless bound or year before Christ is.
_DAY = len("2026-01-05")
_PLAIN = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_BARE = rf"{_PLAIN}(\.\d+)?$"
_TRUE, _FALSE = ["t", "true", "1", "1.0"], ["f", "false", "0", "0.0"]


def shaped(frame: pl.DataFrame, shapes: Mapping[str, Shape], zone: str) -> pl.DataFrame:
    """Columns of text as the page has them, by their shapes; what none is given stays as it is."""
    made: list[pl.Expr | pl.Series] = []
    for name, shape in shapes.items():
        text = pl.col(name)
        match shape:
            case "flag":
                low = text.str.to_lowercase()
                yes, no = low.is_in(_TRUE), low.is_in(_FALSE)
                made.append(
                    pl.when(yes).then(pl.lit("true")).when(no).then(pl.lit("false")).otherwise(text).alias(name)
                )
            case "time":
                made.append(_spelled(frame[name]) if _in_utc(frame[name]) else _time(text, zone).alias(name))
            case "day":
                made.append(pl.when(~text.is_in(_ENDLESS)).then(text).alias(name))
            case "padded":
                made.append(text.str.strip_chars_end(" ").alias(name))
            case "float":
                made.append(_plain(frame[name]))
            case _:
                pass
    return frame.with_columns(made)


def stamped(texts: pl.Series, zone: str) -> pl.Series:
    """As `stamp`, of a whole column; that all of it is in UTC, as a session of ours asks for, is seen at once."""
    if _in_utc(texts):
        return _spelled(texts)
    some = texts.drop_nulls()
    if some.len() and bool(some.str.contains(_BARE).all()):
        bare = _in_zone(pl.col("t").str.replace(" ", "T", literal=True), zone or "UTC")
        return texts.to_frame("t").select(bare).to_series().alias(texts.name)
    return texts.to_frame("t").select(stamp(pl.col("t"), zone)).to_series().alias(texts.name)


def _in_utc(texts: pl.Series) -> bool:
    """Whether all are times as PostgreSQL writes them in UTC."""
    some = texts.drop_nulls()
    apart = some.str.slice(_DAY, 1) == " "
    return some.len() > 0 and bool((some.str.ends_with("+00") & apart & some.str.contains(_PLAIN)).all())


def _spelled(texts: pl.Series) -> pl.Series:
    frame = texts.to_frame("t")
    day, clock = pl.col("t").str.slice(0, _DAY), pl.col("t").str.slice(_DAY + 1)
    return frame.select(pl.concat_str(day, pl.lit("T"), clock, pl.lit(":00"))).to_series().alias(texts.name)


def stamp(text: pl.Expr, zone: str) -> pl.Expr:
    """Texts as instants with offset: times, days (their beginning), seconds since 1970 or parts of them.

    Null where it is none; `zone`: of those that bear none, UTC where it is empty.
    """
    parts = text.str.extract_groups(_TIME).struct
    day, clock = parts.field("1"), parts.field("2") + parts.field("3").fill_null(":00")
    bare = pl.coalesce(text.str.extract(r"^(\d{4}-\d{2}-\d{2})$") + "T00:00:00", day + "T" + clock)
    known = bare + _offset(parts.field("4"))
    number = pl.when(text.str.contains(r"^\d{9,19}(\.\d+)?$")).then(text.cast(pl.Float64, strict=False))
    return pl.coalesce(known, _in_zone(bare, zone or "UTC"), _since_1970(number))


def autumn(zone: str) -> timedelta:
    """The hour that comes twice a year, of a zone whose clocks go back; nothing of others."""
    if not zone:
        return timedelta(0)
    offsets = {datetime(2025, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7)}
    return timedelta(hours=len(offsets) - 1)


def unit_of(value: float) -> int:
    """Units a second of a number that counts them since 1970, by its size: 1, 10^3, 10^6 or 10^9."""
    return next((unit for unit in (1, 10**3, 10**6) if value < 10**11 * unit), 10**9)


def _since_1970(number: pl.Expr) -> pl.Expr:
    # Of a number of this size a float is exact to the microsecond.
    micros = pl.lit(None, pl.Float64)
    for unit in (10**9, 10**6, 10**3, 1):
        micros = pl.when(number < 10**11 * unit).then(number * (10**6 / unit)).otherwise(micros)
    return micros.cast(pl.Int64).cast(pl.Datetime("us", "UTC")).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00")


def _time(text: pl.Expr, zone: str) -> pl.Expr:
    parts = text.str.extract_groups(_TIME).struct
    day, clock = parts.field("1"), parts.field("2") + parts.field("3").fill_null(":00")
    offset = _offset(parts.field("4"))
    midnight = clock.str.contains(r"^00:00:00(\.0+)?$")
    bare = day + "T" + clock
    without = pl.when(midnight).then(day).otherwise(_in_zone(bare, zone) if zone else day)
    endless = text.is_in(_ENDLESS)
    return (
        pl.when(endless)
        .then(pl.lit(None, pl.String))
        .when(day.is_null())
        .then(text)
        .when(offset.is_null())
        .then(pl.coalesce(without, text))
        .otherwise(bare + offset)
    )


def _offset(text: pl.Expr) -> pl.Expr:
    """As an ISO instant has it; null where there is none."""
    plain = text.str.replace("^Z$", "+00:00").str.replace(r"^([+-]\d{2})$", "${1}:00")
    return plain.str.replace(r"^([+-]\d{2})(\d{2})$", "${1}:${2}")


def _in_zone(bare: pl.Expr, zone: str) -> pl.Expr:
    """The instant of a time of that zone; of an hour that comes twice in autumn, the first."""
    at = bare.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    there = at.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    # An hour that spring skips is that of the time before it.
    there = pl.coalesce(
        there, at.dt.offset_by("1h").dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    )
    return there.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00")


def _plain(texts: pl.Series) -> pl.Series:
    """Numbers without exponents."""
    odd = texts.filter(texts.str.contains("[eE]")).unique().to_list()
    return texts.replace({each: f"{Decimal(each):f}" for each in odd if _EXPONENT.fullmatch(each)}) if odd else texts
