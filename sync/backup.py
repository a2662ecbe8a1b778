"""A profile's folder in one file, and back: the store as it is at one moment, its settings, its sealed connections.

The key that the secrets are sealed with is never in it, and is not needed to make one. Left out, too: access tokens,
locks, counts of calls, logs; a CRM gives a new token, and the rest is of the moment.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from filelock import Timeout

from connector.errors import Misconfigured
from sync.locks import PAUSED, locked
from sync.store import dialect
from sync.store.problems import database_errors

#: The store's file in a profile's folder.
STORE = "zixin.db"
#: What a backup says of itself, and of which form that is.
MANIFEST, FORMAT = "manifest.json", 1
_LAST = "backup.last"
#: What work under way is called, which is nothing once nobody holds its lock.
_PLACE, _PLACE_LOCK = ".zixin-", "held"
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

    def text(self) -> str:
        """As a backup keeps it."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def of(cls, text: str) -> Manifest:
        """The manifest of that text; raises ValueError or TypeError where it is none."""
        manifest = cls(**json.loads(text))
        if not (
            isinstance(manifest.files, dict) and isinstance(manifest.rows, dict) and isinstance(manifest.made_at, str)
        ):
            raise TypeError("not the manifest of a backup")
        return manifest


def make(folder: Path, profile: str, file: Path, now: datetime) -> Manifest:
    """Write a backup, whole or not at all, while the profile is in use: runs, events and writes go on.

    Raises Misconfigured: there is no store, the copy is damaged, or the file cannot be written or is there already.
    """
    if not (folder / STORE).exists():
        raise Misconfigured("E-NO-CONNECTION", profile=profile)
    with database_errors(folder / STORE):
        db = dialect.connect_readonly(folder / STORE)
    with closing(db):
        manifest = write(db, folder, profile, file, now)
    with _writing(folder / _LAST):
        (folder / _LAST).write_text(manifest.made_at)
    return manifest


def write(db: dialect.Raw, folder: Path, profile: str, file: Path, now: datetime) -> Manifest:
    """Write a backup of the store that *db* is connected to and of the settings in *folder*; raises as `make` does.

    Of *db* no transaction may be open. It is not noted as the profile's last backup.
    """
    if file.exists():
        raise Misconfigured("E-BACKUP-THERE", file=str(file))
    with _writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with place(file.parent) as work:
            _copy_store(db, folder / STORE, work / STORE, file)
            # Copies, too: a file that is written meanwhile would not be what the manifest proves.
            parts = {STORE: work / STORE, **{path.name: _copy(path, work) for path in sorted(_settings(folder))}}
            files = {name: digest(path) for name, path in parts.items()}
            at = now.isoformat(timespec="seconds")
            manifest = Manifest(FORMAT, at, profile, dialect.counts(work / STORE), files)
            result = work / "made"
            _pack(result, parts, manifest)
            result.replace(file)
    return manifest


@contextmanager
def place(parent: Path) -> Iterator[Path]:
    """A folder in *parent* to work in, for its owner only, gone at the end; those that a kill left there go, too."""
    for left in parent.glob(f"{_PLACE}*"):
        # Whoever works in one holds its lock.
        if (left / _PLACE_LOCK).exists():
            with suppress(Timeout), locked(left / _PLACE_LOCK, wait_s=0):
                shutil.rmtree(left)
    path = Path(mkdtemp(prefix=_PLACE, dir=parent))
    try:
        with locked(path / _PLACE_LOCK, wait_s=0):
            yield path
    finally:
        shutil.rmtree(path)


def free_path(path: Path) -> Path:
    """That path, or where there is such a file the first of NAME-2, NAME-3, … that there is none of."""
    stem, suffixes = path.name.partition(".")[0], "".join(path.suffixes)
    names = itertools.chain([path.name], (f"{stem}-{number}{suffixes}" for number in itertools.count(2)))
    return next(each for name in names if not (each := path.with_name(name)).exists())


def last(folder: Path) -> datetime | None:
    """When the profile was backed up last; None: never, as far as its folder says."""
    try:
        return datetime.fromisoformat((folder / _LAST).read_text())
    except (OSError, ValueError):
        return None


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Misconfigured("E-BACKUP-WRITE", file=str(file), detail=str(error.strerror)) from None


def _copy_store(db: dialect.Raw, store: Path, copy: Path, file: Path) -> None:
    try:
        wrong = dialect.copy(db, copy)
    except dialect.ERRORS as error:
        # The store is only read here: it is the copy that needs room.
        if dialect.trouble(error) == "full":
            raise Misconfigured("E-BACKUP-WRITE", file=str(file), detail=str(error)) from None
        raise Misconfigured("E-STORE-OPEN", path=str(store), detail=str(error)) from None
    if wrong is not None:
        raise Misconfigured("E-STORE-OPEN", path=str(store), detail=wrong)


def _copy(path: Path, folder: Path) -> Path:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Misconfigured("E-FILE", file=str(path), detail=str(error.strerror)) from None
    (folder / path.name).write_bytes(text)
    return folder / path.name


def _settings(folder: Path) -> Iterator[Path]:
    for pattern in _SETTINGS:
        yield from (path for path in folder.glob(pattern) if path.is_file())


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(made: Path, parts: dict[str, Path], manifest: Manifest) -> None:
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as archive:
            text = manifest.text().encode()
            head = tarfile.TarInfo(MANIFEST)
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
