"""Attaching a CRM: settings from a file, the environment or a person; tried before they are kept."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from adapters import registry
from adapters.registry import SettingSpec, SetupStep, available, imported, setting_specs, setup_steps
from connector.errors import Denied, Misconfigured, Problem
from connector.messages.glossary import TABLE_NAMES
from connector.ports import Catalogues, Described, Diagnostics, Reads, Writes
from mappings.check import missing_fields
from mappings.feeds import claims_are_sure, joined, taken_over
from zixin import compose
from zixin.config import connections, settings
from zixin.config.connections import ConnectionConfig
from zixin.services.disconnect import attached_anew

#: What adapters are asked for before there is a connection, for the doors.
__all__ = [
    "Line",
    "SettingSpec",
    "SetupStep",
    "available",
    "connect",
    "from_file",
    "gather_settings",
    "imported",
    "objects",
    "permissions",
    "setting_specs",
    "setup_steps",
]


#: The setting by which a simulated CRM declares its clock.
CLOCK = "clock_ahead_s"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was tried: ok, look (it works, and something is to be seen to), failed (exit code 5)."""

    what: str
    state: Literal["ok", "look", "failed"]
    en: str
    zh: str


def from_file(path: Path | None) -> dict[str, str]:
    """Settings of a YAML file, or of standard input for `-`. Raises Misconfigured: others can read it, it is none."""
    if path is None:
        return {}
    if str(path) == "-":
        return _settings(sys.stdin.read(), "-")
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise Misconfigured("E-ENV-OPEN", file=str(path))
        return _settings(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("E-FILE", file=str(path), detail=type(error).__name__) from None


def _settings(text: str, name: str) -> dict[str, str]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        payload = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise Misconfigured("E-FILE", file=name, detail=type(error).__name__) from None
    if payload is not None and not isinstance(payload, dict):
        raise Misconfigured("E-FILE", file=name, detail="no mapping of names")
    return {str(name): str(value) for name, value in (payload or {}).items() if value is not None}


def gather_settings(
    setting_specs: Callable[[Mapping[str, str]], tuple[SettingSpec, ...]],
    told: Mapping[str, str],
    ask: Callable[[SettingSpec], str] | None,
) -> dict[str, str]:
    """All settings: those told, else ZIXIN_SET_NAME of the environment, else what `ask` answers; defaults last.

    `setting_specs` is asked again after each answer: what a connector file declares is known once it is named.
    """
    values = dict(told)
    seen: set[str] = set()
    while True:
        open_ = [need for need in setting_specs(values) if need.name not in seen]
        if not open_:
            return {name: value for name, value in values.items() if value}
        need = open_[0]
        seen.add(need.name)
        value = values.get(need.name) or os.environ.get(f"ZIXIN_SET_{need.name.upper()}", "")
        if not value and (need.default is None or (need.ask and not told)) and ask is not None:
            value = ask(need).strip()
        values[need.name] = value


def seconds_of(told: str) -> float:
    """How far a simulator's clock is ahead. Raises Misconfigured: that is no number of seconds."""
    try:
        return float(told or 0)
    except ValueError:
        raise Misconfigured("E-SETTINGS", name=CLOCK, detail="no number of seconds") from None


def connect(
    profile: str, name: str, kept: ConnectionConfig, *, replace: bool, now: datetime | None = None
) -> list[Line]:  # fmt: skip
    """Tries the connection and keeps it: who we are, then each object that the mapping reads.

    Raises the problem where the CRM cannot be entered at all, and keeps nothing; Misconfigured where the profile has
    another connection already.
    """
    known = _known_connections(profile)
    crms = [each for each, config in known.items() if not config.feeds]
    if kept.feeds:
        _check_feed(name, kept, known)
    elif crms and name not in crms and not replace:
        raise Misconfigured("E-CONNECTED", profile=profile, name=crms[0])
    (settings.profile_folder(profile) / f"{name}.token").unlink(missing_ok=True)
    told = dict(kept.credentials)
    # A simulator declares its clock beside what it is reached by.
    ahead_s = seconds_of(told.pop(CLOCK, ""))
    kept = replace_(kept, credentials=told, clock_ahead_s=ahead_s)
    settled = registry.resolve_settings(kept.crm, kept.credentials, name)
    secrets = {need.name for need in registry.setting_specs(kept.crm, settled) if need.secret}
    once = secrets & (settled.keys() - kept.credentials.keys())
    before = known.get(name)
    again = before if before is not None and before.crm == kept.crm else ConnectionConfig(kept.crm)
    kept = replace_(again, credentials=settled, language=kept.language, mapping=kept.mapping, clock_ahead_s=ahead_s,
        feeds=kept.feeds, number=kept.number, account=kept.account, tables=kept.tables, beside=kept.beside,
    )  # fmt: skip
    if once:
        # What a vendor gives once is not given again: it is kept before anything else is tried.
        _keep(profile, name, kept, known)
    crm = registry.open_crm(kept.crm, kept.credentials, compose.shared(profile, kept.clock_ahead_s), name)
    organisation = crm.organisation()
    lines = [
        Line(
            "organisation",
            "ok",
            f"{organisation.name}, {organisation.currency}",
            f"{organisation.name}，{organisation.currency}",
        )
    ]
    described: list[Described] = []
    if kept.feeds:
        lines += _tied(profile, name, kept, known, mapped=_is_mapped(profile, name, crm))
    elif not isinstance(crm, Writes):
        en, zh = "is only read: zixin writes no ratings into it", "仅供读取：zixin 不向其写入评级"
        lines.append(Line(kept.crm, "ok", en, zh))
    lines += permissions(crm)
    lines += objects(crm, profile, name, kept, described.append)
    lines += _tie_is_there(profile, name, kept, described) if kept.feeds else []
    if before is None or before.crm != kept.crm or not compose.snapshot_file(profile, name).exists():
        compose.remember(profile, name, described)
    _keep(profile, name, kept, known)
    if kept.feeds and before is not None and before.feeds == kept.feeds:
        attached_anew(profile, name, before, kept, now or datetime.now(UTC))
    return lines


def _tie_is_there(
    profile: str, name: str, kept: ConnectionConfig, described: Sequence[Described]
) -> list[Line]:  # fmt: skip
    """The field that ties the customers, where it is not there: as far as the objects were described."""
    own = compose.mapping_of(profile, kept.feeds, connections.read(profile)[kept.feeds])
    if name in own.feeds:
        return []
    if kept.account:
        theirs = joined(own, {name: compose.feed_plan(profile, name, kept)}).feeds[name]
        object_ = theirs.customers.object if theirs.customers is not None else ""
        fields = next(([field.name for field in each.fields] for each in described if each.object == object_), [])
    else:
        object_ = next((part.object for part in own.sources.values() if "accounts" in part.tables()), "")
        fields = list(compose.remembered(profile, kept.feeds).get(object_, ()))
    wanted = kept.account or kept.number
    if not wanted or not fields or wanted in ("id", *fields) or wanted.partition(".")[0] in fields:
        return []
    en = f"no field {wanted}: make it there first, or name the one that holds it"
    return [Line(object_, "failed", en, f"没有字段 {wanted}：请先创建，或指定保存编号的字段")]


def _keep(profile: str, name: str, kept: ConnectionConfig, known: Mapping[str, ConnectionConfig]) -> None:
    """Beside the others: a feed beside its CRM, a CRM with what feeds it."""
    if kept.feeds:
        connections.keep(profile, {**known, name: kept})
        return
    feeds = {each: replace_(config, feeds=name) for each, config in known.items() if config.feeds and each != name}
    connections.keep(profile, {name: kept, **feeds})


#: What an object of a feed begins with, before its colon.
_FEED_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def _check_feed(name: str, kept: ConnectionConfig, known: Mapping[str, ConnectionConfig]) -> None:
    crm = known.get(kept.feeds)
    if crm is None or crm.feeds:
        there = ", ".join(each for each, config in known.items() if not config.feeds) or "–"
        raise Misconfigured("E-FEED-CRM", name=kept.feeds, known=there)
    if name in known and not known[name].feeds:
        raise Misconfigured("E-FEED-NAME", name=name, detail="the CRM itself is called so")
    if not _FEED_NAME.fullmatch(name):
        raise Misconfigured("E-FEED-NAME", name=name, detail="lower case letters, digits, - and _ only")


def _tied(
    profile: str, name: str, kept: ConnectionConfig, known: Mapping[str, ConnectionConfig], *, mapped: bool = True
) -> list[Line]:  # fmt: skip
    """How the feed's customers are the CRM's accounts, and which tables of the CRM it takes the place of.

    Raises Misconfigured: nothing ties them, or a table that it is to bring is not there.
    """
    crm = compose.mapping_of(profile, kept.feeds, known[kept.feeds])
    if name in crm.feeds:
        read = list(dict.fromkeys(table for key in crm.of_feed(name) for table in crm.sources[key].tables()))
        en = f"the mapping of {kept.feeds} says what is read of it: {', '.join(read)}"
        zh = f"读取内容由 {kept.feeds} 的映射文件指定：{'、'.join(TABLE_NAMES[each] for each in read)}"
        return [Line(name, "ok", en, zh)]
    plan = compose.feed_plan(profile, name, kept)
    made = joined(crm, {name: plan})
    tie = made.feeds[name]
    field = tie.customers.account if tie.customers is not None and tie.customers.account else ""
    if field:
        en, zh = f"its customers say the account in {field}", f"其客户在 {field} 中保存客户档案编号"
    else:
        en = f"accounts say the customer's number in {tie.number}"
        zh = f"客户档案在 {tie.number} 中保存对方客户编号"
    guessed = not (kept.number or kept.account)
    if guessed:
        en = f"{en}: a guess, --number FIELD or --account FIELD says it"
        zh = f"{zh}（推测，可用 --number 或 --account 指定）"
    lines = [Line(name, "look" if guessed else "ok", en, zh)]
    if not mapped:
        return lines
    if taken := taken_over(crm, plan):
        tables, zh_tables = ", ".join(taken), "、".join(TABLE_NAMES[each] for each in taken)
        en = f"{tables} are read from {name} from now on, no longer from {kept.feeds} (--beside: from both)"
        zh = f"{zh_tables}今后从 {name} 读取，不再从 {kept.feeds} 读取（--beside：两者都读）"
        lines.append(Line(kept.feeds, "look", en, zh))
    if not (kept.tables or claims_are_sure(plan.mapping)):
        en = "claims and payments are read where --tables names them (receivables, payments, adjustments, allocations)"
        zh = "应收与收款仅在 --tables 指定时读取（receivables、payments、adjustments、allocations）"
        lines.append(Line(name, "ok", en, zh))
    own = [key for key in made.sources if made.feed_of(key) == name]
    brought = list(dict.fromkeys(table for key in own for table in made.sources[key].tables()))
    zh = f"提供{'、'.join(TABLE_NAMES[each] for each in brought)}"
    lines.append(Line(name, "ok", f"brings {', '.join(brought)}", zh))
    return lines


def _is_mapped(profile: str, name: str, crm: Reads) -> bool:
    """Whether somebody said which of its tables hold what; of most systems that is known."""
    return not isinstance(crm, Catalogues) or (settings.profile_folder(profile) / f"{name}.yaml").exists()


def tie(profile: str, name: str) -> list[Line]:
    """What a feed that is attached brings now, and what it takes the place of; nothing of the CRM itself."""
    known = _known_connections(profile)
    return _tied(profile, name, known[name], known) if name in known and known[name].feeds else []


def permissions(crm: Reads) -> list[Line]:
    """Each permission that we need, as far as the CRM tells or a harmless call shows."""
    lines: list[Line] = []
    for each in crm.permissions() if isinstance(crm, Diagnostics) else ():
        if each.granted and each.beyond:
            lines.append(Line(each.name, "look", each.en, each.zh))
        elif each.granted:
            lines.append(Line(each.name, "ok", each.en, each.zh))
        elif each.granted is None:
            lines.append(Line(each.name, "look", f"{each.en}: not told", f"{each.zh}：未告知"))
        else:
            en, zh = "grant it to zixin's user and connect again", "请授予该用户并重新连接"
            lines.append(Line(each.name, "failed", f"{each.en}: {en}", f"{each.zh}：{zh}"))
    return lines


def objects(
    crm: Reads, profile: str, name: str, kept: ConnectionConfig, seen: Callable[[Described], None] = lambda _: None
) -> list[Line]:
    """Each object that the mapping reads: whether it may be seen, and which of its fields are not there.

    `seen` is told of each that was described.
    """
    mapping = compose.mapping_of(profile, name, kept)
    lines: list[Line] = []
    missing: list[str] = []
    for source, part in mapping.sources.items():
        if mapping.feed_of(source) or any(line.what == part.object for line in lines):
            continue
        try:
            described = crm.describe(part.object)
        except Problem as problem:
            line = _missing(part.object, problem, optional=part.optional)
            if line.state == "ok" and isinstance(crm, Catalogues):
                missing.append(part.object)
            else:
                lines.append(line)
            continue
        seen(described)
        if gone := missing_fields(part, described):
            message = ", ".join(gone)
            lines.append(Line(part.object, "look", f"{source}: no field {message}", f"{source}：没有字段 {message}"))
        else:
            lines.append(_there(crm, part.object, described, part.fields()))
    if missing:
        en = f"no tables {', '.join(missing)}: zixin map suggest{f' --of {name}' if kept.feeds else ''} finds yours"
        zh = f"没有表 {'、'.join(missing)}：zixin map suggest{f' --of {name}' if kept.feeds else ''} 可查找对应的表"
        lines.append(Line(name, "ok" if lines else "look", en, zh))
    return lines


def _there(crm: Reads, object_: str, described: Described, fields: Sequence[str]) -> Line:
    """An object with all its fields, and how its records are told apart where the system does not say that itself.

    There it is also tried whether what is read of it may be read.
    """
    en, zh = f"{len(described.fields)} fields", f"{len(described.fields)} 个字段"
    if isinstance(crm, Catalogues):
        try:
            keys = crm.keyed(object_)
            if isinstance(crm, Diagnostics):
                crm.sample(object_, fields, 1)
        except Problem as problem:
            return _missing(object_, problem, optional=False)
        en, zh = f"{en}; {keys[0]}", f"{zh}；{keys[1]}"
    return Line(object_, "ok", en, zh)


def _missing(object_: str, problem: Problem, *, optional: bool) -> Line:
    if optional and problem.code in ("E-CRM-OBJECT", "E-CRM-ANSWER"):
        return Line(object_, "ok", "not there, and optional", "不存在（可选）")
    state: Literal["look", "failed"] = "failed" if isinstance(problem, Denied) else "look"
    return Line(object_, state, problem.text("en"), problem.text("zh-CN"))


def _known_connections(profile: str) -> dict[str, ConnectionConfig]:
    try:
        return dict(connections.read(profile))
    except Misconfigured as problem:
        if problem.code != "E-NO-CONNECTION":
            raise
        return {}
