from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import money
from connector.messages.rejects import REASONS, sentence
from connector.schema import TABLES, day_number, day_of
from mappings.cast import REJECTS, cast
from tests.examples import each

RECEIVABLE = {"receivable_id": "R1", "account_id": "A1", "issued": "2025-01-02", "amount": "1", "currency": "USD"}


def one(**cells: str | None) -> pl.DataFrame:
    row = {"record": "7", **RECEIVABLE, **cells}
    return pl.DataFrame({name: [value] for name, value in row.items()}, schema=dict.fromkeys(row, pl.String))


def test_a_row_that_fits_gets_its_types_and_its_defaults() -> None:
    done = cast(one(due=" 2025-02-01 ", amount="-12.345", kind=""), TABLES["receivables"])

    row = done.frame.to_dicts()[0]
    assert row["due"] == day_number(date(2025, 2, 1))
    assert row["amount"] == -1235
    assert (row["kind"], row["component"], row["due_basis"]) == ("invoice", "trade", "given")
    assert row["disputed_on"] is None
    assert done.rejects.is_empty()
    assert done.rejects.schema == REJECTS


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("amount", "1,000.00", "not_an_amount"),
        ("amount", "1e5", "not_an_amount"),
        ("amount", "10000000000000", "too_large"),
        ("amount", "99999999999999999999", "too_large"),
        ("amount", None, "empty"),
        ("currency", "usd", "not_a_currency"),
        ("issued", "01/02/2025", "not_a_day"),
        ("issued", "2025-02-30", "not_a_day"),
        ("issued", "2025-1-5", "not_a_day"),
        ("issued", "0025-01-05", "not_a_day"),
        ("kind", "proforma", "not_an_option"),
        ("account_id", "  ", "empty"),
    ],
)
def test_what_does_not_fit_is_rejected_with_its_column_value_and_reason(
    column: str, value: str | None, reason: str
) -> None:
    done = cast(one(**{column: value}), TABLES["receivables"])

    assert done.frame.is_empty()
    expected = (value or "").strip() or None
    assert done.rejects.row(0) == ("7", "receivables", column, expected, reason)
    assert sentence(reason, "zh-CN") != sentence(reason) == REASONS[reason][0]


def test_one_bad_row_does_not_sink_the_others() -> None:
    rows = pl.concat(
        [one(receivable_id="R1"), one(receivable_id="R2", amount="x", due="y"), one(receivable_id="R3")], how="diagonal"
    )

    done = cast(rows, TABLES["receivables"])

    assert done.frame["receivable_id"].to_list() == ["R1", "R3"]
    assert done.rejects["column"].to_list() == ["due", "amount"]


@pytest.mark.parametrize(
    ("text", "minor"),
    [("7.1234567890123", 7_123_456_789_012), ("0", None), ("-1", None), ("x", None), ("9000000", None)],
)
def test_rates_count_in_units_of_ten_to_the_minus_twelve(text: str, minor: int | None) -> None:
    frame = pl.DataFrame({"record": ["1"], "currency": ["USD"], "base": ["CNY"], "day": ["2025-01-01"], "rate": [text]})

    done = cast(frame, TABLES["rates"])

    assert done.frame["rate"].to_list() == ([] if minor is None else [minor])


@each
@given(
    st.decimals(min_value=-(10**13), max_value=10**13, allow_nan=False, allow_infinity=False, places=6),
    st.sampled_from(["USD", "JPY", "KWD", "CLF"]),
)
def test_whole_columns_cast_like_single_amounts(amount: object, currency: str) -> None:
    text = f"{amount:f}"
    try:
        expected: list[int] = [money.to_minor(text, currency)]
    except ValueError:
        expected = []

    done = cast(one(amount=text, currency=currency), TABLES["receivables"])

    assert done.frame["amount"].to_list() == expected


@pytest.mark.parametrize(
    ("table", "column", "good", "bad", "reason"),
    [
        ("accounts", "natural_person", ("TRUE", True), "yes", "not_a_flag"),
        ("statements", "months", ("12", 12), "a year", "not_a_number"),
        ("securities", "coverage", ("0.9", 0.9), "most", "not_a_number"),
    ],
)
def test_every_kind_is_strict(table: str, column: str, good: tuple[str, object], bad: str, reason: str) -> None:
    needed = {
        "accounts": {"account_id": "A", "name": "n"},
        "statements": {"account_id": "A", "period_end": "2025-12-31", "consolidated": "true", "currency": "CNY"},
        "securities": {"security_id": "S", "account_id": "A", "kind": "deposit", "amount": "1", "currency": "CNY"},
    }[table]
    frame = pl.DataFrame([{"record": str(n), **needed, column: text} for n, text in enumerate((good[0], bad))])

    done = cast(frame, TABLES[table])

    assert done.frame[column].to_list() == [good[1]]
    assert done.rejects.rows() == [("1", table, column, bad, reason)]


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2026-03-31T15:59:59Z", "Asia/Shanghai", "2026-03-31"),
        ("2026-03-31T16:00:00Z", "Asia/Shanghai", "2026-04-01"),
        ("2026-03-31", "Asia/Shanghai", "2026-03-31"),
        ("2026-03-31", "America/Los_Angeles", "2026-03-31"),
        ("2026-04-01T05:00:00+00:00", "America/Los_Angeles", "2026-03-31"),
        ("2026-03-05T00:10:00+0530", "UTC", "2026-03-04"),
        ("2026-03-31T15:59:59", "Asia/Shanghai", None),
        ("2026-03-32", "UTC", None),
        ("1826-03-31T15:59:59Z", "UTC", None),
    ],
)
def test_an_instant_where_a_day_belongs_is_the_business_day_and_a_day_never_shifts(
    text: str, zone: str, day: str | None
) -> None:
    row = {"record": "1", "payment_id": "P", "account_id": "A", "paid_on": text, "amount": "1", "currency": "CNY"}

    result = cast(pl.DataFrame([row]), TABLES["payments"], zone)

    names = [day_of(value).isoformat() for value in result.frame["paid_on"]]
    assert names == ([day] if day else [])
    assert result.rejects["reason"].to_list() == ([] if day else ["not_a_day"])


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("amount", "１２３．４５", 123_45),
        ("amount", "−１２", -12_00),
        ("amount", "١٢٣٫٤٥", 123_45),
        ("amount", "१२३", 123_00),
        ("due", "２０２６-０１-３１", "2026-01-31"),
    ],
)
def test_digits_of_other_scripts_count_as_what_they_are(column: str, text: str, value: object) -> None:
    row = {"record": "1", "receivable_id": "r", "account_id": "a", "number": "１", "issued": "2026-01-01"}
    row |= {"due": "2026-01-31", "amount": "1", "currency": "EUR", column: text}

    result = cast(pl.DataFrame([row]), TABLES["receivables"])

    assert result.rejects.is_empty()
    found = result.frame[column].cast(pl.Date) if column == "due" else result.frame[column]
    assert str(found[0]) == str(value)
    assert result.frame["number"][0] == "１", "a text stays what it is"
