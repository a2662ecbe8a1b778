"""Why a customer is rated as they are: a line per gate that fired and per indicator, as codes and figures.

The points that the indicators lost add up to 100 less the score. `connector.messages.rendering` makes sentences of
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from connector.assessment import REASON
from connector.policy import Policy
from connector.scoring.frame.columns import Int, Values, is_known, lists, true, whole
from connector.scoring.rating import people
from connector.scoring.rating.scorecard import MILLI

#: Gates stand before pillars without data, and these before what cost most.
_GATE, _ABSENT = 10**9, 10**8


def reasons(frame: pl.DataFrame, policy: Policy) -> pl.Series:
    """Columns in: those of `scorecard`, `rate` and `people.with_decisions`. The column reasons: `REASON` lists.

    What people decided and gates first, in the policy's order, then what cost most. Left out: indicators whose
    weight went to other pillars.
    """
    fixed = [*_gates(policy), *_absent(policy)]
    names, height = list(policy.indicators), frame.height
    lost = [whole(frame, f"lost_{name}") for name in names]
    there = [true(frame[line.column]) for line in fixed] + [is_known(frame[f"lost_{name}"]) for name in names]
    order = [np.full(height, line.order) for line in fixed] + lost
    row, column = np.nonzero(np.stack(there, axis=1))
    ordered = np.lexsort((column, -np.stack(order, axis=1)[row, column], row))
    row, column = row[ordered], column[ordered]
    # Fixed lines stand first, then those of one indicator after the other, a row each.
    at = np.where(column < len(fixed), column, len(fixed) + (column - len(fixed)) * height + row)
    features = [None] * len(fixed) + [item.feature for item in policy.indicators.values()]
    grades = [line.grade for line in fixed] + [None] * len(names)
    lines = pl.DataFrame(
        {
            "indicator": pl.Series([*(line.indicator for line in fixed), *names], dtype=pl.String).gather(column),
            "feature": pl.Series(features, dtype=pl.String).gather(column),
            # What the points were given for: the utilisation of the limit before this run, not after it.
            **{name: _numbers(frame, name, policy, len(fixed)).gather(at) for name in ("value", "points", "lost")},
            "grade": pl.Series(grades, dtype=pl.String).gather(column),
            "segment": pl.Series([policy.segment], dtype=pl.String).gather(np.zeros(len(column), np.int64)),
        }
    )
    if frame["lines"].null_count() < height:
        row, lines = _with_decisions(frame, row, lines)
    absent = [pl.lit(None, each.dtype).alias(each.name) for each in REASON.fields if each.name not in lines.columns]
    lines = lines.with_columns(absent)
    return lists(row, lines.select(each.name for each in REASON.fields).to_struct("reasons"), REASON, height)


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A line that says the same of everybody: the column that tells whose it is, its place, its grade."""

    column: str
    indicator: str
    order: int
    grade: str


def _gates(policy: Policy) -> Iterator[_Fixed]:
    for n, (name, gate) in enumerate(policy.gates.items()):
        yield _Fixed(f"gate_{name}", name, _GATE - n, str(gate.cap or gate.rating))


def _absent(policy: Policy) -> Iterator[_Fixed]:
    for name, pillar in policy.pillars.items():
        if pillar.cap_when_absent:
            yield _Fixed(f"absent_{name}", f"absent_{name}", _ABSENT, pillar.cap_when_absent)


def _numbers(frame: pl.DataFrame, name: str, policy: Policy, fixed: int) -> pl.Series:
    """`value`, `points` or `lost` of all lines, null of the fixed ones."""
    values, scale = Values(frame), 1 if name == "value" else MILLI
    columns = [values[f"{name}_{indicator}"] / scale for indicator in policy.indicators]
    return pl.Series(np.concatenate([np.full(fixed, np.nan), *columns]), nan_to_null=True)


def _with_decisions(frame: pl.DataFrame, row: Int, lines: pl.DataFrame) -> tuple[Int, pl.DataFrame]:
    """What people decided stands before everything else."""
    decided = people.reasons(frame)
    both = pl.concat([decided.drop("row"), lines], how="diagonal")
    rows = np.concatenate([decided["row"].to_numpy().astype(np.int64), row])
    order = np.argsort(rows, kind="stable")
    return rows[order], both[order]
