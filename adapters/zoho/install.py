"""Creating zixin's fields on Zoho's Accounts.

Source: v8 create-fields: at most 5 fields per call, 10 credits per field, labels of at most 25 characters; Zoho derives
the API name from the label, so it is read back and never assumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.common.field_plan import steps
from connector.assessment import OutputField
from connector.errors import Misconfigured
from connector.ports import Aspect, Described, Field, Growth, Step

FIELDS_A_CALL = 5
#: What of a field can be changed: a text area keeps the length that it was made with.
GROWABLE: frozenset[Aspect] = frozenset({"options", "label"})

#: Money is a double: a Zoho currency field is read in each account's own currency, and ours is in the base currency.
_TYPES = {
    "choice": "picklist",
    "choices": "multiselectpicklist",
    "number": "double",
    "money": "double",
    "day": "date",
    "text": "textarea",
}


def plan(described: Described, wanted: Sequence[OutputField]) -> tuple[Step, ...]:
    """One step a written field: create it, keep it, or say that another field stands under its label."""
    return steps(wanted, lambda item: _find_field(described, item), lambda item: item.shown.replace(" ", "_"), _TYPES)


def body(item: OutputField, readers: Sequence[str] = ()) -> dict[str, Any]:
    """A field as the API wants it; `readers`: ids of the profiles that may only read it."""
    result: dict[str, Any] = {
        "field_label": item.shown,
        "data_type": _TYPES[item.kind],
        "tooltip": {"name": "info_icon", "value": item.tip},
    }
    if readers:
        result["profiles"] = [{"id": profile, "permission_type": "read_only"} for profile in readers]
    if item.options:
        result["pick_list_values"] = [{"display_value": option, "actual_value": option} for option in item.options]
    if item.kind == "text":
        result["textarea"] = {"type": "small"}
        result["length"] = item.length
    if item.kind in ("number", "money"):
        result["decimal_place"] = item.places
    return result


def growing(growth: Growth) -> dict[str, Any]:
    """A field's change as the API wants it: options without an id are added, those that it has stay.

    Source: v8 update-custom-fields (custom fields' labels; not the length or kind of a text area); Kaizen 205.
    """
    result: dict[str, Any] = {"id": growth.field.id}
    if growth.label:
        result["field_label"] = growth.label
    if growth.options:
        result["pick_list_values"] = [{"display_value": option, "actual_value": option} for option in growth.options]
    return result


def check(host: str, results: Sequence[Mapping[str, Any]]) -> None:
    """Raises for the first field that Zoho did not make or change; one that is there already is fine."""
    for row in results:
        if row.get("status") != "success" and row.get("code") != "DUPLICATE_DATA":
            raise Misconfigured("E-CRM-ANSWER", host=host, detail=f"{row.get('code')} when making a field")


def unchanged(host: str, growths: Sequence[Growth], results: Sequence[Mapping[str, Any]]) -> dict[str, Misconfigured]:
    """`Written.name` → why Zoho did not change the field; one result a field, in their order."""
    result = {}
    for number, growth in enumerate(growths):
        row = results[number] if number < len(results) else {}
        if row.get("status") != "success":
            detail = f"{row.get('code') or 'no result'} when changing {growth.field.name}"
            result[growth.item.name] = Misconfigured("E-CRM-ANSWER", host=host, detail=detail)
    return result


def names(described: Described, wanted: Sequence[OutputField]) -> Mapping[str, str]:
    """`Written.name` → Zoho's API name, of the fields that are there with the right type."""
    result = {item.name: _find_field(described, item) for item in wanted}
    return {name: field.name for name, field in result.items() if field is not None}


def _find_field(described: Described, item: OutputField) -> Field | None:
    """By the name that we know it by, whatever its label is; else by its label."""
    result = next((field for field in described.fields if item.field and field.name == item.field), None)
    labels = (item.shown, item.en, item.zh)
    return result or next((field for field in described.fields if field.label in labels), None)


def others(profiles: Sequence[Mapping[str, Any]], own: str) -> list[str]:
    """Ids of the profiles that are neither the administrators' nor our user's.

    Source: v8 get-profiles; the administrators' profile cannot be edited, and bears that name in every edition.
    """
    return [str(row["id"]) for row in profiles if str(row.get("name")) not in ("Administrator", own)]


def profile_of(user: Mapping[str, Any]) -> str:
    """Name of a user's profile."""
    profile = user.get("profile")
    return str(profile.get("name")) if isinstance(profile, dict) else ""
