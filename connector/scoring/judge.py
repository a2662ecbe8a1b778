"""From points and features to rating, flags and hold: what the policy's conditions make of a customer."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from connector.assessment import FLAG, FLAGS, HOLDS, NOT_RATED, RATINGS
from connector.policy import Condition, Policy
from connector.scoring.grades import named
from connector.scoring.keys import per_policy
from connector.scoring.reasons import shown
from connector.scoring.stability import steady
from connector.words.features import FEATURES

_SEVERITIES = ("info", "warning", "critical")


def fires(condition: Condition, policy: Policy, base: str) -> pl.Expr:
    """True where the condition holds; null features never fire it, except by `missing`. Money: major units of base."""
    if condition.every is not None:
        return pl.all_horizontal(fires(part, policy, base) for part in condition.every)
    if condition.some is not None:
        return pl.any_horizontal(fires(part, policy, base) for part in condition.some)
    if condition.negated is not None:
        return ~fires(condition.negated, policy, base)
    name = str(condition.feature)
    scale = policy.minor(Decimal(1), base) if FEATURES[name].unit == "money" else 1
    return pl.all_horizontal(
        _compared(pl.col(name), operator, value, scale) for operator, value in condition.comparisons().items()
    )


def _compared(feature: pl.Expr, operator: str, value: Any, scale: int) -> pl.Expr:
    if operator == "missing":
        return feature.is_null() == bool(value)
    if operator == "among":
        return feature.cast(pl.Float64).is_in([float(item) * scale for item in value]).fill_null(False)
    right = float(str(value)) * scale
    compared = {
        "eq": feature == right,
        "ne": feature != right,
        "lt": feature < right,
        "le": feature <= right,
        "gt": feature > right,
        "ge": feature >= right,
    }
    return compared[operator].fill_null(False)


def rate(frame: pl.DataFrame, policy: Policy, base: str, prior: pl.DataFrame | None, as_of: int) -> pl.DataFrame:
    """The rating: by points, capped by gates, held steady against the last one, knocked out by gates.

    Columns in: account_id, score_milli, absent_<pillar>, features. Columns out, beside them: gate_<name> (true: it
    fired), model_rating (before knock-outs; while not rated the last one), pending_rating, pending_since, rating,
    nr_kind. `prior`: assessments of an earlier day.
    """
    fired, caps = _gates(policy, base)
    frame = frame.with_columns(fired).with_columns(caps)
    frame = steady(frame, policy, prior, as_of).with_columns(named(pl.col("grade")).alias("model_rating"))
    # D stands before NR: an insolvent customer with thin evidence is insolvent. Without a score today the last grade
    # is no rating.
    graded = pl.when(pl.col("score_milli").is_not_null()).then("model_rating")
    result = pl.coalesce(_knocked_out(policy, "D"), _knocked_out(policy, NOT_RATED), graded, pl.lit(NOT_RATED))
    kinds = [
        pl.when(pl.col(f"gate_{name}")).then(pl.lit(gate.kind)) for name, gate in policy.gates.items() if gate.kind
    ]
    kind = pl.coalesce(*kinds, pl.lit("thin"))
    return (
        frame.with_columns(result.alias("rating"))
        .with_columns(pl.when(pl.col("rating") == NOT_RATED).then(kind).alias("nr_kind"))
        .drop("cap", "unrated", "grade")
    )


@per_policy
def _gates(policy: Policy, base: str) -> tuple[list[pl.Expr], list[pl.Expr]]:
    """Which gates fired; then the best grade that they and absent pillars leave, and whether he is unrated."""
    fired = [fires(gate.when, policy, base).alias(f"gate_{name}") for name, gate in policy.gates.items()]
    caps = [
        pl.when(pl.col(f"gate_{name}")).then(RATINGS.index(gate.cap)).otherwise(0)
        for name, gate in policy.gates.items()
        if gate.cap
    ]
    caps += [
        pl.when(pl.col(f"absent_{name}")).then(RATINGS.index(pillar.cap_when_absent)).otherwise(0)
        for name, pillar in policy.pillars.items()
        if pillar.cap_when_absent
    ]
    unrated = _knocked_out(policy, NOT_RATED).is_not_null()
    return fired, [pl.max_horizontal(0, *caps).cast(pl.Int32).alias("cap"), unrated.alias("unrated")]


def _knocked_out(policy: Policy, rating: str) -> pl.Expr:
    fired = [pl.col(f"gate_{name}") for name, gate in policy.gates.items() if gate.rating == rating]
    return pl.when(pl.any_horizontal(fired) if fired else pl.lit(value=False)).then(pl.lit(rating))


def flag(frame: pl.DataFrame, policy: Policy, base: str, as_of: int, before: pl.DataFrame | None) -> pl.DataFrame:
    """The warning flags that are up, and the gravest hold that flags and grade bring.

    Columns in: account_id, rating and features. Columns out, beside them: flags (gravest first), hold, severity (the
    worst's), measures. `before`: account_id, code and since of the flags that were up already.
    """
    raised, gravity, lines = _flags(policy, base)
    frame = frame.with_columns(raised)
    since = before if before is not None else _NOBODY.cast({"account_id": frame.schema["account_id"]})
    frame = frame.with_columns(_staying(frame, policy, base, since, as_of)).with_columns(gravity)
    whole = frame.lazy()
    rows = pl.concat([whole.filter(pl.col(up)).select(line) for up, line in lines.items()]) if lines else None
    up_columns = list(lines)
    if rows is None:
        none = (pl.lit([], pl.List(FLAG)).alias("flags"), pl.lit([], pl.List(pl.String)).alias("measures"))
        return frame.with_columns(none)
    known = since.lazy().select("account_id", "code", "since")
    rows = rows.join(known, on=["account_id", "code"], how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("since").fill_null(as_of).cast(pl.Int32))
    flags = rows.group_by("account_id", maintain_order=True).agg(
        pl.struct([field.name for field in FLAG.fields]).alias("flags"),
        pl.col("measure").unique(maintain_order=True).alias("measures"),
    )
    return (
        frame.drop(up_columns)
        .join(flags.collect(), on="account_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("flags").fill_null(pl.lit([], pl.List(FLAG))).cast(pl.List(FLAG)),
            pl.col("measures").fill_null(pl.lit([], pl.List(pl.String))),
        )
    )


_NOBODY = pl.DataFrame(schema={"account_id": pl.String, "code": pl.String, "since": pl.Int32})


def _staying(frame: pl.DataFrame, policy: Policy, base: str, before: pl.DataFrame, as_of: int) -> list[pl.Series]:
    """The flags' columns again, with those that were up and do not fall yet."""
    made = []
    for code, item in policy.flags.items():
        was = before.filter(pl.col("code") == code)
        if was.is_empty() or (item.until is None and not item.stays_days):
            continue
        since = frame.select("account_id").join(was, on="account_id", how="left", maintain_order="left")["since"]
        holds = (as_of - since < item.stays_days).fill_null(value=False)
        if item.until is not None:
            over = frame.select(fires(item.until, policy, base).alias("over"))["over"]
            holds |= since.is_not_null() & ~over
        made.append((frame[f"up_{code}"] | holds).alias(f"up_{code}"))
    return made


@per_policy
def _flags(policy: Policy, base: str) -> tuple[list[pl.Expr], list[pl.Expr], dict[str, list[pl.Expr]]]:
    """Which flags are up; then hold and severity; then each flag's line by the column that says it is up."""
    codes = [code for code in FLAGS if code in policy.flags]
    raised = [fires(policy.flags[code].when, policy, base).alias(f"up_{code}") for code in codes]
    holds = [(pl.col(f"up_{code}"), policy.flags[code].hold) for code in codes]
    grave = [(pl.col(f"up_{code}"), policy.flags[code].severity) for code in codes]
    hold = _worst(HOLDS, [*holds, *_grade_holds(policy)]).alias("hold")
    lines = {f"up_{code}": _flag_line(policy, code, base) for code in codes}
    return raised, [hold, _worst(_SEVERITIES, grave).alias("severity")], lines


def _flag_line(policy: Policy, code: str, base: str) -> list[pl.Expr]:
    item = policy.flags[code]
    texts = {"code": code, "severity": item.severity, "en": item.en, "zh": item.zh}
    texts["measure"] = policy.measure_of(code)
    names = list(dict.fromkeys(item.when.features()))
    evidence = [
        pl.concat_str(
            [pl.format("{}: {}", pl.lit(getattr(FEATURES[name], key)), shown(pl.col(name), name, base, language))
             for name in names],
            separator="; ", ignore_nulls=True,
        ).alias(f"evidence_{key}")
        for key, language in (("en", "en"), ("zh", "zh-CN"))
    ]  # fmt: skip
    return [pl.col("account_id"), *(pl.lit(text).alias(name) for name, text in texts.items()), *evidence]


def _grade_holds(policy: Policy) -> list[tuple[pl.Expr, str]]:
    holds = [(pl.col("rating") == grade, step.hold) for grade, step in policy.scale.items()]
    return [*holds, (pl.col("rating") == "D", "block")]


def _worst(order: tuple[str, ...], cases: Sequence[tuple[pl.Expr, str]]) -> pl.Expr:
    """The gravest value of the cases that hold; the mildest where none does."""
    ranks = [pl.when(condition).then(order.index(value)).otherwise(0) for condition, value in cases]
    rank = pl.max_horizontal(ranks) if ranks else pl.lit(0)
    return rank.replace_strict(list(range(len(order))), list(order), return_dtype=pl.String)
