"""Where the parts are put together: a profile's connection, store and policy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters import registry
from connector.errors import Denied, Misconfigured
from connector.policy import Policy
from connector.ports import Described, Organisation, Reads, Writes
from mappings import left_out
from mappings.check import snapshot
from mappings.feeds import FeedPlan, joined
from mappings.left_out import Unread
from mappings.load import Mapping as Mapping_
from mappings.load import load, packaged
from sync.crm_connection import CrmConnection, Feed
from sync.store import Store, ratings
from sync.store.revision import behind
from sync.token_cache import ProfileShared, private_text
from zixin.config import connections, keys, settings
from zixin.config.connections import ConnectionConfig


@dataclass(frozen=True, slots=True)
class Workspace:
    """A profile, opened."""

    store: Store
    link: CrmConnection
    policy: Policy
    language: str
    #: Secrets of the connection's hook that count, the newest first.
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attached:
    """A profile's connection, without its store."""

    link: CrmConnection
    policy: Policy
    language: str


def connect(
    profile: str, name: str, crm: str, credentials: Mapping[str, str], language: str, clock_ahead_s: float = 0.0
) -> None:
    """Keep a connection for a profile; its file is for the owner only."""
    config = ConnectionConfig(crm, credentials, language, clock_ahead_s=clock_ahead_s)
    connections.keep(profile, {name: config})
    # A token of an earlier connection of that name is not this one's.
    (settings.profile_folder(profile) / f"{name}.token").unlink(missing_ok=True)


def shared(profile: str, clock_ahead_s: float = 0.0) -> ProfileShared:
    """What the profile's processes share: tokens, the count of calls, a clock."""
    folder = settings.profile_folder(profile)
    return ProfileShared(folder, keys.vault(), ahead=timedelta(seconds=clock_ahead_s))


def named_mapping(profile: str, name: str, given: ConnectionConfig) -> Mapping_:
    """A CRM's mapping with the names that its fields have there, and with the sources of what feeds it."""
    mapping = joined(mapping_of(profile, name, given), feed_plans(profile, name))
    return mapping.with_written(dict(given.fields)) if given.fields else mapping


def feed_plans(profile: str, name: str) -> dict[str, FeedPlan]:
    """Feed → its mapping, and what the profile says of it."""
    return {feed: feed_plan(profile, feed, config) for feed, config in connections.feeds_of(profile, name).items()}


def sources_of_feed(profile: str, name: str, feed: str) -> list[str]:
    """The sources of a CRM's mapping that lie in a feed; none where there is no feed of that name."""
    mapping = named_mapping(profile, name, connections.read(profile)[name])
    return mapping.of_feed(feed) if feed in mapping.feeds else []


def feed_plan(profile: str, feed: str, given: ConnectionConfig) -> FeedPlan:
    """A feed's mapping, and what its connection says of it."""
    return FeedPlan(mapping_of(profile, feed, given), given.number, given.account, given.tables, given.beside)


def open_feeds(profile: str, name: str) -> dict[str, Feed]:
    """The systems that feed a CRM; none of them is asked yet."""
    return {
        feed: Feed(
            feed,
            registry.open_crm(config.crm, config.credentials, shared(profile, config.clock_ahead_s), feed),
            config.secrets,
        )
        for feed, config in connections.feeds_of(profile, name).items()
    }


@contextmanager
def open_workspace(profile: str, *, keep: bool = False) -> Iterator[Workspace]:
    """The profile's store and its connection; asks the CRM who it belongs to, so that its clock is known.

    Where the profile has no policy of its own, the shipped one counts in the organisation's home currency. `keep`: its
    text lies in the profile from now on.
    """
    name, config = connections.first(profile)
    crm, mapping, organisation = _open_crm(profile, name, config)
    store = Store(settings.profile_folder(profile) / "zixin.db")
    try:
        with store.read(name) as session:
            rated = ratings.newest_day(session) is not None
        if keep:
            settings.keep_policy(profile, organisation.currency, rated=rated)
        rules = settings.policy_in(profile, organisation.currency, rated=rated)
        clock = shared(profile, config.clock_ahead_s).now
        unread, feeds = _unread(profile, name, mapping), open_feeds(profile, name)
        link = CrmConnection(name, crm, mapping, organisation, rules.calendar.time_zone, clock, unread, feeds)
        yield Workspace(store, link, rules, config.language, config.secrets)
    finally:
        store.close()


