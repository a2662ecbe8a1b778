"""Simulated CRMs, filled from a portfolio folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl

from adapters.zoho.simulator.fill import fill
from adapters.zoho.simulator.org import Org
from adapters.zoho.simulator.server import application
from connector.scoring.rates import base_currency
from mappings import portfolio


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated CRM that is ready to be served."""

    org: Org
    application: Any
    #: Rows of the folder that did not fit: file, record (the line), column, value, reason.
    rejects: pl.DataFrame

    def line(self, origin: str) -> dict[str, Any]:
        """What `zixin simulate` prints: origin, credentials, control, rejected (rows of the folder)."""
        org = self.org
        credentials = {
            "accounts_server": origin, "api_domain": origin, "client_id": org.client_id,
            "client_secret": org.client_secret, "refresh_token": org.refresh_token,
        }  # fmt: skip
        control = f"{origin}/control/{org.control_token}"
        return {
            "origin": origin, "credentials": credentials, "control": control, "rejected": self.rejects.height,
            "page": f"{origin}/crm/tab/Accounts",
        }  # fmt: skip


def zoho(folder: Path, today: date | None = None) -> Simulated:
    """A simulated Zoho with the folder's rows; `today`: the day that its clock shows, noon UTC and running on."""
    read = portfolio.read(folder)
    rates = read.tables.get("rates")
    bases = set() if rates is None else set(rates["base"].unique())
    org = Org(currency=bases.pop() if len(bases) == 1 else base_currency(read.tables, "USD"), credits_a_day=100_000)
    if today is not None:
        noon = datetime.combine(today, time(12), UTC)
        org.ahead_s = (noon - datetime.now(UTC)).total_seconds()
    fill(org, read.tables)
    return Simulated(org, application(org), read.rejects)


def day_after(folder: Path) -> date | None:
    """The day after the folder's last fact: issued, paid or booked; None when it holds none."""
    from connector.schema import day_of

    tables = portfolio.read(folder).tables
    facts = (("receivables", "issued"), ("payments", "paid_on"), ("adjustments", "booked_on"))
    days = [tables[name][column].max() for name, column in facts if name in tables and tables[name].height]
    last = max((day for day in days if isinstance(day, int)), default=None)
    return None if last is None else day_of(last + 1)
