"""Folders of Parquet and Delta tables, as jobs write them."""

import datetime as dt
import json
import os
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import fsspec
import polars as pl
import pytest

from adapters import registry
from adapters.common.declared import Declarations, Declared
from adapters.lake.crm import Lake
from adapters.lake.places import Place
from connector.errors import Misconfigured, Retry
from connector.ports import Page, Source
from tests.simulated import Slots

AT = dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)


def opened(folder: Path | str, **tables: Declared) -> Lake:
    known = Declarations(tables=dict(tables), zone="Asia/Shanghai")
    return Lake(Place(str(folder), {}), known, "EUR", Slots(), {}, page_rows=3)


def pages(crm: Any, name: str, *fields: str, cursor: str | None = None) -> list[Page]:
    return list(crm.read(Source("s", name, fields), cursor))


def rows(crm: Any, name: str, *fields: str, cursor: str | None = None) -> list[Any]:
    return [row for page in pages(crm, name, *fields, cursor=cursor) for row in page.frame.select("id", *fields).rows()]


def some(first: int, last: int, at: dt.datetime = AT) -> pl.DataFrame:
    ids = list(range(first, last))
    return pl.DataFrame({"id": ids, "amount": [Decimal(n) / 4 for n in ids], "updated_at": [at] * len(ids)})


def test_values_come_without_loss(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "id": ["R1", "R2", None],
            "amount": pl.Series(["12345678901234567890.1234", "-0.0001", None]).cast(pl.Decimal(38, 4)),
            "f": [1e-7, 1e22, None], "b": [True, False, None], "d": [dt.date(2026, 1, 5), None, None],
            "t": [dt.datetime(2026, 1, 5), dt.datetime(2026, 1, 4, 17, 0, 0, 1), None],  # noqa: DTZ001
            "z": [AT, None, None], "tags": [["a", "b"], [], None], "raw": [b"\x01\xff", None, None],
            "名称": ["甲", "", None],
        }
    )  # fmt: skip
    frame.write_parquet(tmp_path / "Rechnungen.parquet")
    crm = opened(tmp_path)

    assert crm.objects() == ["Rechnungen"]
    (page,) = pages(crm, "Rechnungen", *frame.columns[1:])[:1]
    assert page.frame.drop("id", "modified_at").rows() == [
        ("12345678901234567890.1234", "0.0000001", "true", "2026-01-05", "2026-01-05", "2026-01-05T10:00:00.000000+00:00",
         "a;b", "01ff", "甲"),
        ("-0.0001", "10000000000000000000000", "false", None, "2026-01-04T09:00:00.000001+00:00", None, "", None, ""),
    ]  # fmt: skip
    assert [(each.record, each.value) for each in page.misfits] == [("?Rechnungen", "1 rows")]


def test_partitions_are_columns_and_what_a_job_still_writes_is_left_out(tmp_path: Path) -> None:
    for region, first in (("EU%2FDE", 0), ("__HIVE_DEFAULT_PARTITION__", 4)):
        folder = tmp_path / "ar" / "invoices" / f"region={region}"
        folder.mkdir(parents=True)
        some(first, first + 4).write_parquet(folder / "a.parquet")
    (tmp_path / "ar" / "invoices" / "_temporary").mkdir()
    some(90, 99).write_parquet(tmp_path / "ar" / "invoices" / "_temporary" / "b.parquet")
    (tmp_path / "ar" / "invoices" / "_SUCCESS").touch()
    crm = opened(tmp_path)

    assert crm.objects() == ["ar/invoices"]
    # The order of names: an underscore comes behind E.
    assert rows(crm, "ar/invoices", "region", "amount")[::5] == [("0", "EU/DE", "0.00"), ("5", None, "1.25")]


