"""A generated portfolio in Parquet: canonical accounts, receivables, payments, allocations, sorted by account.

    python bench/portfolio.py FOLDER [CUSTOMERS]

Each customer has 25 invoices on average over three years, most of them paid, with a lateness of his own. Written in
slices, so that it takes little memory. Seeded: the same portfolio every time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from connector.schema import TABLES

#: The last day of the portfolio, as days since 1970.
AS_OF = 20_269
_SLICE = 5_000
_PER_CUSTOMER = 25
_YEARS = 1_095


def main(folder: Path, customers: int) -> None:
    """Write FOLDER/TABLE/NNNN.parquet."""
    for number, first in enumerate(range(0, customers, _SLICE)):
        for name, frame in slice_of(first, min(_SLICE, customers - first)).items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            frame.write_parquet(folder / name / f"{number:04}.parquet")


def slice_of(first: int, count: int) -> dict[str, pl.DataFrame]:
    """Canonical tables of so many customers from that number on; groups of up to four under one parent."""
    numbers = pl.DataFrame({"n": range(first, first + count)}).with_columns(
        ((pl.col("n").hash(1) % 1000) / 1000).alias("slow"),
        (pl.col("n").hash(2) % (2 * _PER_CUSTOMER) + 1).alias("claims"),
    )
    accounts = numbers.select(
        _key("n").alias("account_id"),
        pl.when(pl.col("n") % 20 < 3).then(_key(pl.col("n") // 20 * 20 + 3)).alias("parent_id"),
        pl.lit("USD").alias("currency"),
        pl.lit(AS_OF - _YEARS).alias("since"),
    )
    claims = numbers.select("n", "slow", pl.int_ranges(pl.col("claims")).alias("k")).explode("k")
    draw = [pl.struct("n", "k").hash(seed) % 10_000 for seed in range(10, 15)]
    claims = claims.with_columns(
        pl.concat_str(_key("n"), pl.lit("-"), pl.col("k")).alias("receivable_id"),
        (AS_OF - draw[0] % _YEARS).cast(pl.Int32).alias("issued"),
        (100_00 + draw[1].cast(pl.Int64) ** 2 // 10).alias("amount"),
        (pl.col("slow") * 40 * (draw[2] / 10_000) - 8).round().cast(pl.Int32).alias("late"),
        (draw[3] < 30).alias("never"),
    ).with_columns((pl.col("issued") + 30).alias("due"))
    owner = (_key("n").alias("account_id"), pl.lit("USD").alias("currency"))
    receivables = claims.select("receivable_id", *owner, "issued", "due", "amount", pl.lit("given").alias("due_basis"))
    paid = claims.filter(~pl.col("never") & (pl.col("due") + pl.col("late") <= AS_OF))
    payments = paid.select(
        pl.concat_str(pl.lit("P"), "receivable_id").alias("payment_id"),
        *owner,
        (pl.col("due") + pl.col("late")).alias("paid_on"),
        "amount",
    )
    allocations = paid.select(
        pl.concat_str(pl.lit("L"), "receivable_id").alias("allocation_id"),
        "receivable_id",
        pl.concat_str(pl.lit("P"), "receivable_id").alias("payment_id"),
        "amount",
        pl.lit("USD").alias("currency"),
        _key("n").alias("account_id"),
    )
    made = {"accounts": accounts, "receivables": receivables, "payments": payments, "allocations": allocations}
    return {name: whole(name, frame) for name, frame in made.items()}


def _key(number: str | pl.Expr) -> pl.Expr:
    number = pl.col(number) if isinstance(number, str) else number
    return number.cast(pl.String).str.zfill(7)


def whole(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with all columns of the canonical table, defaults filled, and account_id where it helps to cut."""
    columns = [
        (pl.col(column.name) if column.name in frame.columns else pl.lit(column.default)).cast(dtype).alias(column.name)
        for column, dtype in zip(TABLES[name].columns, TABLES[name].schema().values(), strict=True)
    ]
    owner = [] if "account_id" in TABLES[name].names() else ["account_id"]
    return frame.select(*columns, *owner)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200_000)
