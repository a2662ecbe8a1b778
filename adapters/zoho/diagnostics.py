"""What Zoho says of a connection: its user, its scopes, its layouts.

Source: v8 get-users (type=CurrentUser), get-profiles, currencies, notifications/get-details, layouts-meta. The token
endpoint names the scopes of a token in most answers; where it does not, the APIs are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from adapters.common.http import HttpResponse
from adapters.common.permissions import try_permission
from adapters.zoho import install, wire
from connector.ports import PermissionCheck

#: method, path, kind of call, parameters, body.
Call = Callable[[str, str, str, Mapping[str, str] | None, bytes | None], HttpResponse]

_USERS = "ZohoCRM.users.READ"
#: Scope → a call that needs it and changes nothing; and what it is for.
_TRIES: tuple[tuple[str, str, str, Mapping[str, str], bytes | None, str, str], ...] = (
    (
        "ZohoCRM.settings.fields.ALL",
        "GET",
        "settings/fields",
        {"module": "Accounts"},
        None,
        "fields of a module",
        "模块字段",
    ),
    (
        "ZohoCRM.settings.layouts.ALL",
        "GET",
        "settings/layouts",
        {"module": "Accounts"},
        None,
        "whether the fields stand on the page",
        "字段是否显示在页面布局中",
    ),
    ("ZohoCRM.settings.profiles.READ", "GET", "settings/profiles", {}, None, "read-only fields", "字段设为只读"),
    ("ZohoCRM.settings.currencies.READ", "GET", "org/currencies", {}, None, "exchange rates", "汇率"),
    (
        "ZohoCRM.coql.READ",
        "POST",
        "coql",
        {},
        b'{"select_query":"select id from Accounts where id > 0 limit 1"}',
        "reading records",
        "读取记录",
    ),
    ("ZohoCRM.notifications.ALL", "GET", "actions/watch", {}, None, "events within seconds", "秒级事件通知"),
)
#: Scopes that no harmless call shows.
_SILENT = (("ZohoCRM.bulk.READ", "reading from 34,200 records on", "超过 34,200 条记录时的批量读取"),)


def permissions(call: Call, scopes: Callable[[], frozenset[str]]) -> Iterator[PermissionCheck]:
    """Our user and its profile, then each scope."""
    yield try_permission(_USERS, "who we are", "当前用户", lambda: _who(call))
    for scope, method, path, params, body, en, zh in _TRIES:
        yield try_permission(scope, en, zh, partial(_answered, call, method, path, params, body))
    named = scopes()
    for scope, en, zh in _SILENT:
        family = scope.rpartition(".")[0]
        found = any(name in (scope, f"{family}.ALL") for name in named) if named else None
        yield PermissionCheck(scope, granted=found, en=en, zh=zh)


def _who(call: Call) -> PermissionCheck:
    rows, _ = wire.records(call("GET", "users", "admin", {"type": "CurrentUser"}, None), "users")
    user = rows[0] if rows else {}
    message = f"{user.get('full_name')}, {install.profile_of(user)}"
    return PermissionCheck(_USERS, granted=True, en=f"we are {message}", zh=f"当前用户：{message}")


def _answered(call: Call, method: str, path: str, params: Mapping[str, str], body: bytes | None) -> None:
    call(method, path, "admin", params, body)


def layouts(call: Call, module: str) -> Mapping[str, frozenset[str]]:
    """Layout → api names of its fields; "unused" sections hold what is not shown."""
    rows, _ = wire.records(call("GET", "settings/layouts", "admin", {"module": module}, None), "layouts")
    return {
        str(row.get("name")): frozenset(
            str(field.get("api_name"))
            for section in row.get("sections") or ()
            if section.get("type") != "unused"
            for field in section.get("fields") or ()
        )
        for row in rows
        if row.get("visible", True)
    }
