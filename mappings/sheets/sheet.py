"""One sheet as rows of a canonical table: text under canonical names, what is rejected, and what has to be asked first.

A record is called by its sheet and row, as a person finds it. Nothing is taken while a question of its column is open.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import polars as pl

from connector.schema import TABLES, Column
from mappings.cast import REJECTS
from mappings.sheets.days import Order, days
from mappings.sheets.figures import NOTHING, Mark, Question, figures, unit_in
from mappings.sheets.grids import Grid, is_inexact
from mappings.sheets.headings import FINDERS, Heads
from mappings.sheets.lines import Aside, sort_out

_CURRENCIES = {
    "人民币": "CNY", "元": "CNY", "rmb": "CNY", "¥": "CNY", "cn¥": "CNY", "美元": "USD", "$": "USD", "us$": "USD",
    "欧元": "EUR", "€": "EUR", "euro": "EUR", "港币": "HKD", "港元": "HKD", "日元": "JPY", "英镑": "GBP", "£": "GBP",
}  # fmt: skip
_YES = frozenset({"true", "yes", "y", "1", "是", "有", "ja", "j", "x", "√", "✓"})
_NO = frozenset({"false", "no", "n", "0", "否", "无", "nein"})
#: A number as a spreadsheet shows one that is too long: its digits are gone.
_EATEN = re.compile(r"^[+-]?\d(?:[.,]\d+)?E\+?\d{2,}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person said of a file: canonical column → answer; `*`: of all columns."""

    marks: Mapping[str, Mark] = field(default_factory=dict)
    orders: Mapping[str, Order] = field(default_factory=dict)
    #: ISO 4217 code of amounts without one.
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    """A column that cannot be read before somebody answers."""

    sheet: str
    column: str
    head: str
    question: Question


@dataclass(frozen=True, slots=True)
class Taken:
    """What a sheet brings."""

    table: str
    #: `record` (sheet and row), canonical columns and finders of the customer, as text.
    frame: pl.DataFrame
    #: Of connector.messages.rejects: one a cell that does not fit; its row is not in the frame.
    rejects: pl.DataFrame
    questions: tuple[Open, ...]
    asides: Mapping[int, Aside]
    #: Row of a total, column, what it says and what the rows above it come to, where they differ.
    unequal: tuple[tuple[int, str, str, str], ...]


def take(grid: Grid, heads: Heads, answers: Answers, today: date) -> Taken:
    """The rows of a sheet under canonical names. `today`: by which a year of two digits gets its century."""
    lines = sort_out(grid.texts, heads)
    kinds = {column.name: column for column in TABLES[heads.table].columns}
    totals = [at for at, aside in lines.asides.items() if aside == "total"]
    values: dict[str, list[str | None]] = {}
    unequal: list[tuple[int, str, str, str]] = []
    bad: dict[int, list[tuple[str, str | None, str]]] = {}
    questions: list[Open] = []
    spoken: dict[int, str] = {}
    for place, name in heads.columns.items():
        column, head = kinds.get(name), grid.texts[heads.row][place] or name
        # A total is read as the amounts above it are.
        rows = [*lines.facts, *(totals if column is not None and column.kind == "money" else ())]
        cells, typed = [grid.texts[at][place] for at in rows], [grid.kinds[at][place] for at in rows]
        made = _column(column, name, head, cells, typed, answers, today)
        count = len(lines.facts)
        values[name] = made.values[:count]
        unequal += _unequal(name, list(zip(rows, made.values, strict=True)), count)
        questions += [Open(grid.name, name, head, made.question)] if made.question else []
        spoken |= {n: each for n, each in made.currencies.items() if n not in spoken and n < count}
        for n, reason in made.bad.items():
            if n < count:
                bad.setdefault(n, []).append((name, cells[n], reason))
    if "currency" in kinds:
        own = values.get("currency", [None] * len(lines.facts))
        values["currency"] = [each or spoken.get(n) or answers.currency or None for n, each in enumerate(own)]
    records = [f"{grid.name}:{at + 1}" for at in lines.facts]
    rejects = [(records[n], heads.table, *told) for n, some in sorted(bad.items()) for told in some]
    frame = pl.DataFrame({"record": records, **values}, schema=dict.fromkeys(["record", *values], pl.String))
    frame = frame.filter(pl.Series([n not in bad for n in range(len(records))], dtype=pl.Boolean))
    return Taken(
        heads.table,
        frame if not questions else frame.clear(),
        pl.DataFrame(rejects, schema=REJECTS, orient="row"),
        tuple(questions),
        lines.asides,
        () if questions else tuple(sorted(unequal)),
    )


