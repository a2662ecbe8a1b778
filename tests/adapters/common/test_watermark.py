"""Where the next read begins comes from rows, and no clock moves it on."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from adapters.common.watermark import SECONDS, Watermark

OVERLAP = timedelta(minutes=5)
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def begun(state: dict[str, Any], ours: datetime, theirs: datetime | None = None) -> Watermark:
    return Watermark.of(state, OVERLAP, at(ours), ours if theirs is None else theirs)


def read(state: dict[str, Any], ours: datetime, *rows: str | None, theirs: datetime | None = None) -> dict[str, Any]:
    mark = begun(state, ours, theirs)
    mark.see(pl.Series(rows, dtype=pl.String))
    done: dict[str, Any] = json.loads(mark.done())
    return done


def stamped(moment: datetime) -> str:
    return moment.isoformat()


def test_the_next_read_begins_before_the_last_row_and_not_at_any_clock() -> None:
    state = read({}, NOON, "2026-06-30T09:00:00+00:00", None, "2026-06-30T18:30:00.5+0800")

    last = datetime(2026, 6, 30, 10, 30, 0, 500_000, tzinfo=UTC)
    assert begun(state, NOON).since == last - OVERLAP
    assert begun(state, NOON + timedelta(days=300)).since == last - OVERLAP


def test_no_rows_no_move() -> None:
    state = read({}, NOON, "2026-06-30T09:00:00Z")

    assert read(state, NOON + MINUTE) == state
    assert begun(read({}, NOON), NOON).since is None


def test_the_last_rows_come_once_more_after_the_overlap_and_then_only_those_of_their_second() -> None:
    last = NOON - timedelta(hours=3)
    state = read({}, NOON, stamped(last))
    early = read(state, NOON + 4 * MINUTE, stamped(last))
    assert begun(early, NOON + 4 * MINUTE).since == last - OVERLAP, "something older may still be committed"

    late = read(early, NOON + 6 * MINUTE, stamped(last - 2 * MINUTE), stamped(last))

    assert begun(late, NOON + 7 * MINUTE).since == last - timedelta(seconds=1)
    assert Watermark.of(late, OVERLAP, at(NOON), NOON, SECONDS).since == last + timedelta(seconds=1)
    again = read(late, NOON + 7 * MINUTE, stamped(last + MINUTE))
    assert begun(again, NOON + 8 * MINUTE).since == last + MINUTE - OVERLAP


def test_a_read_that_missed_the_overlap_proves_nothing() -> None:
    # One night after the other: what was committed late in the first one is read in the second one.
    state = read({}, NOON, stamped(NOON - MINUTE))

    assert begun(state, NOON + timedelta(days=1)).since == NOON - MINUTE - OVERLAP


@pytest.mark.parametrize("ahead", ["2126-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00", "2026-06-30T14:00:00Z"])
def test_a_row_that_is_dated_ahead_moves_nothing(ahead: str) -> None:
    last = NOON - timedelta(hours=1)
    state = read({}, NOON, stamped(last), ahead)

    assert begun(state, NOON + MINUTE).since == last - OVERLAP


def test_rows_that_are_all_dated_ahead_hide_nothing_that_comes() -> None:
    state = read({}, NOON, stamped(NOON + timedelta(hours=2)))

    assert begun(state, NOON + timedelta(hours=1)).since == NOON - OVERLAP


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+08:00", "1970-01-01T00:00:00Z"])
def test_a_day_that_stands_for_never_is_no_time(never: str) -> None:
    mark = begun({}, NOON)
    mark.see(pl.Series([never, None]))

    assert mark.done() == ""


def test_what_changes_while_a_long_read_goes_on_is_still_to_come() -> None:
    mark = begun({}, NOON)
    mark.see(pl.Series([stamped(NOON - timedelta(hours=1))]))
    # Cut, and gone on with two hours later; meanwhile a row of the first part changed.
    on = begun(json.loads(mark.midway()), NOON + timedelta(hours=2))
    on.see(pl.Series([stamped(NOON + timedelta(hours=1, minutes=50))]))

    assert begun(json.loads(on.done()), NOON + timedelta(hours=3)).since == NOON - timedelta(hours=1) - OVERLAP


@pytest.mark.parametrize("ours", [timedelta(days=3), timedelta(hours=20), timedelta(minutes=10)])
def test_a_clock_of_ours_that_is_ahead_hides_nothing(ours: timedelta) -> None:
    state = read({}, NOON + ours, stamped(NOON - MINUTE), stamped(NOON + MINUTE), theirs=NOON)

    since = begun(state, NOON + 2 * MINUTE).since
    assert since is not None
    assert since <= NOON + MINUTE


def test_a_date_of_another_age_does_not_stop_reads_from_moving_on() -> None:
    last = NOON - timedelta(days=1, hours=1)
    state = read({}, NOON, stamped(last), theirs=datetime(1970, 1, 1, tzinfo=UTC))

    assert begun(state, NOON).since == last - OVERLAP


def test_a_cursor_of_the_release_before_begins_where_it_was_to() -> None:
    assert begun({"since": "2026-06-30T09:00:00+00:00"}, NOON).since == NOON - timedelta(hours=3)
    assert begun({"since": "2026-06-30T09:00:00+00:00", "began": "2026-06-30T10:00:00+00:00"}, NOON).since is not None


def test_times_that_are_none_are_left_out() -> None:
    mark = begun({}, NOON)
    mark.see(pl.Series(["yesterday", ""]))

    assert mark.greatest is None
