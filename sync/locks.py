"""Locks that the processes of one profile share: one run, one server, one writer into the CRM. Files, 0600."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from connector.errors import Busy, Retry

#: A file of that name in a profile's folder keeps zixin from writing into its CRM.
PAUSED = "paused"
#: Longer than a night's writes take.
_PUSH_WAIT_S = 3_600.0
#: An event that is being written is waited for, no longer.
_EVENT_WAIT_S = 10.0


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
