"""A profile's folder in one file, and back: the store as it is at one moment, its settings, its sealed connections.

The key that the secrets are sealed with is never in it, and is not needed to make one. Left out, too: access tokens,
locks, counts of calls, logs; a CRM gives a new token, and the rest is of the moment.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.errors import Misconfigured
from sync.shared import PAUSED, push_lease, run_lock, serve_lease
from sync.store.revision import alone, behind, bring_up

#: The store's file in a profile's folder.
STORE = "zixin.db"
_MANIFEST, _LAST = "manifest.json", "backup.last"
_FORMAT = 1
#: An event that is being written is waited for, no longer.
_PUSH_S = 10.0
#: Settings beside the store.
_SETTINGS = ("*.yaml", "*.json", PAUSED)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    format: int
    made_at: str
    profile: str
    #: Table → rows.
    rows: dict[str, int]
    #: File → SHA-256 of its bytes, in hex.
    files: dict[str, str]


def make(folder: Path, profile: str, file: Path, now: datetime) -> Manifest:
    """Write a backup, whole or not at all, while the profile is in use: runs, events and writes go on.

    Raises Misconfigured: there is no store, the copy is damaged, or the file cannot be written or is there already.
    """
    if not (folder / STORE).exists():
        raise Misconfigured("E-NO-CONNECTION", profile=profile)
    with closing(_readable(folder / STORE)) as db:
        manifest = write(db, folder, profile, file, now)
    (folder / _LAST).write_text(manifest.made_at)
    return manifest


def write(db: sqlite3.Connection, folder: Path, profile: str, file: Path, now: datetime) -> Manifest:
    """Write a backup of the store that *db* is connected to and of the settings in *folder*; raises as `make` does.

    Of *db* no transaction may be open. It is not noted as the profile's last backup.
    """
    if file.exists():
        raise Misconfigured("E-BACKUP-THERE", file=str(file))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".zixin-", dir=file.parent) as place:
            copy = Path(place) / STORE
            _copied(db, folder / STORE, copy)
            parts = {STORE: copy, **{path.name: path for path in sorted(_settings(folder))}}
            files = {name: _digest(path) for name, path in parts.items()}
            manifest = Manifest(_FORMAT, now.isoformat(timespec="seconds"), profile, rows(copy), files)
            made = Path(place) / "made"
            _pack(made, parts, manifest)
            made.replace(file)
    except OSError as error:
        raise Misconfigured("E-BACKUP-WRITE", file=str(file), detail=str(error.strerror)) from None
    return manifest


def put_back(file: Path, folder: Path, profile: str, now: datetime, *, replace: bool) -> Manifest:
    """Make the profile what the backup holds; a profile that is there is moved aside, not deleted.

    Raises Misconfigured, and changes nothing: the file is no backup, was damaged, is of a later zixin, or the profile
    is there and is not to be replaced; Busy: a run is on, or `zixin serve`.
    """
    there = (folder / STORE).exists()
    if there and not replace:
        raise Misconfigured("E-RESTORE-THERE", profile=profile)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(prefix=".zixin-", dir=folder.parent) as place:
        made = Path(place) / "profile"
        made.mkdir(mode=0o700)
        manifest = _unpacked(file, made)
        if behind(made / STORE) is not None:
            with alone(made / STORE) as db:
                bring_up(db, made / STORE)
        if there:
            # One that serves would go on writing into the store that is moved aside.
            with serve_lease(folder, profile), run_lock(folder, profile), push_lease(folder, _PUSH_S):
                _left_alone(folder / STORE)
                folder.replace(folder.with_name(f"{folder.name}.before-{now:%Y%m%dT%H%M%S}"))
                made.replace(folder)
        else:
            folder.mkdir(exist_ok=True, mode=0o700)
            # What a kill left of a store that is gone would be taken for the log of this one.
            for left in (folder / f"{STORE}-wal", folder / f"{STORE}-shm"):
                if left.exists():
                    left.replace(left.with_name(f"{left.name}.before-{now:%Y%m%dT%H%M%S}"))
            for path in made.iterdir():
                path.replace(folder / path.name)
    return manifest


def last(folder: Path) -> datetime | None:
    """When the profile was backed up last; None: never, as far as its folder says."""
    try:
        return datetime.fromisoformat((folder / _LAST).read_text())
    except (OSError, ValueError):
        return None


def rows(store: Path) -> dict[str, int]:
    """Table → rows of a store that nobody writes into."""
    with closing(_readable(store)) as db:
        tables = [row[0] for row in db.execute("select name from sqlite_schema where type = 'table' order by name")]
        return {
            name: db.execute(f'select count(*) from "{name}"').fetchone()[0]  # noqa: S608 (names of its own schema)
            for name in tables
        }


def _readable(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30.0)


def _copied(db: sqlite3.Connection, store: Path, copy: Path) -> None:
    """A copy of one moment; readers and the writer are not kept waiting (sqlite.org/lang_vacuum.html, VACUUM INTO)."""
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT, 0o600))
    try:
        db.execute("vacuum into ?", (str(copy),)).close()
        with closing(_readable(copy)) as db:
            found = db.execute("pragma integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        raise Misconfigured("E-STORE-OPEN", path=str(store), detail=str(error)) from None
    if found != "ok":
        raise Misconfigured("E-STORE-OPEN", path=str(store), detail=found)


def _left_alone(store: Path) -> None:
    """Raises Busy where another process has the store open: one of 0.1.0 serves without the lease."""
    # A store that is beyond opening is what a backup is put back for.
    with suppress(Misconfigured), alone(store):
        pass


def _settings(folder: Path) -> Iterator[Path]:
    for pattern in _SETTINGS:
        yield from (path for path in folder.glob(pattern) if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(made: Path, parts: dict[str, Path], manifest: Manifest) -> None:
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as archive:
            text = json.dumps(asdict(manifest), indent=1).encode()
            head = tarfile.TarInfo(_MANIFEST)
            head.size, head.mode = len(text), 0o600
            archive.addfile(head, io.BytesIO(text))
            for name, path in parts.items():
                archive.add(path, name, recursive=False, filter=_anonymous)
        raw.flush()
        os.fsync(raw.fileno())


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


def _unpacked(file: Path, place: Path) -> Manifest:
    """Every file that the manifest names, and no other, proven by its digest."""
    try:
        with tarfile.open(file, "r:gz") as archive:
            told = json.loads(_bytes(archive, _MANIFEST).read())
            manifest = Manifest(**told)
            for name in manifest.files:
                if Path(name).name != name:
                    raise Misconfigured("E-RESTORE-FILE", file=str(file), detail=f"a file named {name!r}")
                with os.fdopen(os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    source = _bytes(archive, name)
                    while part := source.read(1 << 20):
                        out.write(part)
    except (OSError, EOFError, ValueError, KeyError, TypeError, tarfile.TarError) as error:
        raise Misconfigured("E-RESTORE-FILE", file=str(file), detail=type(error).__name__) from None
    broken = [name for name, digest in manifest.files.items() if _digest(place / name) != digest]
    if broken or manifest.format != _FORMAT or STORE not in manifest.files:
        detail = f"{broken[0]} was changed" if broken else f"format {manifest.format}"
        raise Misconfigured("E-RESTORE-FILE", file=str(file), detail=detail)
    return manifest


def _bytes(archive: tarfile.TarFile, name: str) -> io.BufferedReader:
    found = archive.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found  # type: ignore[return-value]
