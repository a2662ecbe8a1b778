"""Where the next read begins comes from rows, whatever any clock says."""

from datetime import UTC, datetime, timedelta

import polars as pl

from adapters.common.watermark import Watermark

OVERLAP = timedelta(minutes=5)
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)


def read(state: dict[str, str | None], at: datetime, *rows: str | None) -> Watermark:
    mark = Watermark.of(state, OVERLAP, at)
    mark.see(pl.Series(rows, dtype=pl.String))
    return mark


def test_the_next_read_begins_before_the_last_row_and_not_at_any_clock() -> None:
    first = read({}, NOON, "2026-06-30T09:00:00+00:00", None, "2026-06-30T18:30:00.5+0800")

    assert first.greatest == datetime(2026, 6, 30, 10, 30, 0, 500_000, tzinfo=UTC)
    assert Watermark.of(first.state(), OVERLAP, NOON).since == first.greatest - OVERLAP


def test_no_rows_no_move() -> None:
    first = read({}, NOON, "2026-06-30T09:00:00Z")
    later = read(first.state(), NOON + timedelta(minutes=1))

    assert later.state() == first.state()
    assert read({}, NOON).since is None


def test_once_nothing_older_can_be_committed_the_last_rows_need_not_come_again() -> None:
    state = read({}, NOON, "2026-06-30T09:00:00.25Z").state()

    assert Watermark.of(state, OVERLAP, NOON + timedelta(minutes=4)).since == datetime(
        2026, 6, 30, 8, 55, 0, 250_000, UTC
    )
    assert Watermark.of(state, OVERLAP, NOON + OVERLAP).since == datetime(2026, 6, 30, 9, 0, 1, tzinfo=UTC)


def test_a_row_that_is_dated_ahead_hides_nothing_that_changes_before() -> None:
    state = read({}, NOON, "2126-01-01T00:00:00Z").state()

    since = Watermark.of(state, OVERLAP, NOON + timedelta(days=3)).since

    assert since is not None
    assert since <= NOON + timedelta(seconds=1)


def test_a_cursor_of_the_release_before_begins_where_it_was_to() -> None:
    assert Watermark.of({"since": "2026-06-30T09:00:00+00:00"}, OVERLAP, NOON).since == NOON - timedelta(hours=3)


def test_times_that_are_none_are_left_out() -> None:
    assert read({}, NOON, "yesterday", "").greatest is None
