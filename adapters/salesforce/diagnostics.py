"""What Salesforce says of a connection: its user, its permissions, its limits, its layouts.

Source: userinfo; UserPermissionAccess (object reference, "permissions of the current user"); limits; sObject Layouts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapters.common.permissions import try_permission
from adapters.salesforce import wire
from adapters.salesforce.client import Client
from connector.errors import Exhausted, Problem
from connector.ports import PermissionCheck

#: Field of UserPermissionAccess → whether zixin cannot do without it, and what it is for.
_PERMISSIONS = (
    ("PermissionsApiEnabled", True, "every call", "所有调用"),
    (
        "PermissionsViewAllData",
        False,
        "all customers are seen (or View All Records on each object that is read)",
        "能看到全部客户（或对每个读取的对象授予 View All Records）",
    ),
    (
        "PermissionsCustomizeApplication",
        False,
        "creating fields; once, for fields apply",
        "创建字段；仅 fields apply 时需要",
    ),
    (
        "PermissionsManageProfilesPermissionsets",
        False,
        "granting the fields; once, for fields apply",
        "授予字段权限；仅 fields apply 时需要",
    ),
)


def permissions(client: Client) -> Iterator[PermissionCheck]:
    """Our user, its permissions, and whether accounts may be written."""
    yield try_permission("api", "who we are", "当前用户", lambda: _who(client))
    yield from _permissions(client)
    yield try_permission("Account edit", "writing ratings", "写回评级", lambda: _edit(client))


def _who(client: Client) -> PermissionCheck:
    who = wire.document(client.call("GET", "/services/oauth2/userinfo", "admin").body)
    name = str(who.get("preferred_username") or who.get("user_id"))
    return PermissionCheck("api", granted=True, en=f"we are {name}", zh=f"当前用户：{name}")


def _permissions(client: Client) -> Iterator[PermissionCheck]:
    fields = ", ".join(name for name, *_ in _PERMISSIONS)
    try:
        query = {"q": f"SELECT {fields} FROM UserPermissionAccess LIMIT 1"}  # noqa: S608
        rows = wire.part(client.call("GET", "query", "admin", params=query).body, "records")
    except Exhausted:
        raise
    except Problem:
        rows = []
    for field, needed, en, zh in _PERMISSIONS:
        has = rows[0].get(field) if rows else None
        # What only an installation needs, or another permission stands in for, is not missing but to be looked at.
        granted = None if has is None or (not has and not needed) else bool(has)
        yield PermissionCheck(field.removeprefix("Permissions"), granted, en, zh)


def _edit(client: Client) -> PermissionCheck:
    payload = wire.document(client.call("GET", "sobjects/Account/describe", "admin").body)
    return PermissionCheck("Account edit", bool(payload.get("updateable")), "writing ratings", "写回评级")


def count(client: Client, name: str) -> int:
    """Records that we may see."""
    query = {"q": f"SELECT COUNT() FROM {name}"}  # noqa: S608 (a name of the mapping)
    return int(wire.part(client.call("GET", "query", "query", params=query).body, "totalSize"))


def quota(client: Client) -> tuple[int, int] | None:
    """Calls used and calls there are in 24 hours."""
    told = wire.document(client.call("GET", "limits", "admin").body).get("DailyApiRequests") or {}
    most, left = told.get("Max"), told.get("Remaining")
    return (int(most) - int(left), int(most)) if most is not None and left is not None else None


def layouts(client: Client, name: str) -> Mapping[str, frozenset[str]]:
    """Layout id → fields in its sections."""
    payload = wire.document(client.call("GET", f"sobjects/{name}/describe/layouts", "admin").body)
    return {
        str(layout.get("id")): frozenset(
            str(part.get("value"))
            for section in layout.get("detailLayoutSections") or ()
            for row in section.get("layoutRows") or ()
            for item in row.get("layoutItems") or ()
            for part in item.get("layoutComponents") or ()
            if part.get("type") == "Field"
        )
        for layout in payload.get("layouts") or ()
    }
