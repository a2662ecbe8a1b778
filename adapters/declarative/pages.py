"""The pages of a list, whatever way the system hands them out. A list ends where its answers say so.

A link, a cursor or a `more` that says so goes on, however short or empty the page; a list of numbered pages, offsets or
keys that says nothing of its end is read until a page is empty. Records are counted against a total where one is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urljoin

from requests.utils import parse_header_links

from adapters.common.http import HttpResponse
from adapters.declarative import rows, select
from adapters.declarative.auth import Proof
from adapters.declarative.envelope import Listing, listed
from adapters.declarative.models import Call, Paging
from adapters.declarative.wire import Empty, Wire, exact_json, prepare
from connector.errors import Problem, Retry
from connector.faults import FAULTS

#: A list that was gone back in so many times in a row moves too fast to be read.
_MOST_BACK = 20
#: Pages in a row without a record that is new, and empty ones of a list that says that it goes on.
_MOST_OLD, _MOST_EMPTY = 3, 1_000
#: Rows that bear one key, at most: a page that holds but one key is asked for in larger sizes up to this.
_LARGEST_GROUP = 32_000
#: Half a character: nothing that a request could name.
_HALF = re.compile("[\ud800-\udfff]")
_LINKS = ("cursor", "next_link", "link_header")
#: What a call names for its next page to be another one.
_PLACES = frozenset({"page", "offset", "after", "cursor"})
_YES, _NO = frozenset({"true", "yes", "y", "x", "on"}), frozenset({"false", "no", "n", "off", ""})


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a list goes on, and what was seen before: kept in a cursor as JSON."""

    at: Any
    #: Records read so far, and the total that the first page told.
    read: int = 0
    total: int | None = None
    #: offset: id of the row that the next page begins with.
    last: str | None = None
    #: The answers said that there is more behind it.
    promised: bool = False


