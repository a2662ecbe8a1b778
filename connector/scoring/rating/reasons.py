"""Why a customer is rated as he is: one line a gate that fired and one an indicator, in English and Chinese.

The points that the indicators lost add up to 100 less the score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from connector import money
from connector.assessment import REASON
from connector.messages.features import FEATURES, PILLARS
from connector.policy import Policy
from connector.scoring.frame.columns import Int, Values, is_known, lists, true, whole
from connector.scoring.frame.keys import per_policy
from connector.scoring.rating import people
from connector.scoring.rating.scorecard import MILLI

#: Gates stand before pillars without data, and these before what cost most.
_GATE, _ABSENT = 10**9, 10**8


def reasons(frame: pl.DataFrame, policy: Policy, base: str) -> pl.Series:
    """Columns in: those of `scorecard`, `rate` and `people.known`. The column reasons, a list of `REASON` a row.

    What people decided and gates first, in the policy's order, then what cost most. Left out: indicators whose
    weight went to other pillars.
    """
    fixed, texts = _lines(policy, base)
    names, height = {name: item.feature for name, item in policy.indicators.items()}, frame.height
    lost = {name: whole(frame, f"lost_{name}") for name in names}
    there = [true(frame[line.column]) for line in fixed] + [is_known(frame[f"lost_{name}"]) for name in names]
    order = [np.full(height, line.order) for line in fixed] + list(lost.values())
    row, column = np.nonzero(np.stack(there, axis=1))
    ordered = np.lexsort((column, -np.stack(order, axis=1)[row, column], row))
    row, column = row[ordered], column[ordered]
    # Fixed lines stand first, then those of one indicator after the other, a row each.
    at = np.where(column < len(fixed), column, len(fixed) + (column - len(fixed)) * height + row)
    lines = pl.DataFrame(
        {
            "indicator": pl.Series([*(line.indicator for line in fixed), *names]).gather(column),
            **{name: _numbers(frame, name, policy, len(fixed)).gather(at) for name in ("value", "points", "lost")},
            **_texts(frame, fixed, texts, names, lost, base, at),
        }
    )
    if frame["lines"].null_count() < height:
        row, lines = _with_decisions(frame, row, lines)
    return lists(row, lines.select(field.name for field in REASON.fields).to_struct("reasons"), REASON, height)


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A line that says the same of everybody: the column that tells whose it is, its place, its words."""

    column: str
    indicator: str
    order: int
    en: str
    zh: str


@per_policy
def _lines(policy: Policy, base: str) -> tuple[list[_Fixed], list[pl.Expr]]:
    """The lines of gates and of pillars without data; then the texts en_<indicator> and zh_<indicator>."""
    fixed = [*_gates(policy), *_absent(policy)]
    return fixed, [text for name in policy.indicators for text in _indicator(policy, name, base)]


def _gates(policy: Policy) -> Iterator[_Fixed]:
    for n, (name, gate) in enumerate(policy.gates.items()):
        best, best_zh = (f"at most {gate.cap}", f"最高 {gate.cap}") if gate.cap else (str(gate.rating),) * 2
        yield _Fixed(f"gate_{name}", name, _GATE - n, f"{best}: {gate.en}", f"{best_zh}：{gate.zh}")


def _absent(policy: Policy) -> Iterator[_Fixed]:
    for name, pillar in policy.pillars.items():
        cap = pillar.cap_when_absent
        if cap:
            en, zh = f"at most {cap}: no data on {name}", f"最高 {cap}：缺少{PILLARS.get(name, name)}数据"
            yield _Fixed(f"absent_{name}", f"absent_{name}", _ABSENT, en, zh)


def _indicator(policy: Policy, name: str, base: str) -> list[pl.Expr]:
    """Columns in: said_<indicator> and less_<indicator>, as text."""
    feature = FEATURES[policy.indicators[name].feature]
    condition, lost = pl.col(f"said_{name}"), pl.col(f"less_{name}")
    texts = []
    for language, (colon, nothing, less, end) in _AROUND.items():
        value = (condition + _unit(policy.indicators[name].feature, base, language)).fill_null(nothing)
        parts = (pl.lit(getattr(feature, language) + colon), value, pl.lit(less), lost, pl.lit(end))
        texts.append(pl.concat_str(parts).alias(f"{language}_{name}"))
    return texts


