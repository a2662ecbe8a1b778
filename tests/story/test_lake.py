"""Invoices and payments in a folder of Parquet beside Zoho: compared by content, closed when rows are gone."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl

from adapters import registry
from connector.assessment import OUTPUT_FIELDS
from connector.schema import TABLES, day_number
from connector.scoring.assess import assess, portfolio_statistics
from mappings.feeds import FeedPlan, joined
from mappings.load import packaged
from sync.crm_connection import CrmConnection, Feed
from sync.run import Ran, run
from sync.store import Store
from sync.store import ledger as ledger_of
from sync.store.ledger import numbers as numbers_of
from tests.adapters.sql.double import mapping_of, typed_row
from tests.connector.scoring.books import POLICY
from tests.simulated import Slots, simulated_zoho
from tests.story.test_databases import ALIKE, CLAIMS, ledger, required

MONEY = ("exposure", "overdue", "max_days_overdue", "hold")


def put(folder: Path, name: str, rows: pl.DataFrame) -> None:
    """A canonical table as a job of theirs writes it: its key is called id, amounts are decimals."""
    key = TABLES[name].key[0]
    typed = pl.DataFrame([typed_row(name, row) for row in rows.to_dicts()], infer_schema_length=None)
    (folder / name).mkdir(parents=True, exist_ok=True)
    typed.with_columns(pl.col(key).alias("id")).write_parquet(folder / name / "part-0.parquet")


def test_a_lake_is_read_again_when_its_files_change_and_rows_that_go_are_closed(tmp_path: Path) -> None:
    tables = ledger()
    for name in CLAIMS:
        put(tmp_path / "lake", name, tables[name])
    facts = {name: tables[name] for name in CLAIMS}
    own: dict[str, Any] = {name: tables[name] for name in ("accounts", "limits", "rates") if name in tables}
    with simulated_zoho(own) as zoho, closing(Store(tmp_path / "zixin.db")) as store:
        crm = zoho.crm()
        lake = registry.open_crm("lake", {"path": str(tmp_path / "lake"), "currency": "USD"}, Slots(), "lake")
        plans = {"lake": FeedPlan(required(mapping_of(facts)))}
        mapping = joined(packaged("zoho").with_written(dict(crm.apply(OUTPUT_FIELDS))), plans)
        link = CrmConnection("sim", crm, mapping, crm.organisation(), clock=crm.now, feeds={"lake": Feed("lake", lake)})
        day = day_number(link.today())

        def synced() -> Ran:
            return run(store, link, POLICY, day, language="en")

        def equal(ran: Ran, wanted: dict[str, pl.DataFrame], columns: Sequence[str]) -> None:
            with store.read("sim") as session:
                numbers = numbers_of(session)
            found = {numbers[row["customer_id"]]: row for row in ran.assessed.to_dicts()}
            whole = assess(wanted, POLICY, day, portfolio=portfolio_statistics(wanted, POLICY, day))
            for row in whole.to_dicts():
                if row["customer_id"] in found:
                    assert [found[row["customer_id"]][each] for each in columns] == [row[each] for each in columns]

        first = synced()
        assert (first.state, first.rejected, first.pulled.away, len(first.assessed)) == ("done", 0, {}, 24)
        equal(first, {name: frame for name, frame in tables.items() if name != "orders"}, ALIKE)

        before = dict(lake.spent.calls)
        again = synced()
        assert (dict(lake.spent.calls), again.pulled.records["lake.invoices"]) == (before, 0)

        # One invoice is gone, another is larger: the file was written anew.
        less = tables["receivables"].filter(pl.col("receivable_id") != "A03-5")
        less = less.with_columns(
            pl.when(pl.col("receivable_id") == "A04-5").then(9_000_00).otherwise(pl.col("amount")).alias("amount")
        )
        put(tmp_path / "lake", "receivables", less)
        changed = synced()
        assert changed.pulled.away == {}
        assert len(changed.assessed) == 2
        # How all customers pay was counted this morning.
        equal(changed, {**tables, "orders": tables["orders"].clear(), "receivables": less}, MONEY)

        # A read of everything that was cut is not gone on with: what is gone would not show.
        put(tmp_path / "lake", "receivables", less.filter(pl.col("receivable_id") != "A05-5"))
        state = {"at": [0, 60], "mark": "of before"}
        with store.write("sim") as writing:
            was = ledger_of.cursor(writing, "lake.invoices")
            assert was is not None
            cut = ledger_of.Cursor(json.dumps(state), was.fingerprint, complete=False)
            ledger_of.save_cursor(writing, "lake.invoices", cut, 0)
        assert len(synced().assessed) == 1
        with store.read("sim") as reading:
            assert "A05-5" not in ledger_of.records_stored(reading, "lake.invoices")
