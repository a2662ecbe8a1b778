"""How a simulated org is made."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from adapters.registry import Simulated
from adapters.salesforce.simulator.fill import fill
from adapters.salesforce.simulator.org import Org
from adapters.salesforce.simulator.server import application


def simulated(crm: str, tables: Mapping[str, pl.DataFrame], currency: str, ahead_s: float) -> Simulated:  # noqa: ARG001
    """Filled with canonical tables; its clock is `ahead_s` seconds ahead of ours."""
    org = Org(currency, ahead_s=ahead_s)
    fill(org, tables)

    def credentials(origin: str) -> dict[str, str]:
        return {"instance_url": origin, "client_id": org.client_id, "client_secret": org.client_secret}

    return Simulated(application(org), credentials, org.control_token)
