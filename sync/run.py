"""One run: pull, rescore, push, under the profile's lock, with what it did and cost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from connector.policy import Policy
from sync.link import Link, micros
from sync.pull import Progress, Pulled, pull, silent
from sync.push import Pushed, push
from sync.rescore import look, rescore
from sync.store import Store, facts, state


@dataclass(slots=True)
class Ran:
    """What a run did."""

    as_of: int
    pulled: Pulled
    #: Assessments made in this run.
    assessed: pl.DataFrame
    pushed: Pushed
    totals: dict[str, int]
    wanted: int
    rejected: int
    #: A day before the newest assessed one: nothing was stored or written.
    shown_only: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    def summary(self, link: Link) -> dict[str, Any]:
        """The document of design/commands.md; assessed, written, unchanged and refused count accounts."""
        pushed = self.pushed
        untouched = self.wanted - pushed.written - pushed.refused - pushed.unknown - pushed.deferred
        return {
            **self.totals,
            "read": dict(self.pulled.read),
            "rejected": self.rejected,
            "assessed": self.assessed.height,
            "written": pushed.written,
            "unchanged": max(0, untouched),
            "refused": pushed.refused,
            "unknown": pushed.unknown,
            "deferred": pushed.deferred,
            "lost_from_sight": self.pulled.lost,
            "fields": pushed.fields,
            "calls": dict(link.crm.spent.calls),
            "credits": link.crm.spent.credits,
            "seconds": {name: round(spent, 3) for name, spent in self.seconds.items()},
        }


def run(
    store: Store,
    link: Link,
    policy: Policy,
    as_of: int,
    *,
    language: str,
    full: bool = False,
    tell: Progress = silent,
    clock: Callable[[], float] = time.perf_counter,
) -> Ran:
    """Pull, rescore and push as of a day. The caller holds the profile's lock."""
    seconds: dict[str, float] = {}
    started = clock()

    def lap(name: str) -> None:
        nonlocal started
        now = clock()
        seconds[name] = seconds.get(name, 0.0) + now - started
        started = now

    began = micros(link.crm.now())
    pulled = pull(store, link, full=full, tell=tell)
    lap("pull")
    with store.read() as tx:
        newest = state.newest_day(tx, link.name)
    past = newest is not None and as_of < newest
    assessed = look(store, link, policy, as_of) if past else rescore(store, link, policy, as_of, language=language)
    lap("score")
    pushed = Pushed() if past else push(store, link)
    lap("push")
    with store.write() as tx:
        ran = Ran(
            as_of, pulled, assessed, pushed, facts.totals(tx, link.name), state.count_wanted(tx, link.name),
            len(facts.rejected(tx, link.name)), past, seconds,
        )  # fmt: skip
        summary = ran.summary(link)
        state.save_run(
            tx,
            {
                "run_id": f"{link.name}-{began}", "kind": "sync", "as_of": as_of, "state": "done", "started_at": began,
                "finished_at": micros(link.crm.now()), "policy_version": policy.version, "summary": json.dumps(summary),
            },
        )  # fmt: skip
    return ran
