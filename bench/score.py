"""Scoring side by side in one run: zixin, another checkout of it, one Polars scan, pandas.

    PYTHONPATH=. python bench/score.py [--customers 200000] [--times 3] [--checkout DIR] [--pandas PYTHON]

CPU time and peak memory of whole processes, in turn, medians of so many rounds; then 1, 4 and 100 customers in a warm
process, and one batch of 40,000. `--checkout`: scored by the same programs of this folder. `--pandas`: an interpreter
that has pandas and pyarrow, which zixin does not install; without it pandas is left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
#: Customers of the one large batch.
_BATCH = 40_000


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--checkout", type=Path)
    parser.add_argument("--pandas", default="")
    told = parser.parse_args()
    checkouts = {"zixin": HERE.parent, **({"checkout": told.checkout.resolve()} if told.checkout else {})}
    with TemporaryDirectory() as name:
        folder = Path(name)
        measured([sys.executable, "portfolio.py", name, str(told.customers)], HERE.parent)
        runs = {name: ([sys.executable, "score_zixin.py", str(folder)], path) for name, path in checkouts.items()}
        runs["scan"] = ([sys.executable, "scan_polars.py", str(folder)], HERE.parent)
        if told.pandas:
            runs["pandas"] = ([told.pandas, "score_pandas.py", str(folder)], HERE.parent)
        table(f"{told.customers:,} customers", runs, told.times)
        batch = {
            name: ([sys.executable, "score_zixin.py", str(folder), str(_BATCH)], path)
            for name, path in checkouts.items()
        }
        table(f"one batch of {_BATCH:,}", batch, told.times)
    warm(checkouts, told.times)


def table(title: str, runs: dict[str, tuple[list[str], Path]], times: int) -> None:
    """Medians of CPU seconds and peak memory, and the ratio to zixin's CPU."""
    seen: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(times):
        for name, (command, checkout) in runs.items():
            seen[name].append(measured(command, checkout)[:2])
    base = median(cpu for cpu, _ in seen["zixin"])
    print(f"{title:24} {'CPU s':>8} {'to zixin':>9} {'MB':>7}")
    for name, rounds in seen.items():
        cpu = median(cpu for cpu, _ in rounds)
        print(f"{name:24} {cpu:8.1f} {cpu / base:9.2f} {median(peak for _, peak in rounds):7.0f}")


def warm(checkouts: dict[str, Path], times: int) -> None:
    """CPU milliseconds of 1, 4 and 100 customers in a warm process."""
    seen: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(times):
        for name, path in checkouts.items():
            for line in measured([sys.executable, "warm.py"], path)[2].splitlines():
                customers, rest = line.split(" customers: ")
                seen[customers.strip(), name].append(float(rest.split()[0]))
    print(f"{'warm, customers':24} " + " ".join(f"{name:>12}" for name in checkouts))
    for customers in dict.fromkeys(customers for customers, _ in seen):
        cells = (f"{median(seen[customers, name]):9.1f} ms" for name in checkouts)
        print(f"{customers:24} " + " ".join(cells))


def measured(command: list[str], checkout: Path) -> tuple[float, float, str]:
    """CPU seconds, peak MB and output of a program of this folder, with the packages of that checkout."""
    program, script, *words = command
    env = {**os.environ, "PYTHONPATH": str(checkout)}
    process = subprocess.Popen(
        [program, str(HERE / script), *words], env=env, cwd=checkout, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    text = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{script} failed with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text


if __name__ == "__main__":
    main()