def test_changes_are_found_by_their_time_and_a_cut_read_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "invoices"
    folder.mkdir()
    some(0, 8).write_parquet(folder / "a.parquet")
    crm = opened(tmp_path)
    first, second, *_ = pages(crm, "invoices", "amount")

    rest = rows(crm, "invoices", cursor=second.cursor)
    assert [*first.frame["id"], *second.frame["id"], *(row[0] for row in rest)] == [str(n) for n in range(8)]
    done = pages(crm, "invoices")[-1].cursor
    some(8, 10, AT + dt.timedelta(hours=1)).write_parquet(folder / "b.parquet")
    assert [row[0] for row in rows(crm, "invoices", cursor=done)][-2:] == ["8", "9"]
    # The files are others than when it was cut: it begins anew.
    assert len(rows(crm, "invoices", cursor=second.cursor)) == 10


def test_a_table_without_times_is_told_apart_by_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "invoices"
    folder.mkdir()
    some(0, 4).drop("updated_at").write_parquet(folder / "a.parquet")
    crm, source = opened(tmp_path), Source("s", "invoices", ("amount",))

    before = crm.snapshot(source)
    assert before
    assert pages(crm, "invoices", "amount")[-1].cursor == ""
    assert crm.snapshot(source) == before
    some(4, 5).drop("updated_at").write_parquet(folder / "b.parquet")
    assert crm.snapshot(source) != before
    assert crm.keyed("invoices")[0].startswith("told apart by id (by its name); read whole when its files change")
    assert opened(tmp_path, invoices=Declared(modified="amount")).snapshot(source) == ""


