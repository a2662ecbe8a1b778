"""Rescore: from stored facts to assessments and to what the CRM should show.

One path for an event's customer, a resumed run and the whole portfolio: whoever's facts, day or policy are not those of
his newest assessment is scored, and nobody else.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import polars as pl

from connector.assessment import ASSESSMENT, HOLDS
from connector.messages.rendering import Sentences, wording
from connector.policy import Policy
from connector.presentation import written_values
from connector.scoring.assess import assess, portfolio_statistics
from connector.scoring.features.tendency import Statistics
from connector.scoring.rating.people import decisions_in_force
from sync import warnings
from sync.crm_connection import CrmConnection, micros
from sync.store import Store, ledger, links, outbox, ratings
from sync.store.session import Reading, Writing

#: SQLite stalls other writers while one holds the lock: so many customers per transaction.
_CUSTOMERS_A_TRANSACTION = 1_000


#: A mark on statistics that were made of facts with a hole: the next run makes its own.
_PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class Scored:
    """What a run found out and has not put into force: nothing of it is stored."""

    #: New assessments, with the columns of `ASSESSMENT`.
    made: pl.DataFrame
    #: account_id → version of the facts it was scored from.
    versions: Mapping[str, int]
    #: Instant up to which facts were known.
    at: int
    #: The policy's text, and what its gates and flags say.
    policy: str
    sentences: Sentences
    #: Portfolio statistics to keep: (day, text).
    statistics: tuple[tuple[int, str], ...] = ()

    def without(self, accounts: Collection[str]) -> Scored:
        """The same without these customers, whose facts have a hole: the day's statistics are not kept either.

        The very first ones, which the others were scored with, are kept until a run makes whole ones.
        """
        some = pl.Series(sorted(accounts), dtype=pl.String).implode()
        made = self.made.filter(~pl.col("customer_id").is_in(some))
        day = self.made["as_of"].max()
        first = [(each, {**json.loads(text), _PROVISIONAL: True}) for each, text in self.statistics if each != day]
        kept = tuple((each, json.dumps(values, sort_keys=True)) for each, values in first) if made.height else ()
        return replace(self, made=made, statistics=kept)


def score(
    store: Store, link: CrmConnection, policy: Policy, as_of: int, *, only: Collection[str] | None = None
) -> Scored:
    """Scores whoever is due as of the day, `only` among these and their trees, and stores nothing.

    The first run computes the portfolio's statistics from its own facts and keeps them under the day before; a run over
    everybody keeps its own day's for the days after.
    """
    at, text = micros(link.now()), policy.model_dump_json(by_alias=True)
    with store.read(link.name) as session:
        tied = None if only is None else ledger.with_trees(session, only)
        due = ratings.due(session, as_of, policy.version, tied)
        if not due:
            return Scored(pl.DataFrame(schema=ASSESSMENT), {}, at, text, policy.sentences)
        # An event never keeps the statistics of a day: that is the night's.
        everybody = only is None and len(due) == ledger.totals(session)["accounts"]
        before = _before(session, as_of)
        whole = everybody or before is None
        tables = ledger.load(session, None if whole else sorted(due))
        near = None if whole else tables["accounts"]["account_id"].to_list()
        prior = ratings.assessments(session, before=as_of, accounts=near)
    portfolio = before
    pairs: tuple[tuple[int, str], ...] = ()
    if portfolio is None or everybody:
        today = portfolio_statistics(tables, policy, as_of)
        # They count from the day after theirs: the very first ones also stand for the day before.
        days = [as_of - 1] * (before is None) + [as_of] * everybody
        pairs = tuple((day, today.to_json()) for day in days)
        portfolio = before or today
    frame = assess(tables, policy, as_of, portfolio=portfolio, prior=prior)
    return Scored(frame.filter(pl.col("customer_id").is_in(list(due))), due, at, text, policy.sentences, pairs)


def commit_assessments(store: Store, link: CrmConnection, scored: Scored, *, language: str) -> None:
    """Puts into force what was scored: assessments, and what the CRM should show.

    A result counts only if the facts it was scored from still stand, its whole tree of parents' included: else the
    customer stays due.
    """
    with store.write(link.name) as session:
        keep_context(session, scored)
    for batch in scored.made.iter_slices(_CUSTOMERS_A_TRANSACTION):
        with store.write(link.name) as session:
            commit_batch(session, link, batch, scored, language)


def tighten(store: Store, link: CrmConnection, scored: Scored, accounts: Collection[str]) -> None:
    """Of customers who wait for a person, a hold that people decided waits for nobody.

    Nothing else of theirs is written: neither a grade nor a limit out of facts with a hole.
    """
    if "hold" not in link.mapping.writes.fields or not accounts or scored.made.is_empty():
        return
    order = {name: number for number, name in enumerate(HOLDS)}
    with store.read(link.name) as session:
        theirs = links.together(session, accounts)
        decided = ledger.decisions(session, {name for names in theirs.values() for name in names})
    in_force = decisions_in_force({"decisions": decided}, int(scored.made["as_of"][0]))
    held = dict(in_force.filter(pl.col("held").is_not_null()).select("account_id", "held").iter_rows())
    # Whoever holds one account of a customer holds them all.
    worst = {account: max((held[name] for name in theirs[account] if name in held), default=None) for account in theirs}
    with store.write(link.name) as session:
        outbox.tighten(session, {account: HOLDS[hold] for account, hold in worst.items() if hold is not None}, order)


def keep_context(session: Writing, scored: Scored) -> None:
    """Stores what the results can be recomputed from: the policy's text, the day's statistics."""
    if scored.made.height:
        ratings.save_policy(session, scored.made["policy_version"][0], scored.policy)
    for day, text in scored.statistics:
        ratings.save_statistics(session, day, text)


def commit_batch(session: Writing, link: CrmConnection, batch: pl.DataFrame, scored: Scored, language: str) -> set[str]:
    """Puts some of them into force, inside a transaction; returns those whose facts moved, who stay due."""
    versions = scored.versions
    moved = ratings.moved_since(session, batch["customer_id"].to_list(), versions)
    rows = [row for row in batch.to_dicts() if row["customer_id"] not in moved]
    if not rows:
        return moved
    frame = batch.filter(~pl.col("customer_id").is_in(list(moved))) if moved else batch
    facts_version = pl.Series("facts_version", [versions[row["customer_id"]] for row in rows], dtype=pl.Int64)
    results = [
        {
            "account_id": row["customer_id"],
            "as_of": row["as_of"],
            "facts_version": versions[row["customer_id"]],
            "next_day": row["next_day"],
            "shows": {
                name: value
                for name, value in written_values(row, language, scored.sentences).items()
                if name in link.mapping.writes.fields
            },
        }
        for row in rows
    ]
    ratings.save_assessments(session, frame.with_columns(facts_version), scored.at)
    outbox.want(session, results)
    warnings.live(session, rows)
    return moved


def render_anew(store: Store, link: CrmConnection, policy: Policy, *, language: str) -> int:
    """Where wording differs from what the CRM's texts were made of, makes them anew; how many customers' differ."""
    now = wording(policy.sentences, language)
    with store.read(link.name) as session:
        if outbox.wording(session) == now:
            return 0
        assessed = ratings.assessments(session)
    count = 0
    for batch in assessed.iter_slices(_CUSTOMERS_A_TRANSACTION):
        texts = {
            (row["customer_id"], row["as_of"]): written_values(row, language, policy.sentences)["reasons"]
            for row in batch.to_dicts()
        }
        with store.write(link.name) as session:
            count += outbox.reword(session, "reasons", texts)
    with store.write(link.name) as session:
        # Lists and explanations read the same words.
        ratings.save_policy(session, policy.version, policy.model_dump_json(by_alias=True))
        outbox.save_wording(session, now)
    return count


def preview(
    store: Store, connection: str, policy: Policy, as_of: int, *, without: Collection[str] = ()
) -> pl.DataFrame:  # fmt: skip
    """Assessments as of any day, stored nowhere; with the statistics that held before that day, if there were some.

    `without`: as if these sources had brought nothing.
    """
    with store.read(connection) as session:
        tables = ledger.load(session, without=without)
        before = _before(session, as_of)
        prior = ratings.assessments(session, before=as_of)
    portfolio = before or portfolio_statistics(tables, policy, as_of)
    return assess(tables, policy, as_of, portfolio=portfolio, prior=prior)


def _before(session: Reading, as_of: int) -> Statistics | None:
    stored = ratings.statistics_before(session, as_of)
    return None if stored is None or json.loads(stored).get(_PROVISIONAL) else Statistics.from_json(stored)
