"""Faults that a simulator's tester orders: a status, a connection that breaks within the answer, one that trickles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.responses import Response, StreamingResponse

#: Statuses of no answer: the connection breaks within it; it comes byte by byte.
CUT, TRICKLE = 0, 1


@dataclass(slots=True)
class Fault:
    """A fault on the next reads or writes."""

    status: int
    times: int
    writes: bool


@dataclass(slots=True)
class Faults:
    """Those that are ordered, in their order."""

    kept: list[Fault] = field(default_factory=list)

    def order(self, status: int, times: int, *, writes: bool) -> None:
        """Let the next calls of that kind meet it."""
        self.kept.append(Fault(status, times, writes))

    def met(self, *, writes: bool) -> Fault | None:
        """The fault that this call meets."""
        for each in self.kept:
            if each.times > 0 and each.writes == writes:
                each.times -= 1
                return each
        return None


def broken(whole: Response, how: int) -> Response:
    """An answer that is cut, or trickles; what it answers has happened."""
    return StreamingResponse(_parts(bytes(whole.body), how), whole.status_code, dict(whole.headers))


async def _parts(body: bytes, how: int) -> AsyncIterator[bytes]:
    if how == CUT:
        yield body[: len(body) // 2]
        raise ConnectionResetError
    async for part in trickling(body):
        yield part


async def trickling(body: bytes) -> AsyncIterator[bytes]:
    """Byte by byte, a hundred per second."""
    for at in range(len(body)):
        yield body[at : at + 1]
        await asyncio.sleep(0.01)
