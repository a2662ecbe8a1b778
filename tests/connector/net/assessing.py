"""Assesses the cases of the net with whatever `connector` is on the path: ours, or that of another checkout.

    python assessing.py IN OUT

IN/CASE holds one Parquet file a table, policy.yaml and days.json; OUT gets CASE@DAY.parquet and statistics.json.
Imports nothing of the tests: another checkout has tests of its own.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from connector.policy import load
from connector.schema import TABLES
from connector.scoring.assess import assess, portfolio_statistics


def assessments(
    tables: Mapping[str, pl.DataFrame], policy_text: str, days: Sequence[int]
) -> Iterator[tuple[int, pl.DataFrame, str]]:
    """Day by day, each with the one before as its prior: the day, the assessments, the portfolio's statistics."""
    policy, prior = load(policy_text, "policy.yaml"), None
    for day in days:
        statistics = portfolio_statistics(tables, policy, day)
        prior = assess(tables, policy, day, portfolio=statistics, prior=prior)
        yield day, prior, statistics.to_json()


def main(given: Path, out: Path) -> None:
    """Every case of a folder."""
    statistics = {}
    for case in sorted(given.iterdir()):
        tables = {file.stem: pl.read_parquet(file) for file in case.glob("*.parquet")}
        # What this checkout has no table or column for, it cannot be asked about.
        known = {
            name: frame.select(set(TABLES[name].names()) & set(frame.columns))
            for name, frame in tables.items()
            if name in TABLES
        }
        days = json.loads((case / "days.json").read_text())
        for day, frame, message in assessments(known, (case / "policy.yaml").read_text(encoding="utf-8"), days):
            frame.write_parquet(out / f"{case.name}@{day}.parquet")
            statistics[f"{case.name}@{day}"] = message
    (out / "statistics.json").write_text(json.dumps(statistics))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
