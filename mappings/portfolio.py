"""Reads a portfolio folder: UTF-8 CSV files with a header, amounts as decimal text, ISO days.

`accounts.csv`, `invoices.csv`, `payments.csv` (one row per allocation), and optionally one file a canonical table.
A row that does not fit is rejected with its file, line, column, value and reason; the others go on.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from connector.errors import Misconfigured
from connector.profiles import filled
from connector.schema import TABLES, Tables
from connector.scoring.ledger.rates import base_currency
from mappings.cast import REJECTS, cast, rejected

#: Columns without which a file makes no sense; the rest may be missing.
REQUIRED: dict[str, tuple[str, ...]] = {
    "accounts": ("account_id",),
    "invoices": ("invoice_id", "account_id", "issued", "due", "amount", "currency"),
    "payments": ("payment_id", "account_id", "invoice_id", "paid_on", "amount", "currency"),
}

#: Columns on which all rows of one payment must agree.
_SHARED = ("account_id", "paid_on", "currency", "kind", "instrument")


@dataclass(slots=True)
class Portfolio:
    """What a folder holds."""

    #: Whether every row belongs to an account and a claim of the folder itself.
    owners: bool = True
    #: Canonical tables by name, with the columns of `connector.schema`; a table that no file gave is missing.
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    #: file, line, table, column, value, reason (a code of `connector.messages.rejects`).
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"file": pl.String, **REJECTS}))
    #: Rows that are kept but worth a look: the same columns.
    notices: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"file": pl.String, **REJECTS}))

    def note(self, file: str, rejects: pl.DataFrame) -> None:
        """Keep a file's rejects."""
        self.rejects = pl.concat([self.rejects, _located(file, rejects)])


def read(folder: Path) -> Portfolio:
    """The folder's canonical tables and rejects; raises Misconfigured for a missing or unreadable file or column."""
    for name in REQUIRED:
        if not (folder / f"{name}.csv").is_file():
            raise Misconfigured("E-FOLDER-MISSING", path=str(folder), file=f"{name}.csv")
    done = _read(folder)
    if "profiles" in done.tables:
        done.tables["accounts"] = filled(done.tables["accounts"], done.tables["profiles"])
    return done


def read_part(folder: Path) -> Portfolio:
    """As `read`, of a folder beside a CRM that has the rest: any of its files may be missing.

    Whose a row is, is not judged: its customers and the claims that it has no file of lie elsewhere.
    """
    if not folder.is_dir():
        raise Misconfigured("E-FOLDER-NONE", path=str(folder))
    done = _read(folder, owners=False)
    if not done.tables:
        raise Misconfigured("E-FOLDER-EMPTY", path=str(folder), known=", ".join(f"{name}.csv" for name in files()))
    return done


def home_currency(tables: Tables) -> str:
    """The currency that a folder counts in: that which all its rates lead to, else that of its amounts."""
    rates = tables.get("rates")
    bases = set() if rates is None else set(rates["base"].unique())
    return bases.pop() if len(bases) == 1 else base_currency(tables, "USD")


def files() -> tuple[str, ...]:
    """What the files of a folder may be called, without their `.csv`."""
    return tuple("invoices" if name == "receivables" else name for name in TABLES)


def _read(folder: Path, *, owners: bool = True) -> Portfolio:
    done = Portfolio(owners=owners)
    own = {"accounts": _accounts, "invoices": _receivables, "payments": _payments}
    for name, take in own.items():
        if (folder / f"{name}.csv").is_file():
            take(done, folder / f"{name}.csv")
    for name in TABLES:
        path = folder / f"{name}.csv"
        if name not in ("accounts", "receivables", "payments") and path.is_file():
            _further(done, path, name)
    return done


