"""How long one to a hundred customers take in a warm process: what an event pays for scoring.

PYTHONPATH=. python bench/warm.py
"""

from __future__ import annotations

import time

from bench.portfolio import AS_OF, slice_of
from connector.editions import preset_text
from connector.policy import load
from connector.scoring.assess import assess, portfolio_statistics

_TIMES = 20


def main() -> None:
    """Print CPU milliseconds a call."""
    policy = load(preset_text("default"), "default")
    for customers in (1, 4, 100):
        tables = slice_of(0, customers)
        portfolio = portfolio_statistics(tables, policy, AS_OF)
        # Beside the day before, as in every night but the first.
        prior = assess(tables, policy, AS_OF - 1, portfolio=portfolio)
        for _ in range(3):
            assess(tables, policy, AS_OF, portfolio=portfolio, prior=prior)
        start = time.process_time()
        for _ in range(_TIMES):
            assess(tables, policy, AS_OF, portfolio=portfolio, prior=prior)
        print(f"{customers:4} customers: {(time.process_time() - start) / _TIMES * 1000:.1f} ms")


if __name__ == "__main__":
    main()
