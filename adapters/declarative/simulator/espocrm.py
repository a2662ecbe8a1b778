"""A simulated EspoCRM: REST v1 over accounts and custom entities.

Source: docs.espocrm.com/development/api (maxSize, offset, orderBy, where with greaterThan, after, in; PUT of one
record; Metadata; fieldManager); measured on EspoCRM 8.4: more than 200 a page is a 403 with an empty body and its
reason in X-Status-Reason; a new field's name gets the prefix c; a value that does not validate is a 400. It says
nothing of deleted records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date
from decimal import Decimal
from typing import Any

import polars as pl
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.declarative.simulator.system import System, application, reply, route
from adapters.registry import Simulated
from adapters.simulation.books import Books, books

_STAMP = "%Y-%m-%d %H:%M:%S"
_LARGEST = 200
_ENTITIES = ("Account", "CInvoice", "CPayment", "CCreditNote")
_TYPES = ("enum", "multiEnum", "float", "date", "text", "varchar", "currency", "datetime", "link")


def simulated(tables: Mapping[str, pl.DataFrame], currency: str, ahead_s: float) -> Simulated:
    """Filled with canonical tables."""
    return filled(tables, currency, ahead_s)[1]


def filled(tables: Mapping[str, pl.DataFrame], currency: str, ahead_s: float) -> tuple[System, Simulated]:
    """The records too, for who changes them."""
    system = System(
        currency, stamped="modifiedAt", stamp_form=lambda at: at.astimezone(UTC).strftime(_STAMP), ahead_s=ahead_s
    )
    results = books(tables)
    fill(system, results)
    rates = {each["currency"]: each["rate"] for each in sorted(results.rates, key=lambda row: str(row["day"]))}

    def settings(system: System, request: Request, body: Any) -> Response:  # noqa: ARG001
        return reply(system, {"companyName": "Simulated Ltd", "baseCurrency": system.currency})

    def rate(system: System, request: Request, body: Any) -> Response:  # noqa: ARG001
        return reply(system, {system.currency: 1, **rates})

    def at(path: str, answer: Any, method: str, api: str, *, writes: bool = False) -> Route:
        return route(system, f"/api/v1{path}", _of(system, answer), method, api, writes=writes)

    routes = [
        at("/Settings", settings, "GET", "settings"),
        at("/CurrencyRate", rate, "GET", "rates"),
        at("/Metadata", _metadata, "GET", "metadata"),
        at("/Admin/fieldManager/{entity}", _field, "POST", "field"),
        at("/Admin/fieldManager/{entity}/{field}", _change_field, "PUT", "field"),
        at("/Admin/fieldManager/{entity}/{field}", _no_field, "DELETE", "field"),
        at("/Admin/rebuild", _rebuild, "POST", "rebuild"),
        at("/{entity}", _list, "GET", "list"),
        at("/{entity}/{record}", _get, "GET", "get"),
        at("/{entity}/{record}", _put, "PUT", "write", writes=True),
    ]
    result = Simulated(
        application(system, routes),
        lambda origin: {"base_url": origin, "api_key": system.key, "company": "Simulated Ltd"},
        system.control_token,
    )
    return system, result


#: Entity → type → fields, as entityDefs tells them: a link is told without its Id, an amount without its currency.
_FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "Account": {
        "varchar": ("name", "cNumber", "industry", "cCurrency", "billingAddressCountry", "sicCode"),
        "link": ("cParent", "assignedUser"), "date": ("cCustomerSince", "cAgreedLimitUntil"),
        "bool": ("cNaturalPerson",), "currency": ("cAgreedLimit",),
    },
    "CInvoice": {
        "varchar": ("name",), "link": ("account",), "currency": ("amount",),
        "date": ("dateInvoiced", "dateDue", "dateDueOriginal", "dateDisputed", "dateDisputeClosed", "dateVoided"),
    },
    "CPayment": {
        "varchar": ("name", "kind", "instrument"), "link": ("account", "invoice"), "currency": ("amount",),
        "date": ("datePaid", "dateMatures", "dateCleared", "dateBounced"),
    },
    "CCreditNote": {
        "varchar": ("name", "kind"), "link": ("account", "invoice"), "currency": ("amount",), "date": ("dateBooked",),
    },
}  # fmt: skip
_LINKS = {"cParent": "Account", "account": "Account", "assignedUser": "User", "invoice": "CInvoice"}


def fill(system: System, told: Books) -> None:
    """Ids are seventeen characters, ascending; an account_id becomes the account's number."""
    for name in _ENTITIES:
        system.objects[name], system.fields[name] = {}, {}
    for entity, kinds in _FIELDS.items():
        system.fields[entity] = {
            name: {"type": kind, "options": [], **({"entity": _LINKS[name]} if kind == "link" else {})}
            for kind, names in kinds.items()
            for name in names
        }
    accounts = {key: f"65a{n:014x}" for n, key in enumerate(told.accounts)}
    claims = {key: f"65b{n:014x}" for n, key in enumerate(told.receivables)}
    for key, row in told.accounts.items():
        limit = told.limits.get(key, {})
        values = {
            "id": accounts[key], "name": row["name"], "cNumber": row["number"] or key, "sicCode": row["tax_id"],
            "cParentId": accounts.get(row["parent_id"] or ""), "billingAddressCountry": row["country"],
            "industry": row["industry"], "cCurrency": row["currency"] or limit.get("currency"),
            "cCustomerSince": row["since"],
            "cNaturalPerson": bool(row["natural_person"]), "cAgreedLimit": limit.get("amount"),
            "cAgreedLimitCurrency": limit.get("currency"), "cAgreedLimitUntil": limit.get("valid_until"),
        }  # fmt: skip
        system.put("Account", accounts[key], values)
    for key, row in told.receivables.items():
        values = {
            "id": claims[key], "name": row["number"] or key, "accountId": accounts[row["account_id"]],
            "dateInvoiced": row["issued"], "dateDue": row["due"], "dateDueOriginal": row["original_due"],
            "amount": row["amount"], "amountCurrency": row["currency"], "dateDisputed": row["disputed_on"],
            "dateDisputeClosed": row["dispute_closed_on"], "dateVoided": row["voided_on"],
        }  # fmt: skip
        system.put("CInvoice", claims[key], values)
    days = {
        "datePaid": "paid_on",
        "dateMatures": "matures_on",
        "dateCleared": "cleared_on",
        "dateBounced": "bounced_on",
    }
    _spread(system, "CPayment", "65c", told.payments, told, accounts, claims, {**days, "instrument": "instrument"})
    _spread(system, "CCreditNote", "65d", told.adjustments, told, accounts, claims, {"dateBooked": "booked_on"})


