"""A service that speaks zixin's own REST format. Source: docs/rest-api.yaml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from adapters.declarative.simulator.system import System, application, reply, route
from adapters.registry import Simulated
from adapters.simulation.books import books

_LISTS = ("accounts", "invoices", "payments", "credit_notes", "rates")
#: Fields that zixin may set, beside those that it makes.
_TYPES = ("choice", "choices", "number", "money", "day", "text")


def simulated(tables: Mapping[str, pl.DataFrame], currency: str, ahead_s: float) -> Simulated:
    """Filled with canonical tables."""
    return filled(tables, currency, ahead_s)[1]


def filled(tables: Mapping[str, pl.DataFrame], currency: str, ahead_s: float) -> tuple[System, Simulated]:
    """The records too, for who changes them."""
    system = System(currency, ahead_s=ahead_s)
    fill(system, tables)
    return system, serve(system)


def serve(system: System) -> Simulated:
    """The service over these records."""
    fields = "/v1/{object}/fields"
    routes = [
        route(system, "/v1/company", _of(system, _company), "GET", "company"),
        route(system, "/v1/accounts", _of(system, _patch), "PATCH", "write", writes=True),
        route(system, "/v1/{object}", _of(system, _list), "GET", "list"),
        route(system, fields, _of(system, _fields), "GET", "fields"),
        route(system, fields, _of(system, _field), "POST", "fields"),
        route(system, f"{fields}/{{field}}", _of(system, _change_field), "PATCH", "fields"),
        route(system, f"{fields}/{{field}}", _of(system, _no_field), "DELETE", "fields"),
    ]
    return Simulated(
        application(system, routes), lambda origin: {"base_url": f"{origin}/v1", "token": system.token},
        system.control_token,
    )  # fmt: skip


def fill(system: System, tables: Mapping[str, pl.DataFrame]) -> None:
    """Ids of the service are its own: an account_id becomes the account's number."""
    results = books(tables)
    accounts = {key: f"a{number:07d}" for number, key in enumerate(results.accounts)}
    invoices = {key: f"i{number:07d}" for number, key in enumerate(results.receivables)}
    for name in _LISTS:
        system.objects[name], system.fields[name] = {}, {}
    for key, row in results.accounts.items():
        limit = results.limits.get(key, {})
        system.put("accounts", accounts[key], {
            "id": accounts[key], "number": row["number"] or key, "name": row["name"], "tax_id": row["tax_id"],
            "parent_id": accounts.get(row["parent_id"] or ""), "owner_id": row["owner_id"], "country": row["country"],
            "industry": row["industry"], "currency": row["currency"] or limit.get("currency"), "since": row["since"],
            "natural_person": bool(row["natural_person"]), "agreed_limit": limit.get("amount"),
            "agreed_limit_until": limit.get("valid_until"),
        })  # fmt: skip
    for key, row in results.receivables.items():
        system.put("invoices", invoices[key], {
            "id": invoices[key], "account_id": accounts[row["account_id"]], "number": row["number"] or key,
            **{name: row[name] for name in ("issued", "due", "original_due", "amount", "currency", "disputed_on",
                                            "dispute_closed_on", "voided_on")},
        })  # fmt: skip
    for each in results.rates:
        key = f"{each['currency']}-{each['base']}-{each['day']}"
        system.put("rates", key, {"id": key, **{name: each[name] for name in ("currency", "base", "day", "rate")}})
    keys = ("paid_on", "amount", "currency", "kind", "instrument", "matures_on", "cleared_on", "bounced_on")
    _settle(system, results.payments, "payments", results, accounts, invoices, keys)
    _settle(
        system,
        results.adjustments,
        "credit_notes",
        results,
        accounts,
        invoices,
        ("booked_on", "amount", "currency", "kind"),
    )


def _settle(
    system: System, rows: Mapping[str, Any], name: str, told: Any, accounts: Mapping[str, str],
    invoices: Mapping[str, str], keys: tuple[str, ...],
) -> None:  # fmt: skip
    for number, (key, row) in enumerate(rows.items()):
        text = f"{name[0]}{number:07d}"
        parts = [{"invoice_id": invoices[claim], "amount": part} for claim, part in told.applied.get(key, [])]
        values = {each: row[each] for each in keys}
        owner = accounts[row["account_id"]]
        system.put(name, text, {"id": text, "number": key, "account_id": owner, **values, "applied": parts})


