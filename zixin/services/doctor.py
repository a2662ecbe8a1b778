"""Everything that has to be right for an unattended run, looked at once; each line says what to do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from adapters import registry
from connector.editions import edition_of, unchanged
from connector.errors import Busy, Denied, Problem
from connector.policy import Policy
from connector.ports import Diagnostics, Reads, Writes
from sync import backup, survivors
from sync.crm_connection import CrmConnection, instant
from sync.store import Store, ledger, migrations, refusals, rejects, sayings, sweeps, ties
from sync.store import feeds as feed_states
from sync.store.revision import behind
from zixin import compose
from zixin.config import connections, installation, keys, settings
from zixin.config.connections import ConnectionConfig
from zixin.services import connect, crm_fields, policies, status

Group = Literal["environment", "connection", "fields", "records", "schedule"]
#: Bytes below which a store may not grow any more.
_LEAST_ROOM = 1 << 30
#: Apart by more, and a signed token is refused.
_CLOCKS = timedelta(seconds=60)
_BACKUP = timedelta(days=7)
#: Records that may have come since the last run before a difference is one.
_SHARE, _FEW = 0.02, 20


@dataclass(frozen=True, slots=True)
class Check:
    """One line. look: it works, and somebody should see to it."""

    group: Group
    what: str
    state: Literal["ok", "look", "failed"]
    en: str
    zh: str
    #: A credential or a permission (exit code 5).
    access: bool = False


def examined(profile: str, now: datetime) -> Iterator[Check]:
    """All lines, one after the other; nothing is changed, and a line that fails does not end it."""
    yield from _environment(profile)
    try:
        known = connections.read(profile)
    except Problem as problem:
        yield _failed("connection", problem)
        return
    for name, config in known.items():
        yield from _connection(profile, name, config, now)
    yield from _schedule(profile, now)


def exit_code(checks: list[Check]) -> int:
    """5 where a credential or permission line failed, 1 where another one did."""
    failed = [check for check in checks if check.state == "failed"]
    return 5 if any(check.access for check in failed) else 1 if failed else 0


def _names() -> Iterator[Check]:
    for name, others in installation.claims().items():
        who = ", ".join(others)
        yield _of(
            "packages",
            "failed",
            f"{who} installs the package {name}, too: install zixin in an environment of its own (pipx or uv tool)",
            f"{who} 也安装了包 {name}：请把 zixin 安装在独立环境中（pipx 或 uv tool）",
        )


def _environment(profile: str) -> Iterator[Check]:
    yield from _names()
    folder = settings.profile_folder(profile)
    there = folder if folder.exists() else settings.home()
    while not there.exists():
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK):
        yield _of("home", "failed", f"{there} cannot be written: set ZIXIN_HOME", f"{there} 不可写：请设置 ZIXIN_HOME")
        # The key, the store and the policy stand in it.
        return
    if folder.exists() and os.name == "posix" and folder.stat().st_mode & 0o077:
        yield _of("home", "look", f"others can read {folder}: chmod 700 it", f"其他用户可读 {folder}：请 chmod 700")
    else:
        yield _of("home", "ok", str(folder), str(folder))
    room = shutil.disk_usage(there).free
    enough: Literal["ok", "look"] = "ok" if room > _LEAST_ROOM else "look"
    message = f"{room / (1 << 30):.1f} GB"
    yield _of("disk", enough, f"{message} free" + ("" if enough == "ok" else ": make room"), f"可用 {message}")
    yield _key()
    try:
        if (folder / "zixin.db").exists() and (match := behind(folder / "zixin.db")):
            yield _of("store", "look", *_old(match))
        elif (folder / "zixin.db").exists():
            Store(folder / "zixin.db").close()
            size = (folder / "zixin.db").stat().st_size / (1 << 20)
            yield _of("store", "ok", f"{size:.1f} MB", f"{size:.1f} MB")
        rules = settings.policy(profile)
        yield _policy(rules)
    except Busy as problem:
        yield _of("store", "look", problem.text("en"), problem.text("zh-CN"))
    except Problem as problem:
        yield _of("store", "failed", problem.text("en"), problem.text("zh-CN"))


def _policy(rules: Policy) -> Check:
    edition, figures = edition_of(rules), rules.own_figures()
    # Of an edition as it was shipped the figures are those of its conditions.
    if figures and (edition is None or not unchanged(rules, edition)):
        where, figure = figures[0]
        return _of(
            "policy",
            "look",
            f"{where} holds the figure {figure} itself, which its condition may no longer say: zixin policy check",
            f"{where} 直接写了数字 {figure}，可能与条件不一致：zixin policy check",
        )
    newest = policies.newer(rules)
    if newest is None:
        return _of("policy", "ok", f"version {rules.version}", f"版本 {rules.version}")
    return _of(
        "policy",
        "look",
        f"there is a newer edition, {newest.name}: zixin policy editions",
        f"有更新的版本 {newest.name}：zixin policy editions",
    )


def _old(found: str) -> tuple[str, str]:
    wanted = migrations.HEAD
    return (
        f"of revision {found}, and this zixin works on {wanted}: zixin sync or serve brings it up to date",
        f"版本 {found}，当前程序使用 {wanted}：zixin sync 或 serve 会完成升级",
    )


def _key() -> Check:
    try:
        keys.vault()
        origin, place = keys.origin(), keys.place()
    except Problem as problem:
        return Check("environment", "key", "failed", problem.text("en"), problem.text("zh-CN"), access=True)
    if origin == "beside the data":
        en = f"in {place}, beside the data: give ZIXIN_KEY_FILE or a keyring, and keep a copy elsewhere"
        return _of("key", "look", en, f"位于数据旁的 {place}：请使用 ZIXIN_KEY_FILE 或钥匙串，并另存一份")
    return _of("key", "ok", f"from {place}", f"来自 {place}")


def _connection(profile: str, name: str, kept: ConnectionConfig, now: datetime) -> Iterator[Check]:
    try:
        crm = registry.open_crm(kept.crm, kept.credentials, compose.shared(profile, kept.clock_ahead_s), name)
        organisation = crm.organisation()
    except Problem as problem:
        yield _failed(name, problem)
        return
    message = f"{kept.crm}: {organisation.name}, {organisation.currency}"
    yield Check("connection", name, "ok", message, message)
    yield from _clock(crm, now + timedelta(seconds=kept.clock_ahead_s))
    try:
        yield from _quota(profile, name, kept, crm, now)
        for line in (*connect.permissions(crm), *connect.objects(crm, profile, name, kept)):
            yield Check("connection", line.what, line.state, line.en, line.zh, access=line.state == "failed")
        if kept.feeds:
            yield from _feed(profile, name)
            return
        feeds = compose.open_feeds(profile, name)
        link = CrmConnection(name, crm, compose.named_mapping(profile, name, kept), organisation, feeds=feeds)
        yield from _fields(profile, kept, link)
        yield from _counts(profile, link)
        yield from _missed(profile)
        yield from _decided(profile)
    except Problem as problem:
        # A quota that is used up, a CRM that is down: what it keeps us from looking at is not known.
        yield _failed(name, problem)


def _failed(what: str, problem: Problem) -> Check:
    access = isinstance(problem, Denied)
    return Check("connection", what, "failed", problem.text("en"), problem.text("zh-CN"), access)


def _clock(crm: Reads, now: datetime) -> Iterator[Check]:
    ahead = (crm.now() - now).total_seconds()
    if abs(ahead) <= _CLOCKS.total_seconds():
        yield Check("connection", "clock", "ok", f"{ahead:+.0f} s", f"{ahead:+.0f} 秒")
    else:
        en = f"the CRM's clock is {ahead:+.0f} s from this machine's: set this one by NTP"
        yield Check("connection", "clock", "look", en, f"CRM 时钟与本机相差 {ahead:+.0f} 秒：请用 NTP 校准本机")


def _quota(profile: str, name: str, kept: ConnectionConfig, crm: Reads, now: datetime) -> Iterator[Check]:
    spent, cap = status.spending(profile, name, kept, now)
    told = crm.quota() if isinstance(crm, Diagnostics) else None
    ours = f"{spent:,}" + (f" / {cap:,}" if cap else "")
    if told is None:
        near = cap is not None and spent > cap * 0.8
        yield Check(
            "connection", "quota", "look" if near else "ok", f"zixin used {ours} in 24 h", f"zixin 24 小时内已用 {ours}"
        )
        return
    used, limit = told
    state: Literal["ok", "look"] = "look" if used > limit * 0.8 else "ok"
    yield Check(
        "connection",
        "quota",
        state,
        f"{used:,} of {limit:,} calls in 24 h by all programs, zixin {ours}",
        f"所有程序 24 小时内共用 {used:,} / {limit:,} 次调用，其中 zixin {ours}",
    )


def _fields(profile: str, kept: ConnectionConfig, link: CrmConnection) -> Iterator[Check]:
    if not isinstance(link.crm, Writes):
        en, zh = "this system is only read: ratings show in zixin list", "该系统仅供读取：评级见 zixin list"
        yield Check("fields", "fields", "ok", en, zh)
        return
    if not kept.fields:
        yield Check("fields", "fields", "failed", "not made yet: zixin fields apply", "尚未创建：zixin fields apply")
        return
    drifts = crm_fields.find_drift(profile, link)
    for drift in drifts:
        cure = (
            ("zixin fields apply", "zixin fields apply")
            if drift.ours
            else ("set it right in the CRM", "请在 CRM 中改正")
        )
        state: Literal["look", "failed"] = "look" if drift.slight else "failed"
        yield Check("fields", drift.field, state, f"{drift.en}: {cure[0]}", f"{drift.zh}：{cure[1]}")
    if not drifts:
        yield Check("fields", "fields", "ok", f"{len(kept.fields)} as made", f"{len(kept.fields)} 个，与创建时一致")
    yield from _refused(profile, link)
    for layout, names in crm_fields.off_page(link).items():
        message = ", ".join(names)
        yield Check(
            "fields",
            layout,
            "look",
            f"not on this page layout, nobody sees them: {message}",
            f"不在此页面布局中，无人可见：{message}",
        )


def _refused(profile: str, link: CrmConnection) -> Iterator[Check]:
    """Fields that the CRM took of no account, or not of every one, when they were written last."""
    if not compose.up_to_date(profile):
        return
    with compose.open_store(profile) as (store, _), store.read(link.name) as session:
        result = refusals.by_field(session)
    for name, count in result.items():
        en = f"the CRM refused it of {count:,} account{'' if count == 1 else 's'}: zixin fields plan, then zixin sync"
        zh = f"CRM 拒绝了 {count:,} 个客户的该字段：先运行 zixin fields plan，再运行 zixin sync"
        yield Check("fields", f"{link.mapping.writes.fields.get(name, name)} refused", "look", en, zh)


def _counts(profile: str, link: CrmConnection) -> Iterator[Check]:
    """The CRM's records beside ours, of objects of which every record counts."""
    crm, name, mapping = link.crm, link.name, link.mapping
    if not isinstance(crm, Diagnostics) or not compose.up_to_date(profile):
        return
    with compose.open_store(profile) as (store, _), store.read(name) as session:
        ours = {
            source: ledger.records_of_source(session, source, table)
            for source, part in mapping.sources.items()
            for table in [next((each.table for each in part.yields if not each.when), "")]
            if table in ("accounts", "receivables", "payments") and ledger.cursor(session, source) is not None
        }
        bad: dict[str, int] = {}
        for row in rejects.every(session):
            bad[str(row["source"])] = bad.get(str(row["source"]), 0) + 1
    for source, count in ours.items():
        if mapping.feed_of(source):
            continue
        there = crm.count(mapping.sources[source].object)
        if there is None:
            continue
        apart = abs(there - count - bad.get(source, 0)) > max(_FEW, there * _SHARE)
        message = f"CRM {there:,}, zixin {count:,}, " + f"{bad.get(source, 0):,}"
        yield Check(
            "records",
            source,
            "look" if apart else "ok",
            f"{message} rejected" + (": zixin sync --full" if apart else ""),
            f"{message} 拒收" + ("：zixin sync --full" if apart else ""),
        )


