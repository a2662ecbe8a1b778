"""Money is an integer count of minor units beside an ISO 4217 code; `Decimal` at the doors, never a float."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

#: Minor-unit exponents that are not 2. Source: ISO 4217 list one, amendment 177.
EXPONENTS: dict[str, int] = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}

#: Amounts at or beyond this count of minor units are refused at the door; sums then fit Int128 with room to spare.
TOO_MUCH = 10**15

#: A rate travels as an integer count of 10^-12.
RATE_SCALE = 12


def exponent(currency: str) -> int:
    """Decimal places of a currency's minor unit: 2 unless ISO 4217 says otherwise."""
    return EXPONENTS.get(currency, 2)


def to_minor(amount: str | Decimal, currency: str) -> int:
    """Minor units of a decimal amount, rounded half up where it has more decimals than the currency.

    Raises ValueError when the text is no plain decimal or reaches `TOO_MUCH` in absolute value.
    """
    try:
        value = Decimal(amount)
    except InvalidOperation as error:
        raise ValueError(f"not a decimal amount: {amount!r}") from error
    if not value.is_finite() or abs(value) >= TOO_MUCH:
        raise ValueError(f"{amount} {currency} is out of range")
    minor = int(value.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    if abs(minor) >= TOO_MUCH:
        raise ValueError(f"{amount} {currency} is out of range")
    return minor


def from_minor(minor: int, currency: str) -> Decimal:
    """The decimal amount of a count of minor units."""
    return Decimal(minor).scaleb(-exponent(currency))


def format_money(minor: int, currency: str) -> str:
    """An amount as a person reads it: `12,345.60 USD`."""
    return f"{from_minor(minor, currency):,f} {currency}"
