"""A simulated ERPNext: Frappe's REST v1 over customers, sales invoices and payment entries.

Source: docs.frappe.io REST API (fields, filters, order_by, limit_start, limit_page_length; child fields by `table.field
as name`, a row a child), frappe.client.bulk_update, Custom Field, Deleted Document; measured on ERPNext 16: naive local
times, 417 for a value that does not validate, names as ids, no total. An API user reads and writes; permissions of
single users are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from adapters.declarative.simulator.erpnext_fields import FIELDS, LINKS
from adapters.declarative.simulator.system import System, application, reply, route
from adapters.registry import Simulated
from adapters.simulation.books import Books, books

#: The site's zone: eight hours ahead, as Asia/Shanghai all year.
ZONE = timezone(timedelta(hours=8))
COMPANY = "Simulated Ltd"
_STAMP = "%Y-%m-%d %H:%M:%S.%f"
#: Child tables of a document: its field → the child's doctype.
_CHILDREN = {
    "Sales Invoice": {"payment_schedule": "Payment Schedule"},
    "Payment Entry": {"references": "Payment Entry Reference"},
}
_TYPES = ("Select", "Small Text", "Float", "Date", "Data", "Check", "Currency", "Link", "Long Text")
_OPS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda has, want: str(has) == str(want),
    "!=": lambda has, want: str(has) != str(want),
    ">": lambda has, want: has is not None and str(has) > str(want),
    ">=": lambda has, want: has is not None and str(has) >= str(want),
    "<": lambda has, want: has is not None and str(has) < str(want),
    "<=": lambda has, want: has is not None and str(has) <= str(want),
    "in": lambda has, want: str(has) in {str(each) for each in want},
    "not in": lambda has, want: str(has) not in {str(each) for each in want},
    "like": lambda has, want: str(want).strip("%") in str(has or ""),
}


def simulated(tables: Mapping[str, pl.DataFrame], currency: str, ahead_s: float) -> Simulated:
    """Filled with canonical tables."""
    return filled(tables, currency, ahead_s)[1]


def filled(tables: Mapping[str, pl.DataFrame], currency: str, ahead_s: float) -> tuple[System, Simulated]:
    """The records too, for who changes them."""
    system = System(
        currency, stamped="modified", stamp_form=lambda at: at.astimezone(ZONE).strftime(_STAMP), ahead_s=ahead_s
    )
    fill(system, books(tables))
    one, several = "/api/resource/{doctype}/{name:path}", "/api/resource/{doctype}"
    routes = [
        route(system, "/api/method/frappe.client.bulk_update", _of(system, _bulk), "POST", "write", writes=True),
        route(system, several, _of(system, _list), "GET", "list"),
        route(system, several, _of(system, _post), "POST", "create"),
        route(system, one, _of(system, _get), "GET", "get"),
        route(system, one, _of(system, _put), "PUT", "write", writes=True),
        route(system, one, _of(system, _delete), "DELETE", "create"),
    ]

    def credentials(origin: str) -> dict[str, str]:
        return {
            "base_url": origin,
            "api_key": system.key,
            "api_secret": system.token,
            "company": COMPANY,
            "time_zone": "Asia/Shanghai",
        }

    return system, Simulated(application(system, routes), credentials, system.control_token)


def fill(system: System, told: Books) -> None:
    """Names are ids: an account_id becomes the customer's name."""
    for doctype in (
        "Company",
        "Customer",
        "Customer Credit Limit",
        "Sales Invoice",
        "Payment Entry",
        "Sales Order",
        "Currency Exchange",
        "Custom Field",
    ):
        system.objects[doctype], system.fields[doctype] = {}, {}
    system.put("Company", COMPANY, {"name": COMPANY, "company_name": COMPANY, "default_currency": system.currency})
    system.fields["Customer"] = {
        name: {"label": label, "type": kind, "options": options}
        for name, label, kind, options in (
            ("customer_name", "Customer Name", "Data", ""),
            ("customer_type", "Customer Type", "Select", "Company\nIndividual\nPartnership"),
            ("tax_id", "Tax ID", "Data", ""),
            ("industry", "Industry", "Link", ""),
            ("account_manager", "Account Manager", "Link", ""),
            ("default_currency", "Billing Currency", "Link", ""),
            ("customer_group", "Customer Group", "Link", ""),
        )
    }
    for doctype, kinds in FIELDS.items():
        system.fields[doctype] = {
            name: {"label": name.replace("_", " ").title(), "type": kind, "options": LINKS.get(name, "")}
            for kind, fields in kinds.items()
            for name in fields
        }
    names = {key: row["number"] or key for key, row in told.accounts.items()}
    for key, row in told.accounts.items():
        limit = told.limits.get(key)
        system.put(
            "Customer",
            names[key],
            {
                "name": names[key],
                "customer_name": row["name"],
                "tax_id": row["tax_id"],
                "industry": row["industry"],
                "customer_type": "Individual" if row["natural_person"] else "Company",
                "account_manager": row["owner_id"],
                "default_currency": row["currency"] or (limit["currency"] if limit else None) or system.currency,
            },
        )
        if limit:
            text = f"ccl-{names[key]}"
            values = {"name": text, "parent": names[key], "parenttype": "Customer", "company": COMPANY}
            system.put("Customer Credit Limit", text, {**values, "credit_limit": limit["amount"]})
    for key, row in told.receivables.items():
        if row["voided_on"] is None:
            system.put(
                "Sales Invoice", row["number"] or key, invoice(row["number"] or key, names[row["account_id"]], row)
            )
    claims = {key: row["number"] or key for key, row in told.receivables.items()}
    for key, row in told.payments.items():
        system.put(
            "Payment Entry",
            key,
            {
                "name": key,
                "company": COMPANY,
                "party_type": "Customer",
                "party": names[row["account_id"]],
                "docstatus": 1,
                "payment_type": "Pay" if row["kind"] == "refund" else "Receive",
                "posting_date": row["paid_on"],
                "paid_amount": row["amount"],
                "paid_from_account_currency": row["currency"],
                "clearance_date": row["cleared_on"],
                "references": [
                    {
                        "name": f"{key}-r{n}",
                        "reference_doctype": "Sales Invoice",
                        "reference_name": claims[claim],
                        "allocated_amount": part,
                    }
                    for n, (claim, part) in enumerate(told.applied.get(key, []))
                ],
            },
        )
    for key, row in told.adjustments.items():
        against = [claims[claim] for claim, _ in told.applied.get(key, [])]
        system.put(
            "Sales Invoice",
            key,
            {
                **invoice(key, names[row["account_id"]], {**row, "issued": row["booked_on"], "due": row["booked_on"]}),
                "is_return": 1,
                "return_against": against[0] if against else None,
                "grand_total": -row["amount"],
                "payment_schedule": [],
            },
        )
    _fill_further(system, told, names)


