"""One run: pull, rescore, push, under the profile's lock, with what it did and cost."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from connector.assessment import ASSESSMENT
from connector.credit.circuit_breaker import LOOKED_AT, Verdict, check_run
from connector.errors import Misconfigured, Problem
from connector.plan import Planned
from connector.policy import Policy
from mappings.left_out import unbrought
from sync.causes import causes
from sync.crm_connection import CrmConnection, micros
from sync.holes import expect, look, look_if_due
from sync.pull import Progress, pull, silent
from sync.push import Pushed, dry_run, push
from sync.reconcile import reconcile
from sync.rescore import commit_assessments, preview, render_anew, score, tighten
from sync.sending import now_accepted
from sync.store import Store, holes, ledger, outbox, ratings, refusals, rejects, runs
from sync.sweep import noted, sweep
from sync.taking import Pulled


@dataclass(slots=True)
class Ran:
    """What a run did."""

    run_id: str
    as_of: int
    #: Microseconds since 1970 UTC, by our clock.
    began: int = 0
    #: done, shown (a day before the newest assessed one: nothing stored or written), dry, braked, approved, withheld:
    #: those whom a hole in what was read concerns wait.
    state: str = "done"
    #: What is missing of what the sources should bring, as `holes.told` has it.
    holes: list[dict[str, Any]] = field(default_factory=list)
    #: When somebody looked for holes, in microseconds since 1970 UTC.
    looked_at: int = 0
    #: Customers who are not written before a person says so.
    withheld: int = 0
    pulled: Pulled = field(default_factory=Pulled)
    #: Assessments made in this run.
    assessed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ASSESSMENT))
    verdict: Verdict | None = None
    #: Of the ratings that would be put into force; what `approve` of a braked run agrees to.
    digest: str = ""
    #: Accounts of which the CRM refuses something when the run ends.
    refused: int = 0
    #: Field → accounts of which the CRM refuses it, when the run ends.
    refused_fields: dict[str, int] = field(default_factory=dict)
    pushed: Pushed = field(default_factory=Pushed)
    #: After a full read: rows and money, the CRM's beside the store's.
    reconciled: list[dict[str, Any]] = field(default_factory=list)
    #: What a dry run would write.
    changes: list[Planned] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    wanted: int = 0
    rejected: int = 0
    #: Source of a feed → its rows of customers whom no account names, and how many customers; none of `rejected`.
    strangers: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: Feeds of whose customers no account names a single one.
    untied: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def summary(self, link: CrmConnection) -> dict[str, Any]:
        """As `zixin sync --json` prints it; assessed, written, unchanged and refused count accounts."""
        pushed = self.pushed
        untouched = self.wanted - pushed.written - pushed.refused - pushed.unknown - pushed.deferred
        return {
            "run": self.run_id,
            "state": self.state,
            **self.totals,
            "read": dict(self.pulled.read),
            "rejected": self.rejected,
            "assessed": self.assessed.height,
            "written": pushed.written,
            "unchanged": max(0, untouched),
            # Accounts that the CRM refused something of, in this run or before, and still does.
            "refused": self.refused,
            # Field → accounts of which the CRM still refuses it; it may have taken their others.
            "refused_fields": dict(self.refused_fields),
            "unknown": pushed.unknown,
            "deferred": pushed.deferred,
            # Source → records stored, shown and missing: a read that nobody believes before a person accepts it.
            "lost_from_sight": {
                row.source: {"stored": row.stored, "shown": row.shown, "missing": row.missing}
                for row in self.pulled.lost
            },
            # What is missing of what was read; customers: null where nobody knows whose it is.
            "holes": self.holes,
            "withheld": self.withheld,
            "looked_at": self.looked_at,
            "read_whole_every_time": self.pulled.untimed,
            # Source → a full read that ran by itself: customers of whom the reads of changes had missed a fact.
            "read_in_full": dict(self.pulled.swept),
            # Source → records dated after now: by a clock that is off, or by mistake.
            "dated_ahead": dict(self.pulled.ahead),
            "fields": pushed.fields,
            "calls": link.calls(),
            "credits": link.crm.spent.credits,
            "seconds": {name: round(spent, 3) for name, spent in self.seconds.items()},
            "reconciled": self.reconciled,
            # What there is and no source takes: object → fields, and canonical tables that nothing brings.
            "left_out": {
                "fields": {each.object: {"unread": len(each.fields), "of": each.of} for each in link.unread},
                "tables": list(unbrought(link.mapping, self.pulled.absent)),
            },
            "strangers": {source: {"rows": each[0], "customers": each[1]} for source, each in self.strangers.items()},
            # Feeds of which rows came, and nobody's but strangers'.
            "untied": self.untied,
            # Accounts whose customer has other accounts now: zixin links list.
            "relinked": len(self.pulled.relinked),
            # Feed → code of the problem that keeps it away; what it brought stands as it is.
            "away": dict(self.pulled.away),
            "away_because": {feed: list(told) for feed, told in self.pulled.away_because.items()},
            "digest": self.digest,
            "brake": None if self.verdict is None else asdict(self.verdict),
        }


def run(
    store: Store,
    link: CrmConnection,
    policy: Policy,
    as_of: int,
    *,
    language: str,
    full: bool = False,
    dry: bool = False,
    again: bool = False,
    tell: Progress = silent,
    pulled: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Ran:
    """Pull, rescore and push as of a day. The caller holds the profile's lock; `pulled` is called after the pull.

    `dry`: nothing takes effect, but what was read is kept; `changes` says what the run would write. `again`: what the
    CRM refused is tried once more, where its fields have not changed, too.
    """
    with _recorded_run(store, link, policy, "sync", as_of) as ran:
        lap = _laps(ran, clock)
        if again or not dry:
            among = None if again else now_accepted(store, link)
            with store.write(link.name) as session:
                refusals.reopen(session, among)
        ran.pulled = pull(store, link, policy.checks, full=full, tell=tell, began=ran.began)
        for name, began in ran.pulled.in_full.items():
            noted(store, link, name, began)
        ran.reconciled = reconcile(store, link, ran.pulled)
        lap("pull")
        pulled()
        lap("history")
        with store.read(link.name) as session:
            newest = ratings.newest_day(session)
        if newest is not None and as_of < newest:
            ran.assessed, ran.state = preview(store, link.name, policy, as_of), "shown"
            lap("score")
        else:
            _decide(store, link, policy, ran, language, dry=dry, lap=lap)
            if not dry:
                sweep(store, link, policy.checks, ran.pulled)
                # From now on they are not written, by events either.
                if look_if_due(store, link, policy.checks):
                    _tell_holes(store, link, ran, micros(link.now()))
                    ran.state = "withheld" if ran.state == "done" and _waits(ran) else ran.state
                lap("sweep")
    return ran


def approve(
    store: Store,
    link: CrmConnection,
    policy: Policy,
    run_id: str,
    by: str,
    today: int,
    *,
    language: str,
    clock: Callable[[], float] = time.perf_counter,
) -> Ran:
    """Puts a run that waits into force in a person's name. The caller holds the profile's lock.

    The holes that it named count no more, as far as it had seen them; sources lost from sight are released by `accept`.
    What the brake stopped passes only as the newest run of a day that is still today, and only if scoring it again
    gives the same ratings: else it is scored again under the brake. Raises Misconfigured where there is no such run, it
    does not wait, or only for sources that are lost from sight.
    """
    with store.read(link.name) as session:
        rows = [row for row in runs.list_runs(session) if row["state"] not in ("dry", "shown", "failed")]
    request = next((row for row in rows if row["run_id"] == run_id), None)
    if request is None:
        raise Misconfigured("E-RUN-UNKNOWN", run=run_id)
    if request["state"] not in ("braked", "withheld"):
        raise Misconfigured("E-RUN-NOT-BRAKED", run=run_id, state=request["state"])
    # The brake's and the holes' are two decisions: what is withheld is released by the run that names it alone.
    told = [each for each in request["summary"].get("holes", ()) if each["cause"] != "lost"]
    if request["state"] == "withheld" and not told:
        lost = ", ".join(request["summary"]["lost_from_sight"])
        raise Misconfigured("E-RUN-LOST", run=run_id, sources=lost)
    with store.read(link.name) as session:
        newest = ratings.newest_day(session)
    # A day that was given to a sync may lie ahead of the clock.
    today = max(today, newest or 0)
    fresh = request is rows[0] and request["as_of"] >= today
    as_of = request["as_of"] if fresh else today
    with _recorded_run(store, link, policy, "approve", as_of, by=by) as ran:
        waits = request["state"] == "withheld"
        expected = request["summary"].get("digest") if fresh and not waits else None
        if fresh and waits:
            with store.write(link.name) as session:
                holes.release(session, told, request["summary"]["looked_at"], by)
        _decide(store, link, policy, ran, language, approved=expected, lap=_laps(ran, clock))
        if ran.state == "done":
            ran.state = "approved"
    if ran.state == "approved" or (ran.state == "withheld" and fresh):
        with store.write() as session:
            runs.save(session, {**request, "state": "approved", "by": by, "summary": json.dumps(request["summary"])})
    return ran


def note_braked(store: Store, link: CrmConnection, policy: Policy, made: pl.DataFrame) -> None:
    """Notes that these ratings, which events led to, wait for `approve`; once."""
    digest = _digest(made)
    with store.read(link.name) as session:
        newest = runs.list_runs(session, 1)
    if newest and newest[0]["state"] == "braked" and newest[0]["summary"].get("digest") == digest:
        return
    with _recorded_run(store, link, policy, "events", int(made["as_of"][0])) as ran:
        ran.assessed, ran.digest, ran.state = made, digest, "braked"


def _decide(
    store: Store,
    link: CrmConnection,
    policy: Policy,
    ran: Ran,
    language: str,
    *,
    lap: Callable[[str], None],
    dry: bool = False,
    approved: str | None = None,
) -> None:
    """Score, brake, and put into force or say what would be. `approved`: digest of the ratings a person agreed to."""
    looked = look(store, link, policy.checks)
    whole = score(store, link, policy, ran.as_of)
    with store.read(link.name) as session:
        last = ratings.assessments(session, columns=LOOKED_AT)
        aside = holes.withheld(session)
    _tell_holes(store, link, ran, looked.at)
    waiting = aside.among(whole.made["customer_id"])
    scored = whole.without(waiting) if waiting else whole
    ran.assessed = scored.made
    results = causes(store, link.name, policy)
    ran.verdict = check_run(scored.made, last, policy.checks, results.engine, results.policy)
    lap("score")
    ran.digest = _digest(scored.made)
    stopped = ran.verdict.stopped and ran.digest != approved
    if dry:
        ran.changes = [] if stopped else dry_run(store, link, scored, now_accepted(store, link), language=language)
        ran.state = "dry"
    elif stopped:
        ran.state = "braked"
    else:
        commit_assessments(store, link, scored, language=language)
        tighten(store, link, whole, waiting)
        render_anew(store, link, policy, language=language)
        lap("store")
        ran.pushed = push(store, link)
        lap("push")
        expect(store, link, looked)
        ran.state = "withheld" if _waits(ran) else ran.state


def _tell_holes(store: Store, link: CrmConnection, ran: Ran, at: int) -> None:
    with store.read(link.name) as session:
        ran.holes, ran.looked_at = holes.told(session), at
        ran.withheld = holes.count_withheld(session)


def _waits(ran: Ran) -> bool:
    """Whether a person has to say something about what is missing, be it of customers who are gone themselves."""
    return bool(ran.withheld or any(hole["cause"] != "lost" for hole in ran.holes))


def _untied(link: CrmConnection, strangers: Iterable[str], stored: Iterable[str]) -> list[str]:
    """Feeds of which sources brought strangers and nobody else; stored: sources that accounts have facts of."""

    def feeds_of(names: Iterable[str]) -> set[str]:
        return {link.mapping.feed_of(name) for name in names if name in link.mapping.sources}

    return sorted(feeds_of(strangers) - feeds_of(stored))


def _digest(made: pl.DataFrame) -> str:
    """Of who would have which rating, limit and hold."""
    rows = made.select("customer_id", "as_of", "rating", "limit", "hold").sort("customer_id")
    return hashlib.sha256(rows.write_csv().encode()).hexdigest()[:16]


def _laps(ran: Ran, clock: Callable[[], float]) -> Callable[[str], None]:
    started = clock()

    def lap(name: str) -> None:
        nonlocal started
        now = clock()
        ran.seconds[name] = ran.seconds.get(name, 0.0) + now - started
        started = now

    return lap


@contextmanager
def _recorded_run(
    store: Store, link: CrmConnection, policy: Policy, kind: str, as_of: int, by: str | None = None
) -> Iterator[Ran]:
    """A run with its row: running, then how it ended, whatever ends it."""
    with store.read(link.name) as session:
        last = runs.list_runs(session, 1)
    # A clock may be set back: a run never begins before the one before it.
    began = max(micros(link.now()), *(row["started_at"] + 1 for row in last), 0)
    run_id = f"{link.name}-{began}"
    row = {
        "run_id": run_id,
        "connection": link.name,
        "kind": kind,
        "as_of": as_of,
        "state": "running",
        "started_at": began,
        "finished_at": None,
        "policy_version": policy.version,
        "by": by,
        "summary": "{}",
    }
    with store.write() as session:
        runs.save(session, row)
    ran = Ran(run_id, as_of, began)
    try:
        yield ran
    except BaseException as error:
        code = error.code if isinstance(error, Problem) else type(error).__name__
        with suppress(Problem), store.write() as session:
            runs.save(session, {**row, "state": "failed", "summary": json.dumps({"problem": code})})
        raise
    with store.write(link.name) as session:
        ran.refused, ran.refused_fields = len(refusals.open_(session)), refusals.by_field(session)
        ran.totals, ran.wanted = ledger.totals(session), outbox.count_wanted(session)
        ran.strangers = rejects.strangers(session)
        ran.untied = _untied(link, ran.strangers, ledger.sources(session, of_accounts=True))
        ran.rejected = len(rejects.every(session)) - sum(rows for rows, _ in ran.strangers.values())
        finished = max(micros(link.now()), began + 1)
        summary = json.dumps(ran.summary(link))
        runs.save(session, {**row, "state": ran.state, "finished_at": finished, "summary": summary})
