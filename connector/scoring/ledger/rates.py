"""Exchange rates: one base currency, integer arithmetic, nothing ever taken 1:1 for want of a rate."""

from __future__ import annotations

import numpy as np
import polars as pl

from connector import money
from connector.schema import Tables, table
from connector.scoring.frame.columns import Bool, Int, true, whole

_ONE = 10**money.RATE_SCALE


def base_currency(tables: Tables, wanted: str) -> str:
    """The currency that amounts are added up in.

    One currency and no rates: that currency. Else *wanted*, the policy's, unless no rate tells it and all rates share
    another base: then that one. Source: docs/rules.md, "Currencies".
    """
    used = {
        code for name in ("receivables", "payments") if name in tables for code in tables[name]["currency"].unique()
    }
    rates = table(tables, "rates")
    if rates.is_empty():
        return used.pop() if len(used) == 1 else wanted
    bases = set(rates["base"].unique())
    items = bases | set(rates["currency"].unique())
    return bases.pop() if wanted not in items and len(bases) == 1 else wanted


class Rates:
    """Rates into one base currency, by day: of a day, else the newest before it, else the oldest there is."""

    def __init__(self, rates: pl.DataFrame, base: str) -> None:
        self.base = base
        if rates.is_empty():
            self._rates = rates.select("currency", "day", "rate")
            return
        direct = rates.filter(pl.col("base") == base).select("currency", "day", "rate")
        self._rates = pl.concat([direct, _crossed(rates, base)]).filter(pl.col("currency") != base).sort("day")

    def on(self, frame: pl.DataFrame, currency: str, day: str | int) -> pl.Series:
        """For each row the rate of that currency column on that day (a column, or a day number); null: unknown."""
        own = pl.when(pl.col(currency) == self.base).then(_ONE)
        if self._rates.is_empty() or self.only_base(frame, currency):
            return frame.select(own.cast(pl.Int64).alias("rate"))["rate"]
        days = pl.col(day) if isinstance(day, str) else pl.lit(day)
        rows = frame.select(pl.col(currency).alias("currency"), days.cast(pl.Int32).alias("day")).with_row_index("?")
        result = rows.sort("day")
        for strategy in ("backward", "forward"):
            result = _nearest(result, self._rates.rename({"rate": strategy}), strategy)
        rate = pl.when(pl.col("currency") == self.base).then(_ONE).otherwise(pl.coalesce("backward", "forward"))
        return result.with_columns(rate.cast(pl.Int64).alias("rate")).sort("?")["rate"]

    def only_base(self, frame: pl.DataFrame, currency: str) -> bool:
        """Whether all amounts are in the base currency already."""
        return bool((frame[currency] == self.base).all(ignore_nulls=False))

    def based(self, frame: pl.DataFrame, day: int, **amounts: str) -> pl.DataFrame:
        """The frame with each amount (keyword: the new column, value: the old) in the base currency, half up.

        Column in: currency. Null without a rate; `rate_missing` says so.
        """
        if self.only_base(frame, "currency"):
            same = (pl.col(old).alias(new) for new, old in amounts.items())
            return frame.with_columns(*same, pl.lit(value=False).alias("rate_missing"))
        frame = frame.with_columns(self.on(frame, "currency", day).alias("rate"))
        converted = (self.into_base(old, "currency", "rate").alias(new) for new, old in amounts.items())
        before = {old: frame[old].is_not_null() for old in amounts.values()}
        frame = frame.with_columns(*converted)
        lost = pl.any_horizontal(before[old] & frame[new].is_null() for new, old in amounts.items())
        return frame.with_columns((pl.col("rate").is_null() | lost).alias("rate_missing")).drop("rate")

    def amounts(self, frame: pl.DataFrame, amount: str, day: int) -> tuple[Int, Bool]:
        """Amounts in the base currency, half up, 0 without a rate; and whether there is one. Column in: currency."""
        if self.only_base(frame, "currency"):
            return whole(frame, amount), np.ones(frame.height, bool)
        result = self.based(frame.select("currency", amount), day, base=amount)
        return whole(result, "base"), ~true(result["rate_missing"])

    def into_base(self, amount: str, currency: str, rate: str) -> pl.Expr:
        """Minor units of the base currency, half up; null without a rate."""
        scale = _power(currency).cast(pl.Int128) * _ONE
        return _divided(pl.col(amount).cast(pl.Int128) * pl.col(rate) * 10 ** money.exponent(self.base), scale)


def across(amount: str, currencies: tuple[str, str], rates: tuple[str, str]) -> pl.Expr:
    """Minor units of the second currency, half up, by both currencies' rates into one base; null without a rate."""
    upper = pl.col(amount).cast(pl.Int128) * pl.col(rates[0]) * _power(currencies[1])
    return _divided(upper, pl.col(rates[1]).cast(pl.Int128) * _power(currencies[0]))


def _nearest(rows: pl.DataFrame, rates: pl.DataFrame, strategy: str) -> pl.DataFrame:
    back = strategy == "backward"
    return rows.join_asof(
        rates, on="day", by="currency", strategy="backward" if back else "forward", check_sortedness=False
    )


def _crossed(rates: pl.DataFrame, base: str) -> pl.DataFrame:
    """Rates given in another base, where that base's own rate tells how much *base* is."""
    pivot = rates.filter((pl.col("currency") == base) & (pl.col("base") != base))
    pivot = pivot.select("day", "base", pl.col("rate").alias("pivot")).sort("day")
    others = rates.filter(pl.col("base") != base).select("currency", "base", "day", "rate").sort("day")
    crossed = others.join_asof(pivot, on="day", by="base", strategy="nearest", check_sortedness=False)
    scaled = _divided(pl.col("rate").cast(pl.Int128) * _ONE, pl.col("pivot").cast(pl.Int128))
    itself = _divided(pl.lit(_ONE, pl.Int128) * _ONE, pl.col("pivot").cast(pl.Int128))
    return pl.concat(
        [
            crossed.filter(pl.col("pivot").is_not_null()).select("currency", "day", scaled.alias("rate")),
            pivot.select(pl.col("base").alias("currency"), "day", itself.alias("rate")),
        ]
    )


def _power(currency: str) -> pl.Expr:
    powers = [10**places for places in money.EXPONENTS.values()]
    return pl.col(currency).replace_strict(list(money.EXPONENTS), powers, default=100, return_dtype=pl.Int64)


def _divided(upper: pl.Expr, lower: pl.Expr) -> pl.Expr:
    # What no amount can be is as unknown as without a rate: one absurd rate must not end everybody's run.
    return ((upper + lower // 2) // lower).cast(pl.Int64, strict=False)
