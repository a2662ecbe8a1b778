"""Runs an application on a socket, in a thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


def _bound(port: int) -> socket.socket:
    # By its protocol asyncio knows that it may send at once: without it a kept connection waits 40 ms an answer.
    result = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    result.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    result.bind(("127.0.0.1", port))
    # Whoever is told the address may call at once: he waits instead of being refused.
    result.listen(2048)
    return result


def _server(application: Any) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(application, log_level="critical", access_log=False, lifespan="off", date_header=False)
    )


@contextmanager
def serve_in_thread(application: Any, port: int = 0) -> Iterator[str]:
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
