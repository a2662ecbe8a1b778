"""What an answer must hold to be believed: a list's key, a record's id, and no error beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.declarative import select
from connector.errors import Retry

#: Keys by which systems tell of a failure in an answer of status 200.
_ERRORS = ("error", "errors", "fault", "exception")
_SHOWN = 60


def listed(document: Any, selector: str, host: str, name: str, *, null: bool = False) -> list[Any]:
    """All records of an answer. `null`: the system writes an empty list as null.

    Raises Retry: the list's key is not there, holds no list, or holds an empty one beside an error.
    """
    place = _place(selector)
    nodes = select.every(place, document)
    kind = list if "[*]" in selector else Mapping
    if not nodes or not (isinstance(nodes[0], kind) or (null and nodes[0] is None)):
        raise _missing(document, place, host, name)
    items = select.every(selector, document) if nodes[0] is not None else []
    if not items and _error(document) is not None:
        raise _missing(document, place, host, name)
    return items


def identified(record: Any, selector: str, host: str, name: str) -> Any:
    """The record, as it is. Raises Retry: it says no id, so it is an answer to something else."""
    if not isinstance(record, Mapping) or select.first(selector, record) in (None, ""):
        raise _missing(record, selector, host, name)
    return record


def _place(selector: str) -> str:
    """Where the list itself stands: the selector up to its first `[*]`."""
    return re.split(r"\[\*\]", selector, maxsplit=1)[0]


def _error(document: Any) -> Any:
    """What the answer tells of an error, if it does."""
    if not isinstance(document, Mapping):
        return None
    return next((document[key] for key in _ERRORS if document.get(key) not in (None, False, 0, "", [], {})), None)


def _missing(document: Any, place: str, host: str, name: str) -> Retry:
    return Retry("E-CRM-ENVELOPE", host=host, object=name, place=place, found=_shape(document))


def _shape(document: Any) -> str:
    """What an answer looks like, without its values: they may be a customer's."""
    if document is None:
        return "null"
    if isinstance(document, Mapping):
        return ("{" + ", ".join(sorted(str(key) for key in document)))[:_SHOWN] + "}"
    return "a list" if isinstance(document, list) else "a single value"
