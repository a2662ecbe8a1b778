"""REST resources of the simulated org: describe, records, queries with cursors, collections, custom fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request

from adapters.salesforce.simulator import query as soql
from adapters.salesforce.simulator import writes
from adapters.salesforce.simulator.org import Meta, Org, Table
from adapters.salesforce.simulator.soql import MalformedQueryError, Query
from connector.errors import Misconfigured

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_PER_COLLECTION = 200
_TYPES = {
    "Picklist": "picklist", "MultiselectPicklist": "multipicklist", "Number": "double", "Currency": "currency",
    "Date": "date", "LongTextArea": "textarea", "TextArea": "textarea", "Text": "string", "Checkbox": "boolean",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: JSON, bytes of CSV, or nothing."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class WrongError(Exception):
    """An error answer: a list of {errorCode, message}."""

    def __init__(self, body: Any, status: int = 400) -> None:
        self.body, self.status = body, status
        super().__init__(str(status))


def encoded(body: Any) -> bytes:
    """JSON; a Decimal is a number with its digits."""
    return msgspec.json.Encoder(decimal_format="number").encode(body)


def userinfo(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """Who we are."""
    user, org_id = next(iter(org.table("User").records)), next(iter(org.table("Organization").records))
    return Told({"user_id": user, "organization_id": org_id, "preferred_username": org.username})


def resources(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """Resources of a version."""
    base = f"/services/data/{request.path_params['version']}"
    return Told({name: f"{base}/{name}" for name in ("sobjects", "query", "queryAll", "limits", "composite", "jobs")})


def limits(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """What is left of the day's calls."""
    left = max(0, org.calls_a_day - sum(org.calls.values()))
    return Told({"DailyApiRequests": {"Max": org.calls_a_day, "Remaining": left}})