def _spread(
    system: System, entity: str, prefix: str, rows: Mapping[str, Any], told: Books, accounts: Mapping[str, str],
    claims: Mapping[str, str], names: Mapping[str, str],
) -> None:  # fmt: skip
    """One record per allocation, and one for what is left unapplied."""
    count = 0
    for key, row in rows.items():
        common = {
            "name": key, "accountId": accounts[row["account_id"]], "amountCurrency": row["currency"],
            "kind": row["kind"],
            **{own: row[ours] for own, ours in names.items()},
        }  # fmt: skip
        for claim, part in told.parts(key):
            record = f"{prefix}{count:014x}"
            count += 1
            system.put(entity, record, {"id": record, **common, "invoiceId": claims.get(claim or ""), "amount": part})


def _of(system: System, answer: Any) -> Any:
    async def call(request: Request) -> Response:
        if request.headers.get("x-api-key") != system.key:
            return Response(status_code=401)
        body = await request.body()
        response: Response = answer(system, request, json.loads(body, parse_float=Decimal) if body else {})
        return response

    return call


def _list(system: System, request: Request, body: Any) -> Response:  # noqa: ARG001
    entity, query_params = request.path_params["entity"], request.query_params
    if entity not in system.objects:
        return reply(system, {"message": "no such entity"}, 404)
    size = int(query_params.get("maxSize", 20))
    if size > _LARGEST:
        return Response(status_code=403, headers={"X-Status-Reason": "Max size should should not exceed 200."})
    tests = _where(query_params.multi_items())
    rows = [row for row in system.objects[entity].values() if all(_holds(row, test) for test in tests)]
    rows.sort(
        key=lambda row: str(row.get(query_params.get("orderBy", "modifiedAt")) or ""),
        reverse=query_params.get("order") == "desc",
    )
    start = int(query_params.get("offset", 0))
    return reply(system, {"total": len(rows), "list": rows[start : start + min(size, system.most)]})


