"""Whole numbers in columns of numpy, and what they come to for each owner. Exact, whatever the amounts.

Columns have no nulls: an amount that is not known is 0 beside a column that says so, a day that is not known is
`NEVER`, which comes after every other. Amounts are 64 bits wide. Where a product or a sum could be wider, a bound says
so and it is computed with 128 bits or with Python's integers, to the same digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
#: A column of 64 bits, or of Python's integers where 64 bits might not do.
Wide = npt.NDArray[Any]

#: The day that does not come: after every day, and small enough to be added to one.
NEVER = 10**9
#: The largest number of 64 bits.
INT64_MAX = 2**63 - 1


def whole(frame: pl.DataFrame, name: str, null: int = 0) -> Int:
    """A column of whole numbers; *null* where it is null."""
    column = frame[name]
    if column.null_count() == len(column):
        return np.full(len(column), null, np.int64)
    filled = column.fill_null(null) if column.null_count() else column
    return filled.to_numpy().astype(np.int64, copy=False)


def days(frame: pl.DataFrame, name: str) -> Int:
    """A column of days; `NEVER` where it is null."""
    return whole(frame, name, NEVER)


def true(column: pl.Series) -> Bool:
    """Where a column of booleans is true; null is not."""
    if column.null_count() == len(column):
        return np.zeros(len(column), bool)
    return (column.fill_null(value=False) if column.null_count() else column).to_numpy()


def is_known(column: pl.Series) -> Bool:
    """Where a column is not null."""
    return column.is_not_null().to_numpy() if column.null_count() else np.ones(len(column), bool)


def largest(values: Wide | int) -> int:
    """The largest absolute value; 0 of none."""
    if isinstance(values, int):
        return abs(values)
    return max(int(values.max()), -int(values.min())) if len(values) else 0


def mul_div(values: Int, by: Int | int, over: Int | int, *, half_up: bool = False) -> Int:
    """Multiply by `by`, divide by `over`, rounded down, or half up; `over` ≥ 1, each result within 64 bits."""
    half = over // 2 if half_up else 0
    if largest(values) * largest(by) + largest(half) <= INT64_MAX:
        return (values * by + half) // over
    factor, divisor, more = (
        pl.Series(np.broadcast_to(np.asarray(each, np.int64), values.shape)).cast(pl.Int128)
        for each in (by, over, half)
    )
    return ((pl.Series(values).cast(pl.Int128) * factor + more) // divisor).cast(pl.Int64).to_numpy()


def widen(values: Int, bound: int) -> Wide:
    """The values, as Python's integers where *bound*, the largest that is computed of them, is beyond 64 bits."""
    return values if bound <= INT64_MAX else values.astype(object)


def ratio(upper: Wide, lower: Wide) -> Float:
    """Quotients, each of the nearest real numbers; not a number where lower is not above 0."""
    values = np.full(len(lower), np.nan)
    positive = np.asarray(lower > 0, bool)
    values[positive] = upper[positive].astype(np.float64) / lower[positive].astype(np.float64)
    return values


def nullable(name: str, values: npt.NDArray[Any], is_known: Bool, kind: type[pl.DataType] | None = None) -> pl.Series:
    """A column of Polars that is null where the values are not known."""
    column = pl.Series(name, values) if kind is None else pl.Series(name, values).cast(kind)
    return column if is_known.all() else column.set(pl.Series(~is_known), None)


class Groups:
    """Rows by their owner, who is a number from 0: what their values come to for each."""

    def __init__(self, owner: Int, height: int) -> None:
        #: Owner of each row; how many owners there are.
        self.owner, self.height = owner, height

    @cached_property
    def sizes(self) -> Int:
        """Rows of each."""
        return np.bincount(self.owner, minlength=self.height)

    @property
    def exist(self) -> Bool:
        """Whether there is a row of each."""
        return self.sizes > 0

    @property
    def longest(self) -> int:
        """The most rows that one has."""
        return int(self.sizes.max(initial=0))

    def sum(self, values: Wide) -> Wide:
        """The sum of each; of booleans how many are true."""
        values = values.astype(np.int64) if values.dtype == bool else values
        results = np.zeros(self.height, values.dtype)
        np.add.at(results, self.owner, values)
        return results

    def max(self, values: Int, none: int = 0) -> Int:
        """The greatest value of each, and at least *none*."""
        results = np.full(self.height, none, np.int64)
        np.maximum.at(results, self.owner, values)
        return results

    def min(self, values: Int, none: int = NEVER) -> Int:
        """The smallest value of each, and at most *none*."""
        results = np.full(self.height, none, np.int64)
        np.minimum.at(results, self.owner, values)
        return results

    def running(self, values: Wide) -> Wide:
        """The sum of the owner's rows up to and including each; rows of one owner stand together."""
        if not len(values):
            return values
        total: Wide = np.cumsum(values)
        first = np.flatnonzero(np.diff(self.owner, prepend=-1))
        before = total[first] - values[first]
        earlier: Wide = np.repeat(before, np.diff(first, append=len(values)))
        return total - earlier


C = TypeVar("C", bound="Columns")


class Columns:
    """What a frozen dataclass of columns of one height can do."""

    def followed_by(self: C, other: C) -> C:
        """Its rows, and then the other's."""
        return self._each(lambda name: np.concatenate([getattr(self, name), getattr(other, name)]))

    def take(self: C, rows: npt.NDArray[Any]) -> C:
        """Those rows, by number or by mask, in that order."""
        if rows.dtype == bool:
            if rows.all():
                return self
            rows = np.flatnonzero(rows)
        return self._each(lambda name: getattr(self, name)[rows])

    def _each(self: C, make: Callable[[str], npt.NDArray[Any]]) -> C:
        names = [column.name for column in fields(self)]  # type: ignore[arg-type]
        return replace(self, **{name: make(name) for name in names})  # type: ignore[type-var]


class Values:
    """Columns of a frame as real numbers, not a number where they are null; made when they are asked for."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.height = frame.height
        self._frame = frame
        self._made: dict[str, Float] = {}

    def __getitem__(self, name: str) -> Float:
        if name not in self._made:
            self._made[name] = self._frame[name].cast(pl.Float64).to_numpy()
        return self._made[name]


def with_series(frame: pl.DataFrame, columns: Iterable[pl.Series]) -> pl.DataFrame:
    """The frame with these columns, in place of those of the same names."""
    results = list(columns)
    names = {column.name for column in results}
    return frame.drop([name for name in frame.columns if name in names]).hstack(results)


def lists(row: Int, lines: pl.Series, kind: pl.DataType, height: int) -> pl.Series:
    """For each row number 0 … height − 1 the list of lines that name it, in their order; empty where none does.

    `row`: of each line, in order.
    """
    frame = (
        pl.DataFrame([pl.Series("row", row).set_sorted(), lines]).group_by("row", maintain_order=True).agg(lines.name)
    )
    if frame.height < height:
        rows = pl.int_range(height, eager=True).alias("row").to_frame()
        frame = rows.join(frame, on="row", how="left", maintain_order="left")
        frame = frame.with_columns(pl.col(lines.name).fill_null(pl.lit([], pl.List(kind))))
    return frame[lines.name].cast(pl.List(kind))
