"""One of those who share a token renews it; the others use what it got."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Thread

from adapters.common.tokens import SharedToken
from tests.simulated import Slots

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Vendor:
    """Gives a token that lives an hour, and a new refresh token with each."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def renew(self, kept: Mapping[str, str]) -> tuple[dict[str, str], timedelta]:
        self.asked.append(kept.get("refresh", "given"))
        return {"token": f"t{len(self.asked)}", "refresh": f"r{len(self.asked)}"}, timedelta(hours=1)


def token(vendor: Vendor, slots: Slots, now: datetime = NOON) -> SharedToken:
    return SharedToken(slots, "x", vendor.renew, lambda: now)


def test_it_is_renewed_before_it_ends_or_when_it_was_refused_and_what_came_with_it_goes_along() -> None:
    vendor, slots = Vendor(), Slots()

    assert token(vendor, slots).current() == {"token": "t1", "refresh": "r1"}
    assert token(vendor, slots, NOON + timedelta(minutes=58)).current()["token"] == "t1"
    # Another one renewed it meanwhile: what is refused now is not what is kept.
    assert token(vendor, slots).current("t0")["token"] == "t1"
    assert token(vendor, slots).current("t1")["token"] == "t2"
    assert token(vendor, slots, NOON + timedelta(minutes=59, seconds=30)).current()["token"] == "t3"
    assert vendor.asked == ["given", "r1", "r2"]


def test_twenty_who_are_refused_at_once_ask_for_one() -> None:
    vendor, slots = Vendor(), Slots()
    first = token(vendor, slots).current()["token"]

    threads = [Thread(target=token(vendor, slots).current, args=(first,)) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(vendor.asked) == 2


def test_what_a_release_of_before_kept_is_asked_for_anew() -> None:
    for text in ("1000.plain", "[1]", '{"other": 1}'):
        vendor, slots = Vendor(), Slots()
        slots.put(text, NOON + timedelta(hours=1))
        assert token(vendor, slots).current()["token"] == "t1"
