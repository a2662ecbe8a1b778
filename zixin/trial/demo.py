"""The demo: a simulated CRM in a process of its own, filled, read, rated and written back over real HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from adapters.simulation.serving import serve_in_thread
from connector.assessment import NOT_RATED
from connector.errors import Misconfigured
from connector.messages.rendering import Sentences
from connector.schema import Tables, day_number
from mappings import portfolio
from sync.locks import run_lock, serve_lease
from sync.rescore import commit_assessments, score
from sync.run import run
from sync.store import ledger
from zixin import compose
from zixin.config import connections, settings
from zixin.config.connections import ConnectionConfig
from zixin.services import crm_fields
from zixin.services.connect import CLOCK, seconds_of
from zixin.services.loops import serving
from zixin.services.ratings import distribution
from zixin.trial import generate, simulate
from zixin.web.webhooks import application

#: The feed that brings from the folder what the simulated CRM has no place for.
FEED = "files"
#: The demo's own profile; nothing else is ever thrown away.
PROFILE = "demo"


@dataclass(slots=True)
class Demo:
    """What a demo did."""

    as_of: date
    #: Name of the adapter.
    crm: str
    #: What the simulator printed: origin, credentials, control.
    simulated: dict[str, Any]
    #: Tables of the folder that a feed brings.
    beside: tuple[str, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)
    assessed: pl.DataFrame = field(default_factory=pl.DataFrame)
    #: account_id → (number, name), of the accounts as the CRM has them.
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: What the policy's gates and flags say.
    sentences: Sentences = field(default_factory=Sentences)

    def watch(self, limit: int) -> list[dict[str, Any]]:
        """The customers to look at first: with a critical flag, by what is overdue."""
        critical = pl.col("flags").list.eval(pl.element().struct.field("severity") == "critical").list.any()
        rows = self.assessed.filter(critical & (pl.col("rating") != NOT_RATED))
        return rows.sort("overdue", descending=True).head(limit).to_dicts()

    def document(self) -> dict[str, Any]:
        """The summary of the run, with the ratings and where the simulator is."""
        return {
            **self.summary,
            "as_of": self.as_of.isoformat(),
            "ratings": distribution(self.assessed),
            "control": self.simulated["control"],
            "page": self.simulated["page"],
        }


@contextmanager
def running_demo(
    crm: str, data: Path | None, as_of: date | None, today: date, language: str, tell: Callable[[str], None]
) -> Iterator[Demo]:
    """Runs the demo on a simulated CRM of that kind; its simulator stands as long as the block does.

    `data`: a portfolio folder; else one is generated. `as_of`: else the day after the folder's last fact, or `today`
    for a generated one. `tell` is told how far it is.
    """
    home = settings.profile_folder(PROFILE)
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    with ExitStack() as ends, serve_lease(home, PROFILE), run_lock(home, PROFILE):
        for path in home.glob("zixin.db*"):
            path.unlink()
        settings.forget_policy(PROFILE)
        folder, tables, day = _portfolio(home, data, as_of, today)
        beside = simulate.placeless(crm, tables)
        demo = Demo(day, crm, ends.enter_context(_simulator(crm, folder, day, beside)), beside=beside)
        seconds["simulator"] = time.perf_counter() - started
        tell(f"simulated {crm} at {demo.simulated['origin']}, its day is {day}")
        _line(demo, folder, language, tell, seconds, history=data is None)
        seconds["total"] = time.perf_counter() - started
        demo.summary["seconds"] = {name: round(spent, 3) for name, spent in seconds.items()}
        stands = ends.pop_all()
    # The locks are free again: `zixin --profile demo sync` runs beside a demo that stands.
    with stands:
        yield demo


def _portfolio(home: Path, data: Path | None, as_of: date | None, today: date) -> tuple[Path, Tables, date]:
    """The folder, what it holds, and the demo's day."""
    if data is None:
        folder, day = home / "portfolio", as_of or today
        generate.generate(folder, day)
        return folder, portfolio.read(folder).tables, day
    tables = portfolio.read(data).tables
    last = as_of or simulate.day_after(tables)
    if last is None:
        raise Misconfigured("E-NO-FACTS", path=str(data))
    return data, tables, last


