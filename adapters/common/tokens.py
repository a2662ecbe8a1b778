"""An access token that the threads and processes of a profile share: one renews it, the others wait and use it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from connector.errors import Problem
from connector.ports import Shared

T = TypeVar("T")

#: A token with less time left is renewed before it is used.
_MARGIN = timedelta(seconds=60)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SharedToken:
    """The access token of one connection, with what its vendor gives along with it."""

    shared: Shared
    name: str
    #: Asks the vendor, given what was kept: the new token under `token`, what else is kept, and how long it lives.
    renew: Callable[[Mapping[str, str]], tuple[dict[str, str], timedelta]]
    #: Ours: how long a token lives is told as a duration, and our processes share one clock.
    clock: Callable[[], datetime] = _now

    def current(self, refused: str | None = None) -> dict[str, str]:
        """A token that is good for a minute at least; the *refused* one is replaced. Raises what `renew` raises."""
        with self.shared.token(self.name) as slot:
            kept = slot.get()
            known = _read(kept[0]) if kept else {}
            if kept and known and known["token"] != refused and kept[1] > self.clock() + _MARGIN:
                return known
            fresh, lives = self.renew(known)
            slot.put(json.dumps(fresh), self.clock() + lives)
            return fresh

    def proven(self, call: Callable[[Callable[[], dict[str, str]]], T], code: str = "E-CRM-TOKEN") -> T:
        """The result of a call, which asks for the token whenever it sends something.

        Where it fails with that code, the token was ended before its time, by an admin or by a newer one: it is made
        once more, with another token.
        """
        used: list[str] = []

        def token() -> dict[str, str]:
            known = self.current()
            used.append(known["token"])
            return known

        try:
            return call(token)
        except Problem as problem:
            if problem.code != code or not used:
                raise
        return call(lambda: self.current(used[-1]))


def _read(text: str) -> dict[str, str]:
    """What was kept; empty: a release of before kept it in a form of its own."""
    try:
        known = json.loads(text)
    except ValueError:
        return {}
    return known if isinstance(known, dict) and "token" in known else {}
