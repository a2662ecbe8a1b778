"""Zoho's JSON ↔ text: one lexical form a field, whichever way it came."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from adapters.common import misfits
from adapters.common.documents import document, plain, shape
from adapters.common.http import HttpResponse
from connector.errors import Retry
from connector.ports import Misfit

#: Numbers keep the digits they came with.
_decode = msgspec.json.Decoder(float_hook=str).decode
#: Documented as "no content" and "not modified since". Source: v8 status-codes.
_NONE = (204, 304)
_PLAIN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
#: Types whose values are JSON numbers. Source: v8 fields metadata, data_type.
_NUMBERS = ("currency", "double", "integer", "bigint", "percent")


def records(answer: HttpResponse, key: str = "data") -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Records and `info` of an answer; 204 is no records. Raises Retry: no JSON, or the list is not there."""
    if answer.status in _NONE and not answer.body:
        return [], {}
    try:
        whole = _decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # One record may be what it breaks at.
        whole = _by_record(answer.body)
    if not isinstance(whole, dict) or not isinstance(whole.get(key), list):
        raise Retry("E-CRM-ENVELOPE", host="Zoho", object=key, place=key, found=shape(whole))
    info = whole.get("info")
    return whole[key], info if isinstance(info, dict) else {}


def _by_record(body: bytes) -> Any:
    try:
        return document(body)
    except ValueError:
        raise Retry("E-CRM-GARBLED", host="Zoho") from None


def page(answer: HttpResponse, name: str) -> tuple[list[dict[str, Any]], bool]:
    """Records of one page, and whether there are more. Raises Retry: it does not say so, or says so without a row."""
    rows, info = records(answer)
    more = info.get("more_records") if rows or info else False
    if not isinstance(more, bool):
        raise Retry("E-CRM-ENVELOPE", host="Zoho", object=name, place="info.more_records", found="{}")
    if more and not rows:
        raise Retry("E-CRM-INCOMPLETE", host="Zoho", object=name, read=0, total="more")
    return rows, more


def framed(rows: Sequence[Any], fields: Sequence[str]) -> tuple[pl.DataFrame, tuple[Misfit, ...]]:
    """Text columns id, modified_at and the fields, null where a record has none; and records that cannot be read."""
    return misfits.framed(rows, lambda some: frame(some, fields), lambda row: row["id"])


def frame(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> pl.DataFrame:
    """Text columns: id, modified_at and the fields; null where a record has none."""
    columns = {"id": [text(row["id"]) for row in rows], "modified_at": [text(row.get("Modified_Time")) for row in rows]}
    columns |= {name: [text(row.get(name)) for row in rows] for name in fields}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def text(value: Any) -> str | None:
    """A value as text: a lookup is its id, a multi-select its values joined by `;`."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return text(misfits.lookup_id(value, "id"))
    if isinstance(value, list):
        return ";".join(str(text(item)) for item in value if item is not None) or None
    return plain(value) if isinstance(value, Decimal) else str(value)


def wire(value: str | None, kind: str) -> Any:
    """A canonical text as Zoho wants it for a field of that type."""
    if value is None:
        return [] if kind == "multiselectpicklist" else None
    # What is no number goes as it is, for Zoho to refuse that one record.
    if kind in _NUMBERS and _PLAIN.fullmatch(value):
        return msgspec.Raw(value.encode())
    if kind == "multiselectpicklist":
        return value.split(";")
    return value