def text_rows(path: Path) -> pl.DataFrame:
    """All cells as text, null where empty, and `record`: the line a row starts on. Blank lines are left out."""
    with path.open("rb") as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            raise Misconfigured("E-FOLDER-TEXT", file=path.name, detail="it is UTF-16")
    try:
        frame = pl.read_csv(path, infer_schema=False, encoding="utf8")
    except pl.exceptions.NoDataError:
        raise Misconfigured("E-FOLDER-TEXT", file=path.name, detail="the file is empty") from None
    except pl.exceptions.PolarsError:
        raise Misconfigured("E-FOLDER-TEXT", file=path.name, detail=_what_is_wrong(path)) from None
    if frame.width == 1 and (sign := next((each for each in ";\t|" if each in frame.columns[0]), "")):
        detail = f"its columns are separated by {sign!r}, not by commas"
        raise Misconfigured("E-FOLDER-TEXT", file=path.name, detail=detail)
    frame = frame.rename({name: name.strip() for name in frame.columns})
    breaks = pl.sum_horizontal(pl.all().str.count_matches("\n").fill_null(0))
    line = pl.int_range(2, pl.len() + 2) + breaks.shift(1, fill_value=0).cum_sum()
    return frame.with_columns(line.cast(pl.String).alias("record")).filter(
        ~pl.all_horizontal(pl.col(name).is_null() for name in frame.columns)
    )


