"""The database driver's errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.errors import Busy, Misconfigured, Retry
from sync.store import dialect


@contextmanager
def database_errors(path: Path, *, alone: bool = False) -> Iterator[None]:
    """Raises what the driver says of the database at *path* as a problem: held by another one, full, not to be opened.

    `alone`: somebody wants the database alone, and is not helped by waiting: Busy, where it else is Retry.
    """
    try:
        yield
    except dialect.ERRORS as error:
        match dialect.trouble(error):
            case "held" if alone:
                raise Busy("E-STORE-IN-USE", path=str(path)) from error
            case "held":
                raise Retry("E-STORE-BUSY", path=str(path)) from error
            case _ if path.is_dir():
                raise Misconfigured("E-STORE-OPEN", path=str(path), detail="it is a folder") from error
            case "full":
                raise Misconfigured("E-STORE-FULL", path=str(path)) from error
            case "unusable":
                raise Misconfigured("E-STORE-OPEN", path=str(path), detail=dialect.words_of(error)) from error
        raise
    except OSError as error:
        raise Misconfigured("E-STORE-OPEN", path=str(path), detail=str(error.strerror)) from error
