"""What every command is given: the global options, and where its output goes."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connector.messages.terms import term

#: State of something that was tried → its mark in front of a line.
MARKS = {"ok": "✓", "look": "?", "failed": "✗", "left": "–"}

Language = Literal["en", "zh-CN"]


@dataclass(slots=True)
class Context:
    """The global options of one call."""

    #: One JSON document on standard output, everything else on standard error.
    json: bool = False
    language: Language = "en"
    profile: str = "default"
    #: Never ask; today nothing asks.
    no_input: bool = False

    def words(self, en: str, zh: str) -> str:
        """The text of the chosen language."""
        return zh if self.language == "zh-CN" else en

    def term(self, key: str, width: int = 0) -> str:
        """The word for a state, kind or level, as wide on a terminal as that at least."""
        return padded(term(key, self.language), width)

    def heads(self, en: str, zh: str, widths: tuple[int, ...]) -> None:
        """The heads of a table's columns, to the left of a column where its width is negative."""
        words = self.words(en, zh).split()
        self.say(" ".join(aligned(word, width) for word, width in zip(words, widths, strict=True)).rstrip())

    def say(self, text: str = "") -> None:
        """A line for a person: on standard output, or on standard error when that carries JSON."""
        print(text, file=sys.stderr if self.json else sys.stdout)

    def progress(self, text: str) -> None:
        """A line that says how far a run is; always on standard error."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201

    def document(self, value: Any) -> None:
        """The command's one JSON document."""
        print(json.dumps(value, ensure_ascii=False, indent=1, default=str))  # noqa: T201


def padded(text: str, width: int) -> str:
    """The text with blanks behind it, as wide on a terminal as that: a Chinese character takes two cells."""
    return text + " " * (width - _cells(text))


def clipped(text: str, width: int) -> str:
    """The text, cut where it is wider on a terminal than that, and padded to it."""
    while _cells(text) > width:
        text = text[:-1]
    return padded(text, width)


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def aligned(text: str, width: int) -> str:
    """The text to the right of a column of that width; to the left where the width is negative."""
    filled = padded(text, abs(width))
    return filled if width < 0 else filled[len(text) :] + text


def moves_text(context: Context, moved: Mapping[str, int]) -> str:
    """Who would move, in a line."""
    return context.words(
        "moves {moved:,} of {customers:,} customers: grades {better:,} up, {worse:,} down, {other:,} to or from NR; "
        "limits {limits_up:,} up, {limits_down:,} down; holds {holds_tighter:,} tighter, {holds_looser:,} looser",
        "{customers:,} 个客户中有 {moved:,} 个变化：等级上调 {better:,}、下调 {worse:,}、与 NR 互转 {other:,}；"
        "额度上调 {limits_up:,}、下调 {limits_down:,}；管控收紧 {holds_tighter:,}、放松 {holds_looser:,}",
    ).format(**moved)
