"""Days as people write them: a column decides together whether day or month comes first, else it is asked.

What begins with a year is never turned round; a month that is named needs no order. A day of two-digit year is of this
century, or of the last one where that would lie ahead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from mappings.sheets.figures import NOTHING, Question

Order = Literal["day", "month"]

_MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        ("jan january januar jänner", "feb february februar", "mar march märz mrz maerz", "apr april", "may mai",
         "jun june juni", "jul july juli", "aug august", "sep sept september", "oct october okt oktober",
         "nov november", "dec december dez dezember"), 1,
    )
    for name in names.split()
}  # fmt: skip
_YEAR_FIRST = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?:\s*[日号])?(.*)$")
_PACKED = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_YEAR_LAST = re.compile(r"^(\d{1,2})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{4}|\d{2})(.*)$")
_NAMED_DAY = re.compile(r"^(\d{1,2})(?:st|nd|rd|th|\.)?[\s-]*([A-Za-zäÄ]{3,})\.?,?[\s-]*(\d{4}|\d{2})(.*)$")
_NAMED_MONTH = re.compile(r"^([A-Za-zäÄ]{3,})\.?\s*(\d{1,2})(?:st|nd|rd|th)?,?\s*(\d{4})(.*)$")
#: Behind a day: a time, or nothing.
_REST = re.compile(
    r"^(?:[T\s,]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?$"
)
_LAST_CENTURY = 100


@dataclass(frozen=True, slots=True)
class Days:
    """A column of days as ISO text."""

    #: In the order of the texts; null where there is none, or it is rejected.
    values: list[str | None]
    #: Place → why it is rejected (a code of connector.messages.rejects).
    bad: dict[int, str] = field(default_factory=dict)
    question: Question | None = None


def days(texts: Sequence[str | None], today: date, *, order: Order | None = None) -> Days:
    """Texts as days. `order`: what comes first where the year comes last, where a person said it.

    `today`: by which a year of two digits gets its century.
    """
    # A column of thousands of rows has few days.
    several = list(dict.fromkeys(texts))
    if len(several) < len(texts):
        part, place_of = days(several, today, order=order), {text: n for n, text in enumerate(several)}
        places = [place_of[text] for text in texts]
        bad = {place: part.bad[n] for place, n in enumerate(places) if n in part.bad}
        return Days([part.values[n] for n in places], bad, part.question)
    found = Days([None] * len(texts))
    open_: dict[int, tuple[int, int, int]] = {}
    for at, text in enumerate(texts):
        plain = unicodedata.normalize("NFKC", text or "").strip().lstrip("'")
        if plain.lower() in NOTHING:
            continue
        known = _sure(plain, today)
        if known is not None:
            found.values[at] = _iso(*known)
            if found.values[at] is None:
                found.bad[at] = "not_a_day"
            continue
        last = _YEAR_LAST.match(plain)
        if last is None or not _REST.match(last[5]):
            found.bad[at] = "not_a_day"
            continue
        open_[at] = int(last[1]), int(last[3]), _year(last[4], today)
    decided = order or _decided(list(open_.values()))
    if decided is None:
        return Days(found.values, found.bad, _question(texts, open_))
    for at, (first, second, year) in open_.items():
        value = _iso(year, second, first) if decided == "day" else _iso(year, first, second)
        found.values[at] = value
        if value is None:
            found.bad[at] = "not_a_day"
    return found


def _sure(text: str, today: date) -> tuple[int, int, int] | None:
    """Year, month, day of a text that says itself which is which."""
    found = _YEAR_FIRST.match(text)
    if found and _REST.match(found[4]):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _PACKED.match(text):
        return int(found[1]), int(found[2]), int(found[3])
    found = _NAMED_DAY.match(text)
    if found and found[2].lower() in _MONTHS and _REST.match(found[4]):
        return _year(found[3], today), _MONTHS[found[2].lower()], int(found[1])
    found = _NAMED_MONTH.match(text)
    if found and found[1].lower() in _MONTHS and _REST.match(found[4]):
        return int(found[3]), _MONTHS[found[1].lower()], int(found[2])
    return None


def _year(text: str, today: date) -> int:
    if len(text) > len("99"):
        return int(text)
    century = today.year - today.year % _LAST_CENTURY
    # Due days lie some years ahead, no more.
    return century + int(text) - (_LAST_CENTURY if century + int(text) > today.year + 20 else 0)


def _decided(pairs: Sequence[tuple[int, int, int]]) -> Order | None:
    """What comes first, as far as some day says it; None: none does, or they contradict each other."""
    day_first = any(first > 12 for first, _, _ in pairs)
    month_first = any(second > 12 for _, second, _ in pairs)
    if not pairs or all(first == second for first, second, _ in pairs):
        return "day"
    if day_first == month_first:
        return None
    return "day" if day_first else "month"


def _question(texts: Sequence[str | None], open_: Mapping[int, tuple[int, int, int]]) -> Question:
    some = [(str(texts[at]), parts) for at, parts in open_.items() if parts[0] != parts[1]][:3]
    return Question(
        "order",
        {
            "day": tuple((text, _iso(year, second, first) or "–") for text, (first, second, year) in some),
            "month": tuple((text, _iso(year, first, second) or "–") for text, (first, second, year) in some),
        },
    )


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