def _feed(profile: str, name: str) -> Iterator[Check]:
    """How old what a feed brought is, and how its customers are tied to the CRM's accounts."""
    if not compose.up_to_date(profile):
        return
    with compose.open_store(profile) as (store, connection), store.read(connection) as session:
        state, (said, kept_) = feed_states.of(session, name), ties.count(session, name)
        twice, own = sayings.vetoed(session), compose.sources_of_feed(profile, connection, name)
        clash = ties.clashing(session, name)
        tied = len(ledger.accounts_of_sources(session, own))
        strange = [seen for source, seen in rejects.strangers(session).items() if source in own]
    read = "–" if state.read_at is None else instant(state.read_at).isoformat(timespec="minutes")
    if state.away_since is not None:
        since = instant(state.away_since).isoformat(timespec="minutes")
        en = f"read {read}; could not be read since {since} ({state.problem}): nothing rises on it: zixin sync"
        zh = f"读取于 {read}；自 {since} 起无法读取（{state.problem}），评级与额度不因其上调：zixin sync"
        yield Check("records", name, "look", en, zh)
    else:
        yield Check("records", name, "ok", f"read {read}", f"读取于 {read}")
    rows, customers = sum(each[0] for each in strange), max((each[1] for each in strange), default=0)
    en = f"{tied:,} accounts have facts of it; {said:,} say a number"
    zh = f"{tied:,} 个客户档案有其数据；{said:,} 个有对方编号"
    if strange:
        en = f"{en}; {rows:,} rows of {customers:,} customers or more are nobody's"
        zh = f"{zh}；至少 {customers:,} 个客户的 {rows:,} 行没有对应的客户档案"
    wrong = bool(strange) and not tied
    yield Check("records", name, "look" if wrong else "ok", en + (": is it the right field?" if wrong else ""), zh)
    if kept_:
        en = f"{kept_:,} accounts say no number any more and keep the customer that they had, until another one says it"
        zh = f"{kept_:,} 个客户档案已无对方编号，在其他档案使用该编号之前保留原对应关系"
        yield Check("records", name, "look", en, zh)
    for number in [each.removeprefix(f"{name}:") for each in twice if each.startswith(f"{name}:")][:_FEW]:
        accounts = twice[f"{name}:{number}"]
        en = f"{len(accounts)} accounts say the number {number}, and tax ids differ: they are no one customer"
        zh = f"{len(accounts)} 个客户档案使用同一编号 {number}，但税号不同：未合为一个客户"
        yield Check("records", name, "look", en, zh)
    for customer, account in list(clash.items())[:_FEW]:
        en = f"its customer {customer} and the account {account} say one number and different tax ids: "
        zh = f"其客户 {customer} 与客户档案 {account} 编号相同、税号不同："
        yield Check(
            "records", name, "look", f"{en}zixin links add {account} {name}:{customer}, where they are one",
            f"{zh}若为同一客户，zixin links add {account} {name}:{customer}",
        )  # fmt: skip


