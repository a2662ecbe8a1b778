"""Where the next read of changes begins: at the greatest modified time that rows have told, less an overlap.

No clock is believed in this: not the CRM's, which may be hours off for one answer, and ours only to keep a row that is
dated ahead from hiding what changes before that date. No rows, no move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

_SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class Watermark:
    """How far the rows of an object have been seen."""

    #: Rows that commit late bear times of so long ago.
    overlap: timedelta
    #: Our clock when the read began.
    now: datetime
    #: The greatest modified time of all rows so far, at most our clock's.
    greatest: datetime | None = None
    #: When, by our clock, nothing later had been seen for the first time.
    first_seen: datetime | None = None

    @classmethod
    def of(cls, state: Mapping[str, Any], overlap: timedelta, now: datetime) -> Watermark:
        """As a cursor keeps it. A cursor of release 0.1 says `since`: where that read was to begin."""
        if "greatest" in state:
            return cls(overlap, now, _instant(state["greatest"]), _instant(state.get("first_seen")))
        since = _instant(state.get("since"))
        return cls(overlap, now, since + overlap if since else None)

    @property
    def since(self) -> datetime | None:
        """What is to be read begins here; None: everything.

        Once so long has passed that nothing older can still be committed, the rows seen last need not come again.
        """
        if self.greatest is None:
            return None
        if self.first_seen is not None and self.now - self.first_seen >= self.overlap:
            return self.greatest.replace(microsecond=0) + _SECOND
        return self.greatest - self.overlap

    def see(self, stamps: pl.Series) -> None:
        """Takes in the modified times of a page: ISO instants with offset, or null."""
        texts = stamps.str.replace(r"Z$", "+00:00").str.replace(r"([+-][0-9]{2})([0-9]{2})$", "${1}:${2}")
        times = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us").drop_nulls()
        if times.is_empty():
            return
        last = times.max()
        assert isinstance(last, datetime)  # noqa: S101 (of a column of instants)
        latest = min(last.astimezone(UTC), self.now)
        if self.greatest is None or latest > self.greatest:
            self.greatest, self.first_seen = latest, self.now

    def state(self) -> dict[str, str | None]:
        """For a cursor."""
        return {"greatest": _text(self.greatest), "first_seen": _text(self.first_seen)}


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
