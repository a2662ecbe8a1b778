"""The pages of a list, whatever way the system hands them out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from adapters.common.http import HttpResponse
from adapters.declarative import rows, select
from adapters.declarative.auth import Proof
from adapters.declarative.models import Call, Paging
from adapters.declarative.wire import Empty, Wire
from connector.errors import Retry

#: A list that was gone back in, or that repeats itself, so many times cannot be read.
_REPEATS = 3
_LINK = re.compile(r"""<([^>]*)>((?:\s*;\s*[^,;]+)*)""")


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

    def walk(self, given: Mapping[str, Any], at: Any) -> Iterator[tuple[list[Any], Any]]:
        """Records of a page, and where the next one begins; None: it was the last. `at`: begin there."""
        steps, before, smallest, last = 0, None, self.paging.size, None
        while True:
            answer, document = self._ask(given, at)
            items = select.every(self.records, document)
            if self._moved(items, last):
                # Rows were taken out or moved behind us: what slid over the edge is read by going back.
                at = max(0, int(at) - self.paging.size)
                last, before, steps = None, None, steps + 1
                self._stuck(steps)
                continue
            full = len(items)
            if self.paging.grouped and full >= smallest:
                items = self._whole_groups(items)
            # A system may hand out smaller pages than it is asked for: the first short one is no proof of an end.
            end = before is not None and full < smallest
            if before is None and items:
                smallest = min(smallest, full)
            following = None if end else self._following(at, items, document, answer)
            if following is not None and following == before:
                self._stuck(_REPEATS)
            yield items, following
            if following is None:
                return
            before, at = following, following
            last = rows.text(select.first(self.id, items[-1])) if items else None

    def _whole_groups(self, found: list[Any]) -> list[Any]:
        """A full page without its last key's rows: some of them may be on the next one."""
        last = rows.value(None, self.paging.key, found[-1], "UTC")
        items = [row for row in found if rows.value(None, self.paging.key, row, "UTC") != last]
        return items or found

    def _moved(self, found: list[Any], last: str | None) -> bool:
        if self.paging.kind != "offset" or not self.paging.overlap or last is None:
            return False
        return last not in {rows.text(select.first(self.id, row)) for row in found[: self.paging.overlap]}

    def _stuck(self, times: int) -> None:
        if times >= _REPEATS:
            raise Retry("E-CRM-PAGES", host=self.wire.host)

    def _ask(self, given: Mapping[str, Any], at: Any) -> tuple[HttpResponse | None, Any]:
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

    def _following(self, at: Any, found: list[Any], document: Any, answer: HttpResponse | None) -> Any:
        paging = self.paging
        if paging.kind == "none" or answer is None:
            return None
        if paging.kind == "link_header":
            return next_link(answer.headers.get("Link", ""))
        if paging.kind in ("cursor", "next_link"):
            return select.first(paging.next, document) or None
        if not found:
            return None
        if paging.more is not None and rows.text(select.first(paging.more, document)) not in ("true", "True", "1"):
            return None
        if paging.kind == "keyset":
            return rows.value(None, paging.key, found[-1], "UTC")
        if paging.kind == "page":
            here = at if at is not None else paging.first
            behind = (here - paging.first + 1) * paging.size
        else:
            here = at or 0
            behind = here + len(found)
        total = rows.text(select.first(paging.total, document)) if paging.total else None
        if total is not None and total.isdigit() and behind >= int(total):
            return None
        if paging.kind == "page":
            return here + 1
        following = behind - paging.overlap
        # A page that holds nothing but the shared rows is the end.
        return None if following <= here and at is not None else max(following, here + 1)


def next_link(header: str) -> str | None:
    """The URL of rel="next". Source: RFC 8288."""
    for url, attributes in _LINK.findall(header):
        if re.search(r"""\brel\s*=\s*"?[^"]*\bnext\b""", attributes):
            return str(url)
    return None
