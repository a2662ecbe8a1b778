"""How well scores of a day foretold who would pay late, beside a PAYDEX-like index on the same customers.

A customer is bad when at least a given share of the money that fell due in (T, T + horizon] was paid, or stayed
unpaid, more than a given number of days late. Population: customers with a receivable settled or overdue by T and one
falling due in the horizon.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from connector.policy import Policy
from connector.schema import Tables
from connector.scoring.assess import assess, portfolio_statistics
from connector.scoring.customers import folded
from connector.scoring.features.payment_behaviour import PAYDEX_POINTS
from connector.scoring.ledger.ledger import ledger

#: The index of a customer who settled nothing in the year.
INDEX_OF_NONE = 80.0
_FOREVER = 100_000


@dataclass(frozen=True, slots=True)
class Power:
    """How well one ordering separates bad from good; null where all customers are of one kind."""

    #: Chance that a bad customer stands below a good one; ties count half.
    auc: float | None
    #: Greatest distance between the two cumulative distributions.
    ks: float | None
    #: Share of the late money that the worst fifth of the customers holds; ties share alike.
    late_money_in_worst_fifth: float | None


@dataclass(frozen=True, slots=True)
class Question:
    """What counts as bad."""

    #: Days after T in which money falls due.
    horizon: int = 60
    #: More than so many days late.
    late_days: int = 15
    #: At least this share of the money.
    late_share: float = 0.10


def foretold(tables: Tables, policy: Policy, days: list[int], question: Question) -> dict[str, object]:
    """The metrics over several days: means of the powers, sums of customers and bads, and each day's own."""
    tables = folded(tables).tables
    rows = [_day(tables, policy, day, question) for day in days]
    scores = [_power(row, "score") for row in rows]
    indexes = [_power(row, "index") for row in rows]
    return {
        **asdict(_mean(scores)),
        "customers": sum(row.height for row in rows),
        "bads": sum(int(row["bad"].sum()) for row in rows),
        "paydex_like": asdict(_mean(indexes)),
        "dates": [
            {
                "as_of": day,
                "customers": row.height,
                "bads": int(row["bad"].sum()),
                **asdict(score),
                "paydex_like": asdict(index),
            }
            for day, row, score, index in zip(days, rows, scores, indexes, strict=True)
        ],
    }


def outcomes(tables: Tables, policy: Policy, day: int, question: Question) -> pl.DataFrame:
    """account_id, late_money (minor units), bad: of every customer with money falling due in the horizon."""
    final = ledger(tables, policy, _FOREVER)
    window = pl.col("due").is_between(day, day + question.horizon, closed="right")
    items = final.items.filter(window & (pl.col("amount_base") > 0))
    paid = final.parts.join(items.select("receivable_id", "due"), on="receivable_id")
    late = paid.filter(pl.col("day") - pl.col("due") > question.late_days)
    money = [
        paid.select("account_id", pl.col("amount_base").alias("fell_due"), pl.lit(0, pl.Int64).alias("late_money")),
        late.select("account_id", pl.lit(0, pl.Int64).alias("fell_due"), pl.col("amount_base").alias("late_money")),
        items.select(
            "account_id",
            pl.col("open_base").alias("fell_due"),
            pl.when(pl.col("late_open") > 0).then(pl.col("open_base")).otherwise(0).alias("late_money"),
        ),
    ]
    sums = pl.concat(money).group_by("account_id").agg(pl.col("fell_due").sum(), pl.col("late_money").sum())
    bad = (pl.col("late_money") > 0) & (pl.col("late_money") >= pl.col("fell_due") * question.late_share)
    return sums.filter(pl.col("fell_due") > 0).select("account_id", "late_money", bad.alias("bad"))


def paydex_like(tables: Tables, policy: Policy, day: int) -> pl.DataFrame:
    """account_id, index: invoices settled in the year up to the day, on their last payment's day, by amount."""
    state = ledger(tables, policy, day)
    last = state.parts.group_by("receivable_id").agg(pl.col("day").max())
    settled = state.items.filter(pl.col("open") <= 0).join(last, on="receivable_id").filter(pl.col("day") > day - 365)
    beyond = pl.col("day") - pl.col("due")
    points: Any = pl.when(beyond <= PAYDEX_POINTS[0][0]).then(PAYDEX_POINTS[0][1])
    for (x0, y0), (x1, y1) in itertools.pairwise(PAYDEX_POINTS):
        points = points.when(beyond <= x1).then(y0 + (beyond - x0) * ((y1 - y0) / (x1 - x0)))
    weighed = settled.with_columns(points.otherwise(PAYDEX_POINTS[-1][1]).alias("points")).sort("receivable_id")
    return weighed.group_by("account_id").agg(
        ((pl.col("points") * pl.col("amount_base")).sum() / pl.col("amount_base").sum()).alias("index")
    )


def _day(tables: Tables, policy: Policy, day: int, question: Question) -> pl.DataFrame:
    state = ledger(tables, policy, day)
    frame = pl.concat(
        [state.parts.select("account_id"), state.items.filter(pl.col("days_overdue") > 0).select("account_id")]
    ).unique()
    portfolio = portfolio_statistics(tables, policy, day)
    scored = assess(tables, policy, day, portfolio=portfolio).select(pl.col("customer_id").alias("account_id"), "score")
    rows = outcomes(tables, policy, day, question).join(frame, on="account_id", how="semi")
    rows = rows.join(scored, on="account_id").join(paydex_like(tables, policy, day), on="account_id", how="left")
    return rows.with_columns(pl.col("index").fill_null(INDEX_OF_NONE)).sort("account_id")


def _power(rows: pl.DataFrame, column: str) -> Power:
    bads, goods = int(rows["bad"].sum()), int((~rows["bad"]).sum())
    auc = ks = None
    if bads and goods:
        ranks = rows.select(pl.col(column).rank("average").filter(~pl.col("bad")).sum()).item()
        auc = (ranks - goods * (goods + 1) / 2) / (bads * goods)
        steps = (
            rows.group_by(column)
            .agg(pl.col("bad").sum().alias("bads"), (~pl.col("bad")).sum().alias("goods"))
            .sort(column)
        )
        ks = steps.select((pl.col("bads").cum_sum() / bads - pl.col("goods").cum_sum() / goods).abs().max()).item()
    return Power(auc, ks, _worst_fifth(rows, column))


def _worst_fifth(rows: pl.DataFrame, column: str) -> float | None:
    total = int(rows["late_money"].sum())
    if not total:
        return None
    wanted = -(-rows.height // 5)
    held = 0.0
    for _, members, money in rows.group_by(column).agg(pl.len(), pl.col("late_money").sum()).sort(column).iter_rows():
        held += money * min(1.0, wanted / members)
        wanted -= members
        if wanted <= 0:
            break
    return held / total


def _mean(powers: list[Power]) -> Power:
    def mean(values: list[float | None]) -> float | None:
        results = [value for value in values if value is not None]
        return sum(results) / len(results) if results else None

    return Power(
        mean([power.auc for power in powers]),
        mean([power.ks for power in powers]),
        mean([power.late_money_in_worst_fifth for power in powers]),
    )
