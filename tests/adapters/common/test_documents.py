"""An answer is read so that what nobody can read costs its own record only."""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl
import pytest

from adapters.common.csv_rows import csv_rows
from adapters.common.documents import DEEPEST, TOO_DEEP, document, plain
from adapters.common.http import retry_after
from adapters.common.misfits import framed, lookup_id


def test_numbers_keep_their_digits() -> None:
    assert document(b'{"a": 1.10, "b": 7, "c": -0.000000000000001}') == {
        "a": Decimal("1.10"),
        "b": 7,
        "c": Decimal("-0.000000000000001"),
    }


@pytest.mark.parametrize("number", ["1e999999999", "-1e-999999999", "9" * 5_000, "1." + "9" * 5_000, "NaN"])
def test_a_number_that_nothing_counts_with_is_a_short_text(number: str) -> None:
    value = document(f'{{"a": {number}}}'.encode())["a"]

    assert len(plain(value) if isinstance(value, Decimal) else str(value)) <= len(number) + 1


def test_what_lies_too_deep_is_a_text_and_the_rest_is_there() -> None:
    deep = "[" * 50_000 + "]" * 50_000

    rows = document(f'{{"data": [{{"id": "1", "x": {deep}, "s": "[[\\"]]"}}, {{"id": "2"}}]}}'.encode())["data"]

    assert [row["id"] for row in rows] == ["1", "2"]
    assert rows[0]["s"] == '[["]]'
    value, levels = rows[0]["x"], 0
    while isinstance(value, list):
        value, levels = value[0], levels + 1
    assert (value, levels < DEEPEST) == (TOO_DEEP, True)


@pytest.mark.parametrize("body", [b"<html>", b'{"a": 1', b"[" * 50_000, b"\xff\xfe\x00"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        document(body)


def test_bytes_that_are_no_utf8_stay_in_their_record() -> None:
    rows = document('[{"id": "1", "n": "广州"}, {"id": "2", "n": "'.encode() + "广州".encode("gbk") + b'"}]')

    frame, misfits = framed(rows, lambda some: pl.DataFrame(list(some), schema={"id": pl.String, "n": pl.String}), _id)

    assert frame.rows() == [("1", "广州")]
    assert [(each.record, each.reason) for each in misfits] == [("2", "not_text")]


def test_a_record_without_an_id_has_a_name_that_stays() -> None:
    rows: list[dict[str, str | None]] = [{"id": None, "n": "a"}, {"id": "", "n": "b"}, {"id": "3", "n": "c"}]

    def build(some: Sequence[dict[str, str | None]]) -> pl.DataFrame:
        return pl.DataFrame(list(some), schema={"id": pl.String, "n": pl.String})

    frame, misfits = framed(rows, build, _id)

    assert frame["id"].to_list() == ["3"]
    assert len({each.record for each in misfits}) == 2
    assert {each.record for each in misfits} == {each.record for each in framed(rows[::-1], build, _id)[1]}
    assert all(each.record.startswith("?") and each.reason == "no_id" for each in misfits)


def _id(row: dict[str, str | None]) -> str | None:
    return row["id"]


def test_an_object_where_an_id_or_a_value_belongs_is_kept_as_text() -> None:
    assert lookup_id({"id": "7", "name": "x"}, "id") == "7"
    assert lookup_id({"day": Decimal("1.10")}, "id") == '{"day": "1.10"}'
    assert lookup_id({}, "id") is None


def test_rows_of_a_csv_with_bytes_that_are_no_utf8_are_its_misfits() -> None:
    rows, misfits = csv_rows(b"Id,Name\n1,a\n2,\xb9\xe3\n3,\n", "")

    assert rows.rows() == [("1", "a"), ("3", None)]
    assert [(each.record, each.reason) for each in misfits] == [("2", "not_text")]


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0), ("-1", 0.0), ("nan", None), ("inf", None), ("soon", None), ("", None), (None, None),
        ("Wed, 21 Oct 2015 07:28:10 GMT", 10.0), ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_how_long_to_wait_is_seconds_or_a_date_and_never_less_than_nothing(
    told: str | None, seconds: float | None
) -> None:
    assert retry_after(told, lambda: 1445412480.0) == seconds
