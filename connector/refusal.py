"""What is left to write where a CRM refuses a value: the account's other fields, as far as they may stand alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from connector.assessment import OUTPUT_FIELDS, OutputField
from connector.plan import Values, normalise
from connector.ports import Described, Field

_ITEMS = {item.name: item for item in OUTPUT_FIELDS}
#: The grade and the hold; and the fields that say of what day they are and why, which without them would vouch for
#: what the CRM still shows.
VOUCHED, VOUCHING = frozenset({"rating", "hold"}), frozenset({"rated_on", "reasons"})


@dataclass(frozen=True, slots=True)
class Remainder:
    """What can still be written of an account's values, and the fields that cannot. Names are canonical."""

    values: Values
    refused: tuple[str, ...]
    #: Texts that are cut to what their field holds.
    cut: tuple[str, ...] = ()


def misfits(values: Values, fields: Mapping[str, str], described: Described) -> tuple[str, ...]:
    """Fields whose value the CRM's field, as described, does not take; `fields`: canonical name → the CRM's."""
    there = {field.name: field for field in described.fields}
    return tuple(name for name, value in values.items() if not _takes(_ITEMS[name], there.get(fields[name]), value))


def suspects(values: Values, fields: Mapping[str, str], described: Described) -> tuple[str, ...]:
    """As `misfits`, of an account of which something was refused; where all fits, choices whose fields list no options.

    Such a field is a text, or one whose options are gone.
    """
    if names := misfits(values, fields, described):
        return names
    there = {field.name: field for field in described.fields}
    return tuple(
        name
        for name, value in values.items()
        if value is not None and _ITEMS[name].kind == "choice" and not there[fields[name]].options
    )


def remainder(values: Values, wrong: Collection[str], fields: Mapping[str, str], described: Described) -> Remainder:
    """What is left of the values without those that are wrong.

    A text that is only too long is cut to what its field holds. Nothing is left where no field remains that is worth a
    call of its own.
    """
    there = {field.name: field for field in described.fields}
    cut = {
        name: text for name in wrong if (text := _shortened(name, values[name], there.get(fields[name]))) is not None
    }
    refused = tuple(name for name in values if name in wrong and name not in cut)
    left = {name: cut.get(name, value) for name, value in without(values, refused).items()}
    worth = any(_ITEMS[name].role != "passenger" for name in left)
    return Remainder(left if worth else {}, refused, tuple(cut))


def lasting(values: Values, fields: Mapping[str, str], described: Described) -> tuple[str, ...]:
    """Fields that the CRM, as described, will not take; a text that is only too long is cut, and not among them."""
    wrong = misfits(values, fields, described)
    return remainder(values, wrong, fields, described).refused if wrong else ()


def without(values: Values, refused: Collection[str]) -> Values:
    """The values that may stand without those fields."""
    gone = {*refused, *(VOUCHING if VOUCHED & set(refused) else ())}
    return {name: value for name, value in values.items() if name not in gone}


def likeness(fields: Mapping[str, str], described: Described) -> str:
    """A hash over which fields are written, and what the CRM says of them; `fields`: canonical name → the CRM's."""
    there = {field.name: field for field in described.fields}
    shapes = [
        (name, own, field and [field.type, field.writable, field.options, field.length, field.places])
        for name, own in sorted(fields.items())
        for field in [there.get(own)]
    ]
    return hashlib.sha256(json.dumps(shapes).encode()).hexdigest()[:16]


def _takes(item: OutputField, field: Field | None, value: str | None) -> bool:
    if field is None or not field.writable:
        return False
    if value is None:
        return True
    if item.kind in ("choice", "choices"):
        parts = value.split(";") if item.kind == "choices" else [value]
        # A field that lists no options may be a text.
        return not field.options or all(part in field.options for part in parts)
    return item.kind != "text" or field.length is None or len(value) <= field.length


def _shortened(name: str, value: str | None, field: Field | None) -> str | None:
    """The text as its field holds it; None: it is no text, or its length is not what is wrong with it."""
    item = _ITEMS[name]
    if item.kind != "text" or value is None or field is None or not field.writable or field.length is None:
        return None
    if len(value) <= field.length:
        return None
    return (normalise(item, value) or "")[: field.length].rstrip() or None
