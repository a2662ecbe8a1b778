"""The control of a simulator: what was called and written, and what a tester may change. Behind a random token.

GET ledger, accounts, records/{module}; POST records (module, id or where, set), create, delete, faults, lies, clock,
revoke, grant (a code; `lacks`: scopes that the tokens do not have).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.zoho.simulator.org import Fault, Org, number
from adapters.zoho.simulator.reply import answer, body_of, org_of


def routes(token: str) -> list[Route]:
    """The control's routes; a wrong token is a 404, as for any unknown path."""
    base = f"/control/{token}"
    return [
        Route(f"{base}/ledger", ledger, methods=["GET"]),
        Route(f"{base}/records/{{module}}", records, methods=["GET"]),
        Route(f"{base}/create", create, methods=["POST"]),
        Route(f"{base}/faults", fault, methods=["POST"]),
        Route(f"{base}/lies", lie, methods=["POST"]),
        Route(f"{base}/clock", clock, methods=["POST"]),
        Route(f"{base}/revoke", revoke, methods=["POST"]),
        Route(f"{base}/grant", grant, methods=["POST"]),
        Route(f"{base}/{{action}}", change, methods=["POST"]),
    ]


async def ledger(request: Request) -> Response:
    """Calls by API and credits spent."""
    org = org_of(request)
    return answer({"calls": org.calls, "credits": org.spent, "credits_a_day": org.credits_a_day})


async def records(request: Request) -> Response:
    """All records of a module."""
    module = org_of(request).modules.get(request.path_params["module"])
    return answer({"records": list(module.records.values())}) if module else answer({"error": "no module"}, 404)


async def change(request: Request) -> Response:
    """`change` or `delete` one record: module, id or where {field: value}, set {field: value}."""
    body, org = await body_of(request), org_of(request)
    found = _found(org, body)
    if found is None:
        return answer({"error": "no such record"}, 404)
    match request.path_params["action"]:
        case "change":
            org.change(*found, _values(body.get("set") or {}))
        case "delete":
            org.delete(*found)
        case _:
            return answer({"error": "change or delete"}, 404)
    return answer({"id": found[1]})


async def create(request: Request) -> Response:
    """A new record: module, set."""
    body, org = await body_of(request), org_of(request)
    if body.get("module") not in org.modules:
        return answer({"error": "no module"}, 404)
    return answer({"id": org.create(str(body["module"]), _values(body.get("set") or {}))})


async def fault(request: Request) -> Response:
    """A fault on the next calls: api (or *), status (0: the answer is lost), times."""
    body, org = await body_of(request), org_of(request)
    org.faults.append(Fault(str(body.get("api", "*")), int(body["status"]), int(body.get("times", 1))))
    return answer({"faults": len(org.faults)})


async def lie(request: Request) -> Response:
    """A lie of the next lists: kind, times, skip, field."""
    org_of(request).lies.order(await body_of(request))
    return answer({})


async def clock(request: Request) -> Response:
    """Move the organisation's clock: advance_s."""
    org = org_of(request)
    org.ahead_s += float((await body_of(request)).get("advance_s", 0))
    return answer({"now": org.stamp()})


async def revoke(request: Request) -> Response:
    """Kill the access tokens, and with tokens_only false the refresh token too."""
    org = org_of(request)
    org.kill_tokens()
    org.revoked = not (await body_of(request)).get("tokens_only")
    return answer({"revoked": org.revoked})


async def grant(request: Request) -> Response:
    """A grant code; `lacks`: scopes that the tokens do not have from now on."""
    org = org_of(request)
    org.not_granted = {str(scope) for scope in (await body_of(request)).get("lacks") or ()}
    return answer({"code": org.issue_code()})


def _found(org: Org, body: Mapping[str, Any]) -> tuple[str, str] | None:
    module = org.modules.get(str(body.get("module")))
    if module is None:
        return None
    if body.get("id") in module.records:
        return module.name, str(body["id"])
    where = body.get("where")
    if not isinstance(where, dict) or not where:
        return None
    for key, row in module.records.items():
        if all(row.get(name) == value for name, value in where.items()):
            return module.name, key
    return None


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Amounts may come as text, so that no digit is lost."""
    amounts = ("Amount", "Grand_Total", "Agreed_Credit_Limit")
    return {
        name: number(value) if name in amounts and isinstance(value, str) else value for name, value in given.items()
    }
