"""Where the parts are put together: a profile's connection, store and policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

from adapters import registry
from app import connections, keys, settings
from app.connections import Kept
from connector.errors import Denied, Misconfigured
from connector.policy import Policy
from connector.ports import Installs, Step
from mappings.load import Mapping as Mapping_
from mappings.load import load, packaged
from sync.link import Link
from sync.shared import ProfileShared
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
    connections.keep(profile, {name: Kept(crm, credentials, language)})
    # A token of an earlier connection of that name is not this one's.
    (settings.profile_folder(profile) / f"{name}.token").unlink(missing_ok=True)


def planned_fields(house: House) -> tuple[Step, ...]:
    """What `install_fields` would do."""
    from connector.assessment import WRITTEN

    return cast("Installs", house.link.crm).plan(WRITTEN)


def install_fields(profile: str, house: House, *, adopt: bool = False) -> House:
    """Create zixin's fields in the CRM and keep what it named them; the house whose mapping has these names.

    Raises Misconfigured, and changes nothing: a field of such a name is of another kind, or was not made by us and is
    not to be adopted.
    """
    from connector.assessment import WRITTEN

    ours = set(connections.read(profile)[house.link.name].fields.values())
    steps = planned_fields(house)
    wrong = [f"{step.field} ({step.detail})" for step in steps if step.action == "mend"]
    if wrong:
        raise Misconfigured("E-FIELD-KIND", name=house.link.name, fields=", ".join(wrong))
    others = [step.field for step in steps if step.action == "keep" and step.field not in ours]
    if others and not adopt:
        raise Misconfigured("E-FIELD-OTHERS", name=house.link.name, fields=", ".join(others))
    named = cast("Installs", house.link.crm).apply(WRITTEN)
    connections.change(profile, house.link.name, fields=dict(named))
    mapping = house.link.mapping.with_written(dict(named))
    return replace(house, link=replace(house.link, mapping=mapping))


def drifted(house: House) -> list[tuple[str, str, str]]:
    """How zixin's fields differ from what it writes: field, and what is wrong in English and Chinese."""
    from connector.assessment import WRITTEN

    writes = house.link.mapping.writes
    there = {field.name: field for field in house.link.crm.describe(writes.object).fields}
    kinds = {step.name: step for step in planned_fields(house)}
    found: list[tuple[str, str, str]] = []
    for item in WRITTEN:
        name = writes.fields.get(item.name)
        field = there.get(name or "")
        if name is None or field is None:
            found.append(
                (name or item.name, "it is not there, or hidden from zixin's user", "不存在，或对本用户不可见")
            )
            continue
        step = kinds[item.name]
        if step.action == "mend":
            found.append((name, f"of another kind: {step.detail}", f"类型不符：{step.detail}"))
        if not field.writable:
            found.append((name, "zixin's user may not write it", "本用户不可写"))
        lacking = [option for option in item.options if field.options and option not in field.options]
        if lacking:
            found.append((name, f"options are missing: {', '.join(lacking)}", f"缺少选项：{', '.join(lacking)}"))
    return found


@contextmanager
def opened(profile: str) -> Iterator[House]:
    """The profile's store and its connection; asks the CRM who it belongs to, so that its clock is known.

    Where the profile has no policy of its own, the shipped one counts in the organisation's home currency.
    """
    name, given = connections.first(profile)
    folder = settings.profile_folder(profile)
    crm = registry.opened(given.crm, given.credentials, ProfileShared(folder, keys.vault()), name)
    mapping = mapping_of(profile, name, given)
    if given.fields:
        mapping = mapping.with_written(dict(given.fields))
    organisation = crm.organisation()
    rules = settings.policy_in(profile, organisation.currency)
    store = Store(folder / "zixin.db")
    try:
        link = Link(name, crm, mapping, organisation, rules.calendar.time_zone)
        yield House(store, link, rules, given.language, given.secrets)
    finally:
        store.close()


@contextmanager
def stored(profile: str) -> Iterator[tuple[Store, str]]:
    """The profile's store and the name of its connection, without a call to the CRM."""
    name = connections.name_of(profile)
    store = Store(settings.profile_folder(profile) / "zixin.db")
    try:
        yield store, name
    finally:
        store.close()


def mapping_of(profile: str, name: str, given: Kept) -> Mapping_:
    """The connection's own mapping where its profile has one, named as the connection is; else a shipped one."""
    own = settings.profile_folder(profile) / f"{name}.yaml"
    if own.exists():
        try:
            return load(own.read_text(encoding="utf-8"), str(own))
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured("E-FILE", file=str(own), detail=type(error).__name__) from None
    return packaged(given.mapping or given.crm)


def check_fields(house: House) -> None:
    """Raises Denied (exit code 5) when the CRM lacks fields that zixin writes, or hides them from its user."""
    writes = house.link.mapping.writes
    there = {field.name for field in house.link.crm.describe(writes.object).fields}
    missing = [field for field in writes.fields.values() if field not in there]
    if missing:
        raise Denied("E-FIELDS-MISSING", host=house.link.name, object=writes.object, fields=", ".join(missing))