@dataclass(slots=True)
class Seen:
    """What came before in this walk."""

    ids: set[int] = field(default_factory=set)
    pages: set[int] = field(default_factory=set)
    #: Pages in a row that brought no new record, were empty, or were gone back for.
    old: int = 0
    empty: int = 0
    back: int = 0
    #: Rows of the longest page that was shorter than asked for: perhaps all that the system hands out at once.
    capped: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One page as it came."""

    #: None: there is nothing, as the file says that the system tells it.
    response: HttpResponse | None
    document: Any
    items: list[Any]
    #: What each says is its id; of grouped rows, which share theirs, none.
    ids: list[str | None]
    #: Of the page, for links that are relative to it.
    url: str
    #: Whether it says that there is more, and how many records there are in all; None: it says nothing of it.
    more: bool | None = None
    total: int | None = None


@dataclass(slots=True)
class Pages:
    """One list."""

    wire: Wire
    proof: Proof
    call: Call
    paging: Paging
    listing: Listing
    #: It is asked for so many records by their ids: one page holds them where its call names no place to go on from.
    bounded: bool = False

    def walk(self, given: Mapping[str, Any], begin: Spot | None = None) -> Iterator[tuple[list[Any], Spot | None]]:
        """Records of a page, and where the next one begins; None: it was the last.

        Raises Retry: an answer without its list, a list that repeats itself, or other records than the total it tells.
        """
        spot, seen = begin or Spot(None), Seen()
        while True:
            answer = self._ask(given, spot)
            back = self._gone_back(answer, spot, seen)
            if back is not None:
                spot = back
                continue
            if self._is_repeated(answer, seen):
                self._check_count(spot, spot.read, answer)
                yield [], None
                return
            items = answer.items
            if self.paging.grouped and items:
                items = self._whole_groups(answer, given, spot, seen)
            if len(answer.items) < self.paging.size:
                seen.capped = max(seen.capped, len(answer.items))
            read = self._count(spot, items, answer.ids, seen)
            first = spot.total if spot.total is not None else answer.total
            following = self._following(spot, items, answer, read)
            if following is None:
                self._check_count(spot, read, answer)
                yield items, None
                return
            seen.empty = 0 if items else seen.empty + 1
            if seen.empty >= _MOST_EMPTY:
                raise self._repeated()
            spot = replace(following, read=read, total=first)
            yield items, spot

    def _ask(self, given: Mapping[str, Any], spot: Spot) -> Answer:
        paging, at = self.paging, spot.at
        known: dict[str, Any] = {"size": paging.size, "cursor": None, "page": paging.first, "offset": 0}
        known |= {"after": paging.start, "since": None}
        url = None
        if at is not None:
            match paging.kind:
                case "next_link" | "link_header":
                    url = str(at)
                case "keyset":
                    known["after"] = at
                case kind:
                    known[kind] = at
        values = self.wire.given(**{**known, **given})
        asked = url or (prepare(self.call, self.wire.base, values).url if paging.kind in _LINKS else "")
        try:
            response = self.proof.ask(self.call, values, url=url)
        except Empty:
            if spot.promised:
                raise self._incomplete(spot.read, spot.total) from None
            return Answer(None, None, [], [], asked)
        document = self.wire.document(response)
        items = listed(document, self.listing, self.wire.host)
        total = self._total(document)
        # Some tell a total on the first page only, and 0 on the others.
        total = None if at is not None and total is not None and total <= len(items) else total
        ids = [] if paging.grouped else [self._id(row) for row in items]
        return Answer(response, document, items, ids, asked, self._more(document), total)

    def _gone_back(self, answer: Answer, spot: Spot, seen: Seen) -> Spot | None:
        """Where to read from, as rows were taken out behind us: what slid over the edge is read by going back."""
        if self.paging.kind != "offset" or spot.last is None or answer.response is None:
            return None
        here = answer.ids
        # Once we go back, a page must begin with a record that came before, or with the list itself.
        found = spot.last in here[: self.paging.overlap]
        met = seen.back > 0 and bool(here) and hash(here[0]) in seen.ids
        if found or met or not int(spot.at):
            seen.back = 0
            return None
        seen.back += 1
        if seen.back >= _MOST_BACK:
            raise self._repeated()
        seen.pages.clear()
        return replace(spot, at=max(0, int(spot.at) - self.paging.size))

    def _is_repeated(self, answer: Answer, seen: Seen) -> bool:
        """Whether a page came already, and the file says that this is how the system's lists end."""
        if not answer.ids:
            return False
        mark = _mark(answer)
        if mark in seen.pages:
            if self.paging.repeats_last_page:
                return True
            raise self._repeated()
        seen.pages.add(mark)
        return False

    def _count(self, spot: Spot, items: Sequence[Any], ids: Sequence[str | None], seen: Seen) -> int:
        """Records read so far: a record that came twice counts once, rows of one key each by itself."""
        if self.paging.grouped:
            return spot.read + len(items)
        if not seen.ids and spot.last is not None:
            # The shared row of a read that goes on was counted before the cut.
            seen.ids.add(hash(spot.last))
        new = {hash(each) for each in ids if each is not None} - seen.ids
        seen.ids |= new
        count = len(new) + ids.count(None)
        if items:
            seen.old = 0 if new else seen.old + 1
            if seen.old >= (_MOST_EMPTY if set(ids) == {None} else _MOST_OLD):
                raise self._repeated()
        return spot.read + count

    def _whole_groups(self, answer: Answer, given: Mapping[str, Any], spot: Spot, seen: Seen) -> list[Any]:
        """A page without its last key's rows: some of them may be on the next one.

        A page of one key alone is whole where asking for more brings no more, unless pages before it ended at so many.
        """
        found = answer.items
        if answer.more is False:
            return found
        last = self._key(found[-1])
        items = [row for row in found if self._key(row) != last]
        if items:
            return items
        size = self.paging.size
        while size < _LARGEST_GROUP:
            size *= 2
            more = self._ask({**given, "size": size}, spot).items
            group = [row for row in more if self._key(row) == last]
            if len(group) < len(more) or (len(group) <= len(found) and len(found) != seen.capped):
                return group
            if len(group) <= len(found):
                break
            found = group
        raise self._incomplete(len(found), None)

    def _following(self, spot: Spot, items: list[Any], answer: Answer, read: int) -> Spot | None:
        paging, more, response = self.paging, answer.more, answer.response
        if paging.kind == "none" or response is None or more is False:
            return None
        if paging.kind in _LINKS:
            return self._link(spot, answer, response, read)
        if not items and not more:
            return None
        if not select.names([self.call.path, self.call.query, self.call.body, self.call.headers]) & _PLACES:
            self._check_single(items, more, read)
            return None
        here = int(spot.at or 0) + len(items) if paging.kind == "offset" else read
        if more is None and paging.kind != "keyset" and answer.total is not None and here >= answer.total:
            return None
        return self._place_after(spot, items, answer, read)

    def _link(self, spot: Spot, answer: Answer, response: HttpResponse, read: int) -> Spot | None:
        paging = self.paging
        if paging.kind == "link_header":
            link = next_link(response.headers.get("Link", ""))
        else:
            link = select.first(paging.next, answer.document) or None
        if link is None:
            if answer.more:
                raise self._incomplete(read, answer.total)
            return None
        link = link if paging.kind == "cursor" else urljoin(answer.url, str(link))
        if link == spot.at and paging.kind != "cursor":
            raise self._repeated()
        if link == spot.at and not answer.items and not answer.more:
            # A cursor that stays where the list ends.
            return None
        return Spot(link, promised=True)

    def _check_single(self, items: list[Any], more: bool | None, read: int) -> None:
        """A call that names no place to go on from has one page. Raises Retry: there seems to be another one."""
        if more:
            raise self._repeated()
        if not self.bounded and len(items) >= self.paging.size:
            raise self._incomplete(read, None)

    def _place_after(self, spot: Spot, items: list[Any], answer: Answer, read: int) -> Spot | None:
        paging, promised = self.paging, bool(answer.more)
        if paging.kind == "page":
            here = spot.at if spot.at is not None else paging.first
            return Spot(here + 1, promised=promised)
        if paging.kind == "offset":
            here, step = int(spot.at or 0), len(items) - paging.overlap
            if step > 0 and paging.overlap:
                return Spot(here + step, last=answer.ids[-1], promised=promised)
            return Spot(here + (len(items) or paging.size), promised=promised)
        keys = [key for key in map(self._key, items) if key and not _HALF.search(key)]
        if not keys:
            # No row to go on from: the end, unless the page was full or the answer says that there is more.
            if promised or len(items) >= paging.size:
                raise self._incomplete(read, spot.total)
            return None
        if keys[-1] == spot.at:
            raise self._repeated()
        return Spot(keys[-1], promised=promised)

    def _id(self, row: Any) -> str | None:
        try:
            return rows.text(select.first(self.listing.id, row))
        except FAULTS:
            return None

    def _key(self, row: Any) -> str | None:
        try:
            return rows.value(None, self.paging.key, row, "UTC")
        except FAULTS:
            return None

    def _more(self, document: Any) -> bool | None:
        told = rows.text(select.first(self.paging.more, document)) if self.paging.more else None
        if told is None:
            return None
        word = told.strip().lower()
        number = _whole(word)
        if number is not None:
            return number > 0
        return True if word in _YES else False if word in _NO else None

    def _total(self, document: Any) -> int | None:
        return _whole(rows.text(select.first(self.paging.total, document)) or "") if self.paging.total else None

    def _check_count(self, spot: Spot, read: int, answer: Answer) -> None:
        """A list that changes while it is read holds as many as it told at its beginning or its end."""
        first, last = spot.total if spot.total is not None else answer.total, answer.total
        told = [each for each in (first, last) if each is not None]
        if not told:
            return
        least, most = min(told), max(told)
        if self.paging.kind == "keyset":
            # What is new comes behind, and counts or not.
            most = max(most, read)
        elif self.paging.kind == "page" and told[-1] < told[0]:
            # Records that were taken out behind us let others slide over the edge: all that were there must have come.
            least = most
        if not least <= read <= most:
            raise self._incomplete(read, told[0])

    def _repeated(self) -> Problem:
        return Retry("E-CRM-PAGES", host=self.wire.host, object=self.listing.name)

    def _incomplete(self, read: int, total: int | None) -> Problem:
        told = "more" if total is None else str(total)
        return Retry("E-CRM-INCOMPLETE", host=self.wire.host, object=self.listing.name, read=read, total=told)


def _mark(answer: Answer) -> int:
    """What a page is known by: its ids, or all that it says where one has none."""
    try:
        return hash(exact_json(answer.items) if None in answer.ids else tuple(answer.ids))
    except FAULTS:
        return hash(tuple(answer.ids))


def _whole(text: str) -> int | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return int(number) if number.is_finite() and abs(number) < 10**15 and number == number.to_integral_value() else None


def next_link(header: str) -> str | None:
    """The URL of rel="next". Source: RFC 8288: relation types are compared without case, and there may be several."""
    for link in parse_header_links(header) if header else ():
        relations = next((value for key, value in link.items() if key.lower() == "rel"), "")
        if "next" in relations.lower().split():
            return str(link["url"])
    return None