def _line(
    demo: Demo, folder: Path, language: str, tell: Callable[[str], None], seconds: dict[str, float], *, history: bool
) -> None:
    """Connect, install the fields, and run once; `history`: on two days before, too."""
    declared = dict(demo.simulated["credentials"])
    ahead_s = seconds_of(declared.pop(CLOCK, ""))
    name = f"simulated-{demo.crm}"
    compose.connect(PROFILE, name, demo.crm, declared, language, ahead_s)
    if demo.beside:
        settings_ = {"path": str(folder.resolve())}
        kept = ConnectionConfig("folder", settings_, language, feeds=name, tables=demo.beside, clock_ahead_s=ahead_s)
        connections.keep(PROFILE, {**connections.read(PROFILE), FEED: kept})
        tell(f"{demo.crm} has no place for all of {', '.join(demo.beside)}: {FEED} brings them from the folder")
    before = time.perf_counter()
    with compose.open_workspace(PROFILE, keep=True) as opened:
        link, _ = crm_fields.install(PROFILE, opened.link, optional=("score",))
        workspace = replace(opened, link=link)
        seconds["install"] = time.perf_counter() - before
        tell(f"installed {len(workspace.link.mapping.writes.fields)} fields on its accounts")
        counted: dict[str, int] = {}

        def progress(source: str, records: int) -> None:
            if records // 5_000 > counted.get(source, 0) // 5_000:
                tell(f"read {records:,} records of {source}")
            counted[source] = records

        day = day_number(demo.as_of)
        # A folder of somebody's own is rated as `evaluate` rates it: by its facts, and nothing that held before.
        past = partial(_past, workspace, day, language) if history else lambda: None
        ran = run(workspace.store, workspace.link, workspace.policy, day, language=language, tell=progress, pulled=past)
        demo.summary, demo.assessed = ran.summary(workspace.link), ran.assessed
        demo.sentences = workspace.policy.sentences
        # Rows that did not fit never reached the simulated CRM.
        demo.summary["rejected"] += demo.simulated["rejected"]
        seconds |= ran.seconds
        with workspace.store.read(workspace.link.name) as session:
            rows = ledger.accounts(session).select("account_id", "number", "name").rows()
        demo.names = {account: (number, name) for account, number, name in rows}


def _past(workspace: compose.Workspace, day: int, language: str) -> None:
    """Assesses two days before the demo's, without writing: so that a better grade shows as pending, and flags age."""
    for earlier in (day - 8, day - 1):
        commit_assessments(
            workspace.store,
            workspace.link,
            score(workspace.store, workspace.link, workspace.policy, earlier),
            language=language,
        )


@contextmanager
def live() -> Iterator[str]:
    """Serves the demo's connection while the block runs: a press on the rep's page comes back within seconds.

    Yields the door's origin.
    """
    connections.new_secret(PROFILE, rotate=False)
    with (
        compose.open_workspace(PROFILE) as workspace,
        serving(PROFILE, workspace, braked=False) as (result, intake),
        serve_in_thread(application(intake, result.ready)) as origin,
    ):
        result.public_url = origin
        result.renew()
        yield origin


@contextmanager
def _simulator(crm: str, folder: Path, day: date, without: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """The simulator in a process of its own, which ends with ours whatever becomes of us."""
    words = ["simulate", crm, "--data", str(folder), "--today", day.isoformat(), "--until-closed"]
    # What a CRM's accounts say of a customer is theirs all the same.
    words += ["--without", ",".join(without)]
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "zixin", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        first = process.stdout.readline() if process.stdout else ""
        if not first:
            raise Misconfigured("E-SIMULATOR", status=process.wait())
        yield json.loads(first)
    finally:
        process.terminate()
        process.communicate()
