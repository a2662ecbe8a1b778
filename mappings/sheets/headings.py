"""Heads of columns in sheets → canonical columns, by exact words in English, Chinese and German.

A head is compared without blanks, case, brackets and signs: `金额（万元）` says 金额. What is only alike is no match: a
person says it by `--column HEADER=COLUMN`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from ruamel.yaml import YAML

from connector.messages.glossary import COLUMN_NAMES
from connector.schema import TABLES
from mappings.lexicon import UMLAUTS

#: Rows at the head of a sheet in which heads are looked for: titles, dates and units stand above them.
_HEAD = 40
#: Heads without which a row is a title.
_LEAST = 2
#: Columns by which a table of the same words is told from another: each sheet of that kind has one of them.
_TELLING: Mapping[str, tuple[str, ...]] = {
    "statements": ("total_assets", "revenue", "net_profit", "total_liabilities"),
    "reconciliations": ("balance", "difference"),
    "limits": ("amount",), "payments": ("paid_on",), "receivables": ("issued", "due"), "orders": ("ordered_on",),
    "allocations": ("receivable_id", "payment_id"), "evidence": ("observed_on",), "rates": ("rate",),
    "accounts": ("name",), "terms": ("days",), "securities": ("coverage",), "contracts": ("signed_on",),
    "promises": ("made_on",), "adjustments": ("booked_on",), "decisions": ("by",), "actions": ("measure",),
}  # fmt: skip
#: Ways to name the customer beside the account's id.
FINDERS = ("tax_id", "name")


@dataclass(frozen=True, slots=True)
class Heads:
    """The row of a sheet that heads its columns, as one table."""

    table: str
    row: int
    #: Place of a column → canonical column, or one of FINDERS.
    columns: Mapping[int, str]
    #: Place → head that no column is called by.
    unknown: Mapping[int, str]


def said(head: str) -> str:
    """A head as it is compared: its words, without what stands in brackets."""
    plain = unicodedata.normalize("NFKC", head).casefold()
    plain = re.sub(r"[(\[【].*?[)\]】]", "", plain)
    return re.sub(r"[^0-9a-z\u4e00-\u9fff]", "", plain.translate(UMLAUTS))


@cache
def words(table: str) -> Mapping[str, str]:
    """Compared head → column of a table; a table's own words go before those of all."""
    loaded = YAML(typ="safe").load(
        resources.files("mappings.sheets").joinpath("headings.yaml").read_text(encoding="utf-8")
    )
    columns = TABLES[table].names()
    result: dict[str, str] = {}
    for column in columns:
        for each in (column, column.replace("_", " "), COLUMN_NAMES.get(column, "")):
            result.setdefault(said(each), column)
    for source in (loaded["all"], loaded.get(table, {})):
        result |= {said(each): column for column, heads in source.items() if column in columns for each in heads}
    for finder in FINDERS if "account_id" in columns and table != "accounts" else ():
        result |= {said(each): finder for each in loaded["accounts"][finder] if said(each) not in result}
    result.pop("", None)
    return result


@cache
def every() -> frozenset[str]:
    """All compared heads of all tables."""
    return frozenset(word for table in _TELLING for word in words(table))


def known(line: str) -> int:
    """How many heads of ours a line of text holds, whatever parts its cells."""
    return sum(said(each) in every() for each in re.split(r"[,;\t|]", line))


def find(
    rows: Sequence[Sequence[str | None]], table: str = "", columns: Mapping[str, str] | None = None
) -> list[Heads]:
    """The readings of a sheet, the best first: the row of its heads as one table. `table`, `columns`: as a person said.

    Several of equal weight are a question; none: no row heads columns that are known.
    """
    own = {said(head): column for head, column in (columns or {}).items()}
    tables = [table] if table else list(_TELLING)
    found: list[tuple[tuple[int, int, int], Heads]] = []
    for at, row in enumerate(rows[:_HEAD]):
        for name in tables:
            heads = _heads(name, at, row, own)
            if heads is None:
                continue
            telling = sum(column in heads.columns.values() for column in _TELLING.get(name, ()))
            if table or telling:
                found.append(((len(heads.columns), telling, -len(heads.unknown)), heads))
    if not found:
        return []
    best = max(weight for weight, _ in found)
    # A page that repeats its heads is headed by the first of them.
    firsts: dict[str, Heads] = {}
    for weight, heads in found:
        if weight == best:
            firsts.setdefault(heads.table, heads)
    return list(firsts.values())


def _heads(table: str, at: int, row: Sequence[str | None], own: Mapping[str, str]) -> Heads | None:
    known_words = words(table)
    columns: dict[int, str] = {}
    unknown: dict[int, str] = {}
    for place, cell in enumerate(row):
        if not cell or not (word := said(cell)):
            continue
        column = own.get(word) or known_words.get(word)
        if column is None or column in columns.values():
            unknown[place] = cell
        else:
            columns[place] = column
    return Heads(table, at, columns, unknown) if len(columns) >= _LEAST else None
