"""`zixin doctor`: environment, connection, fields, records, schedule; what is not right and what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from zixin.cli.context import MARKS, Context

if TYPE_CHECKING:
    from zixin.services.doctor import Check


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", help="Look at everything an unattended run needs; says what to do.")(doctor)


def _next(checks: list[Check]) -> tuple[str, str]:
    """What an admin does next, by what is not there yet."""
    failed = {(check.group, check.what) for check in checks if check.state == "failed"}
    if ("connection", "connection") in failed:
        return "Next: zixin connect CRM", "下一步：zixin connect CRM"
    if any(group in ("environment", "connection") for group, _ in failed):
        return "Next: mend what failed, then zixin doctor", "下一步：修复失败项后再运行 zixin doctor"
    if failed:
        return "Next: zixin map check, then zixin fields plan", "下一步：zixin map check，然后 zixin fields plan"
    if ("schedule", "runs", "ok") in {(check.group, check.what, check.state) for check in checks}:
        return "Nothing has failed.", "没有失败项。"
    return "Next: zixin sync --dry-run", "下一步：zixin sync --dry-run"


def doctor(call: typer.Context) -> None:
    """Exit code 5 where a credential or permission fails, 1 where anything else does."""
    from zixin.services import doctor as doctors

    context: Context = call.obj
    checks = []
    group = ""
    for check in doctors.examined(context.profile, datetime.now(UTC)):
        checks.append(check)
        if context.json:
            continue
        if check.group != group:
            group = check.group
            context.say(context.term(group))
        context.say(f"  {MARKS[check.state]} {context.term(check.what, 34)} {context.words(check.en, check.zh)}")
    code = doctors.exit_code(checks)
    if context.json:
        names = ("group", "what", "state", "en", "zh")
        context.document({"checks": [{key: getattr(check, key) for key in names} for check in checks]})
    else:
        good, look, bad = (sum(check.state == state for check in checks) for state in ("ok", "look", "failed"))
        context.say(
            context.words(
                f"{good} ok, {look} to look at, {bad} failed", f"{good} 项正常，{look} 项需关注，{bad} 项失败"
            )
        )
        context.say(context.words(*_next(checks)))
    if code:
        raise typer.Exit(code)
