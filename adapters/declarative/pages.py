"""The pages of a list, whatever way the system hands them out. A list ends where its answers say so.

A link, a cursor or a `more` that says so goes on, however short or empty the page; a list of numbered pages, offsets or
keys that says nothing of its end is read until a page is empty. Rows are counted against a total where one is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from adapters.common.http import HttpResponse
from adapters.declarative import rows, select
from adapters.declarative.auth import Proof
from adapters.declarative.envelope import listed
from adapters.declarative.models import Call, Paging
from adapters.declarative.wire import Empty, Wire, exact_json
from connector.errors import Problem, Retry

#: A list that was gone back in so many times moves too fast to be read.
_MOST_BACK = 3
#: Empty pages in a row of a list that says that it goes on.
_MOST_EMPTY = 1_000
#: Rows that bear one key, at most: a page that holds but one key is asked for in larger sizes up to this.
_LARGEST_GROUP = 32_000
#: Half a character: nothing that a request could name.
_HALF = re.compile("[\ud800-\udfff]")
_LINK = re.compile(r"""<([^>]*)>((?:\s*;\s*[^,;]+)*)""")
_LINKS = ("cursor", "next_link", "link_header")
#: What a call names for its next page to be another one.
_PLACES = frozenset({"page", "offset", "after"})


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a list goes on, and what was seen before: kept in a cursor as JSON."""

    at: Any
    #: Rows read so far, and the total that the first page told.
    read: int = 0
    total: int | None = None


