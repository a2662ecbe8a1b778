from decimal import Decimal

import pytest

from connector.money import format_money, from_minor, to_minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.34", "USD", 1234),
        ("-0.01", "CNY", -1),
        ("1000000", "JPY", 1_000_000),
        ("1000.500", "KWD", 1_000_500),
        ("83.79176", "USD", 8379),
        ("0.005", "USD", 1),
        ("9999999999999.99", "USD", 999_999_999_999_999),
    ],
)
def test_amounts_count_the_currency_s_own_minor_units(text: str, currency: str, minor: int) -> None:
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize("text", ["", "abc", "1,000.00", "NaN", "Infinity", "10000000000000.00", "1e20"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|range"):
        to_minor(text, "USD")


def test_an_amount_comes_back_with_its_own_decimals() -> None:
    assert from_minor(1234, "USD") == Decimal("12.34")
    assert format_money(123_456_789, "JPY") == "123,456,789 JPY"
    assert format_money(-1_234_567, "USD") == "-12,345.67 USD"