def _decided(profile: str) -> Iterator[Check]:
    """What people decided about accounts that are gone."""
    if not compose.up_to_date(profile):
        return
    with compose.open_store(profile) as (store, name), store.read(name) as session:
        guesses, orphans = len(survivors.guesses(session)), len(survivors.orphaned(session))
    if guesses:
        en = f"{guesses:,} accounts are gone and look merged into others: zixin duplicates list"
        yield Check(
            "records", "merges", "look", en, f"{guesses:,} 个客户档案已消失，疑似合并入其他档案：zixin duplicates list"
        )
    if orphans:
        en = f"what people decided about {orphans:,} accounts concerns nobody: they are gone: zixin hold list"
        yield Check(
            "records", "decisions", "look", en, f"{orphans:,} 个已消失客户档案的人工决定不再生效：zixin hold list"
        )


def _missed(profile: str) -> Iterator[Check]:
    """Sources of which a full read found what no read of changes had brought."""
    if not compose.up_to_date(profile):
        return
    with compose.open_store(profile) as (store, name), store.read(name) as session:
        missed = [row for row in sweeps.sweeps(session) if row.missed]
    for each in missed:
        day = instant(each.began_at).date().isoformat()
        en = f"cannot be trusted by its changes: read in full on {day}, it had new facts of {each.missed:,} customers: "
        zh = f"增量读取不可靠：{day} 全量读取时发现 {each.missed:,} 个客户的新数据："
        yield Check(
            "records", each.source, "look", f"{en}: zixin sync --full each night", f"{zh}：请每晚运行 zixin sync --full"
        )


