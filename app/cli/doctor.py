"""`zixin doctor`: environment, connection, fields, records, schedule; what is not right and what to do."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from app.cli.context import Context

_MARKS = {"ok": "✓", "look": "?", "failed": "✗"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", help="Look at everything an unattended run needs; says what to do.")(doctor)


def doctor(call: typer.Context) -> None:
    """Exit code 5 where a credential or permission fails, 1 where anything else does."""
    from app import doctor as doctors

    context: Context = call.obj
    checks = []
    group = ""
    for check in doctors.examined(context.profile, datetime.now(UTC)):
        checks.append(check)
        if context.json:
            continue
        if check.group != group:
            group = check.group
            context.say(group)
        context.say(f"  {_MARKS[check.state]} {check.what:<34} {context.words(check.en, check.zh)}")
    code = doctors.exit_code(checks)
    if context.json:
        names = ("group", "what", "state", "en", "zh")
        context.document({"checks": [{key: getattr(check, key) for key in names} for check in checks]})
    if code:
        raise typer.Exit(code)
