"""The connections of a profile: which CRM, how it is reached, what its fields are called there. Secrets are sealed."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from connector.errors import Misconfigured
from sync.token_cache import private_text
from zixin.config import keys, settings

_FILE = "connections.json"
#: What only a feed says.
_OF_FEEDS = ("feeds", "number", "account", "tables", "beside")
#: What every connection in it says.
_TOLD = {"crm", "language", "fields", "sealed"}


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """One connection as a profile keeps it."""

    #: Name of the adapter, which is the name of its mapping, too.
    crm: str
    #: What the adapter needs to reach it, secrets among it.
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    language: str = "en"
    #: Canonical name of a written field → the CRM's own.
    fields: Mapping[str, str] = field(default_factory=dict)
    #: Secrets of its hook that count, the newest first.
    secrets: tuple[str, ...] = field(default=(), repr=False)
    #: How this installation marks the fields that it makes; empty: none yet.
    install: str = ""
    #: Canonical name of a written field → the CRM's id of it.
    field_ids: Mapping[str, str] = field(default_factory=dict)
    #: Optional written fields that are wanted.
    optional: tuple[str, ...] = ()
    #: Name of a mapping of ours that is not called as the adapter is; empty: the adapter's.
    mapping: str = ""
    #: How many seconds the clock of a simulated CRM is ahead of ours; 0: it is a real one, or has our clock.
    clock_ahead_s: float = 0.0
    #: Name of the connection that it feeds, being only read itself; empty: it is the profile's CRM.
    feeds: str = ""
    #: Of a feed: the field of the CRM's account that holds the customer's number there; empty: the account's number.
    number: str = ""
    #: Of a feed: the field of its customers that holds the account's id or number in the CRM; empty: `number` it is.
    account: str = ""
    #: Of a feed: canonical tables that it brings; empty: all that its mapping yields.
    tables: tuple[str, ...] = ()
    #: Of a feed: its claims count beside the CRM's own.
    beside: bool = False


def read(profile: str) -> dict[str, ConnectionConfig]:
    """Name → connection.

    Raises Misconfigured: there is none, or the file is damaged, which is said of it; Denied: sealed with another key.
    """
    stored = _file(profile)
    vault = keys.vault()
    return {name: _unseal(values, json.loads(vault.open(values["sealed"]))) for name, values in stored.items()}


def first(profile: str) -> tuple[str, ConnectionConfig]:
    """The connection of a profile that ratings are written by, and its name."""
    return next((name, config) for name, config in read(profile).items() if not config.feeds)


def feeds_of(profile: str, name: str) -> dict[str, ConnectionConfig]:
    """Name → connection of each system that feeds the one of that name."""
    return {feed: config for feed, config in read(profile).items() if config.feeds == name}


def name_of(profile: str) -> str:
    """The name of the connection that ratings are written by; no key is needed for it."""
    return next(name for name, values in _file(profile).items() if not values.get("feeds"))


def keep(profile: str, connections: Mapping[str, ConnectionConfig]) -> None:
    """Keep these as the profile's connections, in a file for the owner only."""
    folder = settings.profile_folder(profile)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    vault = keys.vault()
    document = {
        name: {
            "crm": config.crm,
            "mapping": config.mapping,
            "language": config.language,
            "fields": dict(config.fields),
            "install": config.install,
            "field_ids": dict(config.field_ids),
            "optional": list(config.optional),
            **({"clock_ahead_s": config.clock_ahead_s} if config.clock_ahead_s else {}),
            **({name: getattr(config, name) for name in _OF_FEEDS} if config.feeds else {}),
            "sealed": vault.seal(json.dumps({"credentials": dict(config.credentials), "secrets": config.secrets})),
        }
        for name, config in connections.items()
    }
    private_text(folder / _FILE, json.dumps(document, indent=1))


def change(profile: str, name: str, **changed: Any) -> ConnectionConfig:
    """Keep one connection with these fields changed."""
    stored = read(profile)
    stored[name] = replace(stored[name], **changed)
    keep(profile, stored)
    return stored[name]


def new_secret(profile: str, *, rotate: bool, of: str = "") -> str:
    """A new secret of a connection's hook; `rotate`: the one before it counts, too, until the next one is made.

    `of`: the connection's name; empty: the CRM's.
    """
    name, config = (of, read(profile)[of]) if of else first(profile)
    # At most fifty characters: what the shortest vendor's field holds.
    text = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    change(profile, name, secrets=(text, *config.secrets[: 1 if rotate else 0]))
    return text


def _file(profile: str) -> dict[str, Any]:
    path = settings.profile_folder(profile) / _FILE
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise Misconfigured("E-NO-CONNECTION", profile=profile) from None
    except OSError as error:
        raise _damaged(path, error.strerror or type(error).__name__) from None
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    if stored == {}:
        raise Misconfigured("E-NO-CONNECTION", profile=profile)
    if (
        not isinstance(stored, dict)
        or not all(isinstance(values, dict) and set(values) >= _TOLD for values in stored.values())
        or all(values.get("feeds") for values in stored.values())
    ):
        raise _damaged(path, "not what zixin connect writes")
    return cast("dict[str, Any]", stored)


def _damaged(path: Path, detail: str) -> Misconfigured:
    return Misconfigured("E-FILE", file=str(path), detail=detail)


def _unseal(given: Mapping[str, Any], secret: Mapping[str, Any]) -> ConnectionConfig:
    return ConnectionConfig(
        given["crm"],
        secret["credentials"],
        given["language"],
        given["fields"],
        tuple(secret["secrets"]),
        given.get("install", ""),
        given.get("field_ids", {}),
        tuple(given.get("optional", ())),
        given.get("mapping", ""),
        float(given.get("clock_ahead_s", 0.0)),
        given.get("feeds", ""),
        given.get("number", ""),
        given.get("account", ""),
        tuple(given.get("tables", ())),
        bool(given.get("beside")),
    )
