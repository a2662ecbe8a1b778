"""Values of a database as a page's text, without loss."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from sqlalchemy import types

from adapters.common.columns import shaped, stamp
from adapters.sql.clock import clock_of
from adapters.sql.texts import like, text_of
from connector.errors import Misconfigured


def time(text: str, zone: str = "") -> Any:
    return shaped(pl.DataFrame({"t": [text]}), {"t": "time"}, zone)["t"][0]


@pytest.mark.parametrize(
    ("text", "zone", "told"),
    [
        ("2026-01-05 00:00:00", "", "2026-01-05"),
        # Midnight is how a database keeps a day: no zone makes another one of it.
        ("2026-01-05 00:00:00", "America/New_York", "2026-01-05"),
        ("2026-01-04 17:00:00", "UTC", "2026-01-04T17:00:00.000000+00:00"),
        ("2026-01-05 01:30:00.25", "Asia/Shanghai", "2026-01-04T17:30:00.250000+00:00"),
        ("2026-01-05T10:30", "", "2026-01-05"),
        ("2026-01-05 00:00:00+00", "Asia/Shanghai", "2026-01-05T00:00:00+00:00"),
        ("2026-01-05T10:30:00.5Z", "", "2026-01-05T10:30:00.5+00:00"),
        ("2026-01-05 10:30:00+0530", "", "2026-01-05T10:30:00+05:30"),
        # An hour that spring skips, and one that comes twice.
        ("2026-03-29 02:30:00", "Europe/Berlin", "2026-03-29T01:30:00.000000+00:00"),
        ("2026-10-25 02:30:00", "Europe/Berlin", "2026-10-25T00:30:00.000000+00:00"),
        ("infinity", "", None),
        ("soon", "", "soon"),
    ],
)
def test_times_are_instants_or_the_days_that_they_stand_for(text: str, zone: str, told: str | None) -> None:
    assert time(text, zone) == told


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1234567890123456789.123456789"), "1234567890123456789.123456789"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.0000001"), "0.0000001"),
        (0.1, "0.1"),
        (1e22, "10000000000000000000000"),
        (2**63 + 1, "9223372036854775809"),
        (True, "true"),
        (b"\x01\xff", "01ff"),
        (datetime(2026, 1, 5, 10, 0, 0, 1, tzinfo=UTC), "2026-01-05 10:00:00.000001+00:00"),
    ],
)
def test_numbers_lose_nothing(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_floats_come_without_exponents_and_flags_as_true_and_false() -> None:
    frame = pl.DataFrame({"f": ["1e-07", "1.5e+30", "2.5", None], "b": ["t", "f", "1", "maybe"]})

    told = shaped(frame, {"f": "float", "b": "flag"}, "")

    assert told["f"].to_list() == ["0.0000001", "15" + "0" * 29, "2.5", None]
    assert told["b"].to_list() == ["true", "false", "true", "maybe"]


AT = datetime(2026, 1, 5, 10, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("greatest", "zone", "value"),
    [
        (AT, "", AT),
        (datetime(2026, 2, 1), "Asia/Shanghai", datetime(2026, 1, 5, 18, 30, 15)),  # noqa: DTZ001
        (datetime(2026, 2, 1).date(), "", AT.date()),  # noqa: DTZ001
        (1767609015, "", 1767609015),
        ("2026-02-01T00:00:00Z", "", "2026-01-05T10:30:15"),
        ("2026-02-01 00:00:00.5", "Asia/Shanghai", "2026-01-05 18:30:15"),
        ("2026-02-01T00:00:00+0000", "", "2026-01-05T10:30:15"),
        ("2026-02-01", "", "2026-01-05"),
        # dlt's load id.
        ("1767709015.123", "", "1767609015"),
    ],
)
def test_an_instant_is_compared_as_the_column_keeps_it(greatest: Any, zone: str, value: Any) -> None:
    clock = clock_of("db", "t", "c", greatest, zone)

    assert clock is not None
    assert clock.value(AT) == value


@pytest.mark.parametrize("greatest", ["yesterday", 17, True, b"\x00\x00\x07\xd1", "2026-02-01T00:00:00+02:00"])
def test_what_is_no_time_is_refused_with_what_to_do(greatest: Any) -> None:
    with pytest.raises(Misconfigured, match="Declare another column"):
        clock_of("db", "t", "rowversion", greatest, "")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-05", "2026-01-05T00:00:00.000000+00:00"),
        ("1767609015", "2026-01-05T10:30:15.000000+00:00"),
        ("1767609015123", "2026-01-05T10:30:15.123000+00:00"),
        ("1767609015.5", "2026-01-05T10:30:15.500000+00:00"),
        ("2026-01-05 10:30:15+00", "2026-01-05T10:30:15+00:00"),
        ("17", None),
    ],
)
def test_stamps_are_instants(text: str, instant: str | None) -> None:
    assert pl.DataFrame({"m": [text]}).select(stamp(pl.col("m"), "")).item() == instant


def test_a_text_becomes_a_value_of_the_columns_type_or_none() -> None:
    assert like(types.BigInteger(), "7") == 7
    assert like(types.BigInteger(), "K7") is None
    assert like(types.Numeric(), "1.50") == Decimal("1.50")
    assert like(types.DateTime(), "2026-01-05 10:30:15") == datetime(2026, 1, 5, 10, 30, 15)  # noqa: DTZ001
    assert like(types.LargeBinary(), "01ff") == b"\x01\xff"
    assert like(types.Uuid(), "no uuid") is None
    assert like(types.String(), "K7") == "K7"
