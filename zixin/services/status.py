"""What an operator looks at first: when it last worked, what waits, and what wants a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connector.schema import day_of
from sync import inbox
from sync.link import instant
from sync.shared import paused, spent_today
from sync.store import facts, refusals, state
from zixin import compose
from zixin.config import connections, settings
from zixin.config.connections import Kept

#: A night is missed when no run ended well for so long.
_MISSED = timedelta(hours=26)


#: Names that adapters give to the cap of a day.
_CAPS = ("credits_a_day", "calls_a_day")


def spending(profile: str, name: str, kept: Kept, now: datetime) -> tuple[int, int | None]:
    """What a connection's calls cost in 24 hours, in the CRM's own unit, and its cap; None: there is none."""
    cap = next((int(kept.credentials[key]) for key in _CAPS if kept.credentials.get(key)), None)
    return spent_today(settings.profile_folder(profile), name, now), cap


def of(profile: str, now: datetime) -> dict[str, Any]:
    """last_success, newest_day, accounts, waiting_events, dead_events, spent_24h, cap_24h, rejected, refused, paused,
    wants (en, zh). What the CRM's calls cost is counted by us, in its own unit; `cap_24h` None: no cap was set.
    """
    with compose.stored(profile) as (store, name), store.read() as tx:
        runs = state.runs(tx, name, 50)
        good = next((row for row in runs if row["state"] in ("done", "approved") and row["finished_at"]), None)
        counts, day = inbox.counted(tx, name), state.newest_day(tx, name)
        rejected, refused = len(facts.rejected(tx, name)), len(refusals.open_(tx, name))
        accounts = facts.totals(tx, name)["accounts"]
    braked = runs[0]["run_id"] if runs and runs[0]["state"] == "braked" else None
    ended = instant(good["finished_at"]) if good else None
    spent, cap = spending(profile, name, connections.read(profile)[name], now)
    off = paused(settings.profile_folder(profile))
    wants = []
    if ended is None or now - ended > _MISSED:
        since = ended.isoformat(timespec="minutes") if ended else "–"
        wants.append(
            {
                "en": f"no run has ended well since {since}: run zixin sync",
                "zh": f"自 {since} 起没有成功的同步：请运行 zixin sync",
            }
        )
    if braked:
        wants.append({"en": f"a run waits: zixin approve {braked}", "zh": f"有运行待批准：zixin approve {braked}"})
    if counts["dead"]:
        wants.append(
            {
                "en": f"{counts['dead']} events were given up: zixin hooks deliveries --state dead",
                "zh": f"{counts['dead']} 个事件已放弃：zixin hooks deliveries --state dead",
            }
        )
    if off:
        wants.append({"en": "writes are paused: zixin resume", "zh": "写回已暂停：zixin resume"})
    return {
        "last_success": ended.isoformat(timespec="seconds") if ended else None,
        "last_run": runs[0]["run_id"] if runs else None, "last_state": runs[0]["state"] if runs else None,
        "newest_day": None if day is None else day_of(day).isoformat(),
        "accounts": accounts, "waiting_events": counts["waiting"], "dead_events": counts["dead"],
        "spent_24h": spent, "cap_24h": cap,
        "rejected": rejected, "refused": refused, "paused": off, "wants": wants,
    }  # fmt: skip
