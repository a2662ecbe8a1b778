"""A backup put back: staged beside the profile, then put in its place in steps that a kill cannot leave half done."""

from __future__ import annotations

import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from connector.errors import Misconfigured
from sync.backup import FORMAT, MANIFEST, STORE, Manifest, digest, free_path, place
from sync.locks import whole_profile
from sync.store.revision import alone, behind, bring_up

#: In a profile's folder: a backup whose files are all proven and are to take the place of what is there. From the
#: moment that it has this name, the profile is what it holds.
RESTORING = "restoring"
#: In it: the files, until the last one is in its place; and the folder that what was there goes to.
_FILES, _ASIDE = "files", "aside"
#: What it is called when all is done, until it is gone.
_DONE = ".restored"


def put_back(file: Path, folder: Path, profile: str, now: datetime, *, replace: bool) -> Manifest:
    """Make the profile what the backup holds; what is there is moved into a folder of its own, not deleted.

    A kill leaves the profile as it was, or a restore that `unfinished` tells of and the next call finishes. Raises
    Misconfigured, and changes nothing: the file is no backup, was damaged, is of a later zixin, there is no room, or
    the profile is there and is not to be replaced; Busy: a run is on, or `zixin serve`.
    """
    cut_off = unfinished(folder)
    _free_to_take(folder, profile, replace=replace or cut_off)
    with _writing(folder):
        # A folder of its own may be a disk of its own, and one that is not there is on its parent's.
        beside = folder if folder.is_dir() else folder.parent
        beside.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _writing(beside), place(beside) as staged:
        result = staged / RESTORING
        (result / _FILES).mkdir(parents=True, mode=0o700)
        manifest = _unpack_all(file, result / _FILES)
        _brought_up(result / _FILES / STORE, file)
        # One that serves would go on writing into the store that is moved aside.
        with whole_profile(folder, profile):
            before = finish(folder)
            if before == manifest:
                return manifest
            if before is not None and not replace:
                raise Misconfigured("E-RESTORE-OTHER", profile=profile, made_at=before.made_at, file=str(file))
            _free_to_take(folder, profile, replace=replace)
            _left_alone(folder / STORE)
            for empty in folder.glob("before-restore-*"):
                # Of a restore that was killed before it moved anything.
                with suppress(OSError):
                    empty.rmdir()
            aside = free_path(folder / f"before-restore-{now:%Y%m%dT%H%M%S}")
            if any(not _stays(path) for path in folder.iterdir()):
                # What may fail for want of room comes before the point of no return.
                aside.mkdir(mode=0o700)
            (result / _ASIDE).write_text(aside.name)
            (result / MANIFEST).write_text(manifest.text())
            _fsync(result / _ASIDE, result / MANIFEST, result / _FILES, result)
            result.rename(folder / RESTORING)
            _fsync(folder)
            finish(folder)
    return manifest


def unfinished(folder: Path) -> bool:
    """Whether a restore into that folder was cut off."""
    return (folder / RESTORING).exists()


def finish(folder: Path) -> Manifest | None:
    """Finish a restore that was cut off; the manifest of what was restored, None when there was none.

    The caller has the profile's leases.
    """
    result = folder / RESTORING
    if not result.exists():
        return None
    manifest = Manifest.of((result / MANIFEST).read_text())
    if (result / _ASIDE).exists():
        _moved_aside(folder, folder / (result / _ASIDE).read_text())
        # From here on what is in the folder is what was restored.
        (result / _ASIDE).unlink()
        _fsync(result)
    if (result / _FILES).exists():
        for path in sorted((result / _FILES).iterdir()):
            path.rename(folder / path.name)
        _fsync(folder)
        (result / _FILES).rmdir()
    # At once, or else a kill would leave something that can no longer be finished.
    done = folder / _DONE
    shutil.rmtree(done, ignore_errors=True)
    result.rename(done)
    shutil.rmtree(done, ignore_errors=True)
    return manifest


def _moved_aside(folder: Path, aside: Path) -> None:
    for path in sorted(folder.iterdir()):
        if not _stays(path):
            aside.mkdir(exist_ok=True, mode=0o700)
            path.rename(aside / path.name)
    if aside.exists():
        _fsync(aside, folder)


def _stays(path: Path) -> bool:
    """Locks, which processes hold by their file; backups and what was kept aside before; what is being put in place."""
    kept = path.name.startswith(("before-", ".")) or path.name == RESTORING
    return kept or path.suffix == ".lock" or path.name.endswith(".tar.gz")


def _free_to_take(folder: Path, profile: str, *, replace: bool) -> None:
    if (folder / STORE).exists() and not replace:
        raise Misconfigured("E-RESTORE-THERE", profile=profile)


def _brought_up(store: Path, file: Path) -> None:
    """Bring the backup's store to our revision; raises Misconfigured in the backup's name."""
    try:
        if behind(store) is not None:
            with alone(store) as db:
                bring_up(db, store)
    except Misconfigured as problem:
        raise type(problem)(problem.code, **{**problem.facts, "path": str(file)}) from None


def _left_alone(store: Path) -> None:
    """Raises Busy where another process has the store open: one of 0.1.0 serves without the lease."""
    if store.exists():
        # A store that is beyond opening is what a backup is put back for.
        with suppress(Misconfigured), alone(store):
            pass


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise Misconfigured("E-RESTORE-WRITE", path=str(folder), detail=detail) from None


def _fsync(*paths: Path) -> None:
    """Have the disk keep files, and names in folders, before what follows counts on them."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


#: What a damaged archive makes Python's readers raise.
_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, tarfile.TarError, zlib.error)


def _unpack_all(file: Path, into: Path) -> Manifest:
    """Every file that the manifest names, and no other, proven by its digest."""
    with _reading(file), tarfile.open(file, "r:gz") as archive:
        manifest = Manifest.of(_part(archive, MANIFEST).read().decode())
        if manifest.format != FORMAT or STORE not in manifest.files:
            raise Misconfigured("E-RESTORE-FILE", file=str(file), detail=f"format {manifest.format}")
        for name, proof in manifest.files.items():
            if Path(name).name != name or name.startswith("."):
                raise Misconfigured("E-RESTORE-FILE", file=str(file), detail=f"a file named {name!r}")
            _unpack(_part(archive, name), into / name)
            if digest(into / name) != proof:
                raise Misconfigured("E-RESTORE-FILE", file=str(file), detail=f"{name} was changed")
    return manifest


def _unpack(source: IO[bytes], target: Path) -> None:
    with _writing(target.parent):
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        # Errors of reading say something about the backup, errors of writing about this disk.
        while part := source.read(1 << 20):
            with _writing(target.parent):
                while part:
                    part = part[os.write(handle, part) :]
        with _writing(target.parent):
            os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise Misconfigured("E-RESTORE-FILE", file=str(file), detail=type(error).__name__) from None


def _part(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    i_o = archive.extractfile(name)
    if i_o is None:
        raise KeyError(name)
    return i_o
