"""`zixin simulate CRM --data FOLDER`: a simulated CRM on 127.0.0.1, until it is stopped."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from zixin.cli.context import Context


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate", help="Serve a simulated CRM, filled from a portfolio folder.")(simulate)


def simulate(
    call: typer.Context,
    crm: Annotated[str, typer.Argument(help="Name of its adapter, such as zoho.")],
    data: Annotated[Path, typer.Option(help="A portfolio folder.", exists=True, file_okay=False)],
    port: Annotated[int, typer.Option(help="0: any free one.", min=0, max=65535)] = 0,
    today: Annotated[str, typer.Option(help="The day that its clock shows.")] = "",
    tls: Annotated[
        bool, typer.Option(help="Serve https, with a fresh certificate; its path is printed as `ca`.")
    ] = False,
    without: Annotated[str, typer.Option(help="Tables of the folder that lie elsewhere, by commas.", hidden=True)] = "",
    until_closed: Annotated[bool, typer.Option(help="End when standard input does.", hidden=True)] = False,
) -> None:
    """Print one line of JSON (origin, credentials, control) and serve."""
    from zixin.cli.evaluate import days_of, say_rejects
    from zixin.trial import simulate as simulated

    context: Context = call.obj
    check_crm(crm)
    day: date | None = days_of(today)[0] if today else None
    simulation = simulated.simulation(crm, data, day, set(without.split(",")) - {""})
    say_rejects(context, simulation.rejects)
    say_left_out(context, crm, [asdict(each) for each in simulation.left_out])
    if until_closed:
        threading.Thread(target=_end_with_standard_input, daemon=True).start()

    def ready(line: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    simulated.serve(simulation, port, ready, tls=tls, now=datetime.now(UTC))


def say_left_out(context: Context, crm: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Name on standard error what a simulated CRM has no place for; rows: table, column, rows."""
    from connector.messages import left_out

    for each in rows:
        context.progress(f"! {context.words(*left_out.of_table(**each))}")
    if rows:
        context.progress(f"  {context.words(*left_out.placeless(crm))}")


def check_crm(crm: str) -> None:
    """Raises a usage error for a name that no adapter has."""
    from zixin.services.connect import available

    if crm not in available():
        raise typer.BadParameter(f"there is no {crm!r}; there is {', '.join(available())}", param_hint="CRM")


def _end_with_standard_input() -> None:
    sys.stdin.read()
    os._exit(0)
