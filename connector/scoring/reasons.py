"""Why a customer is rated as he is: one line a gate that fired and one an indicator, in English and Chinese.

The points that the indicators lost add up to 100 less the score.
"""

from __future__ import annotations

import polars as pl

from connector import money
from connector.assessment import REASON
from connector.policy import Policy
from connector.scoring import people
from connector.scoring.exact import divisor
from connector.scoring.keys import per_policy
from connector.scoring.scorecard import MILLI
from connector.words.features import FEATURES, PILLARS


def reasons(frame: pl.DataFrame, policy: Policy, base: str) -> pl.DataFrame:
    """Columns in: those of `card` and `rate`. Columns out: account_id, reasons (a list of `REASON`).

    What people decided and gates first, in the policy's order, then what cost most. Left out: indicators whose
    weight went to other pillars.
    """
    whole = frame.lazy()
    rows = pl.concat([*_by_people(frame), *(whole.filter(fires).select(line) for fires, line in _lines(policy, base))])
    rows = rows.sort("account_id", "order", descending=[False, True], maintain_order=True)
    fields = [field.name for field in REASON.fields]
    return rows.group_by("account_id", maintain_order=True).agg(pl.struct(fields).alias("reasons")).collect()


def _by_people(frame: pl.DataFrame) -> list[pl.LazyFrame]:
    """What people decided stands before everything else."""
    if frame["lines"].null_count() == frame.height:
        return []
    cells = {"en": pl.col("en"), "zh": pl.col("zh")}
    lines = people.reasons(frame).lazy()
    return [lines.select(*_line(pl.lit(2 * 10**9), "", cells)).with_columns(lines.collect()["indicator"])]


#: When a line stands there, and what it says.
Line = tuple[pl.Expr, list[pl.Expr]]


@per_policy
def _lines(policy: Policy, base: str) -> list[Line]:
    lines = [_gate(policy, name, n) for n, name in enumerate(policy.gates)]
    lines += [_absent(policy, name) for name, pillar in policy.pillars.items() if pillar.cap_when_absent]
    return lines + [_indicator(policy, name, base) for name in policy.indicators]


def _line(order: pl.Expr, name: str, cells: dict[str, pl.Expr]) -> list[pl.Expr]:
    null = pl.lit(None, pl.Float64)
    return [
        pl.col("account_id"),
        order.cast(pl.Int64).alias("order"),
        pl.lit(name).alias("indicator"),
        cells.get("value", null).cast(pl.Float64).alias("value"),
        cells.get("points", null).alias("points"),
        cells.get("lost", null).alias("lost"),
        cells["en"].alias("en"),
        cells["zh"].alias("zh"),
    ]


def _gate(policy: Policy, name: str, n: int) -> Line:
    gate = policy.gates[name]
    best = f"at most {gate.cap}" if gate.cap else str(gate.rating)
    best_zh = f"最高 {gate.cap}" if gate.cap else str(gate.rating)
    words = {"en": pl.lit(f"{best}: {gate.en}"), "zh": pl.lit(f"{best_zh}：{gate.zh}")}
    return pl.col(f"gate_{name}"), _line(pl.lit(10**9 - n), name, words)


def _absent(policy: Policy, pillar: str) -> Line:
    cap = policy.pillars[pillar].cap_when_absent
    words = {
        "en": pl.lit(f"at most {cap}: no data on {pillar}"),
        "zh": pl.lit(f"最高 {cap}：缺少{PILLARS.get(pillar, pillar)}数据"),
    }
    return pl.col(f"absent_{pillar}"), _line(pl.lit(10**8), f"absent_{pillar}", words)


def _indicator(policy: Policy, name: str, base: str) -> Line:
    item = policy.indicators[name]
    # What the points were given for: the utilisation of the limit before this run, not after it.
    feature, value = FEATURES[item.feature], pl.col(f"value_{name}")
    lost = (pl.col(f"lost_{name}") / divisor(MILLI)).round(1).cast(pl.String)
    missing = value.is_null()
    en = pl.when(missing).then(pl.lit("no data")).otherwise(shown(value, item.feature, base))
    zh = pl.when(missing).then(pl.lit("无数据")).otherwise(shown(value, item.feature, base, "zh-CN"))
    words = {
        "value": value,
        "points": pl.col(f"points_{name}") / divisor(MILLI),
        "lost": pl.col(f"lost_{name}") / divisor(MILLI),
        "en": pl.format("{}: {} (−{} points)", pl.lit(feature.en), en, lost),
        "zh": pl.format("{}：{}（扣{}分）", pl.lit(feature.zh), zh, lost),
    }
    return pl.col(f"lost_{name}").is_not_null(), _line(pl.col(f"lost_{name}"), name, words)


def shown(value: pl.Expr, name: str, base: str, language: str = "en") -> pl.Expr:
    """A value of the feature as a person reads it."""
    match FEATURES[name].unit:
        case "days":
            whole = value.round(0).cast(pl.Int64).cast(pl.String)
            return whole + (" 天" if language == "zh-CN" else " days")
        case "share":
            return (value * 100).round(0).cast(pl.Int64).cast(pl.String) + " %"
        case "log_odds":
            return (100 / (1 + (-value).exp())).round(0).cast(pl.Int64).cast(pl.String) + " %"
        case "money":
            return _money(value, base) + f" {base}"
        case _:
            return value.round(1).cast(pl.String)


def _money(minor: pl.Expr, base: str) -> pl.Expr:
    places = money.exponent(base)
    if places == 0:
        return minor.cast(pl.String)
    whole, rest = minor.abs() // 10**places, minor.abs() % 10**places
    sign = pl.when(minor < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.format("{}{}.{}", sign, whole, rest.cast(pl.String).str.zfill(places))
