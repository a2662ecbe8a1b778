"""Connector files of systems with a REST API: tried on the system that they describe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.declarative.check import CheckStep
from adapters.declarative.check import check as steps
from adapters.declarative.connector import Connector
from adapters.declarative.crm import open_declared
from adapters.declarative.entry import connector_of, declared_settings
from adapters.registry import with_defaults
from zixin.services.connect import from_file, gather_settings


def load_file(file: Path) -> Connector:
    """The connector of that file, or the shipped one of that name. Raises Misconfigured where it does not fit."""
    values = {"connector": str(file)} if file.is_file() else {}
    return connector_of("rest" if values else str(file), values)


def check(connector: Connector, settings: Path | None) -> Iterator[CheckStep]:
    """Tries each call; nothing is written. `settings`: their file; else they are taken from the environment.

    Raises Misconfigured where a setting is missing.
    """
    needs = declared_settings(connector)
    values = with_defaults(needs, gather_settings(lambda _: needs, from_file(settings), None), connector.name)
    yield from steps(connector, open_declared(connector, values, Alone(), name=connector.name))


class Alone:
    """Tokens and counts of one command, kept in memory."""

    def __init__(self) -> None:
        self._kept: tuple[str, datetime] | None = None

    def token(self, name: str) -> AbstractContextManager[Any]:  # noqa: ARG002
        """This process is alone with its token."""
        return nullcontext(self)

    def get(self) -> tuple[str, datetime] | None:
        """The token, while the command runs."""
        return self._kept

    def put(self, token: str, expires_at: datetime) -> None:
        """Keep a token."""
        self._kept = (token, expires_at)

    def now(self) -> datetime:
        """Our clock."""
        return datetime.now(UTC)

    def take(self, name: str, amount: int, cap: int | None) -> None:
        """Nothing is counted."""
