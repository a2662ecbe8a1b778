"""`zixin demo`: the whole line on a simulated CRM, and what a person would want to see of it."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.messages.flags import flag_name
from zixin.cli.context import Context
from zixin.cli.evaluate import days_of
from zixin.cli.simulate import check_crm, say_left_out
from zixin.cli.sync import say_summary

if TYPE_CHECKING:
    from zixin.trial.demo import Demo

_WATCHED = 8


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", help="Try it: a simulated CRM, rated and written back; no credentials needed.")(demo)


def demo(
    call: typer.Context,
    crm: Annotated[str, typer.Option(help="Which CRM is simulated, by the name of its adapter.")] = "zoho",
    data: Annotated[Path | None, typer.Option(help="A portfolio folder; else one is made.", exists=True)] = None,
    as_of: Annotated[str, typer.Option(help="Day to rate as of; else the day after the data's last fact.")] = "",
    quiet: Annotated[bool, typer.Option("--no-serve", help="Stand without listening for events.", hidden=True)] = False,
    once: Annotated[bool, typer.Option("--once", help="End when it is done, instead of standing.")] = False,
) -> None:
    """Run the line once, show it, and stand until Ctrl-C."""
    context: Context = call.obj
    check_crm(crm)
    day: date | None = days_of(as_of)[0] if as_of else None
    signal.signal(signal.SIGTERM, _terminated)
    # Also where a shell started us with Ctrl-C ignored, as it does for jobs in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    from zixin.trial.demo import live, running_demo

    try:
        with running_demo(crm, data, day, date.today(), context.language, context.progress) as done:  # noqa: DTZ011
            if context.json:
                context.document(done.document())
                sys.stdout.flush()
            else:
                _show(context, done)
            if not once:
                with nullcontext() if quiet else live():
                    _stand(context, done)
    except KeyboardInterrupt:
        context.progress("")
        raise typer.Exit(130) from None
    if once and (done.summary["rejected"] or done.summary["refused"]):
        raise typer.Exit(4)


def _terminated(_signal: int, _frame: Any) -> None:
    raise SystemExit(143)


def _stand(context: Context, done: Demo) -> None:
    context.say()
    context.say(
        context.words(
            "It stands until Ctrl-C. In another terminal:", "模拟 CRM 持续运行，按 Ctrl-C 结束。可在另一终端执行："
        )
    )
    context.say("  python3 go.py --profile demo sync")
    context.say("  python3 go.py --profile demo list --rating CCC")
    displayed = done.simulated["page"]
    if displayed:
        words = ("A rep's page, with buttons that change the CRM:", "销售看到的页面，按钮会改动 CRM：")
        context.say(f"  {context.words(*words)} {displayed}?lang={context.language}")
    for number, _ in list(done.names.values())[:1]:
        context.say(f"  python3 go.py --profile demo explain {number}")
    context.say(f"  curl {done.simulated['control']}/ledger")
    # Polars puts a handler of its own under Python's, one that resumes a blocking wait: measured, Ctrl-C then hangs.
    while not threading.Event().wait(0.5):
        continue


def _show(context: Context, done: Demo) -> None:
    from zixin.services.ratings import distribution

    context.say()
    context.say(context.words(f"Ratings as of {done.as_of}", f"截至 {done.as_of} 的信用等级"))
    counted = distribution(done.assessed)
    widest = max(counted.values(), default=1)
    for grade, count in counted.items():
        context.say(f"  {grade:<4} {count:>5}  {'█' * max(1, round(40 * count / widest))}")
    context.say()
    context.say(context.words("Watch list: critical flags, most overdue first", "关注名单：有严重预警，按逾期金额排序"))
    for row in done.watch(_WATCHED):
        _watch(context, done, row)
    context.say()
    say_summary(context, done.summary)
    say_left_out(context, done.crm, done.simulated["left_out"])


def _watch(context: Context, done: Demo, row: dict[str, Any]) -> None:
    from connector import money
    from connector.presentation import reasons

    number, name = done.names.get(row["customer_id"], (row["customer_id"], ""))
    codes = [flag["code"] for flag in row["flags"]]
    flags = ", ".join(context.words(code, flag_name(code, "zh-CN")) for code in codes)
    overdue = money.format_money(row["overdue"], row["currency"])
    late = context.words(
        f"{overdue} overdue, {row['max_days_overdue']} days", f"逾期 {overdue}，{row['max_days_overdue']} 天"
    )
    context.say(f"  {row['rating']:<4} {number:<10} {name}: {late} [{flags}]")
    for line in reasons(row, context.language, done.sentences)[:2]:
        context.say(f"         {line}")
