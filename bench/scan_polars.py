"""One Polars scan of the same columns: the least that any reader of the Parquet of portfolio.py has to do.

python bench/scan_polars.py FOLDER
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import polars as pl

_COLUMNS = {
    "receivables": ("receivable_id", "account_id", "issued", "due", "amount", "currency"),
    "payments": ("payment_id", "account_id", "paid_on", "amount", "currency"),
    "allocations": ("receivable_id", "payment_id", "amount"),
}


def main(folder: Path) -> None:
    """Sum the numbers, and the lengths of the texts."""
    for name, columns in _COLUMNS.items():
        scan = pl.scan_parquet(folder / name / "*.parquet").select(columns)
        texts = [column for column in columns if column.endswith("_id") or column == "currency"]
        scan.select(pl.col(texts).str.len_bytes().sum(), pl.exclude(texts).sum()).collect(engine="streaming")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"one Polars scan: CPU {time.process_time():.1f} s, peak {used.ru_maxrss / 1024:.0f} MB")
