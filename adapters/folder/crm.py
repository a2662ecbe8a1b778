"""The port to a portfolio folder: each canonical table is an object, its columns the fields. Read whole every time.

A row that does not fit is a misfit under its file and line; the others go on. The files are read as they were at one
moment: one that changes meanwhile is read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from connector import money
from connector.errors import Misconfigured, Retry
from connector.ports import Described, Field, Gone, Misfit, Organisation, Page, Shared, Source, Spent
from connector.schema import TABLES, Column
from mappings import portfolio
from mappings.portfolio import Portfolio

#: Rows of a page.
_PAGE = 4_000
#: Path, modified time and size of each file.
_Stamp = tuple[tuple[str, int, int], ...]


class PortfolioFolder:
    """A folder; its files may be any of a portfolio."""

    def __init__(self, path: Path, currency: str, shared: Shared) -> None:
        self.spent = Spent()
        self._path, self._currency, self._shared = path, currency, shared
        self._read: tuple[_Stamp, Portfolio] | None = None
        self._texts: dict[str, pl.DataFrame] = {}

    def now(self) -> datetime:
        """A folder has no clock of its own."""
        return self._shared.now()

    def organisation(self) -> Organisation:
        """Called as the folder is; its currency is the one that its rates lead to, or that its amounts are in."""
        home = portfolio.home_currency(self._portfolio().tables)
        return Organisation(self._path.name, self._currency or home)

    def describe(self, name: str) -> Described:
        """The columns that a table may have, and those of its file that no table has."""
        self._table(name)
        known = [Field(column.name, column.name, "text", writable=False) for column in TABLES[name].columns]
        odd = self._headers(name) - {field.name for field in known} - _ALIASES
        return Described(name, (*known, *(Field(each, each, "text", writable=False) for each in sorted(odd))))

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:  # noqa: ARG002
        """All rows of a table."""
        yield from self._pages(source, self._table(source.object), self._misfits(source.object))

    def fetch(self, source: Source, records: Sequence[str]) -> Iterator[Page]:
        """Rows by their keys; those that are not there any more are gone."""
        rows, bad = self._table(source.object), self._misfits(source.object)
        wanted = set(records)
        found = rows.filter(pl.col("id").is_in(pl.Series(sorted(wanted), dtype=pl.String).implode()))
        named = [each for each in bad if each.record in wanted]
        left = wanted - set(found["id"]) - {each.record for each in named}
        yield from self._pages(source, found, named, tuple(Gone(each, "deleted") for each in sorted(left)))

    def ledger(self, source: Source, by: str, accounts: Sequence[str]) -> Iterator[Page]:
        """Rows of these customers."""
        rows = self._table(source.object)
        yield from self._pages(
            source, rows.filter(pl.col(by).is_in(pl.Series(accounts, dtype=pl.String).implode())), ()
        )

    def _pages(
        self, source: Source, rows: pl.DataFrame, misfits: Collection[Misfit], gone: tuple[Gone, ...] = ()
    ) -> Iterator[Page]:
        columns = [
            pl.col(name) if name in rows.columns else pl.lit(None, pl.String).alias(name) for name in source.fields
        ]
        frame = rows.select("id", pl.lit(None, pl.String).alias("modified_at"), *columns)
        starts = range(0, max(1, frame.height), _PAGE)
        for start in starts:
            first, last = start == 0, start + _PAGE >= frame.height
            told = tuple(misfits) if first else ()
            yield Page(source.name, frame[start : start + _PAGE], gone if first else (), "", last, told)

    def _table(self, name: str) -> pl.DataFrame:
        """A table as text, with `id`. Raises Misconfigured: no file brings it."""
        tables = self._portfolio().tables
        if name not in tables:
            raise Misconfigured("E-CRM-OBJECT", name=name, host=self._path.name)
        if name not in self._texts:
            self._texts[name] = _as_text(name, tables[name])
        return self._texts[name]

    def _misfits(self, name: str) -> list[Misfit]:
        rows = self._portfolio().rejects.filter(pl.col("table") == name)
        return [
            Misfit(f"{row['file']}:{row['record']}", row["column"], row["value"], row["reason"])
            for row in rows.to_dicts()
        ]

    def _headers(self, name: str) -> set[str]:
        """Columns of the file that brings a table."""
        file = "invoices" if name == "receivables" else name
        path = self._path / f"{file}.csv"
        if not path.is_file():
            return set()
        with path.open(encoding="utf-8-sig") as text:
            return {each.strip().strip('"') for each in text.readline().split(",")} - {""}

    def _portfolio(self) -> Portfolio:
        """What the folder holds now; read anew where a file changed. Raises Retry: one changes while it is read."""
        stamp = self._stamp()
        if self._read is None or self._read[0] != stamp:
            try:
                made = portfolio.read_part(self._path)
            except OSError as error:
                raise Misconfigured("E-FILE", file=str(self._path), detail=type(error).__name__) from None
            self.spent.add("file", 0)
            if self._stamp() != stamp:
                raise Retry("E-FOLDER-CHANGED", path=str(self._path))
            self._read, self._texts = (stamp, made), {}
        return self._read[1]

    def _stamp(self) -> _Stamp:
        try:
            found = [(each.name, each.stat()) for each in sorted(self._path.glob("*.csv"))]
        except OSError as error:
            raise Misconfigured("E-FILE", file=str(self._path), detail=type(error).__name__) from None
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)


#: Columns of files that are told in others.
_ALIASES = frozenset({"invoice_id", "disputed", "record"})


def _as_text(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """A canonical table as its file would have it, and `id`: its key."""
    table = TABLES[name]
    texts = rows.select(_text(column, rows.columns).alias(column.name) for column in table.columns)
    key = [pl.col(each).fill_null("") for each in table.key]
    return texts.with_columns(pl.concat_str(key, separator="|").alias("id"))


def _text(column: Column, there: Sequence[str]) -> pl.Expr:
    value = pl.col(column.name)
    match column.kind:
        case "money":
            units = [each for each in (column.of, "currency") if each in there]
            return _amount(value, pl.coalesce(*units, pl.lit("USD")))
        case "day":
            return value.cast(pl.Date).cast(pl.String)
        case "flag":
            return pl.when(value).then(pl.lit("true")).when(~value).then(pl.lit("false"))
        case "rate":
            return _decimal(value, money.RATE_SCALE)
        case _:
            return value.cast(pl.String)


def _amount(minor: pl.Expr, currency: pl.Expr) -> pl.Expr:
    """Minor units as a decimal, by the currency's exponent."""
    known = money.EXPONENTS
    places = currency.replace_strict(list(known), list(known.values()), default=2, return_dtype=pl.Int64)
    text = _decimal(minor, 2)
    for count in sorted(set(known.values()) - {2}):
        text = pl.when(places == count).then(_decimal(minor, count)).otherwise(text)
    return text


def _decimal(whole: pl.Expr, places: int) -> pl.Expr:
    """A whole number of units of 10^-places as a decimal; the least 64-bit number is no amount."""
    if places == 0:
        return whole.cast(pl.String)
    unit = 10**places
    sign = pl.when(whole < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    fraction = (whole.abs() % unit).cast(pl.String).str.zfill(places)
    return pl.when(whole.is_not_null()).then(
        pl.concat_str(sign, (whole.abs() // unit).cast(pl.String), pl.lit("."), fraction)
    )
