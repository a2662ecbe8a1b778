"""What processes of one profile share: access tokens, and the lock of a run. Files in the profile's folder, 0600."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from connector.errors import Busy, Denied, Exhausted, Retry
from sync.vault import Vault

#: A file of that name in a profile's folder keeps zixin from writing into its CRM.
PAUSED = "paused"
#: Longer than any refresh of a token takes, with its retries.
_TOKEN_WAIT_S = 150.0
#: Longer than a night's writes take.
_PUSH_WAIT_S = 3_600.0
#: An event that is being written is waited for, no longer.
_EVENT_WAIT_S = 10.0


#: An hour's name in the file of what calls cost, in UTC.
_HOUR = "%Y-%m-%dT%H"


def _now() -> datetime:
    return datetime.now(UTC)


class _Slot:
    def __init__(self, path: Path, vault: Vault) -> None:
        self._path = path
        self._vault = vault

    def get(self) -> tuple[str, datetime] | None:
        try:
            kept = json.loads(self._vault.open(self._path.read_text()))
            return kept["token"], datetime.fromisoformat(kept["expires_at"])
        except (OSError, ValueError, KeyError, Denied):
            # A token that cannot be read is asked for anew.
            return None

    def put(self, token: str, expires_at: datetime) -> None:
        text = json.dumps({"token": token, "expires_at": expires_at.isoformat()})
        private_text(self._path, self._vault.seal(text))


class ProfileShared:
    """The `Shared` port over a profile's folder; tokens are sealed."""

    def __init__(self, folder: Path, vault: Vault, clock: Callable[[], datetime] = _now) -> None:
        self._folder = folder
        self._clock = clock
        self._vault = vault

    @contextmanager
    def token(self, name: str) -> Iterator[_Slot]:
        """The token of that name, locked across threads and processes."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with locked(self._folder / f"{name}.token.lock", _TOKEN_WAIT_S):
                yield _Slot(self._folder / f"{name}.token", self._vault)
        except Timeout:
            raise Retry("E-STORE-BUSY", path=str(self._folder)) from None

    def take(self, name: str, amount: int, cap: int | None) -> None:
        """Count what calls cost, by the hour of our clock. Raises Exhausted where the cap would be passed."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self._folder / f"{name}.spent.lock", _TOKEN_WAIT_S):
            hours = _hours(self._folder, name, self._clock())
            if cap is not None and sum(hours.values()) + amount > cap:
                raise Exhausted("E-QUOTA-CAP", name=name, cap=cap)
            hour = self._clock().strftime(_HOUR)
            hours[hour] = hours.get(hour, 0) + amount
            # Neither secret nor dear: what a crash loses is a few calls' count.
            made = self._folder / f"{name}.spent.new"
            made.write_text(json.dumps(hours))
            made.replace(self._folder / f"{name}.spent")


def spent_today(folder: Path, name: str, now: datetime) -> int:
    """What a connection's calls cost in the last 24 hours."""
    return sum(_hours(folder, name, now).values())


def _hours(folder: Path, name: str, now: datetime) -> dict[str, int]:
    """Hour → what it cost; only those that count."""
    oldest = (now - timedelta(hours=24)).strftime(_HOUR)
    try:
        kept = json.loads((folder / f"{name}.spent").read_text())
        return {hour: int(cost) for hour, cost in kept.items() if hour >= oldest}
    except (OSError, ValueError, AttributeError):
        return {}


def locked(path: Path, wait_s: float) -> FileLock:
    """The lock of that file, which only its owner can read; raises Timeout where another process has it for longer."""
    # A lock of its own each time: FileLock is reentrant within a thread, not between threads.
    return FileLock(path, timeout=wait_s, thread_local=False, mode=0o600)


@contextmanager
def run_lock(folder: Path, profile: str) -> Iterator[None]:
    """Held by the one run of a profile; raises Busy at once when another holds it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = locked(folder / "run.lock", 0)
    try:
        lock.acquire()
    except Timeout:
        raise Busy("E-RUN-BUSY", profile=profile) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def serve_lease(folder: Path, profile: str) -> Iterator[None]:
    """Held by the one process that serves a profile, for as long as it does; raises Busy at once when another does.

    Whoever changes the store's tables, or puts another store in its place, takes it, too.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with locked(folder / "serve.lock", 0):
            yield
    except Timeout:
        raise Busy("E-SERVE-BUSY", profile=profile) from None


@contextmanager
def push_lease(folder: Path, wait_s: float = _PUSH_WAIT_S) -> Iterator[None]:
    """Held by the one that writes into the CRM, for as long as it does: an event and the night never mix."""
    try:
        with locked(folder / "push.lock", wait_s):
            yield
    except Timeout:
        raise Retry("E-STORE-BUSY", path=str(folder)) from None


@contextmanager
def whole_profile(folder: Path, profile: str) -> Iterator[None]:
    """Held by whoever changes the store's tables or puts another store in its place: no run, no event, no server.

    Raises Busy at once where a run or `zixin serve` is on, Retry after ten seconds where an event is written.
    """
    with serve_lease(folder, profile), run_lock(folder, profile), push_lease(folder, _EVENT_WAIT_S):
        yield


def paused(folder: Path) -> bool:
    """Whether a person has switched all writes off."""
    return (folder / PAUSED).exists()


def private_text(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    made = path.with_name(f"{path.name}.new")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
