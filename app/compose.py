"""Where the parts are put together: a profile's connection, store and policy."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from adapters.zoho.auth import Credentials
from adapters.zoho.crm import Zoho
from app import settings
from connector.errors import Denied, Misconfigured
from connector.policy import Policy
from connector.ports import Installs
from mappings.load import packaged
from sync.link import Link
from sync.shared import ProfileShared, private_text
from sync.store import Store


@dataclass(frozen=True, slots=True)
class House:
    """A profile, opened."""

    store: Store
    link: Link
    policy: Policy
    language: str
    #: Secrets of the connection's hook that count, the newest first.
    secrets: tuple[str, ...] = ()


def connect(profile: str, name: str, crm: str, credentials: Mapping[str, str], language: str) -> None:
    """Keep a connection for a profile; its file is for the owner only."""
    folder = settings.profile_folder(profile)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = {name: {"crm": crm, "credentials": dict(credentials), "language": language, "fields": {}}}
    private_text(folder / "connections.json", json.dumps(kept, indent=1))
    # A token of an earlier connection of that name is not this one's.
    (folder / f"{name}.token").unlink(missing_ok=True)


def install_fields(profile: str, house: House) -> House:
    """Create zixin's fields in the CRM and keep what it named them; the house whose mapping has these names."""
    from connector.assessment import WRITTEN

    named = cast("Installs", house.link.crm).apply(WRITTEN)
    kept = _connections(profile)
    kept[house.link.name]["fields"] = dict(named)
    private_text(settings.profile_folder(profile) / "connections.json", json.dumps(kept, indent=1))
    mapping = house.link.mapping.with_written(dict(named))
    return replace(house, link=replace(house.link, mapping=mapping))


@contextmanager
def opened(profile: str) -> Iterator[House]:
    """The profile's store and its connection; asks the CRM who it belongs to, so that its clock is known.

    Where the profile has no policy of its own, the shipped one counts in the organisation's home currency.
    """
    kept = _connections(profile)
    name, given = next(iter(kept.items()))
    folder = settings.profile_folder(profile)
    crm = Zoho(Credentials(**given["credentials"]), ProfileShared(folder), name=name)
    mapping = packaged(given["crm"])
    if given["fields"]:
        mapping = mapping.with_written(given["fields"])
    organisation = crm.organisation()
    rules = settings.policy_in(profile, organisation.currency)
    store = Store(folder / "zixin.db")
    try:
        link = Link(name, crm, mapping, organisation, rules.calendar.time_zone)
        yield House(store, link, rules, given["language"], tuple(given.get("secrets", ())))
    finally:
        store.close()


def has_secret(profile: str) -> bool:
    """Whether the connection's hook has a secret already."""
    return bool(next(iter(_connections(profile).values())).get("secrets"))


def new_secret(profile: str, *, keep: bool) -> str:
    """A new secret of the connection's hook; `keep`: the one before it counts, too, until the next one is made."""
    kept = _connections(profile)
    given = next(iter(kept.values()))
    # At most fifty characters: what the shortest vendor's field holds.
    made = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    given["secrets"] = [made, *given.get("secrets", [])[: 1 if keep else 0]]
    private_text(settings.profile_folder(profile) / "connections.json", json.dumps(kept, indent=1))
    return made


@contextmanager
def stored(profile: str) -> Iterator[tuple[Store, str]]:
    """The profile's store and the name of its connection, without a call to the CRM."""
    name = next(iter(_connections(profile)))
    store = Store(settings.profile_folder(profile) / "zixin.db")
    try:
        yield store, name
    finally:
        store.close()


def check_fields(house: House) -> None:
    """Raises Denied (exit code 5) when the CRM lacks fields that zixin writes, or hides them from its user."""
    writes = house.link.mapping.writes
    there = {field.name for field in house.link.crm.describe(writes.object).fields}
    missing = [field for field in writes.fields.values() if field not in there]
    if missing:
        raise Denied("E-FIELDS-MISSING", host=house.link.name, object=writes.object, fields=", ".join(missing))


def _connections(profile: str) -> dict[str, Any]:
    path = settings.profile_folder(profile) / "connections.json"
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise Misconfigured("E-NO-CONNECTION", profile=profile) from None
    return kept
