"""What an operator looks at first: when it last worked, what waits, and what wants a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from adapters import registry
from connector.messages.holes import sentence
from connector.schema import day_of
from sync import inbox
from sync.crm_connection import instant, iso, micros
from sync.locks import paused
from sync.store import feeds as feed_states
from sync.store import holes, ledger, ratings, refusals, rejects, runs, sight
from sync.store.feeds import FeedState
from sync.store.sight import LostSource
from sync.token_cache import spent_today
from zixin import compose
from zixin.config import connections, settings
from zixin.config.connections import ConnectionConfig
from zixin.services.intake import STALLED_S

#: A night is missed when no run ended well for so long.
_MISSED = timedelta(hours=26)
#: Clocks differ by so much without a word.
_AHEAD = timedelta(hours=1)


def spending(profile: str, name: str, kept: ConnectionConfig, now: datetime) -> tuple[int, int | None]:
    """What a connection's calls cost in 24 hours, in the CRM's own unit, and its cap; None: there is none."""
    return spent_today(settings.profile_folder(profile), name, now), registry.cap(kept.crm, kept.credentials)


@dataclass(frozen=True, slots=True)
class Want:
    """Something that wants a person, and what to do."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Status:
    """How a profile stands, by its store alone. Times are ISO instants, days ISO dates."""

    #: When a run ended well last; None: none has.
    last_success: str | None
    last_run: str | None
    last_state: str | None
    newest_day: str | None
    accounts: int
    waiting_events: int
    dead_events: int
    #: Seconds for which no event was closed while some waited.
    stalled_s: int
    #: What the CRM's calls cost, counted by us in its own unit; `cap_24h` None: no cap was set.
    spent_24h: int
    cap_24h: int | None
    #: Rows that do not fit, and accounts of which the CRM refuses something.
    rejected: int
    refused: int
    #: Sources of which a full read showed too little, and nobody has accepted it yet: records stored, shown, missing.
    lost: tuple[LostSource, ...]
    #: What is missing of what was read, by the last look: source, table, cause, rows, of, customers (null: everybody).
    holes: tuple[dict[str, Any], ...]
    #: Customers who are not written because of it.
    withheld: int
    #: Systems that are read beside the CRM: feed, read_at (when it was read to its end last), away_since, problem.
    feeds: tuple[dict[str, str | None], ...]
    paused: bool
    wants: tuple[Want, ...]


def of(profile: str, now: datetime) -> Status:
    """How the profile stands. Raises Misconfigured where it has no connection, or no store."""
    name, config = connections.first(profile)
    ours = now + timedelta(seconds=config.clock_ahead_s)
    with compose.open_store(profile) as (store, _), store.read(name) as session:
        ran = runs.list_runs(session, 50)
        ended_well = [row for row in ran if row["state"] in runs.IN_FORCE and row["finished_at"]]
        # One of a clock that ran ahead says nothing of when it was.
        latest = micros(ours + _AHEAD)
        good = next((row for row in ended_well if row["finished_at"] <= latest), None)
        counts, day = inbox.count_by_state(session), ratings.newest_day(session)
        stalled = inbox.stalled_s(session, micros(now))
        strangers = sum(rows for rows, _ in rejects.strangers(session).values())
        rejected, refused = len(rejects.every(session)) - strangers, len(refusals.open_(session))
        lost = tuple(sight.open_sources(session))
        accounts = ledger.totals(session)["accounts"]
        seen = tuple(holes.told(session))
        aside = holes.count_withheld(session)
        known = connections.feeds_of(profile, name)
        states = feed_states.every(session)
    feeds = tuple(_feed(states.get(feed, FeedState(feed))) for feed in known)
    waits = ran[0]["run_id"] if ran and ran[0]["state"] in ("braked", "withheld") else None
    own = [row for row in seen if row["cause"] != "lost"]
    braked = waits if waits and (own or ran[0]["state"] == "braked") else None
    ended = instant(good["finished_at"]) if good else None
    spent, cap = spending(profile, name, config, now)
    off = paused(settings.profile_folder(profile))
    return Status(
        last_success=ended.isoformat(timespec="seconds") if ended else None,
        last_run=ran[0]["run_id"] if ran else None,
        last_state=ran[0]["state"] if ran else None,
        newest_day=None if day is None else day_of(day).isoformat(),
        accounts=accounts,
        waiting_events=counts["waiting"],
        dead_events=counts["dead"],
        stalled_s=round(stalled),
        spent_24h=spent,
        cap_24h=cap,
        rejected=rejected,
        refused=refused,
        lost=lost,
        holes=seen,
        withheld=aside,
        feeds=feeds,
        paused=off,
        wants=tuple(_wants(ended, ours, braked, counts["dead"], stalled, lost, own, feeds, paused=off)),
    )


