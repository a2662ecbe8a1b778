"""How the tests wait."""

import pytest

from tests.waiting import wait_for


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_what_is_there_is_returned_however_many_looks_it_took() -> None:
    clock, values = Clock(), iter([0, -1, 3])

    def look() -> int:
        seen = next(values)
        if seen < 0:
            raise ConnectionError
        return seen

    value = wait_for("three", look, passing=(ConnectionError,), clock=clock, sleep=clock.sleep)

    assert value == 3
    assert clock.now == pytest.approx(0.04)


def test_the_end_says_what_was_waited_for_and_what_was_seen() -> None:
    clock = Clock()

    with pytest.raises(pytest.fail.Exception) as failed:
        wait_for(
            "an empty inbox", lambda: {"waiting": 1}, lambda seen: not seen["waiting"], clock=clock, sleep=clock.sleep
        )

    assert "for an empty inbox" in str(failed.value)
    assert "saw last: {'waiting': 1}" in str(failed.value)
    assert clock.now >= 120


def test_an_error_that_no_one_expects_is_told_at_once() -> None:
    clock = Clock()

    with pytest.raises(ZeroDivisionError):
        wait_for("anything", lambda: 1 // 0, clock=clock, sleep=clock.sleep)
