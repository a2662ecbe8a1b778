"""The database driver's errors as ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from connector.errors import Busy, Misconfigured, Retry


@contextmanager
def told(path: Path, *, alone: bool = False) -> Iterator[None]:
    """Raises what the driver says of the database at *path* as a problem: held by another one, full, not to be opened.

    `alone`: somebody wants the database alone, and is not helped by waiting: Busy, where it else is Retry.
    """
    try:
        yield
    except (sqlite3.Error, DBAPIError) as error:
        words = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        if "locked" in words and alone:
            raise Busy("E-STORE-IN-USE", path=str(path)) from error
        if "locked" in words:
            raise Retry("E-STORE-BUSY", path=str(path)) from error
        if path.is_dir():
            raise Misconfigured("E-STORE-OPEN", path=str(path), detail="it is a folder") from error
        if "disk is full" in words or "disk I/O" in words:
            raise Misconfigured("E-STORE-FULL", path=str(path)) from error
        if "unable to open" in words or "not a database" in words or "malformed" in words or "readonly" in words:
            raise Misconfigured("E-STORE-OPEN", path=str(path), detail=words) from error
        raise
    except OSError as error:
        raise Misconfigured("E-STORE-OPEN", path=str(path), detail=str(error.strerror)) from error
