"""The command line as it is called, within the test's own process; and a CRM for it to be attached to."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from adapters import registry
from adapters.registry import Simulated
from adapters.simulation.serving import serve_in_thread
from tests.connector.scoring.books import books, invoice
from zixin.cli.main import main

#: Forty unpaid invoices of nine customers.
FORTY = books([invoice(f"I{n}", 100_00 + n, "2025-01-01", "2025-01-31", f"A{n % 9}") for n in range(40)], [])


def run(*words: str) -> int:
    """Exit code of one call."""
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(left.value.code or 0)


def document(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """The JSON document of one call."""
    capsys.readouterr()
    run(*words, "--json")
    return json.loads(capsys.readouterr().out)


@dataclass(frozen=True)
class Served:
    """A simulated CRM that runs."""

    crm: str
    origin: str
    made: Simulated
    #: Its settings, for `connect --settings`.
    file: Path


@contextmanager
def served(
    crm: str, tables: Mapping[str, pl.DataFrame], folder: Path, currency: str = "USD", ahead_s: float = 0.0
) -> Iterator[Served]:
    """A CRM of that kind that holds these tables; its clock runs so far ahead of ours."""
    simulated = registry.simulated(crm, tables, currency, ahead_s)
    with serve_in_thread(simulated.application) as origin:
        file = folder / "settings.yaml"
        file.write_text(json.dumps(simulated.credentials(origin)))
        file.chmod(0o600)
        yield Served(crm, origin, simulated, file)
