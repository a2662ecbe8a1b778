"""Three sources in one profile: accounts in Zoho, invoices and payments in ERPNext, judgements and figures in a folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from adapters import registry
from connector.assessment import OUTPUT_FIELDS
from mappings.feeds import FeedPlan, joined
from mappings.load import packaged
from sync.crm_connection import CrmConnection, Feed
from tests.connector.scoring.books import table
from tests.contract.doubles import DOUBLES
from tests.simulated import Sim, Slots, simulated_zoho
from tests.story.quarter import ledger

EVIDENCE = (
    "evidence_id,account_id,kind,observed_on,value\nE1,A02,legal,2025-06-01,bankruptcy\nE2,A05,legal,2025-05-01,sued\n"
)
STATEMENTS = (
    "account_id,period_end,consolidated,currency,total_assets,total_liabilities,equity,revenue,net_profit\n"
    + "".join(
        f"A{n:02d},2024-12-31,false,USD,900000,{300000 + 20000 * n},500000,1200000,{50000 - 4000 * n}\n"
        for n in range(24)
    )
)


def everything() -> dict[str, pl.DataFrame]:
    """The same facts in one place."""
    evidence = [
        {"evidence_id": key, "account_id": account, "kind": "legal", "observed_on": day, "value": value}
        for key, account, day, value in (("E1", "A02", "2025-06-01", "bankruptcy"), ("E2", "A05", "2025-05-01", "sued"))
    ]
    figures = [
        {
            "account_id": f"A{n:02d}", "period_end": "2024-12-31", "consolidated": False, "currency": "USD",
            "total_assets": 900_000_00, "total_liabilities": (300_000 + 20_000 * n) * 100, "equity": 500_000_00,
            "revenue": 1_200_000_00, "net_profit": (50_000 - 4_000 * n) * 100,
        }
        for n in range(24)
    ]  # fmt: skip
    return {**ledger(), "evidence": table("evidence", *evidence), "statements": table("statements", *figures)}


@dataclass
class Three:
    """The simulators and the folder."""

    zoho: Sim
    erp: Any
    folder: Path

    def told(self) -> dict[str, Any]:
        """What a process that is killed needs to reach them."""
        return {"erp": self.erp.simulated.credentials(self.erp.origin), "folder": str(self.folder)}


@contextmanager
def three(folder: Path) -> Iterator[Three]:
    """All of them, up."""
    folder.mkdir(exist_ok=True)
    (folder / "evidence.csv").write_text(EVIDENCE, encoding="utf-8")
    (folder / "statements.csv").write_text(STATEMENTS, encoding="utf-8")
    whole = ledger()
    own: dict[str, pl.DataFrame] = {name: whole[name] for name in ("accounts", "limits", "rates") if name in whole}
    with simulated_zoho(own) as zoho, DOUBLES["erpnext"](whole) as erp:
        yield Three(zoho, erp, folder)


def linked(crm: Any, told: Mapping[str, Any]) -> CrmConnection:
    """One connection with its two feeds; the CRM's fields are made."""
    own = packaged("zoho").with_written(dict(crm.apply(OUTPUT_FIELDS)))
    plans = {"erp": FeedPlan(packaged("erpnext")), "files": FeedPlan(packaged("folder"))}
    feeds = {
        "erp": Feed("erp", registry.open_crm("erpnext", told["erp"], Slots(), "erp")),
        "files": Feed("files", registry.open_crm("folder", {"path": told["folder"]}, Slots(), "files")),
    }
    return CrmConnection("sim", crm, joined(own, plans), crm.organisation(), clock=crm.now, feeds=feeds)
