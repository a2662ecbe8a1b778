"""Records as flat text columns: one lexical form a field, whatever the system's JSON looks like."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from adapters.common.documents import DEEPEST, TOO_DEEP, plain
from adapters.common.misfits import lookup_id
from adapters.declarative import select
from adapters.declarative.models import FieldRule, Object

_TAG = re.compile(r"<[^>]*>")
_DAY = 10


def frame(records: Sequence[Any], item: Object, fields: Sequence[str], zone: str) -> pl.DataFrame:
    """Text columns: id, modified_at and the fields; null where a record has none."""
    columns: dict[str, list[str | None]] = {
        "id": [text(select.first(item.id, record)) for record in records],
        "modified_at": [modified(item, record, zone) for record in records],
    }
    columns |= {name: [value(item.fields.get(name), name, record, zone) for record in records] for name in fields}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def value(rule: FieldRule | None, name: str, record: Any, zone: str) -> str | None:
    """A field's text: by its rule, else the record's own key of that name, else a dotted way into it."""
    if rule is None:
        match = record.get(name) if isinstance(record, Mapping) else None
        if match is None and "." in name:
            match = select.first(f"$.{name}", record)
        return text(match)
    match = text(select.first(rule.path, record))
    if match is None or not match:
        return None
    if rule.time is not None:
        match = iso(match, rule.time, zone)
    if rule.day:
        match = match[:_DAY]
    if rule.shift or rule.negate:
        match = _shifted(match, rule.shift, negate=rule.negate)
    if rule.percent is not None:
        return _share(match, text(select.first(rule.percent, record)))
    return html.unescape(_TAG.sub("", match)).strip() if rule.html else match


def text(found: Any, depth: int = 0) -> str | None:
    """A value as text: a lookup is its id, a list its values joined by `;`."""
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, Mapping):
        return text(lookup_id(found, "id"), depth + 1) if depth < DEEPEST else TOO_DEEP
    if isinstance(found, list):
        if depth >= DEEPEST:
            return TOO_DEEP
        return ";".join(str(text(each, depth + 1)) for each in found if each is not None) or None
    return plain(found) if isinstance(found, Decimal) else str(found)


def modified(item: Object, record: Any, zone: str) -> str | None:
    """When a record changed, as an ISO instant with offset; null where it does not say, or says no time."""
    if item.modified is None:
        return None
    match = text(select.first(item.modified, record))
    if not match:
        return None
    return iso(match, item.since.format if item.since else "iso8601", zone)


def iso(found: str, form: str, zone: str) -> str:
    """A time in that form as an ISO instant with offset; one that cannot be read stays as it is, to be rejected."""
    try:
        if form in ("epoch_s", "epoch_ms"):
            seconds = float(found) / (1000 if form == "epoch_ms" else 1)
            return datetime.fromtimestamp(seconds, UTC).isoformat()
        at = datetime.fromisoformat(found) if form == "iso8601" else datetime.strptime(found, form)  # noqa: DTZ007
    except (ValueError, OverflowError, OSError):
        return found
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).isoformat()


def instant(at: datetime, form: str, zone: str) -> str:
    """An instant as a system wants it in a filter."""
    if form == "epoch_s":
        return str(int(at.timestamp()))
    if form == "epoch_ms":
        return str(round(at.timestamp() * 1000))
    if form == "iso8601":
        return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return at.astimezone(ZoneInfo(zone)).strftime(form)


def _share(found: str, percent: str | None) -> str | None:
    """That share of an amount; null where nobody says which."""
    try:
        return plain(Decimal(found) * Decimal(percent) / 100) if percent else None
    except ArithmeticError:
        return found


def _shifted(found: str, places: int, *, negate: bool) -> str:
    try:
        return plain(Decimal(found).scaleb(places) * (-1 if negate else 1))
    except ArithmeticError:
        return found
