"""Who may do what: tokens with their scopes, users, profiles, currencies.

Source: zoho.com/accounts/protocol/oauth/self-client; v8 get-users, get-profiles, currencies. A grant code lives three
minutes and is used once.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from adapters.zoho.simulator.org import Org
from adapters.zoho.simulator.reply import answer, dated, error, org_of

#: API → the scope that it takes.
_SCOPES = {
    "org": "ZohoCRM.org.READ",
    "currencies": "ZohoCRM.settings.currencies.READ",
    "users": "ZohoCRM.users.READ",
    "profiles": "ZohoCRM.settings.profiles.READ",
    "fields": "ZohoCRM.settings.fields.ALL",
    "layouts": "ZohoCRM.settings.layouts.ALL",
    "watch": "ZohoCRM.notifications.ALL",
    "coql": "ZohoCRM.coql.READ",
    "bulk": "ZohoCRM.bulk.READ",
    "job": "ZohoCRM.bulk.READ",
    "file": "ZohoCRM.bulk.READ",
}


def lacks(org: Org, api: str) -> bool:
    """Whether the tokens do not have the scope of that API."""
    return _SCOPES.get(api) in org.not_granted


async def token(request: Request) -> Response:
    """A grant code or a refresh token for an access token; errors come with HTTP 200."""
    org = org_of(request)
    form = {**request.query_params, **dict(parse_qsl((await request.body()).decode()))}
    origin = f"{request.url.scheme}://{request.url.netloc}"
    values = {"api_domain": origin, "token_type": "Bearer", "scope": " ".join(_granted(org))}
    if form.get("client_id") != org.client_id or form.get("client_secret") != org.client_secret:
        return dated(org, answer({"error": "invalid_client"}))
    if form.get("grant_type") == "authorization_code":
        if not org.use_code(form.get("code", "")):
            return dated(org, answer({"error": "invalid_code"}))
        values["refresh_token"] = org.refresh_token
    elif org.revoked or form.get("refresh_token") != org.refresh_token or form.get("grant_type") != "refresh_token":
        return dated(org, answer({"error": "invalid_code"}))
    text = org.issue_token()
    if text is None:
        words = "You have made too many requests continuously. Please try again after some time."
        body = {"error": "Access Denied", "error_description": words, "status": "failure"}
        return dated(org, answer(body, 400))
    return dated(org, answer({"access_token": text, "expires_in": 3600, **values}))


def _granted(org: Org) -> list[str]:
    return sorted({"ZohoCRM.modules.ALL", *_SCOPES.values()} - org.not_granted)


async def users(org: Org, request: Request) -> Response:  # noqa: ARG001
    """The user whose token it is."""
    profile = {"name": "Administrator", "id": org.profiles["Administrator"]}
    values = {"id": "4876876000000225013", "full_name": "zixin integration", "status": "active", "profile": profile}
    return answer({"users": [values], "info": {"per_page": 200, "count": 1, "page": 1, "more_records": False}})


async def profiles(org: Org, request: Request) -> Response:  # noqa: ARG001
    """All profiles."""
    return answer(
        {"profiles": [{"id": key, "name": name, "display_label": name} for name, key in org.profiles.items()]}
    )


async def currencies(org: Org, request: Request) -> Response:  # noqa: ARG001
    """Rates of the other currencies, for one of the home currency."""
    home = {
        "id": "4876876000000000001",
        "iso_code": org.currency,
        "is_base": True,
        "is_active": True,
        "exchange_rate": "1.000000000",
    }
    others = [
        {"id": f"48768760000001{n:05}", "iso_code": code, "is_base": False, "is_active": True, "exchange_rate": rate}
        for n, (code, rate) in enumerate(org.exchange_rates.items())
    ]
    return answer({"currencies": [home, *others]})


async def layouts(org: Org, request: Request) -> Response:
    """One layout a module; a field that was created by the API is on it unless it is listed as unused.

    Where Zoho puts such a field is not documented: not verified.
    """
    module = org.modules.get(request.query_params.get("module", ""))
    if module is None:
        return error(400, "INVALID_MODULE", "The module name given seems to be invalid")
    on = [{"api_name": name} for name in module.fields if name not in module.unused]
    off = [{"api_name": name} for name in module.unused]
    sections = [{"type": "used", "fields": on}, {"type": "unused", "fields": off}]
    return answer(
        {"layouts": [{"id": "4876876000000000173", "name": "Standard", "visible": True, "sections": sections}]}
    )
