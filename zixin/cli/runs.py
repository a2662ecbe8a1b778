"""`zixin runs`, `zixin errors RUN`, `zixin retry RUN`: what ran, what went wrong in it, and once more."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zixin.cli.context import Context

if TYPE_CHECKING:
    from zixin.services.runs import Refused, Rejected, RunRow

_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("runs", help="What ran, newest first; one run in full.")(runs)
    app.command("errors", help="Rows that did not fit, and accounts that the CRM refused.")(errors)
    app.command("retry", help="Read what did not fit again, write what was refused again.")(retry)


def runs(
    call: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help="One run in full.")] = "",
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = _SHOWN,
) -> None:
    """From the profile's store."""
    context: Context = call.obj

    from zixin.services import runs as service

    rows = [_readable_row(row) for row in service.list_runs(context.profile, run_id, limit)]
    if context.json:
        context.document({"runs": rows})
        return
    if run_id:
        _one(context, rows[0])
        return
    en, zh = "run started kind day state assessed written refused", "运行 开始 类型 日期 状态 评级 写回 拒绝"
    context.heads(en, zh, (-28, -20, -8, -10, -9, 8, 8, 8))
    for row in rows:
        counts = " ".join(f"{row['summary'].get(name, '–'):>8}" for name in ("assessed", "written", "refused"))
        started = row["started_at"][:19]
        kind, state = context.term(row["kind"], 8), context.term(row["state"], 9)
        context.say(f"{row['run']:<28} {started:<20} {kind} {row['as_of']} {state} {counts}")


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

    from zixin.services import runs as service

    run = service.list_runs(context.profile, run_id)[0]
    result = service.open_errors(context.profile)
    rows = [_reject(row, run, context) for row in result.rejected]
    rows += [
        {
            "what": "refused",
            "record": each.account_id,
            "column": ", ".join(each.fields),
            "value": each.number,
            "reason": _refused(context, each),
            "new": "",
        }
        for each in result.refused
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


def _refused(context: Context, refusal: Refused) -> str:
    step = context.words("zixin fields plan says what to change", "zixin fields plan 会说明需要改动什么")
    return f"{refusal.words}: {step}" if refusal.fields else refusal.words


def retry(
    call: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id; zixin runs lists them.")],
) -> None:
    """One run under the profile's lock, as of today."""
    context: Context = call.obj

    from zixin.cli.sync import finish
    from zixin.cli.upgrade import upgraded
    from zixin.services import runs as service

    service.list_runs(context.profile, run_id)
    upgraded(context)
    finish(context, service.retry(context.profile, run_id))


def _readable_row(row: RunRow) -> dict[str, Any]:
    return {
        "run": row.run,
        "kind": row.kind,
        "as_of": row.as_of.isoformat(),
        "state": row.state,
        "started_at": row.started_at.isoformat(timespec="seconds"),
        "finished_at": None if row.finished_at is None else row.finished_at.isoformat(timespec="seconds"),
        "by": row.by,
        "policy_version": row.policy_version,
        "summary": row.summary,
    }


def _reject(row: Rejected, run: RunRow, context: Context) -> dict[str, Any]:
    from connector.messages.rejects import sentence

    fresh = run.started_at <= row.since and (run.finished_at is None or row.since <= run.finished_at)
    return {
        "what": f"rejected {row.source}",
        "record": row.record,
        "column": row.column,
        "value": row.value,
        "reason": sentence(row.reason, context.language),
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