def open_attached(profile: str, of: str = "") -> Attached:
    """The profile's connection, for what needs no store: of a release before, it has yet to be brought up to date.

    `of`: a feed by itself, with its own mapping. Raises Misconfigured: there is none of that name.
    """
    if of:
        return _open_feed(profile, of)
    name, config = connections.first(profile)
    crm, mapping, organisation = _open_crm(profile, name, config)
    rules = settings.policy_in(profile, organisation.currency, rated=True)
    clock = shared(profile, config.clock_ahead_s).now
    feeds = open_feeds(profile, name)
    link = CrmConnection(name, crm, mapping, organisation, rules.calendar.time_zone, clock, feeds=feeds)
    return Attached(link, rules, config.language)


def _open_feed(profile: str, name: str) -> Attached:
    known = connections.read(profile)
    config = known.get(name)
    if config is None:
        raise Misconfigured("E-FEED-UNKNOWN", feed=name, known=", ".join(known))
    time = shared(profile, config.clock_ahead_s)
    crm = registry.open_crm(config.crm, config.credentials, time, name)
    mapping, organisation = mapping_of(profile, name, config).with_written({}), crm.organisation()
    rules = settings.policy_in(profile, organisation.currency, rated=True)
    link = CrmConnection(name, crm, mapping, organisation, rules.calendar.time_zone, time.now)
    return Attached(link, rules, config.language)


def _open_crm(profile: str, name: str, given: ConnectionConfig) -> tuple[Reads, Mapping_, Organisation]:
    crm = registry.open_crm(given.crm, given.credentials, shared(profile, given.clock_ahead_s), name)
    mapping = named_mapping(profile, name, given)
    # Of a system that is only read no field is ours.
    return crm, mapping if isinstance(crm, Writes) else mapping.with_written({}), crm.organisation()


@contextmanager
def open_store(profile: str) -> Iterator[tuple[Store, str]]:
    """The profile's store and the name of its connection, without a call to the CRM.

    Raises Misconfigured where there is no store: a look does not make one, which would hide that it is lost.
    """
    name = connections.name_of(profile)
    path = settings.profile_folder(profile) / "zixin.db"
    if _empty(path):
        raise Misconfigured("E-NO-STORE", profile=profile, path=str(path))
    store = Store(path)
    try:
        yield store, name
    finally:
        store.close()


def up_to_date(profile: str) -> bool:
    """Whether there is a store, and of our revision: what only looks does without one of an older release."""
    path = settings.profile_folder(profile) / "zixin.db"
    return not _empty(path) and behind(path) is None


def _empty(path: Path) -> bool:
    return not path.exists() or (path.is_file() and not path.stat().st_size)


def mapping_of(profile: str, name: str, given: ConnectionConfig) -> Mapping_:
    """The connection's own mapping where its profile has one, named as the connection is; else a shipped one."""
    own = settings.profile_folder(profile) / f"{name}.yaml"
    if own.exists():
        try:
            return load(own.read_text(encoding="utf-8"), str(own))
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured("E-FILE", file=str(own), detail=type(error).__name__) from None
    return packaged(given.mapping or given.crm)


def snapshot_file(profile: str, name: str) -> Path:
    """What the CRM's objects were like when the mapping was made, by which a later check tells what was renamed."""
    return settings.profile_folder(profile) / f"{name}.describe.json"


def remembered(profile: str, name: str) -> dict[str, Any]:
    """What the CRM's objects were like when they were described last: object → field → id, type, label."""
    try:
        stored: dict[str, Any] = json.loads(snapshot_file(profile, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stored


def _unread(profile: str, name: str, mapping: Mapping_) -> tuple[Unread, ...]:
    return tuple(left_out.of_objects(mapping, remembered_all(profile, name, mapping)))


def remembered_all(profile: str, name: str, mapping: Mapping_) -> dict[str, Any]:
    """As `remembered`, with the objects of the CRM's feeds as the mapping names them."""
    known = remembered(profile, name)
    for feed in mapping.feeds:
        known |= {f"{feed}:{object_}": fields for object_, fields in remembered(profile, feed).items()}
    return known


def remember(profile: str, name: str, described: Iterable[Described]) -> None:
    """Keep what the CRM's objects are like now."""
    result = snapshot(list(described))
    settings.profile_folder(profile).mkdir(parents=True, exist_ok=True, mode=0o700)
    private_text(snapshot_file(profile, name), json.dumps(result, ensure_ascii=False, indent=0, sort_keys=True))


def check_fields(workspace: Workspace) -> None:
    """Raises Denied (exit code 5) when the CRM lacks fields that zixin writes, or hides them from its user."""
    writes = workspace.link.mapping.writes
    there = {field.name for field in workspace.link.crm.describe(writes.object).fields}
    missing = [field for field in writes.fields.values() if field not in there]
    if missing:
        raise Denied("E-FIELDS-MISSING", host=workspace.link.name, object=writes.object, fields=", ".join(missing))
