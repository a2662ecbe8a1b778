"""A pytest plugin: what failed and what was skipped, as JSON for whoever ran pytest.

Loaded by `-p tests.report`; written to the file that ZIXIN_TEST_REPORT names: {"failed": [node ids], "skipped":
{reason: count}}.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Only the process that talks to the terminal has all reports."""
    file = os.environ.get("ZIXIN_TEST_REPORT")
    if not file:
        return
    stats = terminalreporter.stats
    failed = [report.nodeid for kind in ("failed", "error") for report in stats.get(kind, ())]
    skipped = Counter(_reason(report) for report in stats.get("skipped", ()))
    Path(file).write_text(json.dumps({"failed": list(dict.fromkeys(failed)), "skipped": skipped}), encoding="utf-8")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    # A skip's representation is the file, the line and "Skipped: " before the reason.
    return str(report.longrepr[2]).removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else "no reason"
