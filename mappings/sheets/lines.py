"""Rows of a sheet below its heads: those that count, and what stands between them, told by its kind.

Subtotals, totals, heads that a page repeats and remarks are no facts. They are recognised, listed and left out; a total
is what the rows are held against.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mappings.sheets.headings import Heads, said

#: What a row is that is no fact.
Aside = Literal["total", "subtotal", "heads", "remark"]
_TOTAL = re.compile(
    r"^(grand ?total|total|totals|sum|overall|合计|总计|总额|共计|本年累计|累计|gesamt|gesamtsumme|summe|endsumme)"
    r"[:：]?(\s.*)?$"
)
_SUBTOTAL = re.compile(
    r"^(sub-?\s?total|page total|小计|本页合计|本页小计|本月合计|本期合计|zwischensumme|übertrag|carried forward)"
    r"[:：]?(\s.*)?$|.+(小计|合计|zwischensumme|subtotal)[:：]?$|^(summe|total|subtotal) .+"
)
#: Columns that tell whose a row is, or which one it is.
_NAMES = re.compile(r"_id$|^number$|^name$|^tax_id$")


@dataclass(frozen=True, slots=True)
class Lines:
    """Places of rows, counted from the top of the sheet."""

    facts: tuple[int, ...]
    asides: Mapping[int, Aside]


def sort_out(texts: Sequence[Sequence[str | None]], heads: Heads) -> Lines:
    """Each row below the heads that holds anything, as what it is."""
    facts: list[int] = []
    asides: dict[int, Aside] = {}
    head = [said(each or "") for each in texts[heads.row]]
    for at in range(heads.row + 1, len(texts)):
        row = texts[at]
        if not any(row):
            continue
        kind = _aside(row, head, heads)
        if kind is None:
            facts.append(at)
        else:
            asides[at] = kind
    return Lines(tuple(facts), asides)


def _aside(row: Sequence[str | None], head: Sequence[str], heads: Heads) -> Aside | None:
    filled = {place: each for place, each in enumerate(row) if each and each.strip()}
    same = sum(bool(each) and said(each) == head[place] for place, each in filled.items() if place < len(head))
    if same >= max(2, len(heads.columns) // 2 + 1):
        return "heads"
    first = _plain(next(iter(filled.values())))
    named = [place for place, column in heads.columns.items() if _NAMES.search(column) and place in filled]
    words = [_plain(each) for each in filled.values()]
    if any(_SUBTOTAL.match(each) for each in words) and not _is_named(named, filled, first):
        return "subtotal"
    if any(_TOTAL.match(each) for each in words) and not _is_named(named, filled, first):
        return "total"
    known = [place for place in filled if place in heads.columns]
    if len(filled) == 1 and (
        not known or re.match(r"^(备注|说明|注|note|remark|bemerkung|hinweis|制表|审核|printed|\*)", first)
    ):
        return "remark"
    return None


def _is_named(named: Sequence[int], filled: Mapping[int, str], first: str) -> bool:
    """Whether a row that says total is a customer's that is called so: a name or a number stands beside that word."""
    others = [
        place for place in named if not (_TOTAL.match(_plain(filled[place])) or _SUBTOTAL.match(_plain(filled[place])))
    ]
    return len(others) > 1 or (len(others) == 1 and not (_SUBTOTAL.match(first) or _TOTAL.match(first)))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
