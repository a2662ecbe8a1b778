"""What every adapter must read: everything, once, as it is, and nothing lost at an edge."""

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from connector.errors import Exhausted, Retry
from mappings.apply import apply
from tests.connector.scoring.books import books, invoice, table
from tests.contract.doubles import DOUBLES, READERS, Double, every

HOSTILE = [
    "纷享 & 销客 <b>“x”</b>",
    'quo"te, comma; semi',
    "line\nbreak\tand tab",
    "=cmd|' /C calc'!A1",
    "00123",
    "NA",
    "🎿 ½ ﬁ",
    "' OR 1=1 --",
]


def ledger() -> dict[str, pl.DataFrame]:
    claims = [invoice(f"I{n:03d}", 100_00 + n, "2025-01-01", "2025-01-31", f"A{n % 8}") for n in range(430)]
    result = books(claims, [("P0", "I000", "2025-01-20", 100_00), ("P0", "I001", "2025-01-20", 50_00)], "A0")
    names = [{"account_id": f"A{n}", "name": HOSTILE[n], "currency": "USD"} for n in range(8)]
    return {**result, "accounts": table("accounts", *names)}


@pytest.fixture(params=every(readers=True), scope="module")
def double(request: pytest.FixtureRequest) -> Iterator[Double]:
    with (DOUBLES | READERS)[request.param](ledger()) as result:
        yield result


@pytest.fixture(params=every(heavy=True, readers=True))
def fresh(request: pytest.FixtureRequest) -> Iterator[Double]:
    with (DOUBLES | READERS)[request.param](ledger()) as result:
        yield result


def read(
    double: Double, source: str, cursor: str | None = None, crm: Any = None
) -> tuple[pl.DataFrame, str, list[str]]:
    """All pages of a source under canonical names (its first table), the last cursor, ids that are gone."""
    crm = crm or double.crm()
    frames, gone, organisation = [], [], crm.organisation()
    for page in crm.read(double.mapping.source(source), cursor):
        item = double.mapping.sources[source].yields[0].table
        frames.append(apply(double.mapping, source, page.frame, organisation).tables[item])
        gone += [item.record for item in page.gone]
        cursor = page.cursor
    assert cursor is not None
    return pl.concat(frames), cursor, gone


def test_everything_is_read_once_and_as_it_is(double: Double) -> None:
    accounts, invoices = read(double, "accounts")[0], read(double, "invoices")[0]

    assert sorted(accounts["name"]) == sorted(HOSTILE)
    assert invoices["number"].n_unique() == invoices.height == 430
    assert dict(invoices.select("number", "amount").iter_rows()) == {f"I{n:03d}": 100_00 + n for n in range(430)}
    assert set(invoices["account_id"]) == set(accounts["account_id"])


def test_a_read_that_was_cut_goes_on(double: Double) -> None:
    source = double.mapping.source("invoices")
    first = next(iter(double.crm().read(source, None)))

    rest = list(double.crm().read(source, first.cursor))

    ids = [value for page in (first, *rest) for value in page.frame["id"]]
    assert len(ids) == len(set(ids)) == 430


def test_what_changed_in_one_second_is_all_there_though_it_fills_pages(fresh: Double) -> None:
    _, cursor, _ = read(fresh, "invoices")
    fresh.advance(3600)
    _, cursor, _ = read(fresh, "invoices", cursor)
    fresh.advance(3600)
    for n in range(430):
        fresh.edit("invoices", f"I{n:03d}", amount="7.00")

    frame, _, _ = read(fresh, "invoices", cursor)

    assert set(frame["number"]) == {f"I{n:03d}" for n in range(430)}
    assert set(frame["amount"]) == {7_00}


def test_a_row_that_was_committed_late_is_not_lost(fresh: Double) -> None:
    _, cursor, _ = read(fresh, "invoices")
    fresh.advance(3600)
    _, cursor, _ = read(fresh, "invoices", cursor)
    fresh.advance(10)
    fresh.commit_late("invoices", "I007", 60, amount="9.00")

    frame, _, _ = read(fresh, "invoices", cursor)

    assert frame.filter(pl.col("number") == "I007")["amount"].to_list() == [9_00]


def test_what_is_deleted_or_moved_is_told(fresh: Double) -> None:
    whole, cursor, _ = read(fresh, "invoices")
    accounts = dict(read(fresh, "accounts")[0].select("number", "account_id").iter_rows())
    fresh.advance(3600)
    ids = dict(whole.select("number", "source_id").iter_rows())
    fresh.remove("invoices", "I003")
    fresh.edit("invoices", "I004", account_id=accounts["A7"])

    frame, _, gone = read(fresh, "invoices", cursor)
    fetched = list(fresh.crm().fetch(fresh.mapping.source("invoices"), [ids["I003"], ids["I004"]]))

    assert gone == ([] if "deletes" in fresh.lacks else [ids["I003"]])
    assert frame.filter(pl.col("number") == "I004")["account_id"].to_list() == [accounts["A7"]]
    assert [item.record for page in fetched for item in page.gone] == [ids["I003"]]


@pytest.mark.parametrize("what", ["429", "503", "cut", "trickle"])
def test_storms_pass_and_one_that_does_not_ends_with_its_own_problem(fresh: Double, what: str) -> None:
    if "wire" in fresh.lacks or (what == "trickle" and "storms" in fresh.lacks):
        pytest.skip(fresh.lacks.get("wire", fresh.lacks.get("storms", "")))
    fresh.fault(what, 2)
    assert read(fresh, "invoices")[0].height == 430

    fresh.fault(what, 99)
    # A vendor may say with 429 that its quota is used up.
    with pytest.raises((Retry, Exhausted)):
        read(fresh, "invoices")
