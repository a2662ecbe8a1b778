"""Waiting for a thing, not for a time: a condition, a generous limit, and at its end what was waited for and seen."""

import time
from collections.abc import Callable
from subprocess import Popen
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

#: Nobody waits for so long on an idle machine; one beside other work may.
LIMIT_S = 120.0
#: For what answers at once: a call to a server of the test's own.
ANSWER_S = 60.0


def wait_for(
    what: str,
    look: Callable[[], T],
    is_there: Callable[[T], bool] = bool,
    *,
    limit_s: float = LIMIT_S,
    pause_s: float = 0.02,
    passing: tuple[type[Exception], ...] = (),
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What `look` saw once it is there; otherwise the test fails and says what was seen last.

    `passing`: errors of a look that the next one may not have, such as a refused connection.
    """
    started = clock()
    looks = 0
    while True:
        looks += 1
        try:
            result = look()
        except passing as error:
            seen = repr(error)
        else:
            if is_there(result):
                return result
            seen = repr(result)
        waited = clock() - started
        if waited >= limit_s:
            pytest.fail(f"waited {waited:.0f} s for {what}; looked {looks} times and saw last: {seen}")
        sleep(pause_s)


def code_of(process: Popen[Any], what: str) -> int:
    """The code that a process ends with."""
    code = wait_for(f"{what} to end", process.poll, lambda code: code is not None)
    assert code is not None
    return code