def _fill_further(system: System, told: Books, names: Mapping[str, str]) -> None:
    """Orders and rates."""
    for key, row in told.orders.items():
        system.put("Sales Order", key, _order(key, names[row["account_id"]], row))
    for each in told.rates:
        text = f"{each['day']}-{each['currency']}-{each['base']}"
        system.put(
            "Currency Exchange",
            text,
            {
                "name": text,
                "date": each["day"],
                "from_currency": each["currency"],
                "to_currency": each["base"],
                "exchange_rate": each["rate"],
            },
        )


def _order(name: str, customer: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A submitted order; how much of it is billed it says in per cent."""
    share = (row["billed_amount"] or Decimal(0)) / row["amount"] if row["amount"] else Decimal(0)
    status = "Completed" if share >= 1 else "To Bill" if row["shipped_on"] else "To Deliver and Bill"
    return {
        "name": name,
        "company": COMPANY,
        "customer": customer,
        "transaction_date": row["ordered_on"],
        "grand_total": row["amount"],
        "currency": row["currency"],
        "status": "Closed" if row["cancelled_on"] else status,
        "per_billed": share * 100,
        "docstatus": 1,
    }


def invoice(name: str, customer: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A submitted invoice; its schedule has one line, as ERPNext makes where nothing else was agreed."""
    return {
        "name": name,
        "company": COMPANY,
        "customer": customer,
        "posting_date": row["issued"],
        "due_date": row["due"],
        "grand_total": row["amount"],
        "currency": row["currency"],
        "docstatus": 1,
        "is_return": 0,
        "return_against": None,
        "payment_schedule": [{"name": f"{name}-p1", "due_date": row["due"], "payment_amount": row["amount"]}],
    }


def _of(system: System, answer: Any) -> Any:
    async def call(request: Request) -> Response:
        if request.headers.get("authorization") != f"token {system.key}:{system.token}":
            return _error(system, 401, "AuthenticationError", "Authentication required")
        body = await request.body()
        response: Response = answer(system, request, json.loads(body, parse_float=Decimal) if body else {})
        return response

    return call


def _error(system: System, status: int, kind: str, words: str) -> Response:
    return reply(system, {"exc_type": kind, "exception": f"frappe.exceptions.{kind}: {words}"}, status)


def _list(system: System, request: Request, told: Any) -> Response:  # noqa: ARG001
    doctype, query_params = unquote(request.path_params["doctype"]), request.query_params
    if doctype == "Deleted Document":
        rows = [
            {
                "name": f"{at.timestamp():017.6f}-{name}",
                "deleted_doctype": kind,
                "deleted_name": name,
                "creation": system.stamp_form(at),
            }
            for kind, gone in system.gone.items()
            for name, at in gone.items()
        ]
    elif doctype in system.objects:
        rows = list(system.objects[doctype].values())
    else:
        return _error(system, 404, "DoesNotExistError", f"DocType {doctype} not found")
    tests = [test[-3:] for test in json.loads(query_params.get("filters", "[]"))]
    rows = [row for row in rows if all(_OPS[str(op).lower()](row.get(name), want) for name, op, want in tests)]
    order = query_params.get("order_by", "modified desc").split()
    rows.sort(key=lambda row: str(row.get(order[0]) or ""), reverse=len(order) > 1 and order[1].lower() == "desc")
    results = [
        each for row in rows for each in _shown(doctype, row, json.loads(query_params.get("fields", '["name"]')))
    ]
    start, length = int(query_params.get("limit_start", 0)), int(query_params.get("limit_page_length", 20))
    end = None if length == 0 else start + min(length, system.most)
    return reply(system, {"data": results[start:end]})


def _shown(doctype: str, row: Mapping[str, Any], fields: list[str]) -> list[dict[str, Any]]:
    """One row, or one a child where fields of a child table are asked for."""
    tables = _CHILDREN.get(doctype, {})
    if fields == ["*"]:
        return [{key: value for key, value in row.items() if key not in tables}]
    result: dict[str, Any] = {}
    inner: dict[str, tuple[str, str]] = {}
    for each in fields:
        source, _, alias = each.partition(" as ")
        table, dot, name = source.partition(".")
        if dot and table in tables:
            inner[alias or name] = (table, name)
        else:
            result[alias or source] = row.get(source)
    if not inner:
        return [result]
    children = row.get(next(iter(inner.values()))[0]) or [{}]
    return [{**result, **{alias: child.get(name) for alias, (_, name) in inner.items()}} for child in children]


def _get(system: System, request: Request, told: Any) -> Response:  # noqa: ARG001
    doctype, name = unquote(request.path_params["doctype"]), unquote(request.path_params["name"])
    if doctype == "DocType":
        plain = system.fields.get(name, {})
        rows = [
            {
                "fieldname": key,
                "label": row["label"],
                "fieldtype": row["type"],
                "options": row["options"],
                "read_only": 0,
            }
            for key, row in plain.items()
            if not key.startswith("custom_")
        ]
        return reply(system, {"data": {"name": name, "fields": rows}})
    row = system.objects.get(doctype, {}).get(name)
    return (
        reply(system, {"data": row}) if row else _error(system, 404, "DoesNotExistError", f"{doctype} {name} not found")
    )


def _post(system: System, request: Request, told: dict[str, Any]) -> Response:
    doctype = unquote(request.path_params["doctype"])
    if doctype != "Custom Field" or told.get("fieldtype") not in _TYPES:
        return _error(system, 417, "ValidationError", f"cannot create {doctype}")
    name = told["fieldname"] if str(told["fieldname"]).startswith("custom_") else f"custom_{told['fieldname']}"
    key = f"{told['dt']}-{name}"
    if key in system.objects["Custom Field"]:
        return _error(system, 409, "DuplicateEntryError", key)
    system.put("Custom Field", key, {**told, "name": key, "fieldname": name})
    meta = {"label": told["label"], "type": told["fieldtype"], "options": told.get("options") or ""}
    system.fields[told["dt"]][name] = meta
    return reply(system, {"data": system.objects["Custom Field"][key]})


def _changed(system: System, name: str, told: Mapping[str, Any]) -> Response:
    """A custom field's own values; its kind stays. Source: frappe/custom/doctype/custom_field/custom_field.py."""
    row = system.objects["Custom Field"].get(name)
    if row is None:
        return _error(system, 404, "DoesNotExistError", f"Custom Field {name} not found")
    if told.get("fieldtype", row["fieldtype"]) != row["fieldtype"]:
        return _error(system, 417, "ValidationError", f"Fieldtype cannot be changed from {row['fieldtype']}")
    system.put("Custom Field", name, dict(told))
    meta = system.fields[row["dt"]][row["fieldname"]]
    meta.update(label=told.get("label", meta["label"]), options=told.get("options", meta["options"]))
    return reply(system, {"data": system.objects["Custom Field"][name]})


def _delete(system: System, request: Request, told: Any) -> Response:  # noqa: ARG001
    doctype, name = unquote(request.path_params["doctype"]), unquote(request.path_params["name"])
    if doctype != "Custom Field" or name not in system.objects[doctype]:
        return _error(system, 404, "DoesNotExistError", f"{doctype} {name} not found")
    row = system.objects[doctype].pop(name)
    system.fields[row["dt"]].pop(row["fieldname"], None)
    for record in system.objects[row["dt"]].values():
        record.pop(row["fieldname"], None)
    return reply(system, {"message": "ok"})


def _put(system: System, request: Request, told: dict[str, Any]) -> Response:
    doctype, name = unquote(request.path_params["doctype"]), unquote(request.path_params["name"])
    if doctype == "Custom Field":
        return _changed(system, name, told)
    wrong = _wrong(system, doctype, name, told)
    if wrong:
        return _error(system, wrong[0], wrong[1], wrong[2])
    system.put(doctype, name, _kept(system, doctype, told))
    return reply(system, {"data": system.objects[doctype][name]})


def _bulk(system: System, request: Request, told: dict[str, Any]) -> Response:  # noqa: ARG001
    """Each document is saved by itself; those that failed come back with their traceback."""
    docs = told["docs"]
    failed = []
    for doc in json.loads(docs, parse_float=Decimal) if isinstance(docs, str) else docs:
        doctype, name = str(doc["doctype"]), str(doc["docname"])
        values = {key: value for key, value in doc.items() if key not in ("doctype", "docname")}
        wrong = _wrong(system, doctype, name, values)
        if wrong:
            trace = (
                f'Traceback (most recent call last):\n  File "client.py"\nfrappe.exceptions.{wrong[1]}: {wrong[2]}\n'
            )
            failed.append({"doc": doc, "exc": trace})
        else:
            system.put(doctype, name, _kept(system, doctype, values))
    return reply(system, {"message": {"failed_docs": failed}})


def _kept(system: System, doctype: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the database keeps them: a Float has nine decimals at most, an empty text is null."""
    return {key: None if value == "" else value for key, value in values.items() if key in system.fields[doctype]}


def _wrong(system: System, doctype: str, name: str, values: Mapping[str, Any]) -> tuple[int, str, str] | None:
    if name not in system.objects.get(doctype, {}):
        return 404, "DoesNotExistError", f"{doctype} {name} not found"
    if name in system.rules:
        return 417, "ValidationError", "; ".join(system.rules[name])
    for key, value in values.items():
        meta = system.fields[doctype].get(key)
        if meta is None or value in (None, ""):
            # Frappe leaves out what it does not know.
            continue
        if meta["type"] == "Float" and not isinstance(value, Decimal | int):
            return 417, "ValidationError", f"{meta['label']}: {value} is not a number"
        if meta["type"] == "Select" and value not in meta["options"].split("\n"):
            return 417, "ValidationError", f'{meta["label"]} cannot be "{value}"'
    return None