@dataclass(slots=True)
class _Made:
    values: list[str | None]
    bad: dict[int, str] = field(default_factory=dict)
    question: Question | None = None
    currencies: dict[int, str] = field(default_factory=dict)


def _column(
    column: Column | None, name: str, head: str, cells: Sequence[str | None], typed: Sequence[str], answers: Answers,
    today: date,
) -> _Made:  # fmt: skip
    kind = column.kind if column else "text"
    if kind in ("money", "rate", "ratio", "count"):
        return _numbers(kind, name, head, cells, typed, answers)
    if kind == "day":
        order = answers.orders.get(name) or answers.orders.get("*")
        # A number where a day belongs may be one of the spreadsheet's, or anything.
        found = days(
            [None if each == "n" else cell for cell, each in zip(cells, typed, strict=True)], today, order=order
        )
        bad = found.bad | {n: "not_a_day" for n, each in enumerate(typed) if each == "n"}
        return _Made(found.values, bad, found.question)
    if kind == "flag":
        return _each(cells, _flag)
    if kind == "currency":
        return _each(cells, _currency)
    numbers = {n for n, each in enumerate(typed) if each == "n"}
    made = _each(cells, _words)
    names = name in FINDERS or name.endswith("_id") or name == "number"
    for n, cell in enumerate(cells):
        if cell and names and (_EATEN.match(cell.strip()) or (n in numbers and is_inexact(cell))):
            made.bad[n], made.values[n] = "eaten", None
    return made


def _numbers(
    kind: str, name: str, head: str, cells: Sequence[str | None], typed: Sequence[str], answers: Answers
) -> _Made:  # fmt: skip
    unit = unit_in(head) if kind == "money" else Decimal(1)
    texts = [None if each == "n" else cell for cell, each in zip(cells, typed, strict=True)]
    shares = {n for n, cell in enumerate(texts) if kind == "ratio" and cell and cell.strip().endswith(("%", "％"))}
    texts = [cell.strip()[:-1] if cell and n in shares else cell for n, cell in enumerate(texts)]
    found = figures(texts, mark=answers.marks.get(name) or answers.marks.get("*"), unit=unit)
    for n, each in enumerate(typed):
        if each == "n" and cells[n] is not None:
            found.values[n] = _plain(Decimal(str(cells[n])) * unit)
    for n in shares:
        value = found.values[n]
        found.values[n] = None if value is None else _plain(Decimal(value) / 100)
    return _Made(found.values, found.bad, found.question, found.currencies)


def _each(cells: Sequence[str | None], read: Callable[[str], tuple[str | None, str]]) -> _Made:
    told: dict[str | None, tuple[str | None, str]] = {}
    for cell in dict.fromkeys(cells):
        plain = unicodedata.normalize("NFKC", cell or "").strip()
        told[cell] = (None, "") if plain.casefold() in NOTHING else read(plain)
    bad = {n: reason for n, cell in enumerate(cells) if (reason := told[cell][1])}
    return _Made([told[cell][0] for cell in cells], bad)


def _words(text: str) -> tuple[str | None, str]:
    return text.removeprefix("'").strip() or None, ""


def _flag(text: str) -> tuple[str | None, str]:
    low = text.casefold()
    return ("true", "") if low in _YES else ("false", "") if low in _NO else (None, "not_a_flag")


def _currency(text: str) -> tuple[str | None, str]:
    code = _CURRENCIES.get(text.casefold(), text.upper())
    return (code, "") if re.fullmatch("[A-Z]{3}", code) else (None, "not_a_currency")


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _unequal(name: str, rows: Sequence[tuple[int, str | None]], count: int) -> list[tuple[int, str, str, str]]:
    """Totals, behind the first `count` rows, that the rows above them do not come to: some were lost, or doubled."""
    found: list[tuple[int, str, str, str]] = []
    for at, told in rows[count:]:
        above = sum((Decimal(each) for row, each in rows[:count] if each and row < at), Decimal(0))
        if told is not None and Decimal(told) != above:
            found.append((at, name, told, _plain(above)))
    return found
