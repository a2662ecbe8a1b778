"""Writing records into the simulated Zoho: each row has a result of its own.

Source: v8 update-records and upsert-records: at most 100 records, 200 when all were taken, 207 mixed, 400 when none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from adapters.zoho.simulator.org import FieldMeta, Module, Org
from adapters.zoho.simulator.reply import answer, body_of, error

_MOST = 100
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBERS = ("currency", "double", "integer", "bigint", "percent")


async def update(org: Org, request: Request) -> Response:
    """`PUT /{module}`: by id."""
    return await _write(org, request, upsert=False)


async def upsert(org: Org, request: Request) -> Response:
    """`POST /{module}/upsert`: by id, else by the duplicate check fields, else a new record."""
    return await _write(org, request, upsert=True)


async def _write(org: Org, request: Request, *, upsert: bool) -> Response:
    module = org.modules.get(request.path_params["module"])
    if module is None:
        return error(400, "INVALID_MODULE", "the module name given seems to be invalid")
    body = await body_of(request)
    rows = body.get("data")
    if not isinstance(rows, list) or not rows:
        return error(400, "MANDATORY_NOT_FOUND", "required field not found", api_name="data")
    if len(rows) > _MOST:
        return error(400, "LIMIT_EXCEEDED", "at most a hundred records", limit=_MOST)
    checks = body.get("duplicate_check_fields") or []
    results = [_one(org, module, number, row, checks if upsert else None) for number, row in enumerate(rows)]
    good = sum(result["status"] == "success" for result in results)
    return answer({"data": results}, 200 if good == len(results) else 207 if good else 400)


def _one(org: Org, module: Module, number: int, row: Mapping[str, Any], checks: list[str] | None) -> dict[str, Any]:
    record = row.get("id")
    if record is None and checks is not None:
        record = _duplicate(module, row, checks)
    fault = _fault(module, number, row)
    if fault is not None:
        return fault
    if str(record) in org.rules:
        return _refused("INVALID_DATA", org.rules[str(record)], api_name="Phone", json_path=f"$.data[{number}].Phone")
    values = {name: value for name, value in row.items() if name in module.fields and not module.fields[name].read_only}
    if record in module.records:
        org.change(module.name, str(record), values)
        return _taken(module, str(record), "update" if checks is not None else None)
    if checks is None or row.get("id") is not None:
        return _refused(
            "INVALID_DATA", "the id given seems to be invalid", api_name="id", json_path=f"$.data[{number}].id"
        )
    if module.name == "Accounts" and not row.get("Account_Name"):
        return _refused("MANDATORY_NOT_FOUND", "required field not found", api_name="Account_Name")
    return _taken(module, org.create(module.name, values), "insert")


def _duplicate(module: Module, row: Mapping[str, Any], checks: list[str]) -> str | None:
    for name in checks:
        for key, stored in module.records.items():
            if row.get(name) is not None and stored.get(name) == row[name]:
                return key
    return None


def _taken(module: Module, record: str, action: str | None) -> dict[str, Any]:
    details = {"id": record, "Modified_Time": module.records[record]["Modified_Time"]}
    result = {"code": "SUCCESS", "details": details, "message": "record updated", "status": "success"}
    return result if action is None else {**result, "action": action}


def _refused(code: str, message: str, **details: Any) -> dict[str, Any]:
    return {"code": code, "details": details, "message": message, "status": "error"}


def _fault(module: Module, number: int, row: Mapping[str, Any]) -> dict[str, Any] | None:
    for name, value in row.items():
        meta = module.fields.get(name)
        wrong = None if meta is None or value is None else _wrong(meta, value)
        if wrong is not None:
            return _refused(
                "INVALID_DATA", "invalid data", api_name=name, json_path=f"$.data[{number}].{name}", **wrong
            )
    return None


def _wrong(meta: FieldMeta, value: Any) -> dict[str, Any] | None:
    """What Zoho says of a value that does not fit its field."""
    if meta.type in _NUMBERS:
        return {"expected_data_type": "double"} if isinstance(value, str | bool | list | dict) else None
    if meta.type == "multiselectpicklist":
        fits = isinstance(value, list) and (not meta.options or set(value) <= set(meta.options))
        return None if fits else {"expected_data_type": "jsonarray"}
    if meta.type == "picklist" and meta.options:
        return None if value in meta.options else {"expected_data_type": "picklist"}
    if meta.type == "date":
        return None if isinstance(value, str) and _DAY.fullmatch(value) else {"expected_data_type": "date"}
    if isinstance(value, str) and len(value) > meta.length:
        return {"maximum_length": meta.length}
    return None
