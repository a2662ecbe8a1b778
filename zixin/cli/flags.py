"""`zixin flags list|ack` and `zixin actions add|list|done`: following warnings up."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from zixin.cli.context import Context
from zixin.cli.credit import ACCOUNT, BY, read_context, who, write_context
from zixin.cli.evaluate import days_of

flags = typer.Typer(no_args_is_help=True, help="Warning flags: what is up, and who has seen it.")
actions = typer.Typer(no_args_is_help=True, help="Measures taken about flags: who, until when, what came of it.")
ONLY = Annotated[str, typer.Argument(help="Only this account.")]
OVER = Annotated[bool, typer.Option("--all", help="Those that are over, too.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(flags, name="flags")
    app.add_typer(actions, name="actions")


@flags.command("list", help="What is up, gravest first.")
def _flags(
    call: typer.Context,
    account: ONLY = "",
    code: Annotated[str, typer.Option(help="Only this flag.")] = "",
    every: OVER = False,
) -> None:
    context: Context = call.obj
    with read_context(context) as at:
        from zixin.services import credit

        rows = credit.flags(at, account or None, code or None, over=every)
    if context.json:
        context.document({"flags": [asdict(row) for row in rows]})
        return
    for row in rows:
        seen = context.words(f"seen by {row.acknowledged_by}", f"{row.acknowledged_by} 已确认")
        seen += f": {row.note}" if row.note else ""
        until = f" … {row.cleared_on}" if row.cleared_on else ""
        text = context.words(row.en, row.zh)
        measure = context.words(row.measure_en, row.measure_zh)
        head = f"{context.term(row.severity, 8)} {row.number:<14} {row.code:<20} {row.raised_on}{until}"
        context.say(f"{head}  {text} → {measure}  {seen if row.acknowledged_by else ''}".rstrip())


@flags.command("ack", help="Say that somebody has seen a flag.")
def _ack(
    call: typer.Context,
    account: ACCOUNT,
    code: Annotated[str, typer.Argument(help="The flag's code.")],
    note: Annotated[str, typer.Option(help="What about it.")] = "",
    by: BY = "",
) -> None:
    context: Context = call.obj
    with write_context(context) as at:
        from zixin.services import credit

        number = credit.acknowledge(at, account, code, who(by), note or None)
    context.say(context.words(f"{code} of {number} is acknowledged", f"已确认 {number} 的预警 {code}"))


@actions.command("add", help="Plan a measure.")
def _add(
    call: typer.Context,
    account: ACCOUNT,
    measure: Annotated[str, typer.Argument(help="A code of the policy's measures, or words of your own.")],
    flag: Annotated[str, typer.Option(help="The flag that it answers.")] = "",
    owner: Annotated[str, typer.Option(help="Who does it.")] = "",
    due: Annotated[str, typer.Option(help="By when; else the measure's usual days.")] = "",
    by: BY = "",
) -> None:
    context: Context = call.obj
    last = days_of(due)[0] if due else None
    with write_context(context) as at:
        from zixin.services import credit

        key, when = credit.plan_action(at, account, measure, flag=flag, owner=owner, due=last, by=who(by))
    if context.json:
        context.document({"id": key, "due": when})
    else:
        context.say(context.words(f"{key}: {measure}, due {when or '–'}", f"{key}：{measure}，期限 {when or '–'}"))


@actions.command("list", help="What is open, by when it is due.")
def _actions(call: typer.Context, account: ONLY = "", every: OVER = False) -> None:
    context: Context = call.obj
    with read_context(context) as at:
        from zixin.services import credit

        rows = credit.actions(at, account or None, over=every)
    if context.json:
        context.document({"actions": [asdict(row) for row in rows]})
        return
    for row in rows:
        state = context.words(f"done {row.done_on}", f"{row.done_on} 完成") if row.done_on else ""
        late = context.words("OVERDUE", "已过期") if row.late else ""
        head = f"{row.id:<6} {row.due or '–':<10} {row.number:<14} {row.flag or '–':<16} {row.measure}"
        context.say(f"{head}  {row.owner or ''}  {state or late}  {row.outcome or ''}".rstrip())


@actions.command("done", help="Say what came of a measure.")
def _done(
    call: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID")],
    outcome: Annotated[str, typer.Option(help="What came of it.")],
    by: BY = "",
) -> None:
    context: Context = call.obj
    with write_context(context) as at:
        from zixin.services import credit

        credit.action_done(at, key, outcome, who(by))
    context.say(context.words(f"{key} is done", f"{key} 已完成"))
