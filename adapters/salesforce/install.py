"""Creating zixin's fields on Salesforce's accounts, and letting its user see them.

Source: Tooling API, CustomField; a new field is invisible, even to who made it, until a permission set grants it
(FieldPermissions, by ordinary REST). Decimals: precision 18. A long text area holds more than 255 characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from adapters.common.field_plan import steps
from adapters.salesforce import wire
from adapters.salesforce.client import Client
from adapters.salesforce.wire import quoted
from connector.assessment import OutputField
from connector.errors import Misconfigured
from connector.ports import Described, Growth, Step

#: Who writes the fields, and who only reads them.
PERMISSION_SET, READERS = "zixin", "zixin_read"
_LABELS = {PERMISSION_SET: "zixin credit fields", READERS: "zixin credit fields, read only"}
_TYPES = {
    "choice": "picklist",
    "choices": "multipicklist",
    "number": "double",
    "money": "double",
    "day": "date",
    "text": "textarea",
}


def name_of(item: OutputField) -> str:
    """The API name that a field has, or gets, whatever language its label is in."""
    return item.field or f"{item.en.replace(' ', '_')}__c"


def plan(described: Described, wanted: Sequence[OutputField]) -> tuple[Step, ...]:
    """One step a written field: create it, keep it, or say that another kind of field has its name."""
    there = {field.name: field for field in described.fields}
    return steps(wanted, lambda item: there.get(name_of(item)), name_of, _TYPES)


def create(client: Client, item: OutputField) -> None:
    """One field, by the Tooling API; one that is there already but was not seen is fine. Raises Misconfigured."""
    body = msgspec.json.encode({"FullName": f"Account.{name_of(item)}", "Metadata": _metadata(item)})
    try:
        client.call("POST", "tooling/sobjects/CustomField", "tooling", body=body)
    except Misconfigured as problem:
        if "DUPLICATE_DEVELOPER_NAME" not in str(problem.facts.get("detail")):
            raise


def grow(client: Client, growth: Growth) -> None:
    """Changes one field, by the Tooling API, which takes its description as a whole.

    What is left out of the values becomes inactive, so that all that it has go along: those of an admin, too. Raises
    Misconfigured: Salesforce has no such custom field, or does not let it be changed.
    """
    rows = _custom(client, [growth.field.name])
    if not rows:
        raise Misconfigured("E-CRM-ANSWER", host=client.host, detail=f"no custom field {growth.field.name}")
    for row in rows:
        path = f"tooling/sobjects/CustomField/{row['Id']}"
        metadata = dict(wire.part(client.call("GET", path, "tooling").body, "Metadata"))
        if growth.label:
            metadata["label"] = growth.label
        if growth.length:
            metadata["length"] = growth.length
        if growth.options:
            metadata["valueSet"] = _with_options(client.host, metadata.get("valueSet") or {}, growth.options)
        body = msgspec.json.encode({"FullName": f"Account.{growth.field.name}", "Metadata": metadata})
        client.call("PATCH", path, "tooling", body=body)


def _with_options(host: str, value_set: Mapping[str, Any], options: Sequence[str]) -> dict[str, Any]:
    """Values are named `valueName` where the Tooling API shows them, `fullName` in the Metadata API's description."""
    if shared := value_set.get("valueSetName"):
        # Other fields have these values, too: whether they may have ours is not for us to say.
        raise Misconfigured("E-CRM-ANSWER", host=host, detail=f"its values are those of the global value set {shared}")
    definition = value_set.get("valueSetDefinition") or {"sorted": False, "value": []}
    key = "valueName" if any("valueName" in value for value in definition["value"]) else "fullName"
    # One that somebody has switched off is there, and is switched on again.
    there = [{**value, "isActive": True} if value.get(key) in options else value for value in definition["value"]]
    items = {value.get(key) for value in there}
    added = [{key: each, "label": each, "default": False} for each in options if each not in items]
    return {"restricted": True, **value_set, "valueSetDefinition": {**definition, "value": [*there, *added]}}


