"""What the simulated org makes of a write: validated as a real one does, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.salesforce.simulator.org import Meta, Org

_LOCK = "unable to obtain exclusive access to this record"


def wrong_with(org: Org, name: str, record: str, values: Mapping[str, Any]) -> tuple[str, str, list[str]] | None:
    """statusCode, message and fields of what is wrong with an update; None: it is taken."""
    table = org.table(name)
    if record not in table.records:
        return "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []
    if org.locks.get(record, 0) > 0:
        org.locks[record] -= 1
        return "UNABLE_TO_LOCK_ROW", f"{_LOCK}: {record}", []
    for key, value in values.items():
        meta = table.fields.get(key)
        if meta is None or not meta.granted:
            return "INVALID_FIELD", f"No such column '{key}' on sobject of type {name}", []
        if not meta.updateable:
            return "INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {key}", [key]
        told = _misfit(meta, value)
        if told:
            return *told, [key]
    if record in org.rules:
        return "FIELD_CUSTOM_VALIDATION_EXCEPTION", "; ".join(org.rules[record]), []
    return None


def update(org: Org, name: str, record: str, values: Mapping[str, Any]) -> str:
    """Updates a record; what is wrong, as a bulk result words it, or nothing."""
    wrong = wrong_with(org, name, record, values)
    if wrong is None:
        org.change(name, record, {key: kept(org, name, key, value) for key, value in values.items()})
        return ""
    return f"{wrong[0]}:{wrong[1]}:{' '.join(wrong[2])}"


def kept(org: Org, name: str, key: str, value: Any) -> Any:
    """A value as the field keeps it: numbers rounded to its decimals, an empty text as null."""
    meta = org.table(name).fields[key]
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-meta.scale))
    return None if value == "" else value


def _misfit(meta: Meta, value: Any) -> tuple[str, str] | None:
    if value is None:
        return None
    if meta.type in ("double", "currency"):
        return _no_number(meta, value)
    if meta.type in ("picklist", "multipicklist") and meta.options:
        for part in str(value).split(";"):
            if part not in meta.options:
                return "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"bad value for restricted picklist field: {part}"
    elif meta.type == "date":
        try:
            date.fromisoformat(str(value))
        except ValueError:
            return "JSON_PARSER_ERROR", f"Cannot deserialize instance of date from value {value}"
    elif meta.type in ("string", "textarea") and len(str(value)) > meta.length:
        return "STRING_TOO_LONG", f"{meta.label}: data value too large (max length={meta.length})"
    return None


def _no_number(meta: Meta, value: Any) -> tuple[str, str] | None:
    if not isinstance(value, Decimal | int):
        return "JSON_PARSER_ERROR", f"Cannot deserialize instance of double from value {value}"
    if len(str(int(value)).lstrip("-")) > 18 - meta.scale:
        return "NUMBER_OUTSIDE_VALID_RANGE", f"{meta.label}: value outside of valid range"
    return None
