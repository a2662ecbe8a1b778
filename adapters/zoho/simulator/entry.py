"""How a simulated Zoho is made."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from adapters.registry import Simulated
from adapters.zoho.simulator.fill import fill
from adapters.zoho.simulator.org import Org
from adapters.zoho.simulator.server import application


def simulated(crm: str, tables: Mapping[str, pl.DataFrame], currency: str, ahead_s: float) -> Simulated:  # noqa: ARG001
    """Filled with canonical tables; its clock is `ahead_s` seconds ahead of ours."""
    org = Org(currency=currency, credits_a_day=100_000)
    org.ahead_s = ahead_s
    fill(org, tables)

    def credentials(origin: str) -> dict[str, str]:
        return {
            "accounts_server": origin,
            "api_domain": origin,
            "client_id": org.client_id,
            "client_secret": org.client_secret,
            "refresh_token": org.refresh_token,
        }

    return Simulated(application(org), credentials, org.control_token, "crm/tab/Accounts")