def grant(client: Client, names: Sequence[str]) -> None:
    """Let this user edit these fields of accounts; a second permission set, for the sales team, only reads them."""
    parent = _permission_set(client, PERMISSION_SET)
    for owner in (parent, _permission_set(client, READERS)):
        for name in names:
            _create_once(
                client,
                "FieldPermissions",
                {
                    "ParentId": owner,
                    "SobjectType": "Account",
                    "Field": f"Account.{name}",
                    "PermissionsRead": True,
                    "PermissionsEdit": owner == parent,
                },
            )
    user = wire.part(client.call("GET", "/services/oauth2/userinfo", "userinfo").body, "user_id")
    _create_once(client, "PermissionSetAssignment", {"AssigneeId": user, "PermissionSetId": parent})


def editors(client: Client) -> dict[str, tuple[str, ...]]:
    """Field → labels of the profiles and permission sets that may edit it, beside ours and administrators'."""
    sets = {
        str(row["Id"]): str(row["Label"])
        for row in _rows(client, "SELECT Id, Name, Label, PermissionsModifyAllData FROM PermissionSet")
        if row["Name"] != PERMISSION_SET and not row["PermissionsModifyAllData"]
    }
    text = "SELECT Field, ParentId FROM FieldPermissions WHERE SobjectType = 'Account' AND PermissionsEdit = true"
    result: dict[str, set[str]] = {}
    for row in _rows(client, text):
        if row["ParentId"] in sets:
            result.setdefault(str(row["Field"]).partition(".")[2], set()).add(sets[row["ParentId"]])
    return {name: tuple(sorted(labels)) for name, labels in result.items()}


def remove(client: Client, names: Sequence[str]) -> None:
    """Deletes custom fields of accounts; Salesforce keeps them for fifteen days among the deleted fields."""
    for row in _custom(client, names):
        client.call("DELETE", f"tooling/sobjects/CustomField/{row['Id']}", "tooling")


def _custom(client: Client, names: Sequence[str]) -> list[dict[str, Any]]:
    listed = ", ".join(quoted(name.removesuffix("__c")) for name in names)
    query = f"SELECT Id FROM CustomField WHERE TableEnumOrId = 'Account' AND DeveloperName IN ({listed})"  # noqa: S608
    answer = client.call("GET", "tooling/query", "tooling", params={"q": query})
    rows: list[dict[str, Any]] = wire.part(answer.body, "records")
    return rows


def _rows(client: Client, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = wire.part(client.call("GET", "query", "install", params={"q": query}).body, "records")
    return rows


def _permission_set(client: Client, name: str) -> str:
    query = f"SELECT Id FROM PermissionSet WHERE Name = {quoted(name)}"  # noqa: S608
    if rows := _rows(client, query):
        return str(rows[0]["Id"])
    body = msgspec.json.encode({"Name": name, "Label": _LABELS[name]})
    return str(wire.part(client.call("POST", "sobjects/PermissionSet", "install", body=body).body, "id"))


def _create_once(client: Client, name: str, values: Mapping[str, Any]) -> None:
    try:
        client.call("POST", f"sobjects/{name}", "install", body=msgspec.json.encode(values))
    except Misconfigured as problem:
        if "DUPLICATE" not in str(problem.facts.get("detail")):
            raise


def _metadata(item: OutputField) -> dict[str, Any]:
    result: dict[str, Any] = {"label": item.shown, "description": f"zixin:{item.name}", "inlineHelpText": item.tip}
    match item.kind:
        case "choice" | "choices":
            values = [{"fullName": each, "label": each, "default": False} for each in item.options]
            result["type"] = "Picklist" if item.kind == "choice" else "MultiselectPicklist"
            result["valueSet"] = {"restricted": True, "valueSetDefinition": {"sorted": False, "value": values}}
            if item.kind == "choices":
                result["visibleLines"] = 6
        case "number" | "money":
            result |= {"type": "Number", "precision": 18, "scale": item.places}
        case "day":
            result["type"] = "Date"
        case "text":
            result |= {"type": "LongTextArea", "length": max(item.length, 256), "visibleLines": 4}
    return result
