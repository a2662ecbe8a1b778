"""Simulated CRMs, filled from a portfolio folder."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from adapters import registry
from adapters.simulation.tls import certificate
from connector.schema import Tables, day_of
from mappings import left_out, portfolio
from mappings.left_out import LeftOut
from mappings.load import packaged
from zixin.services.connect import CLOCK
from zixin.web import server


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulated CRM, filled from a folder."""

    simulated: registry.Simulated
    #: Rows of the folder that did not fit: file, record (the line), column, value, reason.
    rejects: pl.DataFrame
    #: What of the folder the simulated CRM has no place for.
    left_out: tuple[LeftOut, ...] = ()
    #: How many seconds its clock is ahead of ours.
    ahead_s: float = 0.0

    def line(self, origin: str) -> dict[str, Any]:
        """What `zixin simulate` prints: origin, credentials, control, rejected (rows of the folder), left_out, page."""
        simulated = self.simulated
        clock = {CLOCK: f"{self.ahead_s:.0f}"} if self.ahead_s else {}
        return {
            "origin": origin,
            "credentials": simulated.credentials(origin) | clock,
            "control": f"{origin}/control/{simulated.control}",
            "rejected": self.rejects.height,
            "left_out": [asdict(each) for each in self.left_out],
            "page": f"{origin}/{simulated.page}" if simulated.page else "",
        }


def simulation(
    crm: str, folder: Path, today: date | None = None, without: Collection[str] = ()
) -> Simulation:  # fmt: skip
    """A simulated CRM with the folder's rows; `today`: the day that its clock shows, noon UTC and running on.

    `without`: tables that lie elsewhere.
    """
    read = portfolio.read(folder)
    currency = portfolio.home_currency(read.tables)
    noon = None if today is None else datetime.combine(today, time(12), UTC)
    ahead_s = 0.0 if noon is None else (noon - datetime.now(UTC)).total_seconds()
    tables = {name: table for name, table in read.tables.items() if name not in without}
    told = left_out.of_tables(packaged(crm), read.tables)
    lost = tuple(each for each in told if left_out.as_brought(each.table) not in without)
    rejects = read.rejects.filter(~pl.col("table").is_in(sorted(without)))
    return Simulation(registry.simulated(crm, tables, currency, ahead_s), rejects, lost, ahead_s)


def placeless(crm: str, tables: Tables) -> tuple[str, ...]:
    """Tables of a folder of which a simulated CRM has no place for everything; accounts are called profiles."""
    return left_out.brought_beside(left_out.of_tables(packaged(crm), tables), tables)


def serve(made: Simulation, port: int, ready: Callable[[dict[str, Any]], None], *, tls: bool, now: datetime) -> None:
    """Serves until SIGINT or SIGTERM; `ready` is told the line. `tls`: by https, its certificate's path as `ca`."""
    with TemporaryDirectory(prefix="zixin-") as folder:
        pair = certificate(Path(folder), now) if tls else None

        def tell_address(origin: str) -> None:
            ready({**made.line(origin), **({"ca": str(pair[0])} if pair else {})})

        server.serve(made.simulated.application, port, tell_address, tls=pair)


def day_after(tables: Tables) -> date | None:
    """The day after a folder's last fact: issued, paid or booked; None when it holds none."""
    facts = (("receivables", "issued"), ("payments", "paid_on"), ("adjustments", "booked_on"))
    days = [tables[name][column].max() for name, column in facts if name in tables and tables[name].height]
    last = max((day for day in days if isinstance(day, int)), default=None)
    return None if last is None else day_of(last + 1)