def global_describe(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """All objects."""
    rows = [
        {"name": table.name, "label": table.label, "keyPrefix": table.prefix, "custom": table.name.endswith("__c"),
         "queryable": True, "updateable": True}
        for table in org.tables.values()
    ]  # fmt: skip
    return Told({"encoding": "UTF-8", "maxBatchSize": _PER_COLLECTION, "sobjects": rows})


def described(org: Org, name: str) -> dict[str, Any]:
    """An object with the fields that may be seen."""
    table = _table(org, name)
    fields = [_described(meta) for meta in table.fields.values() if meta.granted]
    return {"name": table.name, "label": table.label, "keyPrefix": table.prefix, "fields": fields, "queryable": True,
            "updateable": True, "custom": table.name.endswith("__c"), "childRelationships": [],
            "recordTypeInfos": []}  # fmt: skip


def describe(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """One object."""
    return Told(described(org, request.path_params["name"]))


def layouts(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """The page layouts; a field of the Tooling API stands on none. Source: sObject Layouts."""
    table = _table(org, request.path_params["name"])
    items = [
        {"layoutComponents": [{"type": "Field", "value": name}]}
        for name in table.fields
        if name not in table.off_layout
    ]
    section = {"heading": "Details", "layoutRows": [{"layoutItems": items}]}
    return Told(
        {"layouts": [{"id": "00h000000000001AAA", "detailLayoutSections": [section]}], "recordTypeMappings": []}
    )


def get(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """One record, whole."""
    table = _table(org, request.path_params["name"])
    row = table.records.get(request.path_params["record"])
    if row is None:
        raise WrongError([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
    values = {key: row.get(key) for key, meta in table.fields.items() if meta.granted}
    return Told({"attributes": {"type": table.name}, **values})


def patch(org: Org, request: Request, body: bytes) -> Told:
    """Update one record: 204, or the errors of the row."""
    name, record = request.path_params["name"], request.path_params["record"]
    _table(org, name)
    values = {key: value for key, value in _decode(body).items() if key != "attributes"}
    wrong = writes.wrong_with(org, name, record, values)
    if wrong is not None:
        raise WrongError([{"errorCode": wrong[0], "message": wrong[1], "fields": wrong[2]}], 400)
    org.change(name, record, {key: writes.kept(org, name, key, value) for key, value in values.items()})
    return Told(None, 204)


def delete(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """Delete one record."""
    table = _table(org, request.path_params["name"])
    if request.path_params["record"] not in table.records:
        raise WrongError([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
    org.delete(table.name, request.path_params["record"])
    return Told(None, 204)


def post(org: Org, request: Request, body: bytes) -> Told:
    """A new record; one of FieldPermissions makes its field visible."""
    table = _table(org, request.path_params["name"])
    values = {key: value for key, value in _decode(body).items() if key != "attributes"}
    if table.name in ("PermissionSetAssignment", "FieldPermissions") and _same(table, values):
        raise WrongError([{"errorCode": "DUPLICATE_VALUE", "message": "duplicate value found"}], 400)
    if table.name == "FieldPermissions":
        owner, _, name = str(values["Field"]).partition(".")
        meta = org.table(owner).fields.get(name)
        if meta is None:
            raise WrongError([{"errorCode": "INVALID_FIELD", "message": f"no field {name}"}], 400)
        meta.granted = bool(values.get("PermissionsRead"))
    return Told({"id": org.create(table.name, values), "success": True, "errors": []}, 201)


def query(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """One page of a query, with a cursor to the next."""
    return _page(org, request, deleted=False)


def query_all(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """The same with deleted and merged records."""
    return _page(org, request, deleted=True)


def more(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """The next page of a cursor."""
    key, _, offset = request.path_params["locator"].rpartition("-")
    if key not in org.cursors or not offset.isdigit():
        raise WrongError([{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}], 400)
    return _slice(org, request, key, int(offset))


def collection(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """Up to 200 records; HTTP 200 whatever becomes of each."""
    payload = _decode(body)
    rows: Sequence[dict[str, Any]] = payload["records"]
    if len(rows) > _PER_COLLECTION:
        message = "record limit reached. cannot submit more than 200 records into this call"
        raise WrongError([{"errorCode": "EXCEEDED_ID_LIMIT", "message": message}], 400)
    results = []
    for row in rows:
        name = row["attributes"]["type"]
        record = str(row.get("id") or row.get("Id") or "")
        values = {key: value for key, value in row.items() if key not in ("attributes", "id", "Id")}
        wrong = writes.wrong_with(org, _table(org, name).name, record, values)
        if wrong is None:
            org.change(name, record, {key: writes.kept(org, name, key, value) for key, value in values.items()})
            results.append({"id": record, "success": True, "errors": []})
        else:
            error = {"statusCode": wrong[0], "message": wrong[1], "fields": wrong[2]}
            results.append({"id": record, "success": False, "errors": [error]})
    return Told(results)


def inserted(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """Up to 200 new records."""
    results = []
    for row in _decode(body)["records"][:_PER_COLLECTION]:
        table = _table(org, row["attributes"]["type"])
        values = {key: value for key, value in row.items() if key != "attributes"}
        results.append({"id": org.create(table.name, values), "success": True, "errors": []})
    return Told(results)


def deleted(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """Up to 200 records by id, of any object."""
    results: list[dict[str, Any]] = []
    for record in request.query_params.get("ids", "").split(",")[:_PER_COLLECTION]:
        table = next((each for each in org.tables.values() if record in each.records), None)
        if table is None:
            error = {"statusCode": "INVALID_CROSS_REFERENCE_KEY", "message": "invalid cross reference id", "fields": []}
            results.append({"id": record, "success": False, "errors": [error]})
        else:
            org.delete(table.name, record)
            results.append({"id": record, "success": True, "errors": []})
    return Told(results)


def custom_field(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """A new field, which nobody sees until it is granted."""
    payload = _decode(body)
    owner, _, name = str(payload["FullName"]).partition(".")
    table, meta = _table(org, owner), payload["Metadata"]
    if name in table.fields:
        message = f"There is already a field named {name} on {owner}."
        raise WrongError([{"errorCode": "DUPLICATE_DEVELOPER_NAME", "message": message}], 400)
    table.fields[name] = Meta(name, "", granted=False)
    _become(table.fields[name], meta)
    table.off_layout.add(name)
    text = org.create("CustomField", {"DeveloperName": name.removesuffix("__c"), "TableEnumOrId": owner})
    return Told({"id": text, "success": True, "errors": []}, 201)


def _become(field: Meta, meta: Mapping[str, Any]) -> None:
    """A field as its description says; of its values those that are not named are inactive from now on."""
    field.label, field.tip = str(meta["label"]), str(meta.get("inlineHelpText") or "")
    field.type, field.scale = _TYPES[str(meta["type"])], int(meta.get("scale") or 0)
    field.length = int(meta.get("length") or 255)
    values = (meta.get("valueSet") or {}).get("valueSetDefinition", {}).get("value", ())
    active = [each for each in values if each.get("isActive") is not False]
    field.options = tuple(str(each.get("valueName") or each["fullName"]) for each in active)


def _custom(org: Org, request: Request) -> tuple[str, Meta]:
    row = org.table("CustomField").records.get(request.path_params["record"])
    if row is None:
        raise WrongError([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
    owner = str(row["TableEnumOrId"])
    return owner, org.table(owner).fields[f"{row['DeveloperName']}__c"]


def show_custom_field(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """A field's description. Source: Tooling API, CustomField.Metadata; a value of a set is named by `valueName`."""
    owner, field = _custom(org, request)
    meta: dict[str, Any] = {
        "label": field.label, "type": next(key for key, own in _TYPES.items() if own == field.type),
        "inlineHelpText": field.tip, "length": field.length, "scale": field.scale, "valueSet": None,
    }  # fmt: skip
    if field.options:
        values = [
            {"valueName": each, "label": each, "default": False, "isActive": None, "color": None}
            for each in field.options
        ]
        meta["valueSet"] = {"restricted": True, "valueSetDefinition": {"sorted": False, "value": values}}
    return Told({"Id": request.path_params["record"], "FullName": f"{owner}.{field.name}", "Metadata": meta})


def change_custom_field(org: Org, request: Request, body: bytes) -> Told:
    """A field's description in place of the one that it has; what it leaves out is no longer so."""
    _, field = _custom(org, request)
    meta = _decode(body)["Metadata"]
    kind, length = _TYPES.get(str(meta.get("type"))), int(meta.get("length") or 255)
    if kind != field.type or (kind == "textarea" and length < field.length):
        message = "Cannot change the type of a field, or make a long text area shorter"
        raise WrongError([{"errorCode": "FIELD_INTEGRITY_EXCEPTION", "message": message}], 400)
    _become(field, meta)
    return Told(None, 204)


def no_custom_field(org: Org, request: Request, body: bytes) -> Told:  # noqa: ARG001
    """A field is deleted with its values and what was granted of it."""
    row = org.table("CustomField").records.pop(request.path_params["record"], None)
    if row is None:
        raise WrongError([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
    name, table = f"{row['DeveloperName']}__c", org.table(str(row["TableEnumOrId"]))
    del table.fields[name]
    for record in table.records.values():
        record.pop(name, None)
    granted = org.table("FieldPermissions").records
    for key in [key for key, each in granted.items() if each["Field"] == f"{row['TableEnumOrId']}.{name}"]:
        del granted[key]
    return Told(None, 204)


def _page(org: Org, request: Request, *, deleted: bool) -> Told:
    version = str(request.path_params["version"])
    try:
        result, table, rows = soql.run(org, request.query_params.get("q", ""), deleted=deleted)
    except MalformedQueryError as error:
        raise WrongError([{"errorCode": "MALFORMED_QUERY", "message": str(error)}], 400) from error
    except soql.QueryError as error:
        raise WrongError([{"errorCode": error.code, "message": str(error)}], 400) from error
    columns = result.columns
    if request.query_params.get("columns") == "true":
        return Told(_column_metadata(result, table))
    if len(columns) == 1 and columns[0].function == "count" and not columns[0].name and not result.groups:
        return Told({"totalSize": len(rows), "done": True, "records": []})
    if result.groups or any(column.function for column in columns):
        results = soql.grouped(org, result, table, rows)
    else:
        results = [soql.shown(org, result, table, row, version) for row in rows]
    key = f"0r8{len(org.cursors):015d}"
    org.cursors[key] = results
    return _slice(org, request, key, 0)


def _column_metadata(found: Query, table: Table) -> dict[str, Any]:
    """What a query would give, without its rows, as the vendor's CLI asks for it."""
    rows: list[dict[str, Any]] = [
        {"aggregate": bool(column.function), "apexType": "String", "booleanType": False, "columnName": column.name,
         "custom": column.name.endswith("__c"), "displayName": column.name, "foreignKeyName": None, "insertable": True,
         "joinColumns": [], "numberType": False, "textType": True, "updatable": True}
        for column in found.columns
    ]  # fmt: skip
    named = {"entityName": table.name, "keyPrefix": table.prefix, "groupBy": bool(found.groups), "useTooling": False}
    return {**named, "columnMetadata": rows, "idSelected": any(column.name == "Id" for column in found.columns)}


def _slice(org: Org, request: Request, key: str, offset: int) -> Told:
    rows = org.cursors[key]
    text = request.headers.get("sforce-query-options", "").partition("batchSize=")[2]
    size = min(org.page, max(200, int(text)) if text.isdigit() else org.page)
    end = offset + size
    document: dict[str, Any] = {"totalSize": len(rows), "done": end >= len(rows)}
    if end < len(rows):
        document["nextRecordsUrl"] = f"/services/data/{request.path_params['version']}/query/{key}-{end}"
    else:
        org.cursors.pop(key, None)
    return Told({**document, "records": rows[offset:end]})


def _table(org: Org, name: str) -> Table:
    try:
        return org.table(name)
    except Misconfigured:
        raise WrongError(
            [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404
        ) from None


def _same(table: Table, values: Mapping[str, Any]) -> bool:
    return any(all(row.get(key) == value for key, value in values.items()) for row in table.records.values())


def _described(meta: Meta) -> dict[str, Any]:
    options = [
        {"active": True, "defaultValue": False, "label": each, "validFor": None, "value": each} for each in meta.options
    ]
    custom = meta.name.endswith("__c")
    return {
        "inlineHelpText": meta.tip or None,
        "name": meta.name, "label": meta.label, "type": meta.type, "length": meta.length, "scale": meta.scale,
        "precision": 18 if meta.type in ("double", "currency") else 0, "custom": custom,
        "updateable": meta.updateable and not meta.calculated, "createable": meta.updateable,
        "calculated": meta.calculated, "nillable": True, "picklistValues": options, "externalId": False,
        "idLookup": meta.name == "Id", "unique": False, "permissionable": custom,
        "restrictedPicklist": bool(meta.options), "filterable": True, "sortable": True,
        "referenceTo": [meta.reference] if meta.reference else [],
        "relationshipName": _relationship(meta) if meta.reference else None,
        "soapType": f"xsd:{'double' if meta.type in ('double', 'currency') else meta.type}",
    }  # fmt: skip


def _relationship(meta: Meta) -> str:
    return f"{meta.name[:-1]}r" if meta.name.endswith("__c") else meta.name.removesuffix("Id")
