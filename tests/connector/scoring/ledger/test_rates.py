import polars as pl
import pytest

from connector.money import to_minor
from connector.schema import TABLES
from connector.scoring.ledger.rates import Rates, across, base_currency


def rates(*rows: tuple[str, str, int, str]) -> pl.DataFrame:
    pairs = [(c, b, d, to_minor(rate, "JPY") if rate == "0" else int(float(rate) * 10**12)) for c, b, d, rate in rows]
    return pl.DataFrame(pairs, schema=TABLES["rates"].schema(), orient="row")


def amounts(*rows: tuple[int, str, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"amount": pl.Int64, "currency": pl.String, "day": pl.Int32}, orient="row")


@pytest.mark.parametrize(
    ("amount", "currency", "base", "rate", "minor"),
    [
        (1_000_000, "JPY", "CNY", "0.05", 5_000_000),
        (1_000_500, "KWD", "CNY", "23.5", 2_351_175),
        (100, "USD", "JPY", "150.5", 151),
        (-12_345, "EUR", "USD", "1.1", -13_579),
        (999_999_999_999_999, "USD", "CNY", "7.25", 7_249_999_999_999_993),
    ],
)
def test_amounts_cross_in_the_minor_units_of_each_currency(
    amount: int, currency: str, base: str, rate: str, minor: int
) -> None:
    table = Rates(rates((currency, base, 10, rate)), base)
    frame = amounts((amount, currency, 20))

    frame = frame.with_columns(table.on(frame, "currency", "day"))

    assert frame.select(table.into_base("amount", "currency", "rate")).item() == minor


def test_a_rate_holds_from_its_day_and_the_first_one_also_before() -> None:
    table = Rates(rates(("EUR", "USD", 10, "1.1"), ("EUR", "USD", 20, "1.2")), "USD")

    column = table.on(
        amounts((1, "EUR", 5), (1, "EUR", 19), (1, "EUR", 20), (1, "USD", 1), (1, "GBP", 1)), "currency", "day"
    )

    assert column.to_list() == [11 * 10**11, 11 * 10**11, 12 * 10**11, 10**12, None]


def test_rates_of_another_base_are_crossed() -> None:
    table = Rates(rates(("USD", "CNY", 1, "8"), ("EUR", "CNY", 1, "10")), "USD")

    column = table.on(amounts((1, "EUR", 1), (1, "CNY", 1)), "currency", 1)

    assert column.to_list() == [125 * 10**10, 125 * 10**9]


def test_a_payment_in_another_currency_settles_at_both_rates() -> None:
    frame = pl.DataFrame({"amount": [2_000], "of": ["USD"], "into": ["JPY"], "x": [7 * 10**12], "y": [5 * 10**10]})

    assert frame.select(across("amount", ("of", "into"), ("x", "y"))).item() == 2_800


def test_the_base_is_the_only_currency_or_the_policy_s_or_that_of_the_rates() -> None:
    one = {"receivables": pl.DataFrame({"currency": ["EUR"]})}
    two = {"receivables": pl.DataFrame({"currency": ["EUR", "GBP"]})}

    assert base_currency(one, "USD") == "EUR"
    assert base_currency(two, "USD") == "USD"
    assert base_currency({**two, "rates": rates(("USD", "CNY", 1, "7"))}, "USD") == "USD"
    assert base_currency({**two, "rates": rates(("EUR", "CNY", 1, "8"))}, "USD") == "CNY"
