"""An answer's JSON, read so that one record that nobody can read does not cost the others.

Numbers keep the digits they came with; bytes that are no UTF-8 become lone surrogates, and what lies too deep becomes a
text, both of which only the record that holds them fails by.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

#: Levels that a document of records has at most. Python's own parser ends at some thousand.
DEEPEST = 64
#: Stands in the place of what lies deeper.
TOO_DEEP = "[nested too deep]"
#: Digits of a number that anything here counts with.
_MOST_DIGITS = 40
#: Characters of its keys.
_SHOWN = 60
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


def document(body: bytes, charset: str = "") -> Any:
    """The document; None: the body is empty. Raises ValueError: it is no JSON.

    `charset`: as the answer declares it; JSON is UTF-8 where it is not (RFC 8259), or a UTF that shows by its bytes.
    """
    if not body.strip():
        return None
    declared = charset if charset and _known(charset) not in ("utf-8", "ascii", "") else json.detect_encoding(body)
    text = body.decode(declared, "surrogateescape").removeprefix("\ufeff")
    try:
        return json.loads(text, parse_float=_decimal, parse_int=_whole)
    except RecursionError:
        return json.loads(_shallow(text), parse_float=_decimal, parse_int=_whole)


def shape(value: Any) -> str:
    """What an answer looks like, without its values: they may be a customer's."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(str(key) for key in value))[:_SHOWN] + "}"
    return "a list" if isinstance(value, list) else "a single value"


def plain(number: Decimal) -> str:
    """A decimal with all its digits; one that nothing counts with in its own short form, to be rejected."""
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return str(number)
    return f"{number:f}"


def _known(charset: str) -> str:
    """The codec's own name; empty: there is none."""
    try:
        return codecs.lookup(charset).name
    except LookupError:
        return ""


def _decimal(text: str) -> Decimal | str:
    # An exponent may name more digits than there is memory for.
    return Decimal(text) if len(text) <= 4 * _MOST_DIGITS else text


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= _MOST_DIGITS else text


def _shallow(text: str) -> str:
    """The document with a text in the place of every list and object that lies too deep."""
    parts, depth, start = [], 0, 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                parts.append(text[start : token.start()] + json.dumps(TOO_DEEP))
        elif mark in "]}":
            depth -= 1
            if depth == DEEPEST:
                start = token.end()
    return "".join(parts) + text[start:] if depth == 0 else text[:0]
