"""Where the next read of changes begins: at the greatest modified time that rows have told, less an overlap.

No clock moves this on. Clocks only hold it back: what is dated after the read began, by ours or by the CRM's, moves
nothing, so that a row dated ahead, or one that changed while a long read went on, hides no other. No rows, no move.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from connector.instants import moment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
#: Systems write such days for "never".
_NEVER = timedelta(days=2) // _MICRO
#: From the last row's time to where a settled read begins. A system that is not known may have coarse times, and a
#: filter that leaves out what is of the very second that it names.
UNKNOWN = timedelta(seconds=-1)
#: One whose times are of seconds at least, and whose filter takes in what it names: the last row need not come again.
SECONDS = timedelta(seconds=1)
#: A clock of the CRM that is further behind holds nothing back.
_BEHIND = timedelta(days=1)


@dataclass(slots=True)
class Watermark:
    """How far the rows of an object have been seen."""

    #: Rows that commit late bear times of so long ago.
    overlap: timedelta
    #: Our clock.
    clock: Callable[[], datetime]
    #: When the read began, by the earlier of our clock and the CRM's, and by ours.
    bound: datetime
    began: datetime
    #: The greatest modified time of all rows up to there, and when it was first seen, by our clock.
    greatest: datetime | None = None
    first_seen: datetime | None = None
    #: A whole read that began when nothing older could still be committed has shown nothing later.
    settled: bool = False
    #: Where this read begins; None: everything.
    since: datetime | None = None
    _rows: bool = False
    _ahead: bool = False

    @classmethod
    def of(
        cls,
        state: Mapping[str, Any],
        overlap: timedelta,
        clock: Callable[[], datetime],
        theirs: datetime,
        step: timedelta = UNKNOWN,
    ) -> Watermark:
        """As a cursor keeps it; `theirs`: the CRM's clock; `step`: UNKNOWN or SECONDS.

        A cursor of release 0.1 says `since`: where to begin.
        """
        now = clock()
        bound = min(now, max(theirs, now - _BEHIND))
        began = now
        if state.get("began") and state.get("bound"):
            # A read that was cut goes on: what changed since it began is still to come.
            bound = min(bound, datetime.fromisoformat(state["bound"]))
            began = datetime.fromisoformat(state["began"])
        mark = cls(overlap, clock, bound, began, _instant(state.get("greatest")), _instant(state.get("first_seen")))
        mark.settled = bool(state.get("settled"))
        if "window" in state:
            mark.since = _instant(state["window"])
        elif mark.greatest is not None:
            mark.since = mark.greatest.replace(microsecond=0) + step if mark.settled else mark.greatest - overlap
        else:
            mark.since = _instant(state.get("since"))
            mark.greatest = mark.since + overlap if mark.since else None
        return mark

    def see(self, stamps: pl.Series) -> None:
        """Takes in the modified times of a page: ISO instants with offset, or null."""
        self._rows = self._rows or stamps.len() > 0
        times = pl.select(moment(pl.lit(stamps)).cast(pl.Int64)).to_series()
        limit = (self.bound - _EPOCH) // _MICRO
        last = times.filter((times > _NEVER) & (times <= limit)).max()
        self._ahead = self._ahead or bool((times > limit).any())
        if not isinstance(last, int):
            return
        latest = _EPOCH + last * _MICRO
        if self.greatest is None or latest > self.greatest:
            self.greatest, self.first_seen, self.settled = latest, self.clock(), False

    @property
    def since_text(self) -> str | None:
        """`since` to the second, as a filter wants it."""
        return self.since.isoformat(timespec="seconds") if self.since else None

    def midway(self, **more: Any) -> str:
        """The cursor of a read that goes on."""
        values = {"window": self.since, "began": self.began, "bound": self.bound}
        state = {**self._state(), **{name: at.isoformat() if at else None for name, at in values.items()}}
        return json.dumps({**state, **more})

    def done(self, **more: Any) -> str:
        """The cursor of a read that is over; empty: its rows tell no time, so the next one is of everything."""
        if self.greatest is None and self._ahead:
            # All of it is dated after the read began: what is still to come will be, too.
            self.greatest, self.first_seen = self.bound, self.clock()
        if self.greatest is None and self._rows:
            return ""
        whole = self.greatest is not None and (self.since is None or self.since <= self.greatest - self.overlap)
        if whole and self.first_seen is not None and self.began - self.first_seen >= self.overlap:
            self.settled = True
        return json.dumps({**self._state(), **more})

    def _state(self) -> dict[str, Any]:
        values = {"greatest": self.greatest, "first_seen": self.first_seen}
        return {**{name: at.isoformat() if at else None for name, at in values.items()}, "settled": self.settled}


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
