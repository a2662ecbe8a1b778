"""`zixin adapter check FILE`: tries a connector file on the system that it describes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zixin.cli.context import MARKS, Context


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Connector files of systems with a REST API.")
    group.command("check", help="Try each call of a connector file and say what works; nothing is written.")(check)
    app.add_typer(group, name="adapter")


def check(
    call: typer.Context,
    file: Annotated[Path, typer.Argument(help="A connector file, or the name of one that zixin ships.")],
    settings: Annotated[
        Path | None, typer.Option(help="YAML file of the settings; else ZIXIN_SET_NAME of the environment.")
    ] = None,
) -> None:
    """Exit code 1 where a step failed or wants to be looked at."""
    from zixin.services import connector_files

    context: Context = call.obj
    connector = connector_files.load_file(file)
    rows: list[dict[str, Any]] = []
    for tried in connector_files.check(connector, settings):
        rows.append({"step": tried.step, "state": tried.state, "en": tried.en, "zh": tried.zh})
        if not context.json:
            context.say(f"{MARKS[tried.state]} {tried.step:<28} {context.words(tried.en, tried.zh)}")
    if context.json:
        context.document({"connector": connector.name, "steps": rows})
    if any(row["state"] in ("failed", "look") for row in rows):
        raise typer.Exit(1)