def _schedule(profile: str, now: datetime) -> Iterator[Check]:
    try:
        yield from _runs(profile, now)
    except Problem as problem:
        # A store that is behind, or is being brought up to date, is told of above.
        if problem.code == "E-NO-STORE":
            yield Check("schedule", "runs", "look", problem.text("en"), problem.text("zh-CN"))
        elif problem.code not in ("E-STORE-OLD", "E-STORE-BUSY"):
            yield Check("schedule", "runs", "failed", problem.text("en"), problem.text("zh-CN"))
    moment = backup.last(settings.profile_folder(profile))
    if moment is None or now - moment > _BACKUP:
        since = moment.date().isoformat() if moment else "–"
        yield Check("schedule", "backup", "look", f"last {since}: zixin backup", f"上次 {since}：zixin backup")
    else:
        day = moment.isoformat(timespec="minutes")
        yield Check("schedule", "backup", "ok", f"last {day}", f"上次 {day}")


def _runs(profile: str, now: datetime) -> Iterator[Check]:
    results = status.of(profile, now)
    if not results.wants:
        last = results.last_success
        yield Check("schedule", "runs", "ok", f"last success {last}", f"最近成功 {last}")
    for want in results.wants:
        yield Check("schedule", "runs", "look", want.en, want.zh)


def _of(what: str, state: Literal["ok", "look", "failed"], en: str, zh: str) -> Check:
    return Check("environment", what, state, en, zh)
