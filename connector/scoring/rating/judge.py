"""From points and features to rating, flags and hold: what the policy's conditions make of a customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from connector.assessment import FLAG, FLAGS, NOT_RATED
from connector.policy import Policy
from connector.scoring.frame.columns import NEVER, Bool, Int, Values, days, is_known, lists, nullable, true, with_series
from connector.scoring.frame.grades import GRADE_RANK, HOLD_RANK, NONE, UNRATED, grades, holds, ranks
from connector.scoring.frame.keys import per_policy, row_index_of
from connector.scoring.rating.conditions import Matches, matches
from connector.scoring.rating.stability import steady

_SEVERITIES = ("info", "warning", "critical")


def rate(frame: pl.DataFrame, policy: Policy, base: str, prior: pl.DataFrame | None, as_of: int) -> pl.DataFrame:
    """The rating: by points, capped by gates, held steady against the last one, knocked out by gates.

    Columns in: account_id, score_milli, absent_<pillar>, features. Columns out, beside them: gate_<name> (true: it
    fired), model_rating (before knock-outs; while not rated the last one), pending_rating, pending_since, rating,
    nr_kind. `prior`: assessments of an earlier day.
    """
    values = Values(frame)
    fired = {name: gate(values) for name, gate in _gates(policy, base).items()}
    caps = [(fired[name], GRADE_RANK[gate.cap]) for name, gate in policy.gates.items() if gate.cap]
    caps += [
        (true(frame[f"absent_{name}"]), GRADE_RANK[pillar.cap_when_absent])
        for name, pillar in policy.pillars.items()
        if pillar.cap_when_absent
    ]
    unrated = _knocked_out(fired, policy, NOT_RATED, frame.height)
    held = steady(frame, _worst(caps, frame.height), unrated, policy, prior, as_of)
    # Without a score today the last grade is no rating.
    graded = np.where(is_known(frame["score_milli"]) & (held.grade != NONE), held.grade, UNRATED)
    # D stands before NR: an insolvent customer with thin evidence is insolvent.
    defaulted = _knocked_out(fired, policy, "D", frame.height)
    rating = np.where(defaulted, GRADE_RANK["D"], np.where(unrated, UNRATED, graded))
    return with_series(
        frame,
        [
            *(pl.Series(f"gate_{name}", each) for name, each in fired.items()),
            grades("model_rating", held.grade),
            grades("pending_rating", held.pending),
            nullable("pending_since", held.pending_since, held.pending_since != NEVER, pl.Int32),
            grades("rating", rating),
            _kind_of_unrated(fired, policy, rating),
        ],
    )


@per_policy
def _gates(policy: Policy, base: str) -> dict[str, Matches]:
    return {name: matches(gate.when, policy, base) for name, gate in policy.gates.items()}


def _knocked_out(fired: Mapping[str, Bool], policy: Policy, rating: str, height: int) -> Bool:
    gates = [fired[name] for name, gate in policy.gates.items() if gate.rating == rating]
    fires: Bool = np.logical_or.reduce([np.zeros(height, bool), *gates])
    return fires


def _kind_of_unrated(fired: Mapping[str, Bool], policy: Policy, rating: Int) -> pl.Series:
    """Why a customer is not rated: the kind of the first gate that fired, else thin evidence; null when rated."""
    cash = np.zeros(len(rating), bool)
    for name, gate in reversed(policy.gates.items()):
        if gate.kind:
            cash = np.where(fired[name], gate.kind == "cash", cash)
    names = pl.Series("nr_kind", ["thin", "cash", None])
    return names.gather(np.where(rating == UNRATED, cash.astype(np.int64), 2))


def _worst(cases: Iterable[tuple[Bool, int]], height: int) -> Int:
    """The greatest rank of the cases that hold; 0 where none does."""
    values = np.zeros(height, np.int64)
    for holds_, rank in cases:
        np.maximum(values, holds_ * rank, out=values)
    return values


@dataclass(frozen=True, slots=True)
class _FlagRules:
    """A flag of the policy, compiled: when it is raised, when it falls again, and how its evidence reads."""

    when: Matches
    until: Matches | None
    #: The column evidence; columns in: the features of `when`.
    evidence: pl.Expr
    features: list[str]


@per_policy
def _flags(policy: Policy, base: str) -> dict[str, _FlagRules]:
    """By code, gravest first."""
    result = {}
    for code in FLAGS:
        if code in policy.flags:
            item = policy.flags[code]
            until = None if item.until is None else matches(item.until, policy, base)
            names = list(dict.fromkeys(item.when.features()))
            result[code] = _FlagRules(matches(item.when, policy, base), until, _evidence(names), names)
    return result


def _evidence(names: list[str]) -> pl.Expr:
    figures = [pl.struct(pl.lit(name).alias("feature"), pl.col(name).cast(pl.Float64).alias("value")) for name in names]
    return pl.concat_list(figures).alias("evidence")


def flag(frame: pl.DataFrame, policy: Policy, base: str, as_of: int, before: pl.DataFrame | None) -> pl.DataFrame:
    """The warning flags that are up, and the gravest hold that flags and grade bring.

    Columns in: account_id, rating and features. Columns out, beside them: flags (gravest first), hold, severity (the
    worst's), measures. `before`: account_id, code and since of the flags that were up already.
    """
    values, rating = Values(frame), ranks(frame["rating"])
    up, since = {}, {}
    earlier = {} if before is None else _up_since(frame, before)
    for code, rules in _flags(policy, base).items():
        up[code], since[code] = rules.when(values), np.full(frame.height, as_of, np.int64)
        if code in earlier:
            was_up = earlier[code] != NEVER
            stays = as_of - earlier[code] < policy.flags[code].stays_days
            if rules.until is not None:
                stays |= ~rules.until(values)
            up[code] = up[code] | (was_up & stays)
            since[code] = np.where(was_up, earlier[code], as_of)
    by_grade = [(rating == GRADE_RANK[grade], HOLD_RANK[step.hold]) for grade, step in policy.scale.items()]
    by_flag = [(each, HOLD_RANK[policy.flags[code].hold]) for code, each in up.items()]
    hold = _worst([*by_flag, *by_grade, (rating == GRADE_RANK["D"], HOLD_RANK["block"])], frame.height)
    gravity = [(each, _SEVERITIES.index(policy.flags[code].severity)) for code, each in up.items()]
    severity = pl.Series("severity", _SEVERITIES).gather(_worst(gravity, frame.height))
    return with_series(frame, [*_lines(frame, up, since, policy, base), holds(hold), severity])


def _up_since(frame: pl.DataFrame, before: pl.DataFrame) -> dict[str, Int]:
    """Flags that were up already, by code: since when, `NEVER` where it was not."""
    row, since = row_index_of(before["account_id"], frame["account_id"]), days(before, "since")
    result = {}
    for code in before["code"].unique():
        rows = np.flatnonzero((row >= 0) & true(before["code"] == code))
        result[code] = np.full(frame.height, NEVER, np.int64)
        result[code][row[rows]] = since[rows]
    return result


_LINE = [field.name for field in FLAG.fields]
_NO_LINE = pl.DataFrame(schema={field.name: field.dtype for field in FLAG.fields})


def _lines(
    frame: pl.DataFrame, up: Mapping[str, Bool], since: Mapping[str, Int], policy: Policy, base: str
) -> list[pl.Series]:
    """The columns flags and measures."""
    rows = {code: np.flatnonzero(each) for code, each in up.items() if each.any()}
    lines = [_NO_LINE, *(_line(frame, each, since[code], code, policy, base) for code, each in rows.items())]
    row = np.concatenate([np.zeros(0, np.int64), *rows.values()])
    order = np.argsort(row, kind="stable")
    row, line = row[order], pl.concat(lines)[order]
    flags = lists(row, line.select(_LINE).to_struct("flags"), FLAG, frame.height)
    measures = lists(row, line["measure"].alias("measures"), pl.String(), frame.height)
    return [flags, measures.list.unique(maintain_order=True)]


def _line(frame: pl.DataFrame, rows: Int, since: Int, code: str, policy: Policy, base: str) -> pl.DataFrame:
    item, rules = policy.flags[code], _flags(policy, base)[code]
    texts = {"code": code, "severity": item.severity, "measure": policy.measure_of(code)}
    evidence = frame.select(rules.features)[rows].select(rules.evidence)
    fixed = (pl.lit(text).alias(name) for name, text in texts.items())
    none = (pl.lit(None, pl.String).alias(name) for name in ("words_en", "words_zh"))
    segment = pl.lit(policy.segment, pl.String).alias("segment")
    return evidence.with_columns(*fixed, *none, segment, pl.Series("since", since[rows], pl.Int32)).select(_LINE)
