"""Most of the same aggregates in pandas: what somebody would write who scores a portfolio without zixin.

    python bench/score_pandas.py FOLDER

Needs pandas and pyarrow. Reads the Parquet of portfolio.py and computes, customer by customer: open, overdue, its
ageing and oldest day, exposure, volume and terms, days beyond terms, shares on time and over 15 days late, items late
in 90 days, the tendency (five rungs, decayed, weighted by size, overdue items joining item by item), trend, a score.
Left out, though zixin does it: reasons, flags, groups, currencies, disputes, fees, caps, limits.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

AS_OF = 20_269
RUNGS = (3, 5, 10, 15, 30)


def read(folder: Path, name: str, columns: list[str]) -> pd.DataFrame:
    """One table, some columns."""
    return pd.concat([pd.read_parquet(file, columns=columns) for file in sorted((folder / name).glob("*.parquet"))])


def main(folder: Path) -> None:
    """Write FOLDER/pandas.parquet."""
    accounts = read(folder, "accounts", ["account_id", "since"])
    items = read(folder, "receivables", ["receivable_id", "account_id", "issued", "due", "amount"])
    items = items[items.issued <= AS_OF]
    payments = read(folder, "payments", ["payment_id", "paid_on"])
    allocations = read(folder, "allocations", ["receivable_id", "payment_id", "amount"])

    parts = allocations.merge(payments[payments.paid_on <= AS_OF], on="payment_id")
    parts = parts.merge(items.rename(columns={"amount": "whole"}), on="receivable_id")
    parts = parts.groupby(["receivable_id", "paid_on"], as_index=False).agg(
        account_id=("account_id", "first"), whole=("whole", "first"), due=("due", "first"), amount=("amount", "sum")
    )
    parts["late"] = (parts.paid_on - parts.due).clip(lower=0)
    parts["early"] = (parts.due - parts.paid_on).clip(lower=0)
    settled = parts.groupby("receivable_id").amount.sum()
    items["open"] = items.amount - items.receivable_id.map(settled).fillna(0)
    items["overdue_days"] = np.where(items.open > 0, (AS_OF - items.due).clip(lower=0), 0)

    frame = accounts.set_index("account_id")
    by_account = items.groupby("account_id")
    overdue = items[items.overdue_days > 0]
    frame["open"] = by_account.open.sum()
    frame["overdue"] = overdue.groupby("account_id").open.sum()
    frame["oldest"] = by_account.overdue_days.max()
    for name, low, high in (("b1", 1, 30), ("b2", 31, 60), ("b3", 61, 90), ("b4", 91, 10**6)):
        inside = overdue[overdue.overdue_days.between(low, high)]
        frame[name] = inside.groupby("account_id").open.sum()
    year = items[items.issued > AS_OF - 365]
    frame["volume"] = year.groupby("account_id").amount.sum()
    credit = (year.amount * (year.due - year.issued)).groupby(year.account_id).sum()
    frame["terms"] = credit / frame.volume
    frame["unpaid"] = (items.open > 0).groupby(items.account_id).sum()
    frame["tenure"] = AS_OF - frame.since

    recent = parts[parts.paid_on > AS_OF - 365]
    amount = recent.groupby("account_id").amount.sum()
    frame["dbt"] = (recent.amount * recent.late).groupby(recent.account_id).sum() / amount
    frame["on_time"] = recent[recent.late <= 3].groupby("account_id").amount.sum() / amount
    frame["late15"] = recent[recent.late > 15].groupby("account_id").amount.sum() / amount
    frame["late90"] = recent[(recent.late > 3) & (recent.paid_on > AS_OF - 90)].groupby("account_id").size()
    now, then = recent[recent.paid_on > AS_OF - 90], recent[recent.paid_on <= AS_OF - 90]
    mean = [
        (half.amount * half.late).groupby(half.account_id).sum() / half.groupby("account_id").amount.sum()
        for half in (now, then)
    ]
    frame["trend"] = mean[0] - mean[1]

    parts = parts[parts.paid_on > AS_OF - 1095]
    median = parts.whole.median()

    def weight(whole: pd.Series) -> pd.Series:
        size = whole / median
        power = (size**0.2).clip(1 / 3, 3)
        return power.where(size >= 0.05, size / 0.05 * max(0.05**0.2, 1 / 3))

    def rungs(days: pd.Series) -> pd.Series:
        return sum((days > rung).astype("int64") for rung in RUNGS)

    parts["weight"] = weight(parts.whole) * parts.amount / parts.whole * 0.5 ** ((AS_OF - parts.paid_on) / 120)
    parts["lates"] = parts.weight * rungs(parts.late)
    sums = parts.groupby("account_id")[["weight", "lates"]].sum()
    early = parts[parts.early >= 10].groupby("account_id").weight.sum()
    rate = sums.lates.sum() / sums.weight.sum() / len(RUNGS)
    w = sums.weight.reindex(frame.index).fillna(0) + 1
    late = sums.lates.reindex(frame.index).fillna(0) + rate * len(RUNGS)
    overdue = overdue.assign(
        weight=weight(overdue.amount) * overdue.open / overdue.amount, level=rungs(overdue.overdue_days)
    )
    for level in range(len(RUNGS), 0, -1):
        more = overdue[overdue.level == level].groupby("account_id").weight.sum().reindex(frame.index).fillna(0)
        joins = level * w > late
        w, late = w + more.where(joins, 0), late + level * more.where(joins, 0)
    share = late / (w * len(RUNGS))
    odds = np.log(share / (1 - share)) - early.reindex(frame.index).fillna(0) / w
    frame["tendency"] = odds + 0.3 * np.log1p(frame.unpaid.fillna(0).clip(upper=4)) - 0.15
    points = np.interp(
        frame.tendency,
        [-4.6, -3.48, -2.94, -2.44, -1.99, -1.52, -0.99, -0.41, 0.41, 2, 4],
        [100, 90, 82, 74, 66, 58, 50, 40, 25, 8, 0],
    )
    frame["score"] = (
        0.8 * points
        + 0.08 * np.interp(frame.dbt.fillna(0), [0, 5, 15, 30, 60, 120], [100, 85, 60, 35, 10, 0])
        + 0.04 * 100 * frame.on_time.fillna(0.4)
        + 0.08 * np.interp(frame.oldest.fillna(0), [0, 15, 30, 60, 90], [100, 70, 45, 20, 0])
    )
    frame.reset_index().to_parquet(folder / "pandas.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"pandas: CPU {time.process_time():.1f} s, peak {used.ru_maxrss / 1024:.0f} MB")