def _of(system: System, answer: Any) -> Any:
    async def call(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {system.token}":
            return reply(system, {"error": "unknown token"}, 401)
        name = request.path_params.get("object", "accounts")
        if name not in system.objects:
            return reply(system, {"error": "no such list"}, 404)
        response: Response = answer(system, name, request, await request.body())
        return response

    return call


def _company(system: System, name: str, request: Request, body: bytes) -> Response:  # noqa: ARG001
    return reply(system, {"name": "Simulated Ltd", "currency": system.currency})


def _list(system: System, name: str, request: Request, body: bytes) -> Response:  # noqa: ARG001
    query_params = request.query_params
    since = query_params.get("changed_since")
    ids, owners = query_params.get("id"), query_params.get("account_id")
    rows = dict(system.objects[name])
    if since:
        at = datetime.fromisoformat(since)
        rows = {key: row for key, row in rows.items() if datetime.fromisoformat(row["modified_at"]) >= at}
        marks = {key: when for key, when in system.gone.get(name, {}).items() if when >= at}
        rows |= {key: {"id": key, "deleted": True, "modified_at": when.isoformat()} for key, when in marks.items()}
    if ids is not None:
        names = set(ids.split(","))
        rows = {key: row for key, row in rows.items() if key in names}
    if owners is not None:
        names = set(owners.split(","))
        rows = {key: row for key, row in rows.items() if row.get("account_id") in names}
    limit = min(int(query_params.get("limit", system.most)), system.most)
    keys = sorted(key for key in rows if key > query_params.get("after", ""))
    return reply(system, {"data": [rows[key] for key in keys[:limit]], "more": len(keys) > limit})


def _fields(system: System, name: str, request: Request, body: bytes) -> Response:  # noqa: ARG001
    rows = [{"name": key, "read_only": False, **row} for key, row in system.fields[name].items()]
    first = next(iter(system.objects[name].values()), {})
    plain = [{"name": key, "label": key, "type": "text", "options": [], "read_only": True} for key in first]
    items = {row["name"] for row in rows}
    return reply(system, {"fields": rows + [row for row in plain if row["name"] not in items]})


def _field(system: System, name: str, request: Request, body: bytes) -> Response:  # noqa: ARG001
    payload = json.loads(body)
    if payload.get("type") not in _TYPES or not payload.get("name"):
        return reply(system, {"error": "type or name"}, 400)
    kept = ("label", "description", "type", "options", "places", "length")
    system.fields[name][payload["name"]] = {key: payload.get(key) for key in kept}
    return reply(system, {"name": payload["name"]}, 201)


def _change_field(system: System, name: str, request: Request, body: bytes) -> Response:
    """Label, options, length: those that are told; an option that any record holds stays."""
    field = system.fields[name].get(request.path_params["field"])
    if field is None:
        return reply(system, {"error": f"no field {request.path_params['field']}"}, 404)
    if words := system.rules.get(request.path_params["field"]):
        return reply(system, {"error": "; ".join(words)}, 409)
    document = {key: value for key, value in json.loads(body).items() if key in ("label", "options", "length")}
    if set(field["options"] or ()) - set(document.get("options", field["options"]) or ()):
        return reply(system, {"error": "options cannot be taken away"}, 409)
    field.update(document)
    return reply(system, {"name": request.path_params["field"]})


def _no_field(system: System, name: str, request: Request, body: bytes) -> Response:  # noqa: ARG001
    field = request.path_params["field"]
    if system.fields[name].pop(field, None) is None:
        return reply(system, {"error": f"no field {field}"}, 404)
    for row in system.objects[name].values():
        row.pop(field, None)
    return reply(system, {"name": field})


def _patch(system: System, name: str, request: Request, body: bytes) -> Response:  # noqa: ARG001
    results = []
    for item in json.loads(body, parse_float=str, parse_int=str)["records"]:
        wrong = _wrong(system, name, item)
        if not wrong:
            system.put(name, item["id"], item["values"])
        results.append({"id": item["id"], "ok": not wrong, **({"error": wrong} if wrong else {})})
    return reply(system, {"results": results})


def _wrong(system: System, name: str, item: Mapping[str, Any]) -> str:
    if item["id"] not in system.objects[name]:
        return "no such record"
    if item["id"] in system.rules:
        return "; ".join(system.rules[item["id"]])
    for key, value in item["values"].items():
        meta = system.fields[name].get(key)
        if meta is None:
            return f"no field {key}"
        if meta["type"] in ("number", "money") and value is not None and not _number(value):
            return f"{key}: {value} is no number"
        parts = [value] if meta["type"] == "choice" else value if meta["type"] == "choices" else []
        lacking = [part for part in parts or () if part is not None and part not in (meta["options"] or ())]
        if lacking:
            return f"{key}: {lacking[0]} is no option"
        if meta["type"] == "text" and value is not None and len(value) > int(meta["length"] or 255):
            return f"{key}: longer than {meta['length']} characters"
    return ""


def _number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
