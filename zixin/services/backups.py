"""A profile's store: backed up, put back, brought up to date; and whether zixin may write into its CRM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connector.errors import Denied, Misconfigured
from sync import backup as backups
from sync import restore as restores
from sync.backup import STORE, Manifest
from sync.locks import PAUSED
from sync.upgrade import Upgraded, upgrade
from zixin.config import connections, settings


@dataclass(frozen=True, slots=True)
class Restored:
    """What a profile holds from now on."""

    manifest: Manifest
    #: The connection is sealed with another key than ours: what to do; None: it can be read, or there was none.
    sealed: Denied | None


@dataclass(frozen=True, slots=True)
class Ready:
    """What was done so that a command can work on the store."""

    #: Where a new one will lie; None: there is one.
    new: Path | None
    upgraded: Upgraded | None


def backup(profile: str, file: Path, now: datetime) -> Manifest:
    """Writes the profile into a file, while it is in use. Raises Misconfigured, as `sync.backup.make` does."""
    return backups.make(settings.profile_folder(profile), profile, file, now)


def restore(profile: str, file: Path, now: datetime, *, replace: bool) -> Restored:
    """Makes the profile what the file holds. Raises Misconfigured and Busy, as `sync.restore.put_back` does."""
    folder = settings.profile_folder(profile, restores=True)
    manifest = restores.put_back(file, folder, profile, now, replace=replace)
    try:
        connections.read(profile)
    except Denied as problem:
        return Restored(manifest, problem)
    except Misconfigured:
        pass  # It had no connection yet.
    return Restored(manifest, None)


def made_ready(profile: str, now: datetime) -> Ready:
    """Brings the store of an older release up to date. Raises as `sync.upgrade.upgrade` does."""
    folder = settings.profile_folder(profile)
    new = None if (folder / STORE).exists() else folder / STORE
    return Ready(new, upgrade(folder, profile, now))


def pause(profile: str) -> None:
    """Nothing is written into the CRM from now on; ratings are computed as ever."""
    folder = settings.profile_folder(profile)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / PAUSED).touch()


def resume(profile: str) -> None:
    """What waited is written by the next run or event."""
    (settings.profile_folder(profile) / PAUSED).unlink(missing_ok=True)
