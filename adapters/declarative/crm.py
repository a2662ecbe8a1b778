"""A system that a connector file describes: a type for what the file says that it can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.common.http import RetryPolicy
from adapters.declarative import hook
from adapters.declarative.connector import Connector, Hook
from adapters.declarative.reader import Reader
from adapters.declarative.writing import Writer
from connector.errors import Misconfigured
from connector.ports import Shared, VerifiedCall


class _Calls(Reader):
    """A system whose connector file says how its calls are verified."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> VerifiedCall:
        """A call of the system, verified as its file says."""
        return hook.verify(self._hook(), headers, body, secrets)

    def subscribe(self, url: str, secret: str, objects: Sequence[str]) -> datetime:
        """Asks to be called, where the file says how; else nothing is asked, and a person does it."""
        return hook.subscribe(self._hook(), self._wire, self._proof, url, secret, objects, self.now())

    def _hook(self) -> Hook:
        if self._connector.hook is None:
            raise Misconfigured("E-CONNECTOR-BY", host=self._wire.host, object="hook")
        return self._connector.hook


class _WriterThatCalls(_Calls, Writer):
    pass


def open_declared(
    connector: Connector, settings: Mapping[str, str], shared: Shared, *, name: str, patience: RetryPolicy | None = None
) -> Reader:
    """A connection of that name. `settings`: all that the file declares.

    It `Writes` and `Installs` where the file has an object with `write`, and is a `WebhookSource` where it has `hook`.
    """
    writes = any(item.write is not None for item in connector.objects.values())
    kinds: dict[tuple[bool, bool], type[Reader]] = {
        (False, False): Reader,
        (True, False): Writer,
        (False, True): _Calls,
        (True, True): _WriterThatCalls,
    }
    return kinds[writes, connector.hook is not None](connector, settings, shared, name=name, patience=patience)
