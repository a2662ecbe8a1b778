"""A real PostgreSQL for tests: started in a temporary folder, without a port, and gone with the last of them."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
import pytest

#: Said at the end of every run (conftest.py), so that nobody takes a skip for a pass.
MISSING = "PostgreSQL is not installed, and its tests are left out: apt-get install postgresql"
#: Where Debian keeps programs that it does not link.
_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _program(name: str) -> str | None:
    return shutil.which(name) or next((str(each / name) for each in _DEBIAN if (each / name).exists()), None)


@contextmanager
def postgres() -> Iterator[str]:
    """The SQLAlchemy address of an empty database, whose owner is asked for nothing. Skips, and warns, without one."""
    server = _server()
    if server is None:
        pytest.skip(MISSING)
    name = f"d{next(_COUNT)}"
    with psycopg.connect(host=str(server), user="owner", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield f"postgresql+psycopg://owner@/{name}?host={server}"


_COUNT = count()


@cache
def _server() -> Path | None:
    """The folder that this process's server listens in; None: it is not installed."""
    initdb, control = _program("initdb"), _program("pg_ctl")
    if initdb is None or control is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="zixin-pg-"))
    # It refuses to run as root.
    user = next((each for each in ("postgres", "nobody") if _has(each)), None) if os.getuid() == 0 else None
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    data = str(folder / "data")

    def run(*words: str) -> None:
        subprocess.run(words, check=True, user=user, env=environment, cwd=folder, capture_output=True)

    def stop() -> None:
        with suppress(subprocess.CalledProcessError):
            run(control, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    run(initdb, "-D", data, "-A", "trust", "-U", "owner", "-E", "UTF8", "--no-sync")
    settings = f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=40"
    run(control, "-D", data, "-w", "-l", str(folder / "log"), "-o", settings, "start")
    with psycopg.connect(host=str(folder), user="owner", dbname="postgres", autocommit=True) as connection:
        # Who may do no more than what a test grants.
        connection.execute("CREATE ROLE reader LOGIN")
    return folder


def _has(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
