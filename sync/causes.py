"""What a release or another policy would change about results that are in force, apart from what facts and days do.

The newest assessment of everybody is done again from what was known at its own instant: with the policy that made it
the engine alone moves it, with today's policy the policy does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from connector.assessment import ASSESSMENT, HOLDS
from connector.credit.moves import MOVING, Moves, moves
from connector.policy import ENGINE, Policy, engine_of, load_stored
from connector.scoring.assess import assess
from connector.scoring.features.tendency import Statistics
from sync.store import Store, ledger, ratings, runs

#: What an assessment was made from: whose, as of which day, from facts known at which instant, by which policy.
_MADE = ("customer_id", "as_of", "assessed_at", "policy_version")


@dataclass(frozen=True, slots=True)
class Causes:
    """Whom they would move; None: the engine, or the policy, is the one of the results in force."""

    engine: Moves | None = None
    policy: Moves | None = None


def causes(store: Store, connection: str, policy: Policy) -> Causes:
    """Whom the engine and the policy move, of those whose newest assessment another one made."""
    with store.read(connection) as session:
        frame = ratings.newest(session, (*_MADE, *MOVING[1:]))
    other = frame.filter(pl.col("policy_version") != policy.version)
    if not other.height:
        return Causes()
    before = _rules(store, other["policy_version"].unique().to_list())
    other = other.filter(pl.col("policy_version").is_in(list(before)))
    engines = [version for version in before if engine_of(version) != ENGINE]
    policies = [version for version, rules in before.items() if not rules.same_as(policy)]
    engine = by_policy = None
    by_engine = assess_again(store, connection, other.filter(pl.col("policy_version").is_in(engines)), before)
    if engines:
        engine = moves(other, by_engine)
    if policies:
        # What the engine moved is not the policy's doing.
        was = pl.concat([other.select(MOVING).join(by_engine, on="customer_id", how="anti"), by_engine])
        again = assess_again(
            store, connection, other.filter(pl.col("policy_version").is_in(policies)), dict.fromkeys(policies, policy)
        )
        by_policy = moves(was, again)
    return Causes(engine, by_policy)


def in_force(store: Store, connection: str, policy: Policy) -> Policy:
    """What events are rated by until a run has put *policy* into force: the policy of the last run that did."""
    with store.read(connection) as session:
        version = runs.policy_in_force(session)
    if version in (None, policy.version):
        return policy
    before = _rules(store, [version]).get(version)
    return policy if before is None or before.same_as(policy) else before


def unapproved(store: Store, connection: str, made: pl.DataFrame) -> set[str]:
    """Customers whose new assessment, an event's, waits until a person approved what a release changed about them.

    Those whose result in force was made by another engine, and today's would move it from the facts of then. A tighter
    hold waits for nobody. Columns in: `MOVING`.
    """
    with store.read(connection) as session:
        last = ratings.newest(session, (*_MADE, *MOVING[1:]), accounts=made["customer_id"].to_list())
    versions = last["policy_version"].unique().to_list()
    other = last.filter(pl.col("policy_version").is_in([each for each in versions if engine_of(each) != ENGINE]))
    rules = _rules(store, other["policy_version"].unique().to_list())
    other = other.filter(pl.col("policy_version").is_in(list(rules)))
    if not other.height:
        return set()
    now = assess_again(store, connection, other, rules).rename({name: f"{name}_now" for name in MOVING[1:]})
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_now")) for name in MOVING[1:])
    moved = other.join(now, on="customer_id").filter(differs).select("customer_id", pl.col("hold").alias("was"))
    order = {name: number for number, name in enumerate(HOLDS)}
    rows = made.select("customer_id", "hold").join(moved, on="customer_id").rows()
    return {account for account, hold, was in rows if order[hold] <= order[was]}


def assess_again(
    store: Store,
    connection: str,
    made: pl.DataFrame,
    rules: dict[str, Policy],
    *,
    columns: Sequence[str] = MOVING,
    as_now: Collection[str] = (),
) -> pl.DataFrame:
    """Assessments done again from what was known then, `as_now`: but for these tables; some of their columns.

    *made*: `_MADE`, *rules*: by policy version; what has none is left out.
    """
    frames = [pl.DataFrame(schema={name: ASSESSMENT[name] for name in columns})]
    made = made.filter(pl.col("policy_version").is_in(list(rules)))
    for (as_of, at, version), group in made.group_by("as_of", "assessed_at", "policy_version", maintain_order=True):
        with store.read(connection) as session:
            # Most were made by one run; reading everything is faster than by ids then.
            whole = group.height * 2 > ledger.totals(session)["accounts"]
            known = ledger.load(session, None if whole else group["customer_id"].to_list(), known_at=at)
            near = None if whole else known["accounts"]["account_id"].to_list()
            if as_now:
                now = ledger.load(session, None if whole else group["customer_id"].to_list())
                known = {**known, **{name: now[name] for name in as_now}}
            prior = ratings.assessments(session, before=as_of, accounts=near)
            kept_ = ratings.statistics_before(session, as_of)
        if kept_ is None:
            continue
        again = assess(known, rules[str(version)], as_of, portfolio=Statistics.from_json(kept_), prior=prior)
        frames.append(again.select(columns).join(group.select("customer_id"), on="customer_id", how="semi"))
    return pl.concat(frames)


def decided_since(store: Store, connection: str) -> pl.DataFrame:
    """Assessments that decisions of people since would change, done again; none stored. Columns out: `ASSESSMENT`.

    One whose facts moved by themselves comes to the same: those are rated by the next run.
    """
    with store.read(connection) as session:
        moved = ratings.moved(session, ledger.decided(session))
        made = ratings.newest(session, (*_MADE, *MOVING[1:]), accounts=moved)
    rules = _rules(store, made["policy_version"].unique().to_list())
    again = assess_again(store, connection, made, rules, columns=tuple(ASSESSMENT), as_now=ledger.BY_PEOPLE)
    return again.join(made.select(MOVING), on=list(MOVING), how="anti", nulls_equal=True)


def _rules(store: Store, versions: Collection[str]) -> dict[str, Policy]:
    """The policies of these versions, as they were stored with what they made."""
    with store.read() as session:
        bodies = {version: ratings.policy(session, version) for version in versions}
    return {version: load_stored(body, version) for version, body in bodies.items() if body is not None}
