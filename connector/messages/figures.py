"""Numbers in the sentences of gates and flags, taken from the condition that they are about.

A sentence names a feature in braces, `{material_overdue_days}`, and shows the value that the condition compares it
with; where it is compared twice, the comparison, too: `{material_overdue_days.gt}`. A form may follow as in
`{tenure:months}`: months, years, number (without its unit), size (without its sign).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from connector.messages.features import FEATURES

Language = Literal["en", "zh"]
#: (feature, comparison, value), of every comparison with a number in a condition.
Comparison = tuple[str, str, float]

_PLACE = re.compile(r"\{(?P<feature>[a-z0-9_]+)(?:\.(?P<how>[a-z]+))?(?::(?P<form>[a-z]+))?\}")
_FIGURE = re.compile(r"\d+(?:\.\d+)?")
#: Days of a month on average, and of a year.
_MONTH, _YEAR = 30.44, 365
_FORMS = ("months", "years", "number", "size")
_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()


def filled(text: str, comparisons: Iterable[Comparison], language: Language) -> str:
    """The sentence with its numbers. Raises ValueError: a place names no comparison of the condition, or several."""
    known = tuple(comparisons)
    return _PLACE.sub(lambda match: _shown(match, known, language), text)


def own_figures(text: str, features: Iterable[str]) -> list[str]:
    """Figures that the sentence holds itself, those left out that are part of its features' own definition."""
    allowed = {number for name in features for number in _definition(name)}
    return [figure for figure in _FIGURE.findall(_PLACE.sub("", text)) if figure not in allowed]


def _shown(match: re.Match[str], known: tuple[Comparison, ...], language: Language) -> str:
    name, how = match["feature"], match["how"]
    values = {value for feature, comparison, value in known if feature == name and how in (None, comparison)}
    if len(values) != 1:
        several = "compares it several times: name the comparison, as in {%s.gt}" % name  # noqa: UP031 (braces)
        raise ValueError(f"{match[0]}: the condition {several if values else 'does not compare it with a number'}")
    if match["form"] not in (None, *_FORMS):
        raise ValueError(f"{match[0]}: a form is one of {', '.join(_FORMS)}")
    return _number(values.pop(), name, match["form"], language)


def _number(value: float, feature: str, form: str | None, language: Language) -> str:
    unit = FEATURES[feature].unit
    if form == "size":
        value = abs(value)
    if form == "months":
        return _counted(_months(value), "month", "个月", language)
    if form == "years":
        return _counted(round(value / _YEAR, 2), "year", "年", language)
    if form == "number":
        return _plain(value)
    if unit == "days":
        return _counted(value, "day", "天", language)
    if unit == "share":
        return f"{_plain(value * 100)} %" if language == "en" else f"{_plain(value * 100)}%"
    if unit == "count" and language == "en" and value == int(value) and 0 <= value < len(_WORDS):
        return _WORDS[int(value)]
    return _plain(value)


def _months(days: float) -> float:
    """Whole months of 30 days or of a twelfth of a year; else a figure with one decimal, which is no whole number."""
    for months in (days / 30, days * 12 / _YEAR):
        if abs(months - round(months)) < 0.05:
            return float(round(months))
    return round(days / _MONTH, 1)


def _counted(value: float, en: str, zh: str, language: Language) -> str:
    number = _plain(value)
    return f"{number}{zh}" if language == "zh" else f"{number} {en}{'' if number == '1' else 's'}"


def _plain(value: float) -> str:
    return f"{round(value, 6):g}"


def _definition(feature: str) -> Iterator[str]:
    """Figures that a feature is defined by: windows, above all, in days and in months."""
    item = FEATURES[feature]
    for number in _FIGURE.findall(f"{feature} {item.en} {item.zh} {item.formula}"):
        yield number
        days = float(number)
        if days >= _MONTH - 1:
            yield _plain(float(round(days / _MONTH)))
