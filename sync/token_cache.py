"""Access tokens that the processes of one profile share, and what their calls cost. Files in its folder, 0600."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import Timeout

from connector.errors import Denied, Exhausted, Retry
from sync.locks import locked
from sync.vault import Vault

#: Longer than any refresh of a token takes, with its retries.
_TOKEN_WAIT_S = 150.0
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
            stored = json.loads(self._vault.open(self._path.read_text()))
            return stored["token"], datetime.fromisoformat(stored["expires_at"])
        except (OSError, ValueError, KeyError, Denied):
            # A token that cannot be read is asked for anew.
            return None

    def put(self, token: str, expires_at: datetime) -> None:
        text = json.dumps({"token": token, "expires_at": expires_at.isoformat()})
        private_text(self._path, self._vault.seal(text))


class ProfileShared:
    """The `Shared` port over a profile's folder; tokens are sealed."""

    def __init__(
        self, folder: Path, vault: Vault, clock: Callable[[], datetime] = _now, ahead: timedelta = timedelta()
    ) -> None:
        """`ahead`: how far the clock of a simulated CRM is declared to be ahead of ours."""
        self._folder, self._ahead = folder, ahead
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

    def now(self) -> datetime:
        """Our clock, or the declared one of a simulator."""
        return self._clock() + self._ahead

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
            path = self._folder / f"{name}.spent.new"
            path.write_text(json.dumps(hours))
            path.replace(self._folder / f"{name}.spent")


def spent_today(folder: Path, name: str, now: datetime) -> int:
    """What a connection's calls cost in the last 24 hours."""
    return sum(_hours(folder, name, now).values())


def _hours(folder: Path, name: str, now: datetime) -> dict[str, int]:
    """Hour → what it cost; only those that count."""
    oldest = (now - timedelta(hours=24)).strftime(_HOUR)
    try:
        stored = json.loads((folder / f"{name}.spent").read_text())
        return {hour: int(cost) for hour, cost in stored.items() if hour >= oldest}
    except (OSError, ValueError, AttributeError):
        return {}


def private_text(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    result = path.with_name(f"{path.name}.new")
    handle = os.open(result, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    result.replace(path)
