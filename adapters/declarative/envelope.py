"""What an answer must hold to be believed: a list's key, a record's id, and no error beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.common.documents import shape
from adapters.declarative import select
from adapters.declarative.models import EmptyList
from connector.errors import Retry

#: Keys by which systems tell of a failure in an answer of status 200, and keys that say so by being false.
_ERRORS = ("error", "errors", "fault", "exception", "errcode", "error_code", "errorCode")
_SUCCESS = ("success", "ok", "Success")
#: What such a key holds where there is none.
_HARMLESS = frozenset({"", "0", "200", "ok", "success", "none", "null", "false", "no error"})
_CODES = ("code", "Code", "errcode", "status")
_FAILED = frozenset({"error", "fail", "failed", "failure"})


@dataclass(frozen=True, slots=True)
class Listing:
    """Where an answer holds its records."""

    records: str
    #: Where a record says its id.
    id: str = "$.id"
    #: What it is a list of, for messages.
    name: str = ""
    #: How the system writes a list that is empty.
    empty: EmptyList = "list"


def listed(document: Any, listing: Listing, host: str) -> list[Any]:
    """All records of an answer.

    Raises Retry: the list's key is not there, holds no list, or stands beside an error.
    """
    place = _place(listing.records)
    nodes = select.every(place, document)
    found = nodes[0] if nodes else None
    if found is None and _may_lack(listing, nodes, document):
        items = []
    elif isinstance(found, list if "[*]" in listing.records else Mapping):
        items = select.every(listing.records, document)
    elif found == []:
        # A mapping that is empty, as PHP writes it.
        items = []
    else:
        raise _missing(document, place, host, listing.name)
    if _fails(document):
        raise _missing(document, place, host, listing.name)
    return items


def identified(record: Any, selector: str, host: str, name: str) -> Any:
    """The record, as it is. Raises Retry: it says no id, so it is an answer to something else."""
    if not isinstance(record, Mapping) or select.first(selector, record) in (None, ""):
        raise _missing(record, selector, host, name)
    return record


def _may_lack(listing: Listing, nodes: list[Any], document: Any) -> bool:
    """Whether an empty list looks like this, as the file says."""
    return (bool(nodes) and listing.empty != "list") or (listing.empty == "missing" and isinstance(document, Mapping))


def _place(selector: str) -> str:
    """Where the list itself stands: the selector up to its first `[*]`."""
    return re.split(r"\[\*\]", selector, maxsplit=1)[0]


def _fails(document: Any) -> bool:
    """Whether the answer tells of an error."""
    if not isinstance(document, Mapping):
        return False
    if any(document.get(key) is False for key in _SUCCESS):
        return True
    status = document.get("status")
    if isinstance(status, str) and status.lower() in _FAILED:
        return True
    return any(_is_error(document.get(key)) for key in _ERRORS)


def _is_error(told: Any) -> bool:
    if isinstance(told, Mapping):
        codes = [told[key] for key in _CODES if key in told]
        return bool(told) and (not codes or _is_error(codes[0]))
    if isinstance(told, list):
        return bool(told)
    return told is not None and str(told).strip().lower() not in _HARMLESS


def _missing(document: Any, place: str, host: str, name: str) -> Retry:
    return Retry("E-CRM-ENVELOPE", host=host, object=name, place=place, found=shape(document))
