"""A column that does not cast is told why, as far as its values say."""

import pytest

from mappings.likely import likely, suspicious


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("money", ["1.234,56", "999.000,00", "12,5"], "a decimal comma, points between thousands"),
        ("money", ["761,17", "999,00", "12,5"], "a decimal comma"),
        ("money", ["1 234,50", "12\u202f345,00"], "spaces or quotes between thousands, and a decimal comma"),
        (
            "money",
            ["R$ 1.234,56", "R$ 12.500,00"],
            "a currency or other words beside the number, and a decimal comma, points between thousands",
        ),
        ("money", [".50", ".75"], "no digit before the point"),
        ("money", ["155744.28;EUR"], "an object or a list: map a field inside it"),
        ("money", ["n/a", "-", "****"], "words or signs for none"),
        ("money", ["1,234.56", "12,345", "7,000"], "commas between thousands"),
        ("money", ["12,34,567.00", "1,00,000"], "commas between lakhs"),
        ("money", ["(1234.50)", "(7.00)", "$12"], "negative amounts in brackets"),
        ("money", ["12.00-", "7.50-"], "the minus sign behind the amount"),
        ("money", ["¥12.00", "¥ 7"], "a currency or other words beside the number"),
        ("money", ["12 万", "3.5亿"], "amounts in 万 or 亿"),
        ("money", ["1 234.56", "12\u202f345"], "spaces or quotes between thousands"),
        ("money", ['{"amount": 12}'], "an object or a list: map a field inside it"),
        ("money", ["1.2E+05"], "exponents"),
        ("ratio", ["12 %", "3.5%"], "a percent sign"),
        ("day", ["31/12/2025", "01/02/2025"], "day, month, year"),
        ("day", ["12/31/2025", "01/02/2025"], "month, day, year"),
        ("day", ["31.12.25", "01.02.25"], "years of two digits"),
        ("day", ["9999-12-31", "0001-01-01"], "a far day for none or for ever"),
        ("day", ["2025-02-30"], "days that no calendar has"),
        ("day", ["2025-01-06 00:00:00+02:00"], "a time in another form than ISO 8601"),
        ("day", ["2025-01-06Z"], "a day with an offset from UTC"),
        ("day", ["00.00.0000"], "a zero date for none"),
        ("day", ["/Date(1735689600000)/"], "milliseconds since 1970"),
        ("day", ["{d '2025-01-06'}"], "an ODBC literal"),
        ("day", ["20250106000000"], "days without separators, YYYYMMDD"),
        ("day", ["31122025"], "days without separators, the year not first"),
        ("day", ["2025-01", "2025"], "months or years without their day"),
        ("day", ["1 févr. 2025", "2 août 2025"], "the month's name"),
        ("day", ['{"date": "2025-01-06"}'], "an object or a list: map a field inside it"),
        ("day", ["01/02/2025"], "the year last; whether day or month is first, these do not tell"),
        ("day", ["31/12/2025", "12/31/2025"], "the year last, and days and months in both orders"),
        ("day", ["2025年1月5日", "2025/01/05"], "another separator than -, year first"),
        ("day", ["20250105"], "days without separators, YYYYMMDD"),
        ("day", ["1736035200000"], "milliseconds since 1970"),
        ("day", ["45662", "45663.5"], "a spreadsheet's number of days, or days since 1970"),
        ("day", ["5 Jan 2025"], "the month's name"),
        ("day", ["2025-31-12"], "the day before the month"),
        ("day", ["2025-1-5"], "months or days of one digit"),
        ("day", ["0000-00-00"], "a zero date for none"),
        ("instant", ["2025-01-05 10:00:00"], "a time without its offset from UTC"),
        ("flag", ["是", "否"], "yes and no in other words: translate them by `values`"),
        ("choice", ["Weird"], "words of its own: translate them by `values`"),
        ("currency", ["RMB yuan"], "names or signs: translate them by `values`"),
    ],
)
def test_the_form_of_the_values_tells_why(kind: str, values: list[str], words: str) -> None:
    found = likely(kind, values)
    assert found is not None
    assert found[0] == words
    assert found[1]


def test_what_says_nothing_is_not_guessed() -> None:
    assert likely("money", ["壹佰元整", "some"]) is None
    assert likely("money", ["12345678901234567.00"]) is None
    assert likely("money", ["1.234,56", "1,234.56"]) is None
    assert likely("day", ["soon", "later"]) is None
    assert likely("text", ["x"]) is None


def test_values_that_cast_may_still_look_wrong() -> None:
    assert suspicious("money", ["1.234", "12.500", "7.000", "900"]) is not None
    assert suspicious("money", ["1.234", "12.50", "7.000", "900"]) is None
    assert suspicious("money", ["-12.00", "-7.00", "-3"]) is not None
    assert suspicious("money", ["12.00", "-7.00", "3"]) is None
    assert suspicious("money", ["0.00", "0", "0.0"]) is not None
    assert suspicious("currency", ["RMB", "USD", "EUR"]) == (
        "no ISO 4217 code: RMB (CNY)",
        "不是 ISO 4217 代码：RMB (CNY)",
    )
    assert suspicious("day", ["1900-01-01", "2025-01-01", "2025-01-02"]) is not None


def test_good_values_do_not_look_wrong() -> None:
    # Dinars, unit prices below one, and a database that prints three decimals.
    assert suspicious("money", ["12.345", "1.500", "7.125"], places=3) is None
    assert suspicious("money", ["0.125", "0.250", "12.345"]) is None
    assert suspicious("money", ["123.450", "12.500", "7.120"]) is None
    assert suspicious("currency", ["CNY", "USD", "TWD"]) is None
    assert suspicious("day", ["2025-01-01"] * 9 + ["2099-12-31"]) is None
    assert suspicious("day", ["-1", "-2"]) is None
