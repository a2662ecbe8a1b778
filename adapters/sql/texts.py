"""Values as a driver gives them, as text without loss; and text as a value of a column's own type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import types

from adapters.common.columns import Shape


def shape_of(type_: types.TypeEngine[Any]) -> Shape:
    """The shape of a column's type; a type that nobody knows is text."""
    if isinstance(type_, types.Boolean):
        return "flag"
    if isinstance(type_, types.DateTime | types.TIMESTAMP):
        return "time"
    if isinstance(type_, types.CHAR):
        # Filled up with blanks that mean nothing.
        return "padded"
    if isinstance(type_, types.Date):
        return "day"
    if isinstance(type_, types.Float):
        return "float"
    return "text"


def text_of(value: Any) -> str | None:
    """One value as a driver gives it, as text."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case float():
            return f"{Decimal(repr(value)):f}"
        case datetime():
            return value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case _:
            return str(value)


def texts(values: Sequence[Any]) -> list[str | None]:
    """A column of values as text."""
    kinds = {type(value) for value in values}
    if kinds <= {str, type(None)}:
        return list(values)
    if kinds == {int}:
        return list(map(str, values))
    return [text_of(value) for value in values]


def like(type_: types.TypeEngine[Any], text: str) -> Any:
    """The text as a value of the column's own type: a database compares no number with a text. None: it is none."""
    try:
        kind = type_.python_type
    except NotImplementedError:
        return text
    try:
        if issubclass(kind, bool):
            return {"true": True, "t": True, "false": False, "f": False}.get(text)
        if issubclass(kind, datetime | date | time):
            return kind.fromisoformat(text)
        if issubclass(kind, bytes):
            return bytes.fromhex(text)
        if issubclass(kind, int):
            # A number that its column cannot hold is in no row.
            bits = 15 if isinstance(type_, types.SmallInteger) else 63 if isinstance(type_, types.BigInteger) else 31
            return int(text) if -(2**bits) <= int(text) < 2**bits else None
        if issubclass(kind, Decimal | UUID):
            return kind(text)
        if issubclass(kind, float):
            return float(text)
    except (ValueError, ArithmeticError):
        return None
    return None if issubclass(kind, list | dict | timedelta) else text
