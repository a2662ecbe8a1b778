"""Who moved: the net's portfolios, scored here and in a second checkout.

`python -m tests.connector.net compare CHECKOUT` says which customers and columns differ, and how. `… record` writes
net.tsv anew; the commit that does says what moved and why.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from tests.connector.net import assessing
from tests.connector.net.cases import Case, cases, record, rounded

ROOT = Path(__file__).parents[3]
#: Customers of a column that are shown one by one.
_SHOWN = 3


def main(words: list[str]) -> int:
    """The exit code: 1 where something differs."""
    match words:
        case ["record"]:
            record()
            return 0
        case ["compare", checkout]:
            lines = list(compare(Path(checkout).resolve()))
            say(*lines, f"{len(lines)} columns differ" if lines else "nothing differs")
            return 1 if lines else 0
        case _:
            say(str(__doc__))
            return 2


def compare(checkout: Path) -> Iterator[str]:
    """One line a case, day and column that differ: how many customers, and the first of them, there → here."""
    with TemporaryDirectory() as folder:
        path, here, there = (Path(folder) / name for name in ("given", "here", "there"))
        here.mkdir()
        there.mkdir()
        for each in cases():
            write(each, path / each.name)
        score(ROOT, path, here)
        score(checkout, path, there)
        for file in sorted(here.glob("*.parquet")):
            yield from differences(file.stem, pl.read_parquet(there / file.name), pl.read_parquet(file))
        before, now = (json.loads((of / "statistics.json").read_text()) for of in (there, here))
        for name in now:
            if json.loads(before[name]) != json.loads(now[name]):
                yield f"{name} the portfolio's statistics: {before[name]} → {now[name]}"


def write(case: Case, folder: Path) -> None:
    """A case as files, for a process that knows none of our tests."""
    folder.mkdir(parents=True)
    for name, frame in case.tables.items():
        frame.write_parquet(folder / f"{name}.parquet")
    (folder / "policy.yaml").write_text(case.policy, encoding="utf-8")
    (folder / "days.json").write_text(json.dumps(case.days))


def score(checkout: Path, given: Path, out: Path) -> None:
    """Score all cases with the scorer of that checkout, in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(checkout)}
    subprocess.run([sys.executable, assessing.__file__, str(given), str(out)], cwd=checkout, env=env, check=True)


def differences(name: str, there: pl.DataFrame, here: pl.DataFrame) -> Iterator[str]:
    """Columns that differ between two frames of assessments of the same customers."""
    before, now = ({row["customer_id"]: row for row in frame.to_dicts()} for frame in (there, here))
    if before.keys() != now.keys():
        yield f"{name} customers: {len(before)} → {len(now)}"
    for column in dict.fromkeys([*there.columns, *here.columns]):
        moved = {
            customer: (rounded(before[customer].get(column)), rounded(now[customer].get(column)))
            for customer in sorted(before.keys() & now.keys())
        }
        moved = {customer: (old, new) for customer, (old, new) in moved.items() if old != new}
        if moved:
            text = "; ".join(
                f"{who}: {_short(old)} → {_short(new)}" for who, (old, new) in list(moved.items())[:_SHOWN]
            )
            yield f"{name} {column}: {len(moved)} customers: {text}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def say(*lines: str) -> None:
    """On standard output."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
