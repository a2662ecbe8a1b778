"""`zixin init`: what a new installation starts with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zixin.cli.context import Context


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init", help="Begin: a commented settings file for your CRM, .env.example, the key.")(init)


def init(
    call: typer.Context,
    crm: Annotated[str, typer.Option(help="Name of its adapter; else asked for, zoho with --no-input.")] = "",
    into: Annotated[Path, typer.Option(help="Folder of the settings file.", file_okay=False)] = Path(),
) -> None:
    """Files that are there stay as they are."""
    from zixin.cli.simulate import check_crm
    from zixin.config import keys, scaffold
    from zixin.services import connect

    context: Context = call.obj
    if not crm:
        asks = not (context.no_input or context.json)
        title = f"CRM ({', '.join(connect.available())})"
        crm = str(typer.prompt(title, default="zoho", err=True)) if asks else "zoho"
    check_crm(crm)
    folder = scaffold.home_ready(context.profile)
    origin, key = keys.origin(), keys.place()
    file = into / f"zixin.{crm}.yaml"
    paths = scaffold.write(into, crm, connect.setting_specs(crm), connect.setup_steps(crm), {})
    if context.json:
        files = {"written": [str(path) for path in paths], "settings": str(file)}
        context.document({"crm": crm, "profile": context.profile, "home": str(folder), "key": origin, **files})
        return
    for path in (file, into / ".env.example"):
        context.say(f"{'+' if path in paths else '='} {path}")
    context.say(
        context.words(
            f"Profile {context.profile}: {folder}. Key for secrets: {key}; a backup never holds it, keep a copy elsewhere.",
            f"配置 {context.profile}：{folder}。密钥位置：{key}；备份中不含密钥，请另存一份。",
        )
    )
    context.say(
        context.words(
            f"Next: fill in {file}, then zixin connect {crm} --settings {file} (or zixin connect {crm}, which asks)",
            f"下一步：填写 {file}，然后运行 zixin connect {crm} --settings {file}（或 zixin connect {crm}，逐项询问）",
        )
    )
