"""Serves an application on a socket until the process is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any


def serve(
    application: Any,
    port: int,
    ready: Callable[[str], None],
    host: str = "127.0.0.1",
    tls: tuple[Path, Path] | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM; `ready` is told the origin. `tls`: certificate and key."""
    import uvicorn

    # By its protocol asyncio knows that it may send at once: without it a kept connection waits 40 ms an answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    # Whoever is told the address may call at once: he waits instead of being refused.
    listening.listen(2048)
    ready(f"{'https' if tls else 'http'}://{host}:{listening.getsockname()[1]}")
    certificate, key = (str(path) for path in tls) if tls else (None, None)
    config = uvicorn.Config(
        application,
        log_level="critical",
        access_log=False,
        lifespan="off",
        date_header=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    uvicorn.Server(config).run(sockets=[listening])
