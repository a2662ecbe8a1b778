"""Bytes of a text file as text: each encoding is tried strictly, and known headers decide between those that fit.

GB18030 and cp1252 take nearly every file, so that what decodes without a fault may still be another alphabet: where
both fit, differ, and no header tells, somebody is asked. UTF-16 needs its mark.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

#: What begins a file that says its encoding itself.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Encodings without a mark, as sheets are saved in China and in Europe.
_OLD = ("gb18030", "cp1252")
#: Lines at the head of a file in which its headers stand.
_HEAD = 20


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text; or, where somebody has to choose, what some of it is by each encoding."""

    text: str | None
    encoding: str = ""
    #: Encoding → the first lines that differ.
    readings: Mapping[str, str] = field(default_factory=dict)


def decoded(data: bytes, known: Callable[[str], int], encoding: str = "") -> Decoded | None:
    """The text of a file. `known`: how many headers of ours a line holds; `encoding`: as a person said it.

    None: it is text in no encoding, or not in the one that was said.
    """
    if encoding:
        text = _strict(data, encoding)
        return None if text is None else Decoded(text, encoding)
    for mark, name in _MARKS:
        if data.startswith(mark):
            text = _strict(data, name)
            return None if text is None else Decoded(text, name)
    text = _strict(data, "utf-8")
    if text is not None:
        # UTF-16 without its mark is full of nulls, and no sheet is.
        return None if "\0" in text else Decoded(text, "utf-8")
    fits = {name: found for name in _OLD if (found := _strict(data, name)) is not None and "\0" not in found}
    if not fits:
        return None
    scores = {
        name: max((known(line) for line in found.splitlines()[:_HEAD]), default=0) for name, found in fits.items()
    }
    best = max(scores.values())
    chosen = [name for name, score in scores.items() if score == best]
    if len(chosen) == 1:
        return Decoded(fits[chosen[0]], chosen[0])
    return Decoded(None, "", {name: _telling(fits[name], data) for name in chosen})


def _strict(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except (UnicodeDecodeError, LookupError):
        return None


def _telling(text: str, data: bytes) -> str:
    """The first line that is not plain ASCII: by it a person sees which encoding is right."""
    lines = text.splitlines()
    return next((line[:80] for line in lines if not line.isascii()), lines[0][:80] if lines and data else "")
