"""A folder beside a CRM: every table of it, as text that casts to the very same rows; what does not fit is named."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from adapters import registry
from connector.errors import Misconfigured
from connector.ports import Organisation, Page, Reads
from connector.schema import TABLES
from mappings import portfolio
from mappings.apply import apply
from mappings.load import packaged
from tests.connector.scoring.books import table
from tests.simulated import Slots

MAPPING = packaged("folder")


def put(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def opened(folder: Path, **settings: str) -> Reads:
    return registry.open_crm("folder", {"path": str(folder), **settings}, Slots(), "files")


def paged(crm: Reads, name: str, **how: Any) -> list[Page]:
    source = MAPPING.source(name)
    return list(crm.fetch(source, how["records"]) if how else crm.read(source, None))


EVIDENCE = "evidence_id,account_id,kind,observed_on,value\nE1,A1,legal,2025-01-05,sued\nE2,A2,legal,yesterday,sued\n"


def test_any_file_of_a_portfolio_may_stand_alone(tmp_path: Path) -> None:
    crm = opened(put(tmp_path / "facts", evidence=EVIDENCE))

    (page,) = paged(crm, "evidence")

    assert page.frame.select("id", "account_id", "kind", "observed_on").rows() == [("E1", "A1", "legal", "2025-01-05")]
    assert [(each.record, each.field, each.value) for each in page.misfits] == [
        ("evidence.csv:3", "observed_on", "yesterday")
    ]
    assert (page.complete, page.cursor) == (True, "")
    with pytest.raises(Misconfigured, match="statements"):
        paged(crm, "statements")


def test_every_table_comes_back_as_it_was_read(tmp_path: Path) -> None:
    """Days, amounts of currencies with no and three decimals, negative ones, rates, shares, flags."""
    folder = put(
        tmp_path / "all",
        accounts="account_id,name,country,since,currency,natural_person,registered_capital,segment\n"
        'A1,"Ltd, One",CN,2020-01-01,JPY,true,5000000,export\nA2,Two,DE,2021-02-03,KWD,false,,\n',
        invoices="invoice_id,account_id,issued,due,amount,currency,disputed\nI1,A1,2025-01-01,2025-01-31,1000,JPY,true\n"
        "I2,A2,2025-01-01,2025-01-31,-12.345,KWD,false\n",
        payments="payment_id,account_id,invoice_id,paid_on,amount,currency\nP1,A2,I2,2025-02-01,0.005,KWD\n",
        rates="currency,base,day,rate\nJPY,USD,2025-01-01,0.0064\nKWD,USD,2025-01-01,3.25\n",
        securities="security_id,account_id,kind,amount,currency,coverage\nS1,A1,guarantee,100,USD,0.35\n",
        statements="account_id,period_end,consolidated,currency,equity,audited\nA1,2024-12-31,false,JPY,-7,true\n",
    )  # fmt: skip
    wanted, crm = portfolio.read(folder).tables, opened(folder)

    for name, frame in wanted.items():
        frames = [
            apply(MAPPING, name, page.frame, Organisation("x", "USD")).tables[name].select(TABLES[name].names())
            for page in paged(crm, name)
        ]
        assert pl.concat(frames).equals(frame), name
    assert crm.organisation() == Organisation("all", "USD")


def test_rows_that_are_not_there_any_more_are_gone_and_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    crm = opened(put(tmp_path / "facts", evidence=EVIDENCE))
    assert [each.record for page in paged(crm, "evidence", records=["E1", "E9"]) for each in page.gone] == ["E9"]
    put(tmp_path / "facts", evidence=EVIDENCE.replace("E1", "E7").replace("yesterday", "2025-02-02"))

    (page,) = paged(crm, "evidence")

    assert (page.frame["id"].to_list(), page.misfits) == (["E7", "E2"], ())


def test_a_folder_that_is_not_there_and_one_without_our_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="There is no folder"):
        opened(tmp_path / "nowhere").organisation()
    with pytest.raises(Misconfigured, match=r"evidence\.csv"):
        opened(put(tmp_path / "other", invoice="a\n1\n")).organisation()


def test_columns_that_no_table_has_are_told(tmp_path: Path) -> None:
    crm = opened(
        put(tmp_path / "facts", evidence=EVIDENCE.replace("value\n", "value,court\n").replace("sued\n", "sued,HK\n"))
    )
    names = [field.name for field in crm.describe("evidence").fields]
    assert names == [*TABLES["evidence"].names(), "court"]


def test_a_folder_without_a_currency_counts_in_the_one_that_is_set(tmp_path: Path) -> None:
    assert opened(put(tmp_path / "f", evidence=EVIDENCE), currency="CNY").organisation().currency == "CNY"
    assert datetime.now(UTC) <= opened(tmp_path / "f").now()
    assert table("evidence").is_empty()
