"""`zixin runs`, `zixin errors RUN`, `zixin retry RUN`: what ran, what went wrong in it, and once more."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zixin.cli.context import Context

if TYPE_CHECKING:
    from sync.store.refusals import Refusal

_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("runs", help="What ran, newest first; one run in full.")(runs)
    app.command("errors", help="Rows that did not fit, and accounts that the CRM refused.")(errors)
    app.command("retry", help="Read what did not fit again, write what was refused again.")(retry)


def runs(
    call: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help="One run in full.")] = "",
    most: Annotated[int, typer.Option(help="How many.", min=1)] = _SHOWN,
) -> None:
    """From the profile's store."""
    context: Context = call.obj
    rows = [_readable(row) for row in _known(context, run_id, None if run_id else most)]
    if context.json:
        context.document({"runs": rows})
        return
    if run_id:
        _one(context, rows[0])
        return
    heads = context.words(
        "run started kind day state assessed written refused", "运行 开始 类型 日期 状态 评级 写回 拒绝"
    )
    context.say("{:<28} {:<20} {:<8} {:<10} {:<9} {:>8} {:>8} {:>8}".format(*heads.split()))
    for row in rows:
        counts = " ".join(f"{row['summary'].get(name, '–'):>8}" for name in ("assessed", "written", "refused"))
        started = row["started_at"][:19]
        context.say(f"{row['run']:<28} {started:<20} {row['kind']:<8} {row['as_of']} {row['state']:<9} {counts}")


def _one(context: Context, row: dict[str, Any]) -> None:
    summary = row.pop("summary")
    reconciled = summary.pop("reconciled", [])
    for name, value in {**row, **summary}.items():
        context.say(f"{name:<16} {value}")
    if not reconciled:
        return
    title = (
        "read from the start: the CRM's rows and money beside the store's",
        "全量读取：CRM 与本地存储的行数和金额对账",
    )
    context.say(context.words(*title))
    for item in reconciled:
        differs = "" if item["agrees"] else context.words("  DIFFERS", "  不一致")
        where = f"{item['source']} → {item['table']} {item['currency']}"
        crm, store = (f"{item[f'{side}_rows']:>9,} {item[f'{side}_amount']:>18}" for side in ("crm", "store"))
        context.say(f"  {where:<40} {crm}   {store}{differs}")


def errors(
    call: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id; zixin runs lists them.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values.")] = False,
) -> None:
    """What is open; `new`: it came up in that run."""
    context: Context = call.obj

    from sync.store import facts, refusals
    from zixin import compose

    run = _known(context, run_id)[0]
    with compose.stored(context.profile) as (store, name), store.read() as tx:
        rejects, refused = facts.rejected(tx, name), refusals.open_(tx, name)
        numbers = facts.numbers(tx, name)
    rows = [_reject(row, run, context) for row in rejects]
    rows += [
        {
            "what": "refused",
            "record": account,
            "column": ", ".join(each.fields),
            "value": numbers.get(account),
            "reason": _refused(context, each),
            "new": "",
        }
        for account, each in refused.items()
    ]
    if context.json:
        context.document({"errors": rows})
    elif as_csv:
        context.say(_csv(rows))
    else:
        for row in rows:
            where = f"{row['record']} {row['column']}".strip()
            context.say(f"{row['what']}  {where}  {row['value'] or '–'}  {row['reason']}")
        if not rows:
            context.say(context.words("no errors", "没有错误"))


def _refused(context: Context, refusal: Refusal) -> str:
    step = context.words("zixin fields plan says what to change", "zixin fields plan 会说明需要改动什么")
    return f"{refusal.words}: {step}" if refusal.fields else refusal.words


def retry(
    call: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id; zixin runs lists them.")],
) -> None:
    """One run under the profile's lock, as of today."""
    context: Context = call.obj
    _known(context, run_id)

    from connector.schema import day_number
    from sync.run import run
    from zixin.cli.sync import finish, locked

    with locked(context) as house:
        day = day_number(house.link.today())
        ran = run(house.store, house.link, house.policy, day, language=house.language, again=True)
        summary = ran.summary(house.link)
    finish(context, summary)


def _known(context: Context, run_id: str, most: int | None = None) -> list[dict[str, Any]]:
    from connector.errors import Misconfigured
    from sync.store import state
    from zixin import compose

    with compose.stored(context.profile) as (store, name), store.read() as tx:
        rows = state.runs(tx, name, most)
    found = [row for row in rows if run_id in ("", row["run_id"])]
    if run_id and not found:
        raise Misconfigured("E-RUN-UNKNOWN", run=run_id)
    return found


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    from connector.schema import day_of

    return {
        "run": row["run_id"],
        "kind": row["kind"],
        "as_of": day_of(row["as_of"]).isoformat(),
        "state": row["state"],
        "started_at": _instant(row["started_at"]),
        "finished_at": None if row["finished_at"] is None else _instant(row["finished_at"]),
        "by": row["by"],
        "policy_version": row["policy_version"],
        "summary": row["summary"],
    }


def _instant(micros: int) -> str:
    from sync.link import instant

    return instant(micros).isoformat(timespec="seconds")


def _reject(row: dict[str, object], run: dict[str, Any], context: Context) -> dict[str, Any]:
    from connector.words.rejects import sentence

    since, ended = int(str(row["since"])), run["finished_at"]
    fresh = run["started_at"] <= since and (ended is None or since <= ended)
    return {
        "what": f"rejected {row['source']}",
        "record": row["record"],
        "column": row["column"],
        "value": row["value"],
        "reason": sentence(str(row["reason"]), context.language),
        "new": "new" if fresh else "",
    }


def _csv(rows: list[dict[str, Any]]) -> str:
    from zixin.cli.sync import safe

    out = io.StringIO()
    names = ("what", "record", "column", "value", "reason", "new")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([safe(row[name]) for name in names])
    return out.getvalue().rstrip("\n")
