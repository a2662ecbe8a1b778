"""Runs an application on a socket: in a thread for tests, or until it is told to stop."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn


def _bound(port: int, host: str = "127.0.0.1") -> socket.socket:
    # By its protocol asyncio knows that it may send at once: without it a kept connection waits 40 ms an answer.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((host, port))
    # Whoever is told the address may call at once: he waits instead of being refused.
    made.listen(2048)
    return made


def _server(application: Any, tls: tuple[Path, Path] | None = None) -> uvicorn.Server:
    certificate, key = (str(path) for path in tls) if tls else (None, None)
    return uvicorn.Server(
        uvicorn.Config(
            application, log_level="critical", access_log=False, lifespan="off", date_header=False,
            ssl_certfile=certificate, ssl_keyfile=key,
        )
    )  # fmt: skip


@contextmanager
def running(application: Any, port: int = 0) -> Iterator[str]:
    """The origin of a server that runs in a thread while the block does."""
    listening = _bound(port)
    server = _server(application)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()


def serve(
    application: Any, port: int, ready: Callable[[str], None], host: str = "127.0.0.1",
    tls: tuple[Path, Path] | None = None,
) -> None:  # fmt: skip
    """Serves until SIGINT or SIGTERM; `ready` is told the origin. `tls`: certificate and key."""
    listening = _bound(port, host)
    ready(f"{'https' if tls else 'http'}://{host}:{listening.getsockname()[1]}")
    _server(application, tls).run(sockets=[listening])
