"""What a value that nobody thought of raises, here or in a library: it is narrowed down to its record."""

from __future__ import annotations

from polars.exceptions import PanicException, PolarsError

FAULTS: tuple[type[BaseException], ...] = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    PolarsError,
    PanicException,
)
