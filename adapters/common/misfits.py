"""One bad record, one reject: what cannot be read is narrowed down to its record, and the others go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import polars as pl

from adapters.common.documents import TOO_DEEP, plain
from connector.faults import FAULTS
from connector.ports import UNNAMED, Gone, Misfit

R = TypeVar("R")

#: Characters of an object's text that are kept, to show what stood there.
_MOST = 200


def framed(
    records: Sequence[R], build: Callable[[Sequence[R]], pl.DataFrame], name: Callable[[R], Any]
) -> tuple[pl.DataFrame, tuple[Misfit, ...]]:
    """The frame of all records that `build` can read, and the others. A record without an id is one of the latter.

    `build`: columns out: id and others, a row or more a record. `name`: what a record says its id is.
    """
    frame, misfits = _narrowed(records, build, name)
    unnamed = frame["id"].is_null() | frame["id"].is_in(["", TOO_DEEP])
    if unnamed.any():
        rows = records if frame.height == len(records) else frame.rows()
        misfits += [Misfit(_called(rows[at]), "id", None, "no_id") for at in unnamed.arg_true()]
        frame = frame.filter(~unnamed)
    return frame, tuple(misfits)


def not_shown(
    records: Sequence[str], frame: pl.DataFrame, misfits: Sequence[Misfit], gone: Sequence[Gone] = ()
) -> tuple[Gone, ...]:
    """Those that were asked for and are in none of these: the CRM has them no more."""
    shown = {*frame["id"], *(misfit.record for misfit in misfits), *(each.record for each in gone)}
    return tuple(Gone(record, "deleted") for record in records if record not in shown)


def _narrowed(
    records: Sequence[R], build: Callable[[Sequence[R]], pl.DataFrame], name: Callable[[R], Any]
) -> tuple[pl.DataFrame, list[Misfit]]:
    try:
        return build(records), []
    except FAULTS as fault:
        if not records:
            raise
        if len(records) == 1:
            return build([]), [_misfit(records[0], name, fault)]
    half = len(records) // 2
    first, some = _narrowed(records[:half], build, name)
    second, others = _narrowed(records[half:], build, name)
    return pl.concat([first, second]), some + others


def _misfit(record: Any, name: Callable[[Any], Any], fault: BaseException) -> Misfit:
    try:
        told = name(record)
    except FAULTS:
        told = None
    reason = "not_text" if isinstance(fault, UnicodeError) else "unreadable"
    if not isinstance(told, str | int) or isinstance(told, bool) or told == "":
        return Misfit(_called(record), "id", None, "no_id" if told is None else reason)
    if isinstance(fault, UnicodeError) and not _is_text(str(told)):
        return Misfit(_called(record), "id", None, reason)
    return Misfit(str(told), "", None, reason)


def _is_text(text: str) -> bool:
    return text.encode("utf-8", "ignore").decode() == text


def _called(record: Any) -> str:
    """A name for a record that has none: the same one each time that it comes."""
    return UNNAMED + hashlib.sha256(repr(record).encode("utf-8", "backslashreplace")).hexdigest()[:12]


def nested_text(value: Any) -> str:
    """The text of an object where a plain value belongs: kept, so that the cast rejects it and shows it."""
    try:
        return json.dumps(value, ensure_ascii=False, default=_text)[:_MOST]
    except RecursionError:
        return TOO_DEEP


def _text(value: Any) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def lookup_id(value: Mapping[str, Any], key: str) -> Any:
    """The id of a lookup, or the text of an object that is none."""
    return value[key] if value.get(key) is not None else nested_text(value) if value else None