#: What stands in an indicator's line after its name, without data, before what it lost, and at the end.
_AROUND = {"en": (": ", "no data", " (−", " points)"), "zh": ("：", "无数据", "（扣", "分）")}


def _numbers(frame: pl.DataFrame, name: str, policy: Policy, fixed: int) -> pl.Series:
    """`value`, `points` or `lost` of all lines, null of the fixed ones."""
    values, scale = Values(frame), 1 if name == "value" else MILLI
    columns = [values[f"{name}_{indicator}"] / scale for indicator in policy.indicators]
    return pl.Series(np.concatenate([np.full(fixed, np.nan), *columns]), nan_to_null=True)


def _texts(
    frame: pl.DataFrame,
    fixed: list[_Fixed],
    texts: list[pl.Expr],
    names: Mapping[str, str],
    lost: Mapping[str, Int],
    base: str,
    at: Int,
) -> dict[str, pl.Series]:
    """En and zh of the lines; `names`: indicator → its feature; `lost`: indicator → thousandths of points."""
    # Polars divides by a literal through its reciprocal, which differs in the last digit.
    less = [pl.Series(f"less_{name}", each / MILLI).round(1).cast(pl.String) for name, each in lost.items()]
    # What the points were given for: the utilisation of the limit before this run, not after it.
    conditions = [
        _number(pl.col(f"value_{name}"), feature, base).alias(f"said_{name}") for name, feature in names.items()
    ]
    shown_ = frame.select(conditions).hstack(less).select(texts)
    result = {}
    for language in ("en", "zh"):
        words = pl.Series([getattr(line, language) for line in fixed], dtype=pl.String)
        result[language] = pl.concat([words, *(shown_[f"{language}_{name}"] for name in names)]).gather(at)
    return result


def _with_decisions(frame: pl.DataFrame, row: Int, lines: pl.DataFrame) -> tuple[Int, pl.DataFrame]:
    """What people decided stands before everything else."""
    decided = people.reasons(frame)
    both = pl.concat([decided.drop("row"), lines], how="diagonal")
    rows = np.concatenate([decided["row"].to_numpy().astype(np.int64), row])
    order = np.argsort(rows, kind="stable")
    return rows[order], both[order]


def format_value(value: pl.Expr, name: str, base: str, language: str = "en") -> pl.Expr:
    """A value of the feature as a person reads it."""
    return _number(value, name, base) + _unit(name, base, "zh" if language == "zh-CN" else "en")


def _unit(name: str, base: str, language: str) -> str:
    """What stands behind the number of a feature."""
    days = " 天" if language == "zh" else " days"
    return {"days": days, "share": " %", "log_odds": " %", "money": f" {base}"}.get(FEATURES[name].unit, "")


def _number(value: pl.Expr, name: str, base: str) -> pl.Expr:
    """The number of a feature as a person reads it, without its unit."""
    match FEATURES[name].unit:
        case "days":
            return value.round(0).cast(pl.Int64).cast(pl.String)
        case "share":
            return (value * 100).round(0).cast(pl.Int64).cast(pl.String)
        case "log_odds":
            return (100 / (1 + (-value).exp())).round(0).cast(pl.Int64).cast(pl.String)
        case "money":
            return _money(value, base)
        case _:
            return value.round(1).cast(pl.String)


def _money(minor: pl.Expr, base: str) -> pl.Expr:
    places = money.exponent(base)
    if places == 0:
        return minor.cast(pl.String)
    whole, rest = minor.abs() // 10**places, minor.abs() % 10**places
    sign = pl.when(minor < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.format("{}{}.{}", sign, whole, rest.cast(pl.String).str.zfill(places))
