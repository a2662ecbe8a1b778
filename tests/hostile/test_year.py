"""A year of nights: clock changes, a leap day, a CRM's clock ahead and behind, our own set; nothing of it costs a day.

The year is 2027 to 2028, which has the 29th of February, in a zone whose clocks go forward and back: at 02:30, an hour
that one night has not and another has twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from connector.assessment import OUTPUT_FIELDS
from connector.errors import Misconfigured
from connector.schema import day_number, day_of
from sync.crm_connection import CrmConnection
from sync.run import run
from sync.store import Store, ledger, tables
from tests.connector.scoring.books import POLICY, books, invoice
from tests.contract.doubles import DOUBLES, Double, every
from tests.simulated import Slots
from zixin.services.loops import await_hour

ZONE = ZoneInfo("Europe/Berlin")
HOUR, DAY = 3_600, 86_400
FIRST, LAST = date(2027, 11, 1), date(2028, 10, 31)
#: Day → how far the CRM's clock is off from then on, in seconds.
DRIFTS = {
    date(2027, 11, 10): 2 * HOUR, date(2027, 11, 14): 0, date(2027, 12, 5): -3 * HOUR, date(2027, 12, 9): 0,
    date(2028, 2, 27): 20 * HOUR, date(2028, 3, 2): 0, date(2028, 3, 24): -20 * HOUR, date(2028, 3, 29): 0,
    date(2028, 10, 27): 90, date(2028, 10, 30): -90,
}  # fmt: skip
#: Day → how far our own clock is set, in seconds, in the evening before its night.
SET = {date(2028, 1, 20): -HOUR, date(2028, 5, 2): 40 * 60, date(2028, 5, 20): -40 * 60}
#: Nights before which the CRM's clock is a week ahead, for an hour or so.
WEEK_AHEAD = {date(2027, 12, 20), date(2028, 2, 29), date(2028, 7, 1)}
#: The nights around them.
EVENTFUL = (
    (date(2027, 11, 9), date(2027, 11, 15)), (date(2027, 12, 4), date(2027, 12, 10)),
    (date(2027, 12, 19), date(2027, 12, 21)), (date(2028, 1, 19), date(2028, 1, 21)),
    (date(2028, 2, 26), date(2028, 3, 3)), (date(2028, 3, 23), date(2028, 3, 30)),
    (date(2028, 5, 1), date(2028, 5, 3)), (date(2028, 5, 19), date(2028, 5, 21)),
    (date(2028, 10, 26), date(2028, 10, 31)),
)  # fmt: skip
#: Nights for which a change may be missing: one that a CRM's clock which was set back dates before what was read waits
#: for the full read of its source.
MOST = 7


@dataclass
class Year:
    """A CRM, a store, and the clocks of both."""

    double: Double
    store: Store
    #: What our clock shows, and the time that it is.
    ours: datetime
    true: datetime
    off_s: float = 0.0
    #: Seconds by which the CRM's clock was advanced so far.
    _ahead_s: float = 0.0
    link: CrmConnection = field(init=False)

    def connect(self) -> None:
        self.tell()
        crm = self.double.crm()
        mapping = self.double.mapping.with_written(dict(crm.apply(OUTPUT_FIELDS)))
        self.link = CrmConnection("x", crm, mapping, crm.organisation(), time_zone=ZONE.key, clock=lambda: self.ours)

    def tell(self) -> None:
        """Sets the CRM's clock to the true time and its drift."""
        wanted = (self.true - datetime.now(UTC)).total_seconds() + self.off_s
        self.double.advance(round(wanted - self._ahead_s))
        self._ahead_s += round(wanted - self._ahead_s)

    def wait(self, seconds: float) -> bool:
        self.ours += timedelta(seconds=seconds)
        self.true += timedelta(seconds=seconds)
        return False

    def sleep(self) -> None:
        """Until the hour of the night, as `serve` waits for it."""
        assert await_hour("02:30", lambda: self.ours.astimezone(ZONE), self.wait)
        self.tell()

    def night(self) -> date:
        today = self.link.today(ask=True)
        assert run(self.store, self.link, POLICY, day_number(today), language="en").state == "done"
        return today

    def days(self) -> list[date]:
        table = tables.assessments
        with self.store.read("x") as session:
            query = select(table.c.as_of).where(session.own(table)).distinct().order_by(table.c.as_of)
            return [day_of(row) for row in session.tx.execute(query).scalars()]

    def amounts(self) -> dict[str, int]:
        with self.store.read("x") as session:
            return dict(ledger.load(session)["receivables"].select("number", "amount").iter_rows())


