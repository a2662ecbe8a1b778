"""Bringing a profile's store up to date with this zixin, after a backup of it as it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sync import backup
from sync.locks import whole_profile
from sync.store import dialect, migrations
from sync.store.revision import alone, behind, bring_up


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What became of a store: its revision before, its revision now, and the backup of the store before."""

    found: str
    now: str
    kept: Path


def upgrade(folder: Path, profile: str, now: datetime) -> Upgraded | None:
    """Bring the store of the profile in *folder* to the newest revision; None: it is, or there is none.

    The backup, for its owner only, stays in *folder*, and `zixin restore` of the release before takes it. A kill leaves
    the store as it was or as it is to be. Raises Busy: `zixin serve` or a run is on, or another process has the store
    open; Misconfigured: the store is of a later release or not ours, or the backup cannot be written.
    """
    path = folder / backup.STORE
    if behind(path) is None:
        return None
    with whole_profile(folder, profile), alone(path) as db:
        match = dialect.revision_of(db)
        if match is None or match >= migrations.HEAD:
            # Another process was first.
            return None
        # One of the same second may be left of an upgrade that was killed.
        result = backup.free_path(folder / f"before-{migrations.HEAD}-{now:%Y%m%dT%H%M%S}.tar.gz")
        backup.write(db, folder, profile, result, now)
        try:
            bring_up(db, path)
        except BaseException:
            # While the store is what it was: a job that tries every hour does not fill the disk with copies of it. A
            # Ctrl-C may also come when the new tables are in force already.
            if dialect.revision_of(db) == match:
                result.unlink()
            raise
    return Upgraded(match, migrations.HEAD, result)
