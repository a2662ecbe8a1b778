"""Runs: what ran, how it ended, who put it into force."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from sync.store import tables
from sync.store.dialect import upsert
from sync.store.session import Reading, Writing

#: States of runs that put their ratings into force; of `withheld` those of most customers.
IN_FORCE = ("done", "approved", "withheld")


def save(session: Writing, row: Mapping[str, Any]) -> None:
    """Keep or update a run's row."""
    upsert(session, tables.runs, [dict(row)], ["run_id"])


def policy_in_force(session: Reading) -> str | None:
    """Version of the policy of the last run that put its ratings into force; None: there was none."""
    table = tables.runs
    query = select(table.c.policy_version).where(session.own(table), table.c.state.in_(IN_FORCE))
    return session.tx.execute(query.order_by(table.c.started_at.desc()).limit(1)).scalar_one_or_none()


def list_runs(session: Reading, limit: int | None = None) -> list[dict[str, Any]]:
    """The connection's runs, newest first; `summary` as a mapping."""
    table = tables.runs
    query = select(table).where(session.own(table))
    query = query.order_by(table.c.started_at.desc(), table.c.run_id.desc()).limit(limit)
    return [{**row, "summary": json.loads(row["summary"])} for row in session.tx.execute(query).mappings()]
