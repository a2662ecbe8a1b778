import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.errors import Busy, Exhausted
from sync.locks import run_lock
from sync.token_cache import ProfileShared, spent_today
from sync.vault import Vault

VAULT = Vault("k" * 32, "test")
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_token_is_kept_for_its_owner_only_and_a_broken_one_is_asked_for_anew(tmp_path: Path) -> None:
    shared = ProfileShared(tmp_path / "p", VAULT)
    with shared.token("zoho") as slot:
        assert slot.get() is None
        slot.put("secret", LATER)
    with shared.token("zoho") as slot:
        assert slot.get() == ("secret", LATER)
    file = tmp_path / "p" / "zoho.token"
    assert file.stat().st_mode & 0o077 == 0
    assert "secret" not in file.read_text()
    # After a restore without the key the token is asked for anew.
    with ProfileShared(tmp_path / "p", Vault("another key of thirty-two letters", "test")).token("zoho") as slot:
        assert slot.get() is None

    file.write_text("{")
    with shared.token("zoho") as slot:
        assert slot.get() is None


def test_threads_hold_a_token_one_after_the_other(tmp_path: Path) -> None:
    shared = ProfileShared(tmp_path, VAULT)
    inside: list[int] = []

    def hold(_: int) -> int:
        with shared.token("zoho"):
            inside.append(1)
            most = len(inside)
            inside.pop()
            return most

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(hold, range(40))) == {1}


def test_what_calls_cost_is_counted_across_threads_and_processes_for_a_day(tmp_path: Path) -> None:
    now = [datetime(2026, 3, 1, 10, 59, tzinfo=UTC)]
    one, other = (ProfileShared(tmp_path, VAULT, lambda: now[0]) for _ in range(2))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: (one if n % 2 else other).take("zoho", 2, 100), range(45)))
    assert spent_today(tmp_path, "zoho", now[0]) == 90
    with pytest.raises(Exhausted, match="cap of 100 a day"):
        one.take("zoho", 11, 100)
    other.take("zoho", 10, 100)
    one.take("zoho", 10, None)

    now[0] += timedelta(hours=24)
    assert spent_today(tmp_path, "zoho", now[0]) == 110
    now[0] += timedelta(hours=1)
    one.take("zoho", 100, 100)
    assert spent_today(tmp_path, "zoho", now[0]) == 100


def test_a_second_run_of_a_profile_is_told_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from connector.errors import Busy; from sync.locks import run_lock\n"
        "try:\n with run_lock(Path(sys.argv[1]), 'p'): pass\n"
        "except Busy as busy: print(busy); sys.exit(busy.exit_code)"
    )
    with run_lock(tmp_path, "p"):
        other = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)

    assert (other.returncode, "Another run of the profile p" in other.stdout) == (7, True)
    with run_lock(tmp_path, "p"):
        pass


def test_the_lock_is_free_again_after_a_run_that_failed(tmp_path: Path) -> None:
    def fail() -> None:
        with run_lock(tmp_path, "p"):
            raise Busy("E-RUN-BUSY", profile="x")

    with pytest.raises(Busy):
        fail()
    with run_lock(tmp_path, "p"):
        pass
