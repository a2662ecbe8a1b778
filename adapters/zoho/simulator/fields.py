"""Fields of the simulated Zoho's modules: listed, made, changed and deleted.

Source: v8 fields metadata, create-custom-fields, update-custom-fields (five a call; a custom field's label and options,
never its kind nor the length of a text area), delete-field; Kaizen 205 (an option without an id is added).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from adapters.zoho.simulator.org import FieldMeta, Org
from adapters.zoho.simulator.reply import answer, body_of, error

_ids = count(100_001)
#: Characters of a label.
_LABEL = 25


async def fields(org: Org, request: Request) -> Response:
    """All of a module's; POST makes up to five, PATCH changes up to five of its custom ones."""
    module = org.modules.get(request.query_params.get("module", ""))
    if module is None:
        return error(400, "INVALID_MODULE", "The module name given seems to be invalid")
    if request.method == "GET":
        return answer({"fields": [meta.shown(org.profiles) for meta in (*module.fields.values(), *module.stamps())]})
    wanted = (await body_of(request)).get("fields") or []
    if len(wanted) > 5:
        return error(400, "LIMIT_EXCEEDED", "only five fields a call", limit=5)
    making = _made if request.method == "POST" else _changed
    results = [making(module.fields, item) for item in wanted]
    good = sum(result["status"] == "success" for result in results)
    whole = 201 if request.method == "POST" else 200
    return answer({"fields": results}, whole if good == len(results) else 207 if good else 400)


def _made(fields: dict[str, FieldMeta], item: Mapping[str, Any]) -> dict[str, Any]:
    label = str(item.get("field_label") or "")
    if not 0 < len(label) <= _LABEL:
        return _invalid("field_label", maximum_length=_LABEL)
    if any(meta.label == label for meta in fields.values()):
        return _invalid("field_label", code="DUPLICATE_DATA")
    # An API name holds ASCII letters, digits and underscores; what Zoho makes of other labels is not documented.
    name = re.sub(r"[^A-Za-z0-9_]", "", label.replace(" ", "_")) or f"field{len(fields)}"
    while name in fields:
        name += "1"
    options = tuple(str(option["actual_value"]) for option in item.get("pick_list_values") or ())
    length = int(item.get("length") or (2000 if item["data_type"] == "textarea" else 255))
    field_meta = FieldMeta(
        name, label, str(item["data_type"]), length, options=options, id=f"487687600{next(_ids):010}"
    )
    field_meta.custom = True
    field_meta.tip = str((item.get("tooltip") or {}).get("value") or "")
    field_meta.places = item.get("decimal_place")
    field_meta.access = {str(each["id"]): str(each["permission_type"]) for each in item.get("profiles") or ()}
    fields[name] = field_meta
    return {
        "code": "SUCCESS",
        "details": {"id": field_meta.id},
        "message": "field created",
        "status": "success",
    }


def _changed(fields: dict[str, FieldMeta], item: Mapping[str, Any]) -> dict[str, Any]:
    """A custom field's label, and its options: one without an id is added, those that are not named stay."""
    meta = next((each for each in fields.values() if each.custom and each.id == item.get("id")), None)
    if meta is None:
        return _invalid("id")
    label = str(item.get("field_label", meta.label))
    if not 0 < len(label) <= _LABEL:
        return _invalid("field_label", maximum_length=_LABEL)
    if any(each.label == label for each in fields.values() if each is not meta):
        return _invalid("field_label", code="DUPLICATE_DATA")
    if item.get("data_type", meta.type) != meta.type or ("length" in item and meta.type == "textarea"):
        return _invalid("data_type" if "data_type" in item else "length")
    added = [str(each["actual_value"]) for each in item.get("pick_list_values") or () if "id" not in each]
    if set(added) & set(meta.options):
        return _invalid("pick_list_values", code="DUPLICATE_DATA")
    meta.label, meta.options = label, (*meta.options, *added)
    return {"code": "SUCCESS", "details": {"id": meta.id}, "message": "field updated", "status": "success"}


def _invalid(name: str, code: str = "INVALID_DATA", **more: Any) -> dict[str, Any]:
    message = "duplicate data" if code == "DUPLICATE_DATA" else "invalid data"
    return {"code": code, "details": {"api_name": name, **more}, "message": message, "status": "error"}


async def delete(org: Org, request: Request) -> Response:
    """A custom field goes with its values; a standard one cannot. Source: v8 delete-field."""
    module = org.modules.get(request.query_params.get("module", ""))
    field_metas = (
        [meta for meta in module.fields.values() if meta.custom and meta.id == request.path_params["field"]]
        if module
        else []
    )
    if module is None or not field_metas:
        return error(400, "INVALID_DATA", "the id given seems to be invalid", id=request.path_params["field"])
    del module.fields[field_metas[0].api_name]
    for row in module.records.values():
        row.pop(field_metas[0].api_name, None)
    details = {"id": field_metas[0].id}
    document = {"code": "SUCCESS", "details": details, "message": "field deleted successfully", "status": "success"}
    return answer({"fields": [document]})
