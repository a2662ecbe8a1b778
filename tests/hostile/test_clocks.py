"""A CRM whose clock is off for a while: nothing that changes afterwards is hidden by it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.declarative.simulator.system import System
from tests.connector.scoring.books import books, invoice
from tests.contract.doubles import DOUBLES, Double, every
from tests.contract.test_reading import read
from tests.simulated import Slots
from tests.zixin.calls import FORTY, document, run, served
from zixin import compose
from zixin.config import settings
from zixin.services.loops import await_hour

HOUR_S, DAY_S = 3_600, 86_400


@pytest.fixture(params=every(heavy=True))
def double(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    """Forty invoices, in a CRM whose clock is its own affair."""
    monkeypatch.setattr(Slots, "declared", False)
    claims = [invoice(f"I{n:03d}", 100_00 + n, "2025-01-01", "2025-01-31", "A0") for n in range(40)]
    with DOUBLES[request.param](books(claims, [], "A0")) as result:
        yield result


@pytest.mark.parametrize("off_s", [2 * HOUR_S, 7 * DAY_S])
def test_a_clock_that_was_ahead_for_one_read_hides_no_later_change(double: Double, off_s: int) -> None:
    crm = double.crm()
    _, cursor, _ = read(double, "invoices", crm=crm)
    double.advance(off_s)
    double.edit("invoices", "I001", amount="1.00")
    frame, cursor, _ = read(double, "invoices", cursor, crm)
    assert "I001" in set(frame["number"])
    double.advance(-off_s)

    double.edit("invoices", "I002", amount="2.00")
    frame, cursor, _ = read(double, "invoices", cursor, crm)

    assert dict(frame.select("number", "amount").iter_rows())["I002"] == 2_00
    double.edit("invoices", "I003", amount="3.00")
    frame, _, _ = read(double, "invoices", cursor, crm)
    assert dict(frame.select("number", "amount").iter_rows())["I003"] == 3_00


def test_reads_without_rows_do_not_move_on(double: Double) -> None:
    crm = double.crm()
    _, cursor, _ = read(double, "invoices", crm=crm)
    for _ in range(3):
        # Nothing changes, and the clock of the answers runs away.
        double.advance(DAY_S)
        _, cursor, _ = read(double, "invoices", cursor, crm)
    double.advance(-3 * DAY_S)

    double.edit("invoices", "I002", amount="2.00")

    frame, _, _ = read(double, "invoices", cursor, crm)
    assert dict(frame.select("number", "amount").iter_rows())["I002"] == 2_00


def test_clocks_more_than_a_day_apart_rate_no_day(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    system.ahead_s += 2 * DAY_S

    assert run("sync") != 0
    assert "no day can be rated by either" in capsys.readouterr().err

    system.ahead_s -= 2 * DAY_S
    assert run("sync") == 0
    assert document(capsys, "status")["newest_day"] == datetime.now(UTC).date().isoformat()


def test_a_simulator_s_own_day_is_declared(system: System, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served("rest", FORTY, tmp_path, ahead_s=-400 * DAY_S) as up:
        told = json.loads(up.file.read_text()) | {"clock_ahead_s": str(-400 * DAY_S)}
        up.file.write_text(json.dumps(told))
        for words in (("connect", "rest", "--settings", str(up.file)), ("fields", "apply"), ("sync",)):
            assert run("--profile", "past", *words) == 0, capsys.readouterr().err
        day = (datetime.now(UTC) - timedelta(days=400)).date().isoformat()
        assert document(capsys, "--profile", "past", "status")["newest_day"] == day


def test_records_that_are_dated_ahead_are_listed(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    record = next(iter(system.objects["invoices"].values()))
    record["modified_at"] = (datetime.now(UTC) + timedelta(days=30)).isoformat()

    assert document(capsys, "sync")["dated_ahead"] == {"invoices": 1}
    assert run("sync") == 0
    assert "1 records are dated after now" in capsys.readouterr().out


def test_a_run_of_a_clock_that_ran_ahead_is_no_success(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    import sqlite3

    with sqlite3.connect(settings.profile_folder("default") / "zixin.db") as db:
        db.execute("update runs set finished_at = finished_at + ?", (100 * 365 * DAY_S * 1_000_000,))
    db.close()

    status = document(capsys, "status")

    assert status["last_success"] is None
    assert any("no run has ended well" in want["en"] for want in status["wants"])


def test_a_night_is_not_put_off_by_a_clock_that_is_set_back() -> None:
    at, looks = [datetime(2026, 6, 30, 1, 50, tzinfo=UTC)], []

    def wait(seconds: float) -> bool:
        looks.append(seconds)
        # Somebody sets the clock back by a day while it is awaited.
        at[0] += timedelta(seconds=seconds) - (timedelta(days=1) if len(looks) == 1 else timedelta())
        return len(looks) > 10

    assert await_hour("02:00", lambda: at[0], wait)
    assert at[0] == datetime(2026, 6, 29, 2, tzinfo=UTC)


def test_a_night_comes_once_where_the_clock_is_set_back_a_little() -> None:
    at, looks = [datetime(2026, 6, 30, 1, 50, tzinfo=UTC)], []

    def wait(seconds: float) -> bool:
        looks.append(seconds)
        at[0] += timedelta(seconds=seconds) - (timedelta(minutes=30) if len(looks) == 1 else timedelta())
        return False

    assert await_hour("02:00", lambda: at[0], wait)
    assert at[0] == datetime(2026, 6, 30, 2, tzinfo=UTC)
    assert max(looks) <= 300


def test_one_answer_with_the_date_of_another_day_stops_no_night(
    system: System,
) -> None:
    assert system.ahead_s == 0
    link = compose.open_attached("default").link
    link.crm._http.skew_s = 7.0 * DAY_S  # type: ignore[attr-defined]

    assert link.today() == datetime.now(UTC).date()