def lost_words(row: LostSource) -> Want:
    """What became of a source, and what to do."""
    en = "{source}: the CRM shows {shown:,} of {stored:,} records; {missing:,} are out of sight and count as they were."
    zh = "{source}：CRM 仅显示 {stored:,} 条记录中的 {shown:,} 条；其余 {missing:,} 条不可见，按原样计入。"
    facts, todo = asdict(row), f"zixin accept {row.source}"
    return Want(
        f"{en.format(**facts)} Mend the access, or {todo}", f"{zh.format(**facts)}请恢复访问权限，或运行 {todo}"
    )


def _feed(state: FeedState) -> dict[str, str | None]:
    return {
        "feed": state.feed,
        "read_at": iso(state.read_at),
        "away_since": iso(state.away_since),
        "problem": state.problem if state.away_since is not None else None,
    }


def _wants(
    ended: datetime | None,
    now: datetime,
    braked: str | None,
    dead: int,
    stalled: float,
    lost: tuple[LostSource, ...],
    holes_: list[dict[str, Any]],
    feeds: tuple[dict[str, str | None], ...],
    *,
    paused: bool,
) -> Iterator[Want]:
    yield from map(lost_words, lost)
    for hole in holes_:
        todo = f"zixin approve {braked}" if braked else "zixin sync"
        en, zh = (sentence(hole, language) for language in ("en", "zh-CN"))
        yield Want(
            f"{en}, not written until it is mended, or a person goes on without: {todo}",
            f"{zh}，排除原因或由人决定在缺失情况下继续之前不写回：{todo}",
        )
    if ended is None or now - ended > _MISSED:
        since = ended.isoformat(timespec="minutes") if ended else "–"
        yield Want(
            f"no run has ended well since {since}: run zixin sync", f"自 {since} 起没有成功的同步：请运行 zixin sync"
        )
    if braked:
        yield Want(f"a run waits: zixin approve {braked}", f"有运行待批准：zixin approve {braked}")
    if dead:
        yield Want(
            f"{dead} events were given up: zixin hooks deliveries --state dead",
            f"{dead} 个事件已放弃：zixin hooks deliveries --state dead",
        )
    if stalled > STALLED_S:
        minutes = round(stalled / 60)
        yield Want(
            f"events wait, and none was closed for {minutes:,} minutes: does zixin serve run, and is the CRM there?",
            f"有事件等待，{minutes:,} 分钟内没有处理完任何事件：zixin serve 是否运行，CRM 是否可用？",
        )
    for each in feeds:
        if each["away_since"] is not None:
            read, since = each["read_at"] or "–", each["away_since"]
            why, todo = f"{each['feed']} ({each['problem']})", "zixin doctor"
            yield Want(
                f"{why} cannot be read since {since}, it was read {read}; nothing rises on it: {todo}",
                f"自 {since} 起无法读取 {why}，上次读取于 {read}；评级与额度不因其上调：{todo}",
            )
    if paused:
        yield Want("writes are paused: zixin resume", "写回已暂停：zixin resume")