def _what_is_wrong(path: Path) -> str:
    raw = path.read_bytes()
    for number, line in enumerate(raw.split(b"\n"), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            return f"line {number} holds the byte 0x{line[error.start]:02x}, which is not UTF-8"
    rows = csv.reader(raw.decode("utf-8").splitlines(keepends=True))
    header = next(rows)
    for row in rows:
        if len(row) > len(header):
            return f"line {rows.line_num} has {len(row)} cells, the header {len(header)}"
    return "a quote is opened and never closed"


def _file(path: Path, renamed: Mapping[str, str]) -> pl.DataFrame:
    frame = text_rows(path)
    for column in REQUIRED.get(path.stem, ()):
        if column not in frame.columns:
            match = ", ".join(name for name in frame.columns if name != "record")
            raise Misconfigured("E-FOLDER-COLUMN", file=path.name, column=column, found=match)
    return frame.rename({old: new for old, new in renamed.items() if old in frame.columns})


def _take_rows(done: Portfolio, file: str, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Cast, keys unique, owners known; what does not fit goes to the rejects. Keeps `record`."""
    result = cast(frame, TABLES[name])
    done.note(file, result.rejects)
    key = list(TABLES[name].key)
    rows = _keep(done, file, name, result.frame, pl.struct(key).is_first_distinct(), key[0], "id_twice")
    if name != "accounts" and "account_id" in rows.columns:
        rows = _reject_unknown(done, file, name, rows, "account_id", "unknown_account")
    return rows


def _keep(
    done: Portfolio, file: str, name: str, rows: pl.DataFrame, good: pl.Expr, column: str, reason: str
) -> pl.DataFrame:
    marked = rows.with_columns(good.alias("?"))
    done.note(file, rejected(marked.filter(~pl.col("?")), name, column, reason))
    return marked.filter(pl.col("?")).drop("?")


def _reject_unknown(
    done: Portfolio, file: str, name: str, rows: pl.DataFrame, column: str, reason: str
) -> pl.DataFrame:
    table, key = ("accounts", "account_id") if reason == "unknown_account" else ("receivables", "receivable_id")
    if not done.owners and (table == "accounts" or table not in done.tables):
        return rows
    condition = pl.col(column).is_in(done.tables[table][key].implode())
    return _keep(done, file, name, rows, condition | pl.col(column).is_null(), column, reason)


def _located(file: str, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.lit(file).alias("file"), *REJECTS)


def _canonical(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(TABLES[name].names())


def _accounts(done: Portfolio, path: Path) -> None:
    frame = _file(path, {})
    for column in ("name", "number"):
        condition = pl.col(column) if column in frame.columns else pl.lit(None, pl.String)
        frame = frame.with_columns(pl.coalesce(condition, "account_id").alias(column))
    rows = _take_rows(done, path.name, "accounts", frame)
    odd = rows.filter(~pl.col("country").str.contains("^[A-Z]{2}$"))
    done.notices = _located(path.name, rejected(odd, "accounts", "country", "not_iso"))
    done.tables["accounts"] = _canonical("accounts", rows)


def _receivables(done: Portfolio, path: Path) -> None:
    frame = _file(path, {"invoice_id": "receivable_id"})
    if "number" not in frame.columns:
        frame = frame.with_columns(pl.col("receivable_id").alias("number"))
    if "due_basis" not in frame.columns:
        frame = frame.with_columns(pl.when(pl.col("due").is_null()).then(pl.lit("unknown")).alias("due_basis"))
    rows = _take_rows(done, path.name, "receivables", frame)
    if "disputed" in rows.columns:
        # A bare flag counts from the day after due (docs/rules.md, "Disputes").
        flagged = pl.col("disputed").str.strip_chars().str.to_lowercase() == "true"
        from_due = pl.when(flagged).then(pl.coalesce("due", "issued") + 1)
        rows = rows.with_columns(pl.coalesce("disputed_on", from_due).alias("disputed_on"))
    done.tables["receivables"] = _canonical("receivables", rows)


def _payments(done: Portfolio, path: Path) -> None:
    frame = _file(path, {})
    result = cast(frame, TABLES["payments"])
    done.note(path.name, result.rejects)
    rows = result.frame.with_columns(pl.col("invoice_id").str.strip_chars())
    file = path.name
    # The same row again is one too many; the same key with another amount is a second part, and counts.
    unique = pl.struct("payment_id", "invoice_id", "amount", "paid_on").is_first_distinct()
    rows = _keep(done, file, "payments", rows, unique, "payment_id", "id_twice")
    again = rows.filter(~pl.struct("payment_id", "invoice_id").is_first_distinct())
    done.notices = pl.concat([done.notices, _located(file, rejected(again, "payments", "payment_id", "summed"))])
    rows = _reject_unknown(done, file, "payments", rows, "account_id", "unknown_account")
    rows = _reject_unknown(done, file, "payments", rows, "invoice_id", "unknown_invoice")
    for column in _SHARED:
        agrees = pl.col(column).eq_missing(pl.col(column).first().over("payment_id"))
        rows = _keep(done, file, "payments", rows, agrees, column, "other_row")
    payments = rows.group_by("payment_id", maintain_order=True).agg(
        pl.col("amount").sum(), pl.exclude("amount", "payment_id").first()
    )
    done.tables["payments"] = _canonical("payments", payments)
    done.tables["allocations"] = _canonical("allocations", _allocations(done, rows))


def _allocations(done: Portfolio, rows: pl.DataFrame) -> pl.DataFrame:
    invoices = done.tables.get("receivables", TABLES["receivables"].empty()).select(
        pl.col("receivable_id"), pl.col("currency").alias("receivable_currency")
    )
    applied = rows.filter(pl.col("invoice_id").is_not_null()).join(
        invoices, left_on="invoice_id", right_on="receivable_id", how="left", maintain_order="left"
    )
    same = pl.col("currency") == pl.col("receivable_currency")
    return applied.select(
        _allocation_id().alias("allocation_id"),
        pl.col("invoice_id").alias("receivable_id"),
        pl.lit(None, pl.String).alias("order_id"),
        pl.col("payment_id"),
        pl.lit(None, pl.String).alias("adjustment_id"),
        pl.lit(None, pl.Int32).alias("applied_on"),
        pl.when(same).then(pl.col("amount")).alias("amount"),
        pl.col("receivable_currency").alias("currency"),
        pl.col("amount").alias("payment_amount"),
        pl.col("currency").alias("payment_currency"),
    )


def _allocation_id() -> pl.Expr:
    """payment|invoice, and for a second part of the same two a number behind it."""
    part = pl.int_range(1, pl.len() + 1).over("payment_id", "invoice_id")
    pair = pl.concat_str("payment_id", "invoice_id", separator="|")
    return pl.when(part == 1).then(pair).otherwise(pl.concat_str(pair, part.cast(pl.String), separator="|"))


def _further(done: Portfolio, path: Path, name: str) -> None:
    frame = _file(path, {"invoice_id": "receivable_id"} if name == "allocations" else {})
    if name == "allocations" and "allocation_id" not in frame.columns:
        ends = [column for column in ("adjustment_id", "payment_id", "receivable_id") if column in frame.columns]
        frame = frame.with_columns(pl.concat_str(ends, separator="|", ignore_nulls=True).alias("allocation_id"))
    rows = _take_rows(done, path.name, name, frame)
    if name in ("allocations", "promises"):
        rows = _reject_unknown(done, path.name, name, rows, "receivable_id", "unknown_invoice")
    result = _canonical(name, rows)
    done.tables[name] = pl.concat([done.tables[name], result]) if name in done.tables else result
