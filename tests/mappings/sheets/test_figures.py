"""Amounts as people write them: the column decides its decimal mark, and nothing loses its sign or unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.sheets.figures import figures, unit_in


def one(text: str) -> str | None:
    found = figures([text])
    return found.values[0] if not found.bad and not found.question else found.bad.get(0, "asks")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("￥1,234.5万", "12345000"),
        ("１２３４５６.７８", "123456.78"),
        ("1.2亿", "120000000"),
        ("-5.5万", "-55000"),
        ("1 000 000", "1000000"),
        ("1\u202f000\u00a0000,50", "1000000.5"),
        ("(1,234.50)", "-1234.5"),
        ("1,200.00-", "-1200"),
        ("（９８７.６５）", "-987.65"),
        ("−45.00", "-45"),
        ("△300", "-300"),
        ("-($1,200.50)", "-1200.5"),
        ("($ 45)", "-45"),
        ("-€ 45,5", "-45.5"),
        ("￥0", "0"),
        ("4.711,98 €", "4711.98"),
        ("EUR 12,50", "12.5"),
        ("12.50 USD", "12.5"),
        ("1'234.50", "1234.5"),
        ("12,34,567.00", "1234567"),
        ("0,125", "0.125"),
        (".5", "0.5"),
        ("1.234.567", "1234567"),
        ("12.5k", "12500"),
        ("3 Mio. EUR", "3000000"),
        ("—", None),
        ("n/a", None),
        ("无", None),
        ("12.00 贷", "debit_or_credit"),
        ("500 DR", "debit_or_credit"),
        ("12/5", "not_an_amount"),
        ("1.2.3,4,5", "not_an_amount"),
        ("12%", "not_an_amount"),
        ("1,2345.00.1", "not_an_amount"),
        ("9.13E+17", "not_an_amount"),
        ("1.234", "asks"),
    ],
)
def test_one_text(text: str, value: str | None) -> None:
    assert one(text) == value


def test_the_column_decides_which_mark_is_the_decimal_one() -> None:
    found = figures(["236,48", "1.488,69", "1.000", "4.711,98 €", "-89,9"])

    assert found.values == ["236.48", "1488.69", "1000", "4711.98", "-89.9"]
    assert found.currencies == {3: "EUR"}


def test_a_column_that_may_be_read_both_ways_is_asked_with_both_readings() -> None:
    found = figures(["1.234", "2.500", "7"])

    assert found.values == [None] * 3
    assert found.question is not None
    assert dict(found.question.readings) == {
        ".": (("1.234", "1.234"), ("2.500", "2.5")), ",": (("1.234", "1234"), ("2.500", "2500")),
    }  # fmt: skip
    assert figures(["1.234", "2.500", "7"], mark=",").values == ["1234", "2500", "7"]
    assert figures(["1,234.50", "1.234,50"]).question is not None


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("金额(万元)", 10_000), ("金额（单位：万元）", 10_000), ("单位: 千元", 1_000), ("Umsatz in TEUR", 1_000),
        ("Revenue (k)", 1_000), ("执行标的(元)", 1), ("Amount", 1), ("Exposure (EUR mn)", 1),
    ],
)  # fmt: skip
def test_units_of_headers(header: str, unit: int) -> None:
    assert unit_in(header) == unit


def test_a_unit_of_its_own_is_not_taken_twice() -> None:
    assert figures(["5", "5万", "5元"], unit=Decimal(10_000)).values == ["50000", "50000", "5"]


@given(
    st.decimals(min_value=-(10**12), max_value=10**12, places=2, allow_nan=False), st.sampled_from(["en", "de", "ch"])
)
def test_what_is_written_is_read(amount: Decimal, how: str) -> None:
    text = f"{amount:,.2f}"
    if how == "de":
        text = text.translate(str.maketrans(",.", ".,"))
    if how == "ch":
        text = text.replace(",", "'")

    (value,) = figures([text]).values

    assert value is not None
    assert Decimal(value) == amount