def test_files_that_do_not_fit_together_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "invoices"
    folder.mkdir()
    for name, frame in (("a", some(0, 2)), ("b", some(2, 4).rename({"amount": "betrag"})), ("c", some(4, 6))):
        frame.write_parquet(folder / f"{name}.parquet")
    with pytest.raises(Misconfigured, match="file 2 of 3 has no column amount"):
        rows(opened(tmp_path), "invoices", "amount")
    (folder / "c.parquet").unlink()
    with pytest.raises(Misconfigured, match="column amount is in the first file only"):
        rows(opened(tmp_path), "invoices", "amount")
    some(1, 4).write_parquet(folder / "b.parquet")
    with pytest.raises(Misconfigured, match="share a value of id"):
        rows(opened(tmp_path), "invoices", "amount")
    (folder / "b.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(Misconfigured, match="no Parquet that can be read"):
        rows(opened(tmp_path), "invoices", "amount")
    with pytest.raises(Misconfigured, match="no object payments"):
        rows(opened(tmp_path), "payments", "amount")


def test_files_that_change_while_they_are_read_spoil_the_read(tmp_path: Path) -> None:
    folder = tmp_path / "invoices"
    folder.mkdir()
    for name in "ab":
        some(ord(name), ord(name) + 1).write_parquet(folder / f"{name}.parquet")
    changes: list[Callable[[], None]] = [
        lambda: some(0, 1).write_parquet(folder / "c.parquet"),
        (folder / "b.parquet").unlink,
    ]
    for change in changes:
        reading = opened(tmp_path).read(Source("s", "invoices", ()), None)
        next(reading)
        change()
        with pytest.raises(Retry, match="changed or went"):
            list(reading)


def test_ids_and_customers_are_asked_for(tmp_path: Path) -> None:
    frame = pl.DataFrame({"company": ["1", "1", "2|"], "no": [1, 2, 1], "customer": [7, 8, 7], "is_deleted": [0, 1, 0]})
    frame.write_parquet(tmp_path / "items.parquet")
    crm = opened(tmp_path, items=Declared(id=("company", "no")))

    assert rows(crm, "items", "customer") == [("1|1", "7"), ("2\\||1", "7")]
    (page,) = crm.fetch(Source("s", "items", ("customer",)), ["2\\||1", "1|2", "9|9"])
    assert page.frame["id"].to_list() == ["2\\||1"]
    assert sorted(each.record for each in page.gone) == ["1|2", "9|9"]
    (page,) = crm.ledger(Source("s", "items", ("customer",)), "customer", ["7"])
    assert (page.complete, page.frame.height) == (True, 2)


@pytest.fixture
def remote() -> Iterator[str]:
    store = fsspec.filesystem("memory")
    store.makedirs("/lake/invoices", exist_ok=True)
    yield "memory://lake"
    store.rm("/lake", recursive=True)


def test_an_address_of_fsspec_is_read_as_a_folder_is(remote: str, tmp_path: Path) -> None:
    store = fsspec.filesystem("memory")
    for n in range(2):
        some(4 * n, 4 * n + 4).write_parquet(tmp_path / "x.parquet")
        store.pipe_file(f"/lake/invoices/day={n}/x.parquet", (tmp_path / "x.parquet").read_bytes())
    crm = opened(remote)

    assert crm.objects() == ["invoices"]
    assert rows(crm, "invoices", "day")[::7] == [("0", "0"), ("7", "1")]
    mark = crm.snapshot(Source("s", "invoices", ()))
    assert mark == ""


def test_what_is_missing_is_named_and_secrets_are_not(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no JSON object") as caught:
        registry.open_crm("lake", {"path": str(tmp_path), "options": "canary", "currency": "EUR"}, Slots(), "lake")
    assert "canary" not in str(caught.value)
    options = json.dumps({"key": "canary"})
    with pytest.raises(Misconfigured, match="pip install s3fs"):
        registry.open_crm("lake", {"path": "s3://b/l", "options": options, "currency": "EUR"}, Slots(), "lake")
    with pytest.raises(Misconfigured, match="no such folder"):
        registry.open_crm("lake", {"path": str(tmp_path / "no"), "currency": "EUR"}, Slots(), "lake").organisation()


def test_a_delta_table_is_read_at_one_version(tmp_path: Path) -> None:
    import deltalake

    place = str(tmp_path / "gold" / "invoices")
    frame = some(0, 6).with_columns(region=pl.lit("EU")).drop("updated_at")
    frame.write_delta(place, delta_write_options={"partition_by": ["region"]})
    crm, source = opened(tmp_path), Source("s", "gold/invoices", ("amount", "region"))
    assert crm.objects() == ["gold/invoices"]
    before = crm.snapshot(source)
    reading = crm.read(source, None)
    first = next(reading)

    # What is deleted meanwhile is still there in the version that is read.
    deltalake.DeltaTable(place).delete("id < 3")
    read = [*first.frame["id"], *(each for page in reading for each in page.frame["id"])]

    assert sorted(read) == [str(n) for n in range(6)]
    assert crm.snapshot(source) != before
    assert sorted(rows(crm, "gold/invoices", "amount", "region")) == [
        ("3", "0.75", "EU"), ("4", "1.00", "EU"), ("5", "1.25", "EU"),
    ]  # fmt: skip


def test_a_delta_table_that_is_made_anew_is_another_one(tmp_path: Path) -> None:
    place = tmp_path / "invoices"
    crm, source = opened(tmp_path), Source("s", "invoices", ())
    some(0, 3).drop("updated_at").write_delta(str(place))
    before = crm.snapshot(source)
    shutil.rmtree(place)
    some(5, 8).drop("updated_at").write_delta(str(place))

    assert crm.snapshot(source) != before


def test_rows_that_come_hours_late_are_read_with_the_file_that_brings_them(tmp_path: Path) -> None:
    folder = tmp_path / "invoices"
    folder.mkdir()
    some(0, 3).write_parquet(folder / "a.parquet")
    os.utime(folder / "a.parquet", (1_700_000_000, 1_700_000_000))
    crm = opened(tmp_path)
    done = pages(crm, "invoices")[-1].cursor
    some(3, 5, AT - dt.timedelta(hours=5)).write_parquet(folder / "b.parquet")

    found = {row[0] for row in rows(crm, "invoices", cursor=done)}

    assert found >= {"3", "4"}


@pytest.mark.parametrize("kind", [pl.Datetime("us"), pl.String, pl.Int64])
def test_the_hour_that_comes_twice_loses_nothing(tmp_path: Path, kind: Any) -> None:
    folder = tmp_path / "invoices"
    folder.mkdir()

    def put(name: str, key: int, clock: str) -> None:
        at = pl.Series([dt.datetime.fromisoformat(f"2025-10-26T{clock}:00")])
        shown = (
            at.dt.epoch("s") if kind == pl.Int64 else at.dt.strftime("%Y-%m-%d %H:%M:%S") if kind == pl.String else at
        )
        pl.DataFrame({"id": [key], "updated_at": shown}).write_parquet(folder / f"{name}.parquet")
        os.utime(folder / f"{name}.parquet", (1_700_000_000, 1_700_000_000))

    known = Declarations(zone="Europe/Berlin")
    crm = Lake(Place(str(folder.parent), {}), known, "EUR", Slots(), {})
    put("a", 1, "02:59")
    done = pages(crm, "invoices")[-1].cursor
    put("b", 2, "02:10")

    assert "2" in {row[0] for row in rows(crm, "invoices", cursor=done)}


def test_links_are_followed_and_nothing_outside_is_read_by_name(tmp_path: Path) -> None:
    lake, elsewhere = tmp_path / "lake", tmp_path / "elsewhere"
    (lake / "invoices" / "x=1").mkdir(parents=True)
    elsewhere.mkdir()
    some(0, 1).drop("updated_at").write_parquet(lake / "invoices" / "x=1" / "a.PARQUET")
    some(1, 2).drop("updated_at").write_parquet(elsewhere / "b.parquet")
    (lake / "invoices" / "x=2").symlink_to(elsewhere)
    crm, source = opened(lake), Source("s", "invoices", ())

    assert rows(crm, "invoices", "x") == [("0", "1"), ("1", "2")]
    before = crm.snapshot(source)
    told = (elsewhere / "b.parquet").stat()
    some(1, 2).drop("updated_at").write_parquet(elsewhere / "b.parquet")
    os.utime(elsewhere / "b.parquet", ns=(told.st_atime_ns, told.st_mtime_ns))
    assert crm.snapshot(source) != before
    with pytest.raises(Misconfigured, match="no object"):
        rows(crm, "../elsewhere")


def test_numbers_that_a_null_made_floats_name_the_same_records(tmp_path: Path) -> None:
    folder = tmp_path / "invoices"
    folder.mkdir()
    pl.DataFrame({"id": [1, 2], "customer": [7, 8]}).write_parquet(folder / "a.parquet")
    pl.DataFrame({"id": [3.0], "customer": [7.0]}).write_parquet(folder / "b.parquet")
    nested = pl.DataFrame({"id": [1], "l": [[[1, None], [2]]], "s": [{"a": 1}], "d": [dt.timedelta(hours=1)]})
    nested = nested.with_columns(a=pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2)))
    nested.write_parquet(tmp_path / "nested.parquet")

    assert rows(opened(tmp_path), "invoices", "customer") == [("1", "7"), ("2", "8"), ("3", "7")]
    assert rows(opened(tmp_path), "nested", "l", "s", "d", "a") == [
        ("1", "[[1, null], [2]]", '{"a": 1}', "1:00:00", "1;2")
    ]


def test_a_first_page_of_rows_dated_ahead_moves_no_read_past_the_rows_behind_it(tmp_path: Path) -> None:
    folder, now = tmp_path / "invoices", dt.datetime.now(dt.UTC)
    folder.mkdir()

    def put(name: str, frame: pl.DataFrame) -> None:
        frame.write_parquet(folder / f"{name}.parquet")
        os.utime(folder / f"{name}.parquet", (1_700_000_000, 1_700_000_000))

    put("a", pl.concat([some(0, 4, now + dt.timedelta(days=9)), some(4, 5, now - dt.timedelta(days=5))]))
    crm = opened(tmp_path)
    done = pages(crm, "invoices")[-1].cursor
    put("b", some(5, 6, now - dt.timedelta(days=4)))

    assert "5" in {row[0] for row in rows(crm, "invoices", cursor=done)}
