"""Amounts as people write them: a column decides together which mark is the decimal one, else it is asked.

Each text says its own sign, unit and currency; the mark is never decided cell by cell, since `1.000` beside `1.488,69`
is a thousand. What a text says and no amount can hold, such as a debit or credit nobody explained, is rejected with it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Literal

Mark = Literal[".", ","]

#: Text that stands for no value: it is null, not nothing owed.
NOTHING = frozenset(
    {"", "-", "--", "---", "—", "–", "/", "n/a", "na", "n.a.", "nil", "null", "none", "无", "空", "k.a.", "entfällt"}
)
#: Units that may stand behind a figure, or in a header or a number format, by what they multiply.
UNITS: Mapping[str, Decimal] = {
    "亿元": Decimal(100_000_000), "亿": Decimal(100_000_000), "千万元": Decimal(10_000_000),
    "千万": Decimal(10_000_000),
    "百万元": Decimal(1_000_000), "百万": Decimal(1_000_000), "万元": Decimal(10_000), "万": Decimal(10_000),
    "千元": Decimal(1_000), "元": Decimal(1), "圆": Decimal(1), "mio": Decimal(1_000_000), "mn": Decimal(1_000_000),
    "million": Decimal(1_000_000), "millions": Decimal(1_000_000), "teur": Decimal(1_000), "tsd": Decimal(1_000),
    "thousand": Decimal(1_000), "thousands": Decimal(1_000), "bn": Decimal(1_000_000_000), "m": Decimal(1_000_000),
    "k": Decimal(1_000),
}  # fmt: skip
_LONGEST = sorted(UNITS, key=len, reverse=True)
#: Signs and codes of currencies, as far as a figure may bear them.
_SIGNS = {"¥": "", "$": "USD", "€": "EUR", "£": "GBP", "RMB": "CNY", "人民币": "CNY", "US$": "USD", "HK$": "HKD"}
_LONGEST_SIGNS = sorted(_SIGNS, key=len, reverse=True)
_MINUS = "-−–‐‑﹣△▲"
_SIDES = re.compile(r"(?i)\s*(dr|cr|db|kr|借方?|贷方?|soll|haben)\.?$")
_BRACKETS = re.compile(r"^\((.*)\)$")
_CODE = re.compile(r"^([A-Z]{3})\s*(?=[\d(.,-])|(?<=[\d).,-])\s*([A-Z]{3})$")
_BODY = re.compile(r"^\d[\d.,' ]*$|^[.,]\d+$")
#: Nothing but a figure, as most are.
_SIMPLE = re.compile(r"-?\d[\d.,]*")
#: Of an abbreviation.
_POINT = re.compile(r"(?<=[a-z])\.$")
#: Marks between groups of digits that are never the decimal one.
_APART = re.compile(r"[' ]")


@dataclass(frozen=True, slots=True)
class Question:
    """What a person has to say before a column can be taken."""

    #: decimal (which mark), order (of day and month).
    what: Literal["decimal", "order"]
    #: Answer → what some texts of the column are by it.
    readings: Mapping[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Figures:
    """A column of amounts as plain decimals, beside what some texts say of their currency."""

    #: In the order of the texts; null where there is none, or it is rejected.
    values: list[str | None]
    #: Place → why it is rejected (a code of connector.messages.rejects).
    bad: dict[int, str] = field(default_factory=dict)
    #: Place → ISO 4217 code that the text bears.
    currencies: dict[int, str] = field(default_factory=dict)
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class _Parts:
    body: str
    negative: bool
    #: Of its own; None: it names none.
    unit: Decimal | None
    currency: str


def figures(texts: Sequence[str | None], *, mark: Mark | None = None, unit: Decimal = Decimal(1)) -> Figures:
    """Texts as decimals. `mark`: the decimal one, where a person said it; `unit`: of the header or the number format.

    A text with a unit of its own does not take the header's as well.
    """
    # A column of thousands of rows has few texts.
    several = list(dict.fromkeys(texts))
    if len(several) < len(texts):
        return _spread(texts, several, figures(several, mark=mark, unit=unit))
    found = Figures([None] * len(texts))
    parts: dict[int, _Parts] = {}
    for at, text in enumerate(texts):
        plain = _plain(text)
        if plain.lower() in NOTHING:
            continue
        part = _parts(plain)
        if isinstance(part, str):
            found.bad[at] = part
            continue
        parts[at] = part
        if part.currency:
            found.currencies[at] = part.currency
    decided = mark or _decided([part.body for part in parts.values()])
    if decided is None:
        return Figures(found.values, found.bad, found.currencies, _question(texts, parts, unit))
    for at, part in parts.items():
        value = _value(part, decided, unit)
        if value is None:
            found.bad[at] = "not_an_amount"
        found.values[at] = value
    return found


def _spread(texts: Sequence[str | None], several: Sequence[str | None], found: Figures) -> Figures:
    """What is found of each text, at every place where it stands."""
    at = {text: n for n, text in enumerate(several)}
    places = [at[text] for text in texts]
    return Figures(
        [found.values[n] for n in places],
        {place: found.bad[n] for place, n in enumerate(places) if n in found.bad},
        {place: found.currencies[n] for place, n in enumerate(places) if n in found.currencies},
        found.question,
    )


def unit_in(words: str) -> Decimal:
    """The unit that a header or a number format names: `金额(万元)`, `Umsatz in TEUR`, `Amount (k)`; else one."""
    plain = unicodedata.normalize("NFKC", words)
    inside = re.findall(r"[(\[【]([^)\]】]*)[)\]】]", plain)
    for each in [*inside, *re.findall(r"(?i)(?:\bin\b|单位[:：]?)\s*(\S+)", plain)]:
        name = each.strip().removeprefix("单位").lstrip(":： ").lower()
        name = next((name.removesuffix(tail) for tail in (" eur", " usd", " cny", " rmb") if name.endswith(tail)), name)
        if name in UNITS:
            return UNITS[name]
    return Decimal(1)


def _plain(text: str | None) -> str:
    """Full width, odd blanks and invisible marks as what they stand for."""
    if text is None or text.isascii():
        return (text or "").strip()
    wide = unicodedata.normalize("NFKC", text)
    return "".join(" " if unicodedata.category(each) == "Zs" else each for each in wide
                   if unicodedata.category(each) != "Cf").replace("’", "'").strip()  # fmt: skip


def _parts(text: str) -> _Parts | str:
    """Sign, unit, currency and what is left of a text; or why it is no amount."""
    if _SIMPLE.fullmatch(text):
        return _Parts(text.removeprefix("-"), text.startswith("-"), None, "")
    if _SIDES.search(text):
        return "debit_or_credit"
    currency, unit, negative, rest, before = "", None, False, text.lstrip("'"), ""
    while rest != before:
        # They stand in any order: -($ 5), (5万) EUR.
        before = rest
        named, rest = _currency(rest)
        below, rest = _sign(rest)
        own, rest = _unit(rest)
        currency, negative, unit = currency or named, negative or below, unit or own
    if not _BODY.fullmatch(rest):
        return "not_an_amount"
    return _Parts(rest, negative, unit, currency)


def _unit(text: str) -> tuple[Decimal | None, str]:
    low = _POINT.sub("", text.lower())
    name = next((each for each in _LONGEST if low.endswith(each)), "")
    return (UNITS[name], low[: -len(name)].rstrip()) if name else (None, text)


def _currency(text: str) -> tuple[str, str]:
    for sign in _LONGEST_SIGNS:
        if text.startswith(sign):
            return _SIGNS[sign], text[len(sign) :].lstrip()
        if text.endswith(sign):
            return _SIGNS[sign], text[: -len(sign)].rstrip()
        if text[:1] in _MINUS and text[1:].lstrip().startswith(sign):
            return _SIGNS[sign], f"-{text[1:].lstrip()[len(sign) :].lstrip()}"
    found = _CODE.search(text)
    if found:
        return found[1] or found[2], (text[: found.start()] + text[found.end() :]).strip()
    return "", text


def _sign(text: str) -> tuple[bool, str]:
    """Brackets, a minus in front or behind; two of them are one amount below nothing, not above."""
    bracketed = _BRACKETS.match(text)
    if bracketed:
        _, rest = _sign(bracketed[1].strip())
        return True, rest
    if text[:1] in _MINUS and text:
        return True, text[1:].lstrip()
    if text[-1:] in _MINUS and text:
        return True, text[:-1].rstrip()
    return False, text.removeprefix("+").lstrip()


def _decided(bodies: Sequence[str]) -> Mark | None:
    """The decimal mark that all of them allow; None: none says so, or they contradict each other."""
    said: set[Mark] = set()
    doubtful = False
    for body in bodies:
        told = _told(body)
        doubtful = doubtful or told == "?"
        if told in (".", ","):
            said.add("." if told == "." else ",")
    if len(said) == 1:
        return said.pop()
    return None if said or doubtful else "."


def _told(body: str) -> str:
    """`.` or `,` where a figure can only be read by that mark, `?` where by either, nothing where it has none."""
    plain = _APART.sub("", body)
    marks = [each for each in plain if each in ".,"]
    if not marks:
        return ""
    last = marks[-1]
    other = "," if last == "." else "."
    if len(set(marks)) == 2:
        return last
    if len(marks) > 1:
        return other
    before, after = plain.split(last)
    # A group has three digits behind it, and one to three before it that do not begin with nothing.
    grouped = len(after) == 3 and 1 <= len(before) <= 3 and not before.startswith("0")
    return "?" if grouped and not _APART.search(body) else last


def _value(part: _Parts, mark: Mark, unit: Decimal) -> str | None:
    """A plain decimal; null where the groups are none."""
    other = "," if mark == "." else "."
    whole, _, fraction = part.body.partition(mark)
    groups = re.split(rf"[{re.escape(other)}' ]", whole)
    if not _are_groups(groups) or not (_APART.sub("", fraction) or "0").isdigit():
        return None
    try:
        amount = Decimal(f"{''.join(groups) or '0'}.{_APART.sub('', fraction) or '0'}")
    except InvalidOperation:
        return None
    amount *= unit if part.unit is None else part.unit
    text = f"{-amount if part.negative else amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _are_groups(groups: Sequence[str]) -> bool:
    """Three digits each, as most write; or two but for the last, as in India; or four, as 万 has them."""
    if len(groups) == 1:
        return True
    first, *rest = groups
    sizes = [len(each) for each in rest]
    alike = all(size == 3 for size in sizes) or all(size == 4 for size in sizes)
    indian = sizes[-1] == 3 and all(size == 2 for size in sizes[:-1])
    return all(each.isdigit() for each in groups) and 1 <= len(first) <= 4 and (alike or indian)


def _question(texts: Sequence[str | None], parts: Mapping[int, _Parts], unit: Decimal) -> Question:
    some = [at for at, part in parts.items() if _told(part.body)][:3]
    readings = {
        mark: tuple((str(texts[at]), _value(parts[at], mark, unit) or "–") for at in some) for mark in (".", ",")
    }  # fmt: skip
    return Question("decimal", readings)