def _where(items: list[tuple[str, str]]) -> list[dict[str, Any]]:
    tests: dict[str, dict[str, Any]] = {}
    for key, value in items:
        match = re.fullmatch(r"where\[(\d+)\]\[(type|attribute|value)\](\[\])?", key)
        if match and match[3]:
            tests.setdefault(match[1], {}).setdefault("value", []).append(value)
        elif match:
            tests.setdefault(match[1], {})[match[2]] = value
    return list(tests.values())


def _holds(row: Mapping[str, Any], test: Mapping[str, Any]) -> bool:
    has, want = row.get(test["attribute"]), test.get("value")
    match test["type"]:
        case "greaterThan" | "after":
            return has is not None and str(has) > str(want)
        case "in":
            return str(has) in (want or [])
    return str(has) == str(want)


def _metadata(system: System, request: Request, body: Any) -> Response:  # noqa: ARG001
    entity = request.query_params.get("key", "").removeprefix("entityDefs.").removesuffix(".fields")
    return reply(system, system.fields.get(entity, {}))


def _field(system: System, request: Request, body: dict[str, Any]) -> Response:
    if body.get("type") not in _TYPES or not body.get("name"):
        return reply(system, {"message": "type or name"}, 400)
    name = f"c{str(body['name'])[:1].upper()}{str(body['name'])[1:]}"
    if name in system.fields[request.path_params["entity"]]:
        return reply(system, {"message": "exists"}, 409)
    system.fields[request.path_params["entity"]][name] = {"type": body["type"], "options": body.get("options") or []}
    return reply(system, {"name": name, **body})


def _change_field(system: System, request: Request, body: dict[str, Any]) -> Response:
    """Of the parts that are given; the options are taken as a whole."""
    meta = system.fields[request.path_params["entity"]].get(request.path_params["field"])
    if meta is None or body.get("type", meta["type"]) != meta["type"]:
        return reply(system, {"message": "bad request"}, 400)
    meta.update({"options": body["options"]} if "options" in body else {})
    return reply(system, {"name": request.path_params["field"], **meta})


def _no_field(system: System, request: Request, body: dict[str, Any]) -> Response:  # noqa: ARG001
    entity, name = request.path_params["entity"], request.path_params["field"]
    if system.fields[entity].pop(name, None) is None:
        return reply(system, {"message": "not found"}, 404)
    for row in system.objects[entity].values():
        row.pop(name, None)
    return reply(system, True)


def _rebuild(system: System, request: Request, body: Any) -> Response:  # noqa: ARG001
    return reply(system, {"done": True})


def _get(system: System, request: Request, body: Any) -> Response:  # noqa: ARG001
    row = system.objects.get(request.path_params["entity"], {}).get(request.path_params["record"])
    return reply(system, row) if row else Response(status_code=404)


def _put(system: System, request: Request, body: dict[str, Any]) -> Response:
    entity, record = request.path_params["entity"], request.path_params["record"]
    if record not in system.objects.get(entity, {}):
        return Response(status_code=404)
    wrong = _wrong(system, entity, record, body)
    if wrong:
        return reply(system, {"message": wrong}, 400)
    known = {key: value for key, value in body.items() if key in system.fields[entity]}
    system.put(entity, record, known)
    return reply(system, system.objects[entity][record])


def _wrong(system: System, entity: str, record: str, values: Mapping[str, Any]) -> str:
    if record in system.rules:
        return "; ".join(system.rules[record])
    for key, value in values.items():
        meta = system.fields[entity].get(key)
        if meta is None or value is None:
            continue
        if meta["type"] == "float" and not isinstance(value, Decimal | int):
            return f"Field validation failure; field: {key}, value {value}."
        parts = [value] if meta["type"] == "enum" else value if meta["type"] == "multiEnum" else []
        if any(part not in meta["options"] for part in parts):
            return f"Field validation failure; field: {key}, value {value}."
        if meta["type"] == "date":
            date.fromisoformat(str(value))
    return ""
