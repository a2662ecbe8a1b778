"""zixin over the Parquet of portfolio.py: every feature, score, reason and flag, one batch of customers after another.

python bench/score_zixin.py FOLDER
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import polars as pl

from bench.portfolio import AS_OF
from connector.policy import load, preset_text
from connector.scoring.assess import assess
from connector.scoring.tendency import Gathering, Statistics

_TABLES = ("accounts", "receivables", "payments", "allocations")


def main(folder: Path) -> None:
    """Write FOLDER/zixin/NNNN.parquet."""
    policy = load(preset_text("default"), "default")
    # Yesterday's statistics, as in any night but the first; today's are gathered for tomorrow.
    portfolio = Statistics(2_500_000, 180_000, 10**12)
    gathering = Gathering(policy.tendency, AS_OF)
    (folder / "zixin").mkdir(exist_ok=True)
    for file in sorted(folder.glob("accounts/*.parquet")):
        tables = {name: pl.read_parquet(folder / name / file.name) for name in _TABLES}
        made = assess(tables, policy, AS_OF, portfolio=portfolio, gathering=gathering)
        made.write_parquet(folder / "zixin" / file.name)
    gathering.result()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"zixin: CPU {time.process_time():.1f} s, peak {used.ru_maxrss / 1024:.0f} MB")