@dataclass(slots=True)
class Pages:
    """One list."""

    wire: Wire
    proof: Proof
    call: Call
    paging: Paging
    #: Where the records stand in an answer.
    records: str
    #: Where a record says its id.
    id: str = "$.id"
    #: What it is a list of, for messages.
    name: str = ""
    #: The system writes an empty list as null.
    null_is_empty: bool = False
    #: It is asked for so many records by their ids: one page holds them where its call names no place to go on from.
    bounded: bool = False

    def walk(self, given: Mapping[str, Any], begin: Spot | None = None) -> Iterator[tuple[list[Any], Spot | None]]:
        """Records of a page, and where the next one begins; None: it was the last.

        Raises Retry: an answer without its list, a list that repeats itself, or other rows than the total it tells.
        """
        spot, back, empty, last = begin or Spot(None), 0, 0, None
        seen: set[int] = set()
        largest = 0
        while True:
            answer, document = self._ask(given, spot.at)
            items = self._listed(document) if answer is not None else []
            if answer is not None and self._moved(items, last):
                # Rows were taken out or moved behind us: what slid over the edge is read by going back.
                spot = Spot(max(0, int(spot.at) - self.paging.size), spot.read, spot.total)
                seen, last, back = set(), None, back + 1
                if back >= _MOST_BACK:
                    raise self._repeated()
                continue
            total, more = self._total(document), self._more(document)
            if self._came_before(items, seen):
                self._check_count(spot.read, spot.total, total)
                yield [], None
                return
            full = len(items)
            if self.paging.grouped and items and more is not False:
                items = self._whole_groups(items, given, spot.at, largest)
            # A page that is shorter than what was asked for may be all that the system hands out at once.
            largest = max(largest, full) if full < self.paging.size else largest
            read = self._read(spot, items)
            first = spot.total if spot.total is not None else total
            following = self._following(spot.at, items, document, answer, read, total) if more is not False else None
            if following is None:
                self._check_count(read, first, total)
                yield items, None
                return
            if following == spot.at and self.paging.kind in (*_LINKS, "keyset"):
                raise self._repeated()
            empty = 0 if items else empty + 1
            if empty >= _MOST_EMPTY:
                raise self._repeated()
            shares = self.paging.kind == "offset" and following < read
            last = rows.text(select.first(self.id, items[-1])) if items and shares else None
            spot = Spot(following, read, first)
            yield items, spot

    def _listed(self, document: Any) -> list[Any]:
        return listed(document, self.records, self.wire.host, self.name, null=self.null_is_empty)

    def _read(self, spot: Spot, items: Sequence[Any]) -> int:
        if self.paging.kind == "offset":
            return int(spot.at or 0) + len(items)
        return spot.read + len(items)

    def _whole_groups(self, found: list[Any], given: Mapping[str, Any], at: Any, largest: int) -> list[Any]:
        """A page without its last key's rows: some of them may be on the next one.

        A page of one key alone is whole where asking for more brings no more, unless pages before it ended at so many.
        """
        last = self._key(found[-1])
        items = [row for row in found if self._key(row) != last]
        if items:
            return items
        size = self.paging.size
        while size < _LARGEST_GROUP:
            size *= 2
            answer, document = self._ask({**given, "size": size}, at)
            more = self._listed(document) if answer is not None else []
            group = [row for row in more if self._key(row) == last]
            if len(group) < len(more) or (len(group) <= len(found) and len(found) != largest):
                return group
            if len(group) <= len(found):
                break
            found = group
        raise self._incomplete(len(found), None)

    def _key(self, row: Any) -> str | None:
        return rows.value(None, self.paging.key, row, "UTC")

    def _moved(self, found: list[Any], last: str | None) -> bool:
        if self.paging.kind != "offset" or not self.paging.overlap or last is None:
            return False
        return last not in {rows.text(select.first(self.id, row)) for row in found[: self.paging.overlap]}

    def _came_before(self, items: Sequence[Any], seen: set[int]) -> bool:
        """Whether a page is one that came already, and the file says that this is how the system's lists end."""
        if not items or self.paging.grouped:
            return False
        ids = [rows.text(select.first(self.id, row)) for row in items]
        mark = hash(exact_json(items) if None in ids else tuple(ids))
        if mark not in seen:
            seen.add(mark)
            return False
        if not self.paging.repeats_last_page:
            raise self._repeated()
        return True

    def _ask(self, given: Mapping[str, Any], at: Any) -> tuple[HttpResponse | None, Any]:
        """The answer and its document; None: there is nothing, as the file says that the system tells it."""
        paging = self.paging
        known: dict[str, Any] = {"size": paging.size, "cursor": None, "page": paging.first, "offset": 0}
        known |= {"after": paging.start, "since": None}
        url = None
        if at is not None:
            match paging.kind:
                case "next_link" | "link_header":
                    url = urljoin(f"{self.wire.base}/", str(at))
                case "keyset":
                    known["after"] = at
                case kind:
                    known[kind] = at
        try:
            answer = self.proof.ask(self.call, self.wire.given(**{**known, **given}), url=url)
        except Empty:
            return None, None
        return answer, self.wire.document(answer)

    def _following(
        self, at: Any, found: list[Any], document: Any, answer: HttpResponse | None, read: int, total: int | None
    ) -> Any:
        paging = self.paging
        if paging.kind == "none" or answer is None:
            return None
        more = self._more(document)
        if paging.kind in _LINKS:
            header = answer.headers.get("Link", "")
            link = next_link(header) if paging.kind == "link_header" else select.first(paging.next, document) or None
            if link is None and more:
                raise self._incomplete(read, total)
            return link
        if not found and not more:
            return None
        if self.bounded and not more and not self._names() & _PLACES:
            return None
        if more is None and total is not None and paging.kind != "keyset" and read >= total:
            return None
        return self._place_after(at, found, read, total)

    def _place_after(self, at: Any, found: list[Any], read: int, total: int | None) -> Any:
        paging = self.paging
        if paging.kind == "page":
            return (at if at is not None else paging.first) + 1
        if paging.kind == "offset":
            here, step = int(at or 0), len(found) - paging.overlap
            if at is not None and found and step <= 0:
                # A page that holds nothing but the shared rows is the end.
                return None
            return here + (step if step > 0 else len(found) or paging.size)
        if not found:
            # It goes on, and there is no row to go on from.
            raise self._incomplete(read, total)
        keys = [key for key in map(self._key, found) if key and not _HALF.search(key)]
        if not keys:
            raise self._incomplete(read, total)
        return keys[-1]

    def _names(self) -> set[str]:
        return select.names([self.call.path, self.call.query, self.call.body, self.call.headers])

    def _more(self, document: Any) -> bool | None:
        """Whether the answer says that there is more; None: it says nothing of it."""
        told = rows.text(select.first(self.paging.more, document)) if self.paging.more else None
        return None if told is None else told.lower() in ("true", "1")

    def _total(self, document: Any) -> int | None:
        told = rows.text(select.first(self.paging.total, document)) if self.paging.total else None
        return int(told) if told is not None and told.isdecimal() else None

    def _check_count(self, read: int, first: int | None, last: int | None) -> None:
        """A list that changes while it is read holds as many as it told at its beginning or its end."""
        told = [each for each in (first, last) if each is not None]
        if not told:
            return
        # By keys, a total may be that of the rest.
        least, most = (first or 0, None) if self.paging.kind == "keyset" else (min(told), max(told))
        if read < least or (most is not None and read > most):
            raise self._incomplete(read, told[0])

    def _repeated(self) -> Problem:
        return Retry("E-CRM-PAGES", host=self.wire.host, object=self.name)

    def _incomplete(self, read: int, total: int | None) -> Problem:
        told = "more" if total is None else str(total)
        return Retry("E-CRM-INCOMPLETE", host=self.wire.host, object=self.name, read=read, total=told)


def next_link(header: str) -> str | None:
    """The URL of rel="next". Source: RFC 8288."""
    for url, attributes in _LINK.findall(header):
        if re.search(r"""\brel\s*=\s*"?[^"]*\bnext\b""", attributes):
            return str(url)
    return None
