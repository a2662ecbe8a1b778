"""zixin over the Parquet of portfolio.py: every feature, score, reason and flag, one batch of customers after another.

python bench/score_zixin.py FOLDER [CUSTOMERS]: with a number, the first so many as one batch.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import polars as pl

from bench.portfolio import AS_OF
from connector.editions import preset_text
from connector.policy import load
from connector.scoring.assess import assess
from connector.scoring.features.tendency import Gathering, Statistics

#: Customers a file of portfolio.py.
SLICE = 5_000
_TABLES = ("accounts", "receivables", "payments", "allocations")


def main(folder: Path, batch: int = 0) -> None:
    """Write FOLDER/zixin/NNNN.parquet; `batch`: so many customers at once and no others."""
    policy = load(preset_text("default"), "default")
    # Yesterday's statistics, as in any night but the first; today's are gathered for tomorrow.
    portfolio = Statistics(2_500_000, 180_000, 10**12)
    gathering = Gathering(policy.tendency, AS_OF)
    (folder / "zixin").mkdir(exist_ok=True)
    files = sorted(folder.glob("accounts/*.parquet"))
    most = max(1, batch // SLICE)
    for some in [files[:most]] if batch else [[file] for file in files]:
        tables = {name: pl.concat([pl.read_parquet(folder / name / file.name) for file in some]) for name in _TABLES}
        made = assess(tables, policy, AS_OF, portfolio=portfolio, gathering=gathering)
        made.write_parquet(folder / "zixin" / some[0].name)
    gathering.result()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"zixin: CPU {time.process_time():.1f} s, peak {used.ru_maxrss / 1024:.0f} MB")
