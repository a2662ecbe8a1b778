"""`zixin serve`, `status`, `hooks`, `pause`, `resume`: events as they come, and what an operator watches."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from zixin.cli.context import Context
from zixin.cli.upgrade import upgraded

if TYPE_CHECKING:
    from zixin.services.events import Delivery

hooks = typer.Typer(no_args_is_help=True, help="Calls from CRMs: their secret, what came, what was given up.")
secret = typer.Typer(no_args_is_help=True, help="The secret that callers prove themselves with.")
hooks.add_typer(secret, name="secret")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve", help="Take events in, re-rate within seconds, run the night.")(serve)
    app.command("status", help="Last success, waiting and dead events, age of the data, a missed night.")(status)
    app.command("pause", help="Write nothing into the CRM until `zixin resume`.")(pause)
    app.command("resume", help="Write into the CRM again.")(resume)
    app.add_typer(hooks, name="hooks")


def serve(
    call: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free one.", min=0, max=65535)] = 8765,
    public_url: Annotated[str, typer.Option(help="Where the CRM reaches us; it is subscribed to.")] = "",
    poll: Annotated[float, typer.Option(help="Seconds between looks at what changed; 0: none.", min=0)] = 0,
    nightly: Annotated[str, typer.Option(help="HH:MM of a nightly sync, in the policy's time zone.")] = "",
    metrics_port: Annotated[int, typer.Option(help="Prometheus metrics on 127.0.0.1; 0: none.", min=0)] = 0,
) -> None:
    """Prints one line of JSON (origin, hooks) and serves until SIGINT or SIGTERM."""
    context: Context = call.obj
    if nightly and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", nightly):
        raise typer.BadParameter(f"{nightly!r} is not an hour like 02:30", param_hint="--nightly")

    from zixin.logs import configure
    from zixin.services import loops
    from zixin.services.metrics import REGISTRY
    from zixin.web import server
    from zixin.web.webhooks import application

    configure()
    upgraded(context, makes=True)
    with loops.serving_profile(context.profile, poll_s=poll, nightly=nightly, public_url=public_url) as (
        serving,
        intake,
    ):
        if metrics_port:
            from prometheus_client import start_http_server

            start_http_server(metrics_port, "127.0.0.1", REGISTRY)

        def ready(origin: str) -> None:
            line = {"origin": origin, "hooks": {name: f"/hooks/{name}" for name in intake.routes}}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()

        server.serve(application(intake, serving.ready), port, ready, host)


def status(call: typer.Context) -> None:
    """Exit code 1 where something wants a person: a missed night, dead events, a run that waits."""
    context: Context = call.obj

    from zixin.services.status import of

    results = of(context.profile, datetime.now(UTC))
    if context.json:
        context.document(asdict(results))
    else:
        for name, value in asdict(results).items():
            if name != "wants":
                value = len(value) if isinstance(value, tuple) else value
                text = "–" if value is None else context.term(str(value))
                context.say(f"{context.term(name, 18)} {text}")
        for line in results.wants:
            context.say(f"! {context.words(line.en, line.zh)}")
    if results.wants:
        raise typer.Exit(1)


def pause(call: typer.Context) -> None:
    """Ratings are computed as ever; what differs waits."""
    from zixin.services import backups

    context: Context = call.obj
    backups.pause(context.profile)
    context.say(context.words("paused: nothing is written until zixin resume", "已暂停写回，zixin resume 恢复"))


def resume(call: typer.Context) -> None:
    """What waited is written by the next run or event."""
    from zixin.services import backups

    context: Context = call.obj
    backups.resume(context.profile)
    context.say(context.words("writes again", "已恢复写回"))


#: Whose hook a secret is.
_OF = typer.Option("--of", metavar="NAME", help="A feed's, by its name; else the CRM's.")


@secret.command("new", help="Make one; every older one stops counting. It is shown once.")
def _new(call: typer.Context, of: Annotated[str, _OF] = "") -> None:
    _secret(call.obj, of, rotate=False)


@secret.command("rotate", help="Make one; the one before it counts until the next is made.")
def _rotate(call: typer.Context, of: Annotated[str, _OF] = "") -> None:
    _secret(call.obj, of, rotate=True)


def _secret(context: Context, of: str, *, rotate: bool) -> None:
    from zixin.config import connections

    if of and of not in (known := connections.read(context.profile)):
        raise typer.BadParameter(f"{of!r} is none of {', '.join(known)}", param_hint="--of")
    text = connections.new_secret(context.profile, rotate=rotate, of=of)
    if context.json:
        context.document({"secret": text})
    else:
        context.say(text)


@hooks.command("deliveries", help="Events that came, newest first.")
def _deliveries(
    call: typer.Context,
    state: Annotated[str, typer.Option(help="waiting, done or dead; else all.")] = "",
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = 50,
) -> None:
    context: Context = call.obj
    if state not in ("", "waiting", "done", "dead"):
        raise typer.BadParameter(f"{state!r} is none of waiting, done, dead", param_hint="--state")

    from zixin.services import events

    chosen = cast("events.State | None", state or None)
    rows = [_readable_delivery(row) for row in events.deliveries(context.profile, chosen, limit)]
    if context.json:
        context.document({"deliveries": rows})
        return
    for row in rows:
        tries = context.words(f"{row['attempts']} tries", f"已试 {row['attempts']} 次")
        context.say(f"{row['received_at']}  {row['state']:<8} {row['event_id'][:36]:<36} {tries}  {row['cause'] or ''}")


@hooks.command("resend", help="Work on dead events again: one by its id, or all.")
def _resend(
    call: typer.Context, event: Annotated[str, typer.Argument(metavar="[EVENT]", help="Else all that are dead.")] = ""
) -> None:
    context: Context = call.obj

    from zixin.services import events

    count = events.resend(context.profile, event, datetime.now(UTC))
    if context.json:
        context.document({"resent": count})
    else:
        context.say(context.words(f"{count} events wait again", f"{count} 个事件重新排队"))


def _readable_delivery(row: Delivery) -> dict[str, Any]:
    times = {name: getattr(row, name) for name in ("received_at", "next_at", "closed_at")}
    values = {name: None if at is None else at.isoformat(timespec="seconds") for name, at in times.items()}
    return {**asdict(row), **values}
