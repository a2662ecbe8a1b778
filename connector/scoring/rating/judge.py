"""From points and features to rating, flags and hold: what the policy's conditions make of a customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from connector.assessment import EVIDENCE, FLAG, FLAGS, NOT_RATED
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
    away, before = true(frame["away"]), ranks(frame["rating_before"])
    # Nobody is rated for the first time while a source of his has never been read.
    unrated = _knocked_out(fired, policy, NOT_RATED, frame.height) | (true(frame["unread"]) & (before == NONE))
    held = steady(frame, _worst(caps, frame.height), unrated, policy, prior, as_of)
    # Without a score today the last grade is no rating.
    graded = np.where(is_known(frame["score_milli"]) & (held.grade != NONE), held.grade, UNRATED)
    # D stands before NR: an insolvent customer with thin evidence is insolvent.
    defaulted = _knocked_out(fired, policy, "D", frame.height)
    rating = np.where(defaulted, GRADE_RANK["D"], np.where(unrated, UNRATED, graded))
    # Nor does a grade rise on them.
    rating = np.where(away & (before < UNRATED), np.maximum(rating, before), rating)
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
    """A flag of the policy, compiled: when it is raised, and when it falls again."""

    when: Matches
    until: Matches | None


@per_policy
def _flags(policy: Policy, base: str) -> dict[str, _FlagRules]:
    """By code, gravest first."""
    result = {}
    for code in FLAGS:
        if code in policy.flags:
            item = policy.flags[code]
            until = None if item.until is None else matches(item.until, policy, base)
            result[code] = _FlagRules(matches(item.when, policy, base), until)
    return result


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
    return with_series(frame, [*_lines(frame, up, since, policy), holds(hold), severity])


def keep_hold(frame: pl.DataFrame) -> pl.DataFrame:
    """The hold no milder than it was, where a source of the customer cannot be read. Columns in: hold, hold_before."""
    away = true(frame["away"])
    if not away.any():
        return frame
    now, before = (
        frame[name].replace_strict(HOLD_RANK, default=0, return_dtype=pl.Int64).to_numpy()
        for name in ("hold", "hold_before")
    )
    kept = np.where(away, np.maximum(now, before), now)
    return with_series(frame, [holds(kept)])


def _up_since(frame: pl.DataFrame, before: pl.DataFrame) -> dict[str, Int]:
    """Flags that were up already, by code: since when, `NEVER` where it was not."""
    row, since = row_index_of(before["account_id"], frame["account_id"]), days(before, "since")
    result = {}
    for code in before["code"].unique():
        rows = np.flatnonzero((row >= 0) & true(before["code"] == code))
        result[code] = np.full(frame.height, NEVER, np.int64)
        result[code][row[rows]] = since[rows]
    return result


def _lines(frame: pl.DataFrame, up: Mapping[str, Bool], since: Mapping[str, Int], policy: Policy) -> list[pl.Series]:
    """The columns flags and measures."""
    rows = {code: np.flatnonzero(each) for code, each in up.items() if each.any()}
    sizes, none = [len(each) for each in rows.values()], np.zeros(0, np.int64)
    code, row = np.repeat(np.arange(len(rows)), sizes), np.concatenate([none, *rows.values()])
    order = np.argsort(row, kind="stable")
    items = [policy.flags[name] for name in rows]
    texts: dict[str, list[str | None]] = {
        "code": [*rows],
        "severity": [item.severity for item in items],
        "measure": [policy.measure_of(name) for name in rows],
        "segment": [policy.segment] * len(rows),
    }
    columns = {name: pl.Series(words, dtype=pl.String).gather(code[order]) for name, words in texts.items()}
    days_ = np.concatenate([none, *(since[name][each] for name, each in rows.items())])
    columns["since"] = pl.Series(days_[order], dtype=pl.Int32)
    columns["evidence"] = _evidence(frame, rows, policy).gather(order)
    absent = pl.Series([None], dtype=pl.String).new_from_index(0, len(row))
    lines = pl.DataFrame([columns.get(each.name, absent).alias(each.name) for each in FLAG.fields])
    flags = lists(row[order], lines.to_struct("flags"), FLAG, frame.height)
    measures = lists(row[order], lines["measure"].alias("measures"), pl.String(), frame.height)
    return [flags, measures.list.unique(maintain_order=True)]


def _evidence(frame: pl.DataFrame, rows: Mapping[str, Int], policy: Policy) -> pl.Series:
    """Of each line, flag by flag, the figures that its condition looks at."""
    named = {code: list(dict.fromkeys(policy.flags[code].when.features())) for code in rows}
    numbers = {name: frame[name].cast(pl.Float64).to_numpy() for names in named.values() for name in names}
    index = {name: number for number, name in enumerate(numbers)}
    owner, feature, value, start = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)], 0
    for code, each in rows.items():
        names = named[code]
        owner.append(np.repeat(np.arange(start, start + len(each)), len(names)))
        feature.append(np.tile([index[name] for name in names], len(each)))
        value.append(np.stack([numbers[name][each] for name in names], axis=1).ravel())
        start += len(each)
    figures = pl.DataFrame(
        {
            "feature": pl.Series(list(index), dtype=pl.String).gather(np.concatenate(feature)),
            "value": pl.Series(np.concatenate(value), nan_to_null=True),
        }
    )
    return lists(np.concatenate(owner), figures.to_struct("evidence"), EVIDENCE, start)
