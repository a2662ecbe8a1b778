"""Strict casts: text columns under canonical names → a canonical table, and the rows that do not fit.

Whole columns at once. A row that does not fit goes to the rejects with its record, column, value and reason; nothing
is guessed, and nothing is lost.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from connector import money
from connector.instants import moment
from connector.schema import DTYPES, Column, Table

#: Columns of rejects: the record the row came from (an id, or a line of a file), table, column, value, reason code.
REJECTS = pl.Schema(
    {"record": pl.String, "table": pl.String, "column": pl.String, "value": pl.String, "reason": pl.String}
)

#: Kinds whose text is figures.
_FIGURES = ("money", "rate", "day", "instant", "count", "ratio")
#: Signs and points that stand beside digits that are not ASCII.
_SIGNS = {"\uff0b": "+", "\uff0d": "-", "\u2212": "-", "\uff0e": ".", "\u066b": "."}

#: Digits behind the point that decide a minor unit: four at most (ISO 4217), and the one that rounds.
_FRACTION = 5


@dataclass(frozen=True, slots=True)
class Cast:
    """Rows that fit, with the table's columns, `record` and whatever else the input carried; and those that do not."""

    frame: pl.DataFrame
    rejects: pl.DataFrame


def cast(frame: pl.DataFrame, table: Table, zone: str = "UTC") -> Cast:
    """Columns in: `record`, and text or null under the table's column names; missing columns count as null.

    Text is stripped, empty text is null, a null takes the column's default; columns that the table does not know pass
    through untouched. An instant where a day belongs is that of the business day in the IANA zone; a day stays a day.
    """
    columns = table.columns
    frame = frame.with_columns(_cleaned(column, frame) for column in columns)
    frame = _in_ascii(frame, [column.name for column in columns if column.kind in _FIGURES])
    # Reading instants costs; nearly no day column holds one.
    days = [column.name for column in columns if column.kind == "day"]
    timed = (
        frame.select(pl.any_horizontal(pl.col(days).str.contains("T", literal=True).any())).item() if days else False
    )
    zone = zone if timed else ""
    values = frame.with_columns(
        *(_value(column, zone).alias(column.name) for column in columns),
        *(_reason(column, zone).alias(f"?{column.name}") for column in columns),
    )
    return _split(frame, values, table.name, table.names())


