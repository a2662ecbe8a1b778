"""A server's clock, as its answers tell it: it does not go back because an answer was slow."""

import time
from email.utils import formatdate

from adapters.common.http import Http, HttpResponse


def told(http: Http, sent: float, date: float) -> float:
    http._tell_time(HttpResponse(200, b"", {"Date": formatdate(date, usegmt=True)}), sent)
    return http.skew_s


def test_a_slow_answer_does_not_turn_the_clock_back() -> None:
    http = Http({"http://x"}, lambda _: None)
    now = time.time()
    behind = now - 86_400

    first = told(http, now, behind)
    slow = told(http, now - 30, behind - 29)

    assert -86_402 < first <= -86_399
    assert slow >= first
    # The server's own clock was set back by an hour: that is followed.
    assert told(http, time.time(), behind - 3_600) < first - 3_590


def test_a_date_that_is_none_tells_nothing() -> None:
    http = Http({"http://x"}, lambda _: None)
    http._tell_time(HttpResponse(200, b"", {"Date": "yesterday"}), 0.0)

    assert http.skew_s == 0.0
