"""The circuit breaker of events: a flood of bad news within an hour waits for a person, while good news passes.

At least 20 customers, and a share that the policy's `checks` set, who would fall to C or D within an hour. Source:
docs/rules.md, "Events and runs".
"""

from __future__ import annotations

import polars as pl

from connector.policy import Checks, Policy
from sync.crm_connection import CrmConnection, micros
from sync.rescore import Scored
from sync.run import note_braked
from sync.store import Store, ledger, ratings, runs

_HOUR = 3_600_000_000
_FALLEN = ("C", "D")


def fallen_customers(store: Store, link: CrmConnection, scored: Scored) -> set[str]:
    """Customers who would fall to a low grade from a better one."""
    low = scored.made.filter(pl.col("rating").is_in(_FALLEN))["customer_id"].to_list()
    if not low:
        return set()
    with store.read(link.name) as session:
        before = ratings.assessments(session, columns=("customer_id", "rating"), accounts=low)
    return set(before.filter(~pl.col("rating").is_in(_FALLEN))["customer_id"])


def too_many(store: Store, link: CrmConnection, checks: Checks, falling: set[str]) -> bool:
    """Whether more would have fallen within the hour than may.

    A run that put its ratings into force has passed a brake of its own, or a person has: what fell before does not
    count.
    """
    if not falling:
        return False
    with store.read(link.name) as session:
        good = [row["finished_at"] for row in runs.list_runs(session, 20) if row["state"] in runs.IN_FORCE]
        since = max([micros(link.now()) - _HOUR, *(at for at in good if at)])
        fell = falling | ratings.fallen_since(session, since)
        everybody = ledger.totals(session)["accounts"]
    return len(fell) >= checks.events_least and len(fell) > checks.events_share * everybody


def ask(store: Store, link: CrmConnection, policy: Policy, scored: Scored, held: set[str]) -> None:
    """Note a run that waits for `approve`; one that waits for the same already is not repeated."""
    frame = scored.made.filter(pl.col("customer_id").is_in(sorted(held)))
    note_braked(store, link, policy, frame)