def _in_ascii(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Figures in ASCII: a full-width or Arabic digit, sign or point counts as what it is."""
    if not names or not frame.select(pl.any_horizontal(pl.col(names).str.contains(r"[^\x00-\x7F]").any())).item():
        return frame
    ascii_of = _ascii()
    return frame.with_columns(pl.col(names).str.replace_many(list(ascii_of), list(ascii_of.values())))


@cache
def _ascii() -> dict[str, str]:
    """Every decimal digit of Unicode, and the signs."""
    digits = (chr(code) for code in range(128, sys.maxunicode + 1) if chr(code).isdecimal())
    return {each: str(unicodedata.decimal(each)) for each in digits} | _SIGNS


def fitting(column: Column, values: Sequence[str]) -> int:
    """How many of these texts, none of them null, cast to the column's kind; an amount as of a currency of cents."""
    name, currency = column.name, {column.of: "USD"} if column.kind == "money" else {}
    frame = pl.DataFrame({name: values}, schema={name: pl.String})
    frame = frame.with_columns(pl.col(name).str.strip_chars(), **{key: pl.lit(code) for key, code in currency.items()})
    frame = _in_ascii(frame, [name] if column.kind in _FIGURES else [])
    wrong = _wrong(column, pl.col(name), "UTC")
    return frame.height if wrong is None else int(frame.select(wrong.is_null().sum()).item())


def rejected(frame: pl.DataFrame, table: str, column: str, reason: str) -> pl.DataFrame:
    """Rejects of all rows of a frame that has `record` and that column."""
    value = pl.col(column).cast(pl.Date) if frame.schema[column] == DTYPES["day"] else pl.col(column)
    return frame.select(
        pl.col("record"),
        pl.lit(table).alias("table"),
        pl.lit(column).alias("column"),
        value.cast(pl.String).alias("value"),
        pl.lit(reason).alias("reason"),
    )


def _split(texts: pl.DataFrame, values: pl.DataFrame, table: str, names: tuple[str, ...]) -> Cast:
    marks = [f"?{name}" for name in names]
    bad = pl.any_horizontal(pl.col(mark).is_not_null() for mark in marks)
    fits = values.filter(~bad).drop(marks)
    if fits.height == values.height:
        return Cast(fits, REJECTS.to_frame())
    wrong = values.select(pl.col("record"), *marks).with_columns(texts.select(list(names))).filter(bad)
    rejects = [
        wrong.filter(pl.col(f"?{name}").is_not_null()).select(
            pl.col("record"),
            pl.lit(table).alias("table"),
            pl.lit(name).alias("column"),
            pl.col(name).alias("value"),
            pl.col(f"?{name}").alias("reason"),
        )
        for name in names
    ]
    return Cast(fits, pl.concat(rejects))


def _cleaned(column: Column, frame: pl.DataFrame) -> pl.Expr:
    if column.name not in frame.columns:
        return pl.lit(column.default, pl.String).alias(column.name)
    text = pl.col(column.name).cast(pl.String).str.strip_chars()
    text = pl.when(text != "").then(text)
    return (text if column.default is None else text.fill_null(column.default)).alias(column.name)


def _value(column: Column, zone: str) -> pl.Expr:
    text = pl.col(column.name)
    match column.kind:
        case "money":
            return _minor(text, pl.col(column.of))
        case "rate":
            return _rate(text)
        case "day":
            return _day(text, zone)
        case "instant":
            return _instant(text)
        case "flag":
            return text.str.to_lowercase() == "true"
        case "count" | "ratio":
            return text.cast(DTYPES[column.kind], strict=False)
        case _:
            return text


def _reason(column: Column, zone: str) -> pl.Expr:
    text = pl.col(column.name)
    wrong = _wrong(column, text, zone)
    then = pl.when(text.is_null()).then(pl.lit(None if column.null is not None else "empty", pl.String))
    return then if wrong is None else then.otherwise(wrong)


def _wrong(column: Column, text: pl.Expr, zone: str) -> pl.Expr | None:
    """Reason of a non-null text that does not fit, or null; None where every text fits."""
    match column.kind:
        case "money":
            plain = text.str.contains(r"^[+-]?[0-9]+(\.[0-9]*)?$")
            too_large = _minor(text, pl.col(column.of)).is_null()
            return pl.when(~plain).then(pl.lit("not_an_amount")).when(too_large).then(pl.lit("too_large"))
        case "rate":
            return pl.when(_rate(text).is_null()).then(pl.lit("not_a_number"))
        case "day":
            return pl.when(_day(text, zone).is_null()).then(pl.lit("not_a_day"))
        case "instant":
            return pl.when(_instant(text).is_null()).then(pl.lit("not_an_instant"))
        case "flag":
            return pl.when(~text.str.to_lowercase().is_in(["true", "false"])).then(pl.lit("not_a_flag"))
        case "count" | "ratio":
            return pl.when(text.cast(DTYPES[column.kind], strict=False).is_null()).then(pl.lit("not_a_number"))
        case "choice":
            return pl.when(~text.is_in(list(column.options))).then(pl.lit("not_an_option"))
        case "currency":
            return pl.when(~text.str.contains("^[A-Z]{3}$")).then(pl.lit("not_a_currency"))
        case _:
            return None


def _minor(text: pl.Expr, currency: pl.Expr) -> pl.Expr:
    """Minor units, half up; null beyond 10^15 or without a number."""
    parts = text.str.extract_groups(r"^([+-]?)0*([0-9]{1,15})(?:\.([0-9]*))?$").struct
    power = currency.replace_strict(
        list(money.EXPONENTS), [10**places for places in money.EXPONENTS.values()], default=100, return_dtype=pl.Int64
    )
    unit = pl.lit(10**_FRACTION, pl.Int64) // power
    fraction = (parts.field("3").fill_null("") + "0" * _FRACTION).str.slice(0, _FRACTION).cast(pl.Int64)
    whole = parts.field("2").cast(pl.Int64)
    minor = whole * power + (fraction + unit // 2) // unit
    signed = pl.when(parts.field("1") == "-").then(-minor).otherwise(minor)
    return pl.when((whole < money.TOO_MUCH // power) & (minor < money.TOO_MUCH)).then(signed)


def _rate(text: pl.Expr) -> pl.Expr:
    """Units of 10^-12; null unless a positive plain decimal below nine million."""
    parts = text.str.extract_groups(r"^\+?([0-9]{1,7})(?:\.([0-9]*))?$").struct
    scale = money.RATE_SCALE
    fraction = (parts.field("2").fill_null("") + "0" * scale).str.slice(0, scale).cast(pl.Int64)
    whole = parts.field("1").cast(pl.Int64)
    rate = pl.when(whole < 9_000_000).then(whole * 10**scale + fraction)
    return pl.when(rate > 0).then(rate)


def _day(text: pl.Expr, zone: str) -> pl.Expr:
    """Days since 1970; null unless YYYY-MM-DD of 1900 to 2199, or an instant with its offset (no zone: none)."""
    condition = text.str.contains(r"^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}($|T)")
    plain = text.str.to_date("%Y-%m-%d", strict=False)
    day = plain if not zone else pl.coalesce(plain, moment(text).dt.convert_time_zone(zone).dt.date())
    return pl.when(condition).then(day).cast(pl.Int32)


def _instant(text: pl.Expr) -> pl.Expr:
    """Microseconds since 1970 UTC; null unless ISO with an offset."""
    return moment(text).cast(pl.Int64)
