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
    from adapters.declarative.check import check as steps
    from adapters.declarative.crm import Declared
    from adapters.registry import complete
    from adapters.rest.entry import connector_of, declared
    from zixin.services.connect import from_file, gathered

    context: Context = call.obj
    named = {"connector": str(file)} if file.is_file() else {}
    connector = connector_of("rest" if named else str(file), named)
    needs = declared(connector)
    given = complete(needs, gathered(lambda _: needs, from_file(settings), None), connector.name)
    crm = Declared(connector, given, Alone(), name=connector.name)
    rows: list[dict[str, Any]] = []
    for tried in steps(connector, crm):
        rows.append({"step": tried.step, "state": tried.state, "en": tried.en, "zh": tried.zh})
        if not context.json:
            context.say(f"{MARKS[tried.state]} {tried.step:<28} {context.words(tried.en, tried.zh)}")
    if context.json:
        context.document({"connector": connector.name, "steps": rows})
    if any(row["state"] in ("failed", "look") for row in rows):
        raise typer.Exit(1)


class Alone:
    """Tokens and counts of one command, kept in memory."""

    def __init__(self) -> None:
        self._kept: Any = None

    def token(self, name: str) -> Any:  # noqa: ARG002
        """This process is alone with its token."""
        from contextlib import nullcontext

        return nullcontext(self)

    def get(self) -> Any:
        """The token, while the command runs."""
        return self._kept

    def put(self, token: str, expires_at: Any) -> None:
        """Keep a token."""
        self._kept = (token, expires_at)

    def take(self, name: str, amount: int, cap: int | None) -> None:
        """Nothing is counted."""
