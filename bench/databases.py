"""Invoices out of PostgreSQL: zixin's pages beside a plain read by SQLAlchemy, and what a change of 2 % costs.

PYTHONPATH=. python bench/databases.py [ROWS]; each part runs in a process of its own. Needs PostgreSQL installed.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import psycopg
from sqlalchemy import create_engine, text

from adapters import registry
from connector.ports import Source
from tests.postgres import postgres
from tests.simulated import Slots

FIELDS = ("customer_no", "issued", "due", "gross", "currency")
_MADE = """
CREATE TABLE invoices (id bigint PRIMARY KEY, customer_no text, issued date, due date, gross numeric(15,2),
    currency char(3), updated_at timestamptz);
INSERT INTO invoices SELECT n, 'K' || n % 100000, date '2024-01-01' + (n % 700)::int,
    date '2024-02-01' + (n % 700)::int, (n % 1000000) / 100.0, 'EUR',
    now() - interval '30 days' + n * interval '20 days' / {rows} FROM generate_series(1, {rows}) n;
CREATE INDEX ON invoices (updated_at, id);
ANALYZE invoices;
"""
_CHANGED = (
    "UPDATE invoices SET gross = gross + 1, updated_at = now() - interval '1 day' WHERE id % 50 = 0; ANALYZE invoices"
)


def zixin(url: str, cursor: str | None) -> tuple[int, str]:
    """Rows of all pages, and where the next read begins."""
    crm = registry.open_crm("sql", {"url": url, "currency": "EUR"}, Slots(lambda: datetime.now(UTC)), "bench")
    rows, last = 0, ""
    for page in crm.read(Source("s", "invoices", FIELDS), cursor):
        rows, last = rows + page.frame.height, page.cursor
    return rows, last


def plain(url: str) -> int:
    """The same columns by SQLAlchemy, streamed, as frames of text."""
    rows = 0
    with create_engine(url).connect() as connection:
        result = connection.execution_options(stream_results=True, max_row_buffer=20_000).execute(
            text(f"SELECT id, updated_at, {', '.join(FIELDS)} FROM invoices")
        )
        for some in result.partitions(20_000):
            columns = {str(n): [None if value is None else str(value) for value in column]
                       for n, column in enumerate(zip(*some, strict=True))}  # fmt: skip
            rows += pl.DataFrame(columns).height
    return rows


def part(what: str, url: str, kept: Path) -> None:
    """One measurement, in this process: rows, CPU seconds, seconds, MB at most."""
    began, spent = time.perf_counter(), time.process_time()
    if what == "plain":
        rows = plain(url)
    else:
        rows, cursor = zixin(url, None if what == "full" else kept.read_text())
        kept.write_text(cursor)
    spent, took = time.process_time() - spent, time.perf_counter() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(rows, spent, took, most)


def main() -> None:
    """Print the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with postgres() as url, TemporaryDirectory() as folder:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(_MADE.format(rows=rows))
        results: dict[str, list[float]] = {}
        for what in ("plain", "full", "nothing", "delta"):
            if what == "delta":
                with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                    connection.execute(_CHANGED)
            command = [sys.executable, __file__, "part", what, url, f"{folder}/cursor"]
            out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            results[what] = [float(each) for each in out.split()]
    print(f"{'':22} {'rows':>10} {'CPU s':>7} {'s':>7} {'MB':>6} {'rows a CPU s':>13}")
    for what, (count, spent, took, most) in results.items():
        print(f"{what:22} {count:10,.0f} {spent:7.2f} {took:7.2f} {most:6.0f} {count / spent:13,.0f}")
    print(f"zixin to plain, CPU: {results['full'][1] / results['plain'][1]:.2f}")
    print(f"a change of 2 % to a full read: CPU {results['delta'][1] / results['full'][1]:.3f}, "
          f"time {results['delta'][2] / results['full'][2]:.3f}")  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["part"]:
        part(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main()
