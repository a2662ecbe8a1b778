"""Where a lake's tables lie: the list of their files at one moment, by a local path or an address of fsspec."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import fsspec
import polars as pl
from fsspec.implementations.local import LocalFileSystem

from connector.errors import Denied, Misconfigured, Problem, Retry

#: What a file of Parquet is called.
_PARQUET = (".parquet", ".parq", ".pq")
_DELTA = "_delta_log"
#: How Hive writes a partition without a value.
_NOTHING = "__HIVE_DEFAULT_PARTITION__"
#: Folders below the lake that are looked into for tables.
_DEPTH = 4
#: What a store tells of a file that changes with it, the surest first.
_MARKS = ("ETag", "etag", "md5", "LastModified", "last_modified", "mtime", "created")
#: Scheme → what its file system is installed as.
_PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs",
    "oss": "ossfs", "hdfs": "pyarrow", "sftp": "paramiko",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class File:
    """One file, as it is now."""

    path: str
    size: int
    #: When it was written, or another mark that changes with it.
    mark: str
    #: Partition column → value, as its folders say.
    parts: tuple[tuple[str, str | None], ...] = ()
    #: Seconds since 1970 of its last write; None: the store does not say.
    written: float | None = None


class Place:
    """A folder, local or of a store that fsspec knows."""

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        #: As it is called in messages: an address may hold a secret.
        self.host = PurePosixPath(address.partition("?")[0].rstrip("/")).name or address.partition(":")[0]
        scheme = address.partition("://")[0]
        try:
            self._fs, self._root = fsspec.core.url_to_fs(address, **options)
        except (ImportError, ValueError) as error:
            if scheme in _PACKAGES:
                raise Misconfigured("E-DB-DRIVER", name=scheme, package=_PACKAGES[scheme]) from None
            raise Misconfigured("E-FILE", file=self.host, detail=type(error).__name__) from None
        self.local = isinstance(self._fs, LocalFileSystem)
        self._root = self._root.rstrip("/")

    def tables(self) -> list[str]:
        """Names of tables below: folders of Parquet, single files without their ending, Delta tables."""
        with self.asked():
            # A list that was kept may be of yesterday.
            self._fs.invalidate_cache()
            if not self._fs.isdir(self._root):
                raise Misconfigured("E-FILE", file=self.host, detail="there is no such folder")
            return sorted(set(self._tables(self._root, "", 0)))

    def find(self, name: str, path: str) -> tuple[str, bool]:
        """Path of a table (`path`: declared), and whether it is a Delta table. Raises Misconfigured: there is none."""
        place = f"{self._root}/{path or name}"
        if ".." in PurePosixPath(path or name).parts:
            raise Misconfigured("E-CRM-OBJECT", host=self.host, name=name)
        with self.asked():
            self._fs.invalidate_cache()
            if name == self.host and self._fs.isdir(f"{self._root}/{_DELTA}"):
                # The address is that of one table.
                place = self._root
            if self._fs.isdir(place):
                return place, bool(self._fs.isdir(f"{place}/{_DELTA}"))
            found = next((each for ending in ("", *_PARQUET) if self._fs.isfile(each := f"{place}{ending}")), None)
        if found is None:
            raise Misconfigured("E-CRM-OBJECT", host=self.host, name=name)
        return found, False

    def files(self, place: str) -> list[File]:
        """Its files of Parquet, in the order of their names; hidden ones and those of a job that runs are left out."""
        with self.asked():
            found = _below(place) if self.local else self._fs.find(place, detail=True)
        shown = sorted(path for path in found if path.lower().endswith(_PARQUET) and not _is_hidden(path[len(place) :]))
        return [_file(path, found[path], path[len(place) :]) for path in shown]

    def address(self, place: str) -> str:
        """A path with the scheme of its store."""
        return place if self.local else str(self._fs.unstrip_protocol(place))

    def lazy(self, file: File) -> pl.LazyFrame:
        """A file's rows with its partition columns; one of a remote store is fetched whole."""
        with self.asked():
            source = file.path if self.local else io.BytesIO(self._fs.cat_file(file.path))
            frame = pl.scan_parquet(source, hive_partitioning=False, glob=False)
        return frame.with_columns(pl.lit(value, pl.String).alias(name) for name, value in file.parts)

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Raises Problem for what a store, or a reader of Parquet, raises within."""
        try:
            yield
        except Problem:
            raise
        except Exception as error:  # noqa: BLE001  Each store raises kinds of its own.
            raise problem_of(error, self.host) from None

    def _tables(self, folder: str, before: str, depth: int) -> Iterator[str]:
        entries = self._fs.ls(folder, detail=True)
        named = sorted((PurePosixPath(each["name"].rstrip("/")).name, each["type"]) for each in entries)
        files = [name for name, kind in named if kind == "file" and name.lower().endswith(_PARQUET)]
        folders = [name for name, kind in named if kind == "directory"]
        if _DELTA in folders or (before and (files or any("=" in each for each in folders))):
            yield before or self.host
            return
        yield from (_bare(name) for name in files)
        for each in folders if depth < _DEPTH else ():
            if not _is_hidden(each):
                yield from self._tables(f"{folder}/{each}", f"{before}{'/' if before else ''}{each}", depth + 1)


def problem_of(error: Exception, host: str) -> Problem:
    """What a file system, a store or a reader of Parquet raised; its own words may hold addresses with secrets."""
    kind = type(error).__name__
    if isinstance(error, PermissionError) or "Credential" in kind or "Authentication" in kind:
        return Denied("E-CRM-PERMISSION", host=host, detail=kind)
    if isinstance(error, FileNotFoundError):
        return Retry("E-LAKE-CHANGED", host=host)
    if isinstance(error, pl.exceptions.PolarsError):
        return Misconfigured("E-FILE", file=host, detail=f"no Parquet that can be read, {kind}")
    if isinstance(error, OSError):
        return Retry("E-CRM-UNREACHABLE", host=host)
    return Misconfigured("E-FILE", file=host, detail=kind)


def digest(files: Sequence[File]) -> str:
    """Changes when a file of the list does, or the list itself."""
    told = "\n".join(f"{each.path}\0{each.size}\0{each.mark}" for each in files)
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def _below(place: str) -> dict[str, dict[str, Any]]:
    """Local files with what tells that they changed; links are followed, and no folder is entered twice."""
    if Path(place).is_file():
        return {place: _told(place)}
    found: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    for folder, below, names in os.walk(place, followlinks=True):
        seen.add(str(Path(folder).resolve()))
        below[:] = sorted(each for each in below if str((Path(folder) / each).resolve()) not in seen)
        found |= {f"{folder}/{name}": _told(f"{folder}/{name}") for name in names if name.lower().endswith(_PARQUET)}
    return found


def _told(path: str) -> dict[str, Any]:
    stat = Path(path).stat()
    # A copy may keep the time of its original, and no program sets that of the change of the file itself.
    return {
        "size": stat.st_size,
        "mtime": stat.st_mtime,
        "etag": f"{stat.st_ctime_ns}-{stat.st_mtime_ns}-{stat.st_ino}",
    }


def _file(path: str, told: Mapping[str, Any], below: str) -> File:
    mark = next((str(told[key]) for key in _MARKS if told.get(key)), "")
    pairs = (each.partition("=") for each in PurePosixPath(below.strip("/")).parts[:-1] if "=" in each)
    parts = tuple((unquote(name), None if value == _NOTHING else unquote(value)) for name, _, value in pairs)
    at = next((told[key] for key in ("mtime", "LastModified", "last_modified", "created") if told.get(key)), None)
    written = at.timestamp() if isinstance(at, datetime) else float(at) if isinstance(at, int | float) else None
    return File(path, int(told.get("size") or 0), mark, parts, written)


def _is_hidden(below: str) -> bool:
    """In a folder whose name begins with a point or an underscore, as jobs that run call theirs, or such a file."""
    return any(each.startswith((".", "_")) and "=" not in each for each in PurePosixPath(below.strip("/")).parts)


def _bare(name: str) -> str:
    return next((name.removesuffix(ending) for ending in _PARQUET if name.endswith(ending)), name)