@pytest.fixture
def year(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Year]:
    claims = [invoice(f"I{n:03d}", 100_00 + n, "2027-10-01", "2027-12-31", f"A{n % 3}") for n in range(12)]
    start = datetime(FIRST.year, FIRST.month, FIRST.day, 12, tzinfo=ZONE).astimezone(UTC) - timedelta(days=1)
    with DOUBLES[getattr(request, "param", "rest")](books(claims, [], "A0")) as double:
        result = Year(double, Store(tmp_path / "zixin.db"), start, start)
        monkeypatch.setattr(Slots, "now", lambda _: result.ours)
        result.connect()
        yield result
        result.store.close()


def live(year: Year, first: date, last: date) -> tuple[list[date], int]:
    """Morning, night, morning …: the days that were rated, and for how many nights a change was missing at most."""
    morning = datetime(first.year, first.month, first.day, 2, 45, tzinfo=ZONE) - timedelta(days=1)
    year.wait((morning - year.ours).total_seconds())
    rated: list[date] = []
    wanted, since, longest, number = year.amounts(), {}, 0, 0

    def change(some: int) -> None:
        """Somebody changes an invoice."""
        key = f"I{number % 6 + some:03d}"
        year.double.edit("invoices", key, amount=f"{number}.{some:02d}")
        wanted[key], since[key] = number * 100 + some, number

    while (tomorrow := (year.ours.astimezone(ZONE) + timedelta(hours=24)).date()) <= last:
        year.off_s = DRIFTS.get(tomorrow, year.off_s)
        year.tell()
        number = tomorrow.toordinal()
        change(0)
        year.wait(12 * HOUR)
        year.ours += timedelta(seconds=SET.get(tomorrow, 0))
        if tomorrow in WEEK_AHEAD:
            right, year.off_s = year.off_s, 7 * DAY
            year.sleep()
            with pytest.raises(Misconfigured, match="no day can be rated"):
                year.night()
            year.off_s = right
            year.wait(HOUR)
            year.tell()
        else:
            year.sleep()
        # Shortly before the read; what the CRM's clock dates behind it, once it is set back, no later read asks for.
        change(6)
        rated.append(year.night())
        stored = year.amounts()
        longest = max([longest, *(number - since[key] + 1 for key in since if stored[key] != wanted[key])])
        year.wait(900)
    return rated, longest


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


@pytest.mark.slow
def test_around_a_leap_day_and_a_clock_change(year: Year) -> None:
    spring = (date(2028, 2, 26), date(2028, 3, 3)), (date(2028, 3, 24), date(2028, 3, 29))
    for first, last in spring:
        assert live(year, first, last) == (days(first, last), 0)


@pytest.mark.slow
@pytest.mark.parametrize("year", every(), indirect=True)
def test_each_night_on_which_something_happens_rates_its_day(year: Year) -> None:
    for first, last in EVENTFUL:
        rated, longest = live(year, first, last)
        assert rated == days(first, last)
        assert longest <= MOST


@pytest.mark.slow
def test_a_year_has_one_assessment_a_business_day_and_loses_no_change(year: Year) -> None:
    rated, longest = live(year, FIRST, LAST)

    assert rated == days(FIRST, LAST)
    assert year.days() == rated
    assert longest <= MOST
