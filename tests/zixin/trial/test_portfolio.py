"""The demo's portfolio shows every table with rows, and all of it arrives."""

from datetime import date
from pathlib import Path

import pytest

from connector.schema import TABLES
from mappings import portfolio
from sync.store import ledger
from zixin import compose
from zixin.services.ratings import explanation
from zixin.trial.demo import PROFILE, running_demo
from zixin.trial.generate import generate

AS_OF = date(2025, 6, 30)


@pytest.mark.slow
def test_every_table_has_rows_and_arrives_with_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "made"
    generate(folder, AS_OF, accounts=300)
    read = portfolio.read(folder)
    assert read.rejects.is_empty()
    assert {name for name in TABLES if name in read.tables and read.tables[name].height} == set(TABLES) - {
        "links", "profiles",
    }  # fmt: skip

    with running_demo("zoho", folder, AS_OF, AS_OF, "en", lambda _: None) as done:
        assert (done.summary["rejected"], done.simulated["left_out"]) == (0, [])
        with compose.open_store(PROFILE) as (store, name), store.read(name) as session:
            stored = {table: frame.height for table, frame in ledger.load(session).items()}
        number = read.tables["statements"]["account_id"][0]
        match = explanation(PROFILE, number).document
    # Zoho has a record for each part of a payment.
    tables = {name: frame.height for name, frame in read.tables.items() if name != "payments"}
    assert {name: stored[name] for name in tables} == tables
    sources = {(each["source"], each["table"]) for each in match["sources"]}
    assert {("accounts", "accounts"), ("files.statements", "statements")} <= sources
