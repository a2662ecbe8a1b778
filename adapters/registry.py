"""Adapters by name: whoever composes zixin names a CRM and knows no more of it.

An adapter is a folder with a module `entry`: `setting_specs`, what a connection must be given, and `open_crm`;
optionally `setup_steps`, an admin's way at the vendor's, `resolve_settings`, which exchanges what can be used once,
`widget`, and `imported`. Its simulator, where it has one, is started by `simulator.entry.simulated`. A folder with
`connectors` serves the connector files in it, each of which counts as an adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from pathlib import Path
from typing import Any, cast

import polars as pl

from connector.errors import Misconfigured
from connector.ports import Reads, Shared

#: What a connector file's name ends with.
_FILE = ".yaml"


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """One setting of a connection."""

    name: str
    #: Kept sealed and never shown.
    secret: bool = False
    #: Taken when it is not given; None: it has to be given.
    default: str | None = None
    #: A whole number above nothing, where it is given.
    number: bool = False
    #: The most that our calls may cost in 24 hours, in the vendor's own unit.
    cap: bool = False
    #: A person is asked for it although it has a default.
    ask: bool = False
    #: What it is and where to find it.
    en: str = ""
    zh: str = ""


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One step that an admin takes on the vendor's side before a connection can be made."""

    en: str
    zh: str
    #: What is to be pasted there, exactly.
    paste: str = ""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated CRM that is ready to be served."""

    application: Any
    #: Origin → what a client of that vendor needs to reach it.
    credentials: Callable[[str], dict[str, str]]
    #: Random token of the control paths.
    control: str
    #: Path of the page that a sales rep sees; empty: it has none.
    page: str = ""


def available() -> tuple[str, ...]:
    """Names of all adapters."""
    return tuple(sorted(_folders()))


def setting_specs(crm: str, settings: Mapping[str, str] | None = None) -> tuple[SettingSpec, ...]:
    """What a connection to that CRM must be given, as far as its settings tell.

    Raises Misconfigured for a name that no adapter has.
    """
    return cast("tuple[SettingSpec, ...]", _module(crm, "entry").setting_specs(crm, settings or {}))


def setup_steps(crm: str) -> tuple[SetupStep, ...]:
    """What an admin does on the vendor's side first, in order."""
    match = getattr(_module(crm, "entry"), "setup_steps", None)
    return cast("tuple[SetupStep, ...]", match(crm)) if match else ()


def imported(crm: str, file: Path) -> dict[str, str]:
    """Settings from the store of another program, such as zcrmsdk's. Raises Misconfigured: nothing is known of any."""
    match = getattr(_module(crm, "entry"), "imported", None)
    if match is None:
        raise Misconfigured("E-NO-IMPORT", name=crm)
    return cast("dict[str, str]", match(file))


def widget(crm: str, fields: Mapping[str, str], language: str, currency: str) -> bytes:
    """The rating panel for the CRM's account page, packed as the vendor takes it.

    `fields`: written field → the CRM's name. Raises Misconfigured: there is none for that CRM.
    """
    match = getattr(_module(crm, "entry"), "widget", None)
    if match is None:
        raise Misconfigured("E-NO-WIDGET", name=crm)
    return cast("bytes", match(fields, language, currency))


def cap(crm: str, settings: Mapping[str, str]) -> int | None:
    """The most that a connection's calls may cost in 24 hours; None: as much as the vendor gives."""
    texts = (settings.get(need.name) for need in setting_specs(crm, settings) if need.cap)
    return next((int(text) for text in texts if text), None)


def resolve_settings(crm: str, settings: Mapping[str, str], name: str) -> dict[str, str]:
    """Settings with what a vendor gives only once in exchange for them, such as a token for a code.

    Raises Misconfigured: a setting is missing or unknown; Denied: the vendor refuses. Whoever calls it keeps what
    comes back.
    """
    with_defaults(setting_specs(crm, settings), settings, name)
    match = getattr(_module(crm, "entry"), "resolve_settings", None)
    return dict(cast("Mapping[str, str]", match(settings))) if match else dict(settings)


def open_crm(crm: str, settings: Mapping[str, str], shared: Shared, name: str) -> Reads:
    """A connection of that name. Raises Misconfigured: no such adapter, or a setting is missing or unknown."""
    values = with_defaults(setting_specs(crm, settings), settings, name)
    return cast("Reads", _module(crm, "entry").open_crm(crm, values, shared, name))


def with_defaults(wanted: Sequence[SettingSpec], settings: Mapping[str, str], name: str) -> dict[str, str]:
    """The settings with their defaults. Raises Misconfigured: one is missing, unknown or no number."""
    missing = [need.name for need in wanted if need.default is None and not settings.get(need.name)]
    unknown = sorted(set(settings) - {need.name for need in wanted})
    odd = [need.name for need in wanted if need.number and not _whole(settings.get(need.name, ""))]
    if missing or unknown or odd:
        messages = [*(f"{name} is missing" for name in missing), *(f"{name} is unknown" for name in unknown)]
        messages += [f"{name} is not a whole number" for name in odd]
        raise Misconfigured("E-SETTINGS", name=name, detail=", ".join(messages))
    return {need.name: settings.get(need.name, need.default or "") for need in wanted}


def simulated(crm: str, tables: Mapping[str, pl.DataFrame], currency: str, ahead_s: float) -> Simulated:
    """A simulated CRM of that kind, filled with canonical tables; its clock is `ahead_s` seconds ahead of ours."""
    return cast("Simulated", _module(crm, "simulator.entry").simulated(crm, tables, currency, ahead_s))


def _whole(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and int(text) > 0)


@cache
def _folders() -> dict[str, str]:
    """Adapter → its folder: one that serves connector files serves those, any other one itself."""
    result: dict[str, str] = {}
    for each in resources.files("adapters").iterdir():
        if each.is_dir() and each.joinpath("entry.py").is_file():
            files = each.joinpath("connectors")
            served = [file.name for file in files.iterdir()] if files.is_dir() else [f"{each.name}{_FILE}"]
            result |= {name.removesuffix(_FILE): each.name for name in served if name.endswith(_FILE)}
    return result


def _module(crm: str, part: str) -> Any:
    if crm not in _folders():
        raise Misconfigured("E-CRM", name=crm, known=", ".join(available()))
    return import_module(f"adapters.{_folders()[crm]}.{part}")
