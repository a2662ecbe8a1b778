"""Selectors and templates: the two little languages of a connector file, neither of which can run anything.

A selector is `$`, then names and list places: `$.data[*].lines`, `$.owner.id`, `$["a.b"]`, `$.items[0]`. A template is
text with names in braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from connector.errors import Misconfigured

_STEP = re.compile(r"""\.([^.\[\]"{}]+)|\[(\*|-?\d+)\]|\["([^"]+)"\]""")
_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.:-]*)\}")
_ONE_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.:-]*)\}")


def check_selector(text: str) -> str:
    """The selector, if it is one. Raises ValueError."""
    _steps(text)
    return text


@lru_cache(maxsize=512)
def _steps(text: str) -> tuple[str | int | None, ...]:
    """Names, places, and None for every item of a list."""
    if not text.startswith("$"):
        raise ValueError(f"{text!r} is no selector: it begins with $, as in $.data[*]")
    steps: list[str | int | None] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is no selector: it breaks at {text[at:]!r}")
        name, place, quoted = match.groups()
        steps.append(name or quoted or (None if place == "*" else int(place)))
        at = match.end()
    return tuple(steps)


def every(selector: str, document: Any) -> list[Any]:
    """All values at that place; a place that is not there has none."""
    return list(_walk(document, _steps(selector)))


def first(selector: str, document: Any) -> Any:
    """The first value at that place, or None."""
    return next(_walk(document, _steps(selector)), None)


def _walk(node: Any, steps: tuple[str | int | None, ...]) -> Iterator[Any]:
    for at, step in enumerate(steps):
        if step is None:
            if isinstance(node, list):
                for item in node:
                    yield from _walk(item, steps[at + 1 :])
            return
        if isinstance(step, int):
            if not isinstance(node, list) or not -len(node) <= step < len(node):
                return
            node = node[step]
        elif isinstance(node, dict) and step in node:
            node = node[step]
        else:
            return
    yield node


def names(template: Any) -> set[str]:
    """Names in braces, anywhere in a template of texts, lists and mappings."""
    if isinstance(template, str):
        return set(_NAME.findall(template))
    if isinstance(template, Mapping):
        return {name for key, value in template.items() for name in names(key) | names(value)}
    if isinstance(template, list | tuple):
        return {name for item in template for name in names(item)}
    return set()


def fill(template: Any, given: Mapping[str, Any], quote: Any = str) -> Any:
    """The template with its names substituted; a text that is one name alone becomes the thing itself.

    `quote` turns a value into text inside a longer text. Raises Misconfigured: nobody knows that name.
    """
    if isinstance(template, str):
        alone = _ONE_NAME.fullmatch(template)
        if alone:
            return _lookup(alone[1], given)
        return _NAME.sub(lambda found: str(quote(_lookup(found[1], given))), template)
    if isinstance(template, Mapping):
        result = {fill(key, given, quote): fill(value, given, quote) for key, value in template.items()}
        # What stands under three dots is spread among the other keys.
        spread = result.pop("...", None)
        return {**result, **spread} if isinstance(spread, Mapping) else result
    if isinstance(template, list | tuple):
        return [fill(item, given, quote) for item in template]
    return template


def _lookup(name: str, given: Mapping[str, Any]) -> Any:
    if name not in given:
        raise Misconfigured("E-CONNECTOR-NAME", name=name, known=", ".join(sorted(given)))
    return given[name]
