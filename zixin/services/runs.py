"""Runs of a profile: read, rate, write back; what ran, what is open of it, and once more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from connector.errors import Misconfigured
from connector.schema import day_number, day_of
from sync import run as runs_
from sync.crm_connection import instant, micros
from sync.locks import run_lock
from sync.run import Ran
from sync.store import ledger, outbox, refusals, rejects, runs, sight
from sync.store.sight import LostSource
from zixin import compose
from zixin.compose import Workspace
from zixin.config import settings


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A written field of an account: what the CRM shows, and what would take its place; None: empty."""

    name: str
    shown: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What a run would write of an account."""

    account_id: str
    #: Its number; None: the CRM gives it none.
    number: str | None
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class RunDone:
    """What came of a run."""

    #: As `zixin sync --json` prints it; assessed, written, unchanged and refused count accounts.
    summary: dict[str, Any]
    #: What a dry run would write; None: it was none.
    changes: tuple[AccountChange, ...] | None = None

    @property
    def stopped(self) -> bool:
        """It waits for a person, or would."""
        state = self.summary["state"]
        waits = state == "dry" and (self.summary["brake"]["stopped"] or self.summary["withheld"])
        return bool(state in ("braked", "withheld") or waits)

    @property
    def incomplete(self) -> bool:
        """Rows did not fit, a source is out of sight, the CRM refused something, or nothing shows that it took it.

        So is a run in which a feed could not be read, or in which no account names a single customer of one.
        """
        names = ("rejected", "lost_from_sight", "refused", "refused_fields", "unknown", "away", "untied")
        return any(self.summary[name] for name in names)


def sync(profile: str, as_of: date | None, *, full: bool, dry: bool) -> RunDone:
    """One run under the profile's lock, as of that day or today.

    Raises Busy: another one is on; Denied: the CRM lacks our fields, or hides them; Problem as the CRM has it.
    """
    with _locked(profile) as workspace:
        compose.check_fields(workspace)
        day = day_number(as_of or workspace.link.today())
        ran = runs_.run(
            workspace.store, workspace.link, workspace.policy, day, language=workspace.language, full=full, dry=dry
        )
        return RunDone(ran.summary(workspace.link), _changes(workspace, ran) if dry else None)


def accept(profile: str, source: str, by: str, now: datetime) -> LostSource:
    """Takes what a source shows for all that there is, in a person's name; the next run reads what is missing by id.

    Raises Misconfigured: nothing of that source is out of sight, or there is no store.
    """
    with compose.open_store(profile) as (store, name), store.write(name) as session:
        return sight.accept(session, source, by, micros(now))


def retry(profile: str, run_id: str) -> RunDone:
    """One run as of today, in which what was refused is written again. Raises as `sync`; Misconfigured: no such run."""
    list_runs(profile, run_id)
    with _locked(profile) as workspace:
        day = day_number(workspace.link.today())
        ran = runs_.run(workspace.store, workspace.link, workspace.policy, day, language=workspace.language, again=True)
        return RunDone(ran.summary(workspace.link))


def approve(profile: str, run_id: str, by: str) -> RunDone:
    """Puts a run into force that waits for a person. Raises Misconfigured where there is none, or it does not wait."""
    with _locked(profile) as workspace:
        today = day_number(workspace.link.today())
        ran = runs_.approve(
            workspace.store, workspace.link, workspace.policy, run_id, by, today, language=workspace.language
        )
        return RunDone(ran.summary(workspace.link))


@contextmanager
def _locked(profile: str) -> Iterator[Workspace]:
    with run_lock(settings.profile_folder(profile), profile), compose.open_workspace(profile, keep=True) as workspace:
        yield workspace


def _changes(workspace: Workspace, ran: Ran) -> tuple[AccountChange, ...]:
    with workspace.store.read(workspace.link.name) as session:
        names = ledger.numbers(session)
        seen = outbox.observed(session, [item.account for item in ran.changes])
    return tuple(
        AccountChange(
            item.account,
            names.get(item.account),
            tuple(
                FieldChange(name, seen.get(item.account, {}).get(name), value) for name, value in item.values.items()
            ),
        )
        for item in ran.changes
    )


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as it was noted."""

    run: str
    kind: str
    as_of: date
    state: str
    started_at: datetime
    #: None: it is on, or was killed.
    finished_at: datetime | None
    #: Who put it into force, where somebody did.
    by: str | None
    policy_version: str
    summary: dict[str, Any]


def list_runs(profile: str, run_id: str = "", limit: int | None = None) -> tuple[RunRow, ...]:
    """The runs, newest first, or the one of that id. Raises Misconfigured where there is no such run."""
    with compose.open_store(profile) as (store, name), store.read(name) as session:
        rows = runs.list_runs(session, None if run_id else limit)
    run_rows = tuple(_row(row) for row in rows if run_id in ("", row["run_id"]))
    if run_id and not run_rows:
        raise Misconfigured("E-RUN-UNKNOWN", run=run_id)
    return run_rows


def _row(row: dict[str, Any]) -> RunRow:
    ended = row["finished_at"]
    return RunRow(
        row["run_id"],
        row["kind"],
        day_of(row["as_of"]),
        row["state"],
        instant(row["started_at"]),
        None if ended is None else instant(ended),
        row["by"],
        row["policy_version"],
        row["summary"],
    )


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row of the CRM that did not fit."""

    source: str
    record: str
    column: str
    value: str | None
    #: As `connector.messages.rejects.sentence` takes it.
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """What the CRM refused of an account."""

    account_id: str
    number: str | None
    #: Written fields; empty: the account as a whole.
    fields: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Open:
    """What is open of a profile's runs."""

    rejected: tuple[Rejected, ...]
    refused: tuple[Refused, ...]


def open_errors(profile: str) -> Open:
    """Rows that did not fit and still do not, and what the CRM refused of what it should show now."""
    with compose.open_store(profile) as (store, name), store.read(name) as session:
        misfits, refused = rejects.every(session), refusals.open_(session)
        numbers = ledger.numbers(session)
    return Open(
        tuple(
            Rejected(
                str(row["source"]),
                str(row["record"]),
                str(row["column"]),
                None if row["value"] is None else str(row["value"]),
                str(row["reason"]),
                instant(int(str(row["since"]))),
            )
            for row in misfits
        ),
        tuple(Refused(key, numbers.get(key), each.fields, each.words) for key, each in refused.items()),
    )
