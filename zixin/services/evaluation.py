"""A portfolio folder, scored as of days, and how well that foretold who paid late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from connector.policy import Policy
from connector.schema import day_number
from connector.scoring.assess import assess, portfolio_statistics
from connector.validation.backtest import Question, foretold
from mappings import portfolio


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What came of it."""

    #: As `zixin evaluate --json` prints it, days as numbers since 1970.
    metrics: dict[str, Any]
    #: Columns of `ASSESSMENT`, as of the last day.
    assessed: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Folder:
    """A portfolio folder, read."""

    read: portfolio.Portfolio

    @property
    def rejects(self) -> pl.DataFrame:
        """Rows that did not fit: file, record (the line), column, value, reason."""
        return self.read.rejects


def read(folder: Path) -> Folder:
    """Reads a portfolio folder. Raises Misconfigured where it is none."""
    return Folder(portfolio.read(folder))


def evaluate(
    folder: Folder, rules: Policy, days: Sequence[date], horizon: int, late_days: int, late_share: float
) -> Evaluated:
    """Scores the folder. Late is more than `late_days`; bad, from `late_share` of the money due within `horizon` on."""
    tables, numbers = folder.read.tables, [day_number(day) for day in days]
    metrics = foretold(tables, rules, numbers, Question(horizon, late_days, late_share))
    last = max(numbers)
    return Evaluated(metrics, assess(tables, rules, last, portfolio=portfolio_statistics(tables, rules, last)))
