"""The root of the command line: global options, exit codes, and one place where problems become messages.

Global options may stand before or after the command's name. Heavy libraries are imported inside the commands:
`--help` must be quick.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from connector.errors import Misconfigured, Problem
from zixin.cli import (
    adapter,
    backup,
    connect,
    credit,
    demo,
    doctor,
    evaluate,
    explain,
    fields,
    flags,
    init,
    links,
    mapping,
    policy,
    runs,
    serve,
    simulate,
    sync,
)
from zixin.cli.context import Context, Language

app = typer.Typer(
    name="zixin",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Customers' credit standing inside the CRM. 客户资信，就在 CRM 里。",
    epilog="--json, --lang, --profile and --no-input may also stand after the command.",
)

DEFAULT = "default"

#: Global options → how many words follow.
_GLOBAL = {"--json": 0, "--no-input": 0, "--lang": 1, "--profile": 1}


def _version(wanted: bool) -> None:
    if wanted:
        print(f"zixin {version('zixin')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
    lang: Annotated[str, typer.Option(help="en or zh-CN.", envvar="ZIXIN_LANG")] = "en",
    profile: Annotated[
        str, typer.Option(help="Company: one store, settings, policy.", envvar="ZIXIN_PROFILE")
    ] = DEFAULT,
    no_input: Annotated[bool, typer.Option("--no-input", help="Never ask.")] = False,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Keep the global options for the command."""
    if lang not in ("en", "zh-CN"):
        raise typer.BadParameter(f"{lang!r} is neither en nor zh-CN", param_hint="--lang")
    context.obj = Context(json, cast("Language", lang), profile, no_input)


def hoist(words: Sequence[str]) -> list[str]:
    """The words of a call with the global options moved to the front, up to a bare `--`."""
    front: list[str] = []
    rest: list[str] = []
    queue = list(words)
    while queue and queue[0] != "--":
        word = queue.pop(0)
        name = word.split("=", 1)[0]
        if name not in _GLOBAL:
            rest.append(word)
            continue
        follows = 0 if "=" in word else _GLOBAL[name]
        front += [word, *queue[:follows]]
        del queue[:follows]
    return [*front, *rest, *queue]


def main(words: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code; a problem becomes one message with its next step."""
    hoisted = hoist(sys.argv[1:] if words is None else words)
    try:
        if (Path.cwd() / ".env").exists():
            from zixin.config.settings import read_env

            read_env(Path.cwd())
        _command()(args=hoisted, prog_name="zixin")
    except (Problem, OSError) as error:
        problem = error if isinstance(error, Problem) else _of_home(error)
        sys.stderr.write(f"zixin: {problem.text(_language(hoisted))} [{problem.code}]\n")
        sys.exit(problem.exit_code)


def _of_home(error: OSError) -> Problem:
    """What an error about a file says, where the file is to stand in zixin's own folder; any other error goes on."""
    from zixin.config import settings

    home = settings.home().absolute()
    path = Path(os.fsdecode(error.filename)).absolute() if isinstance(error.filename, str | bytes) else None
    if path is None and error.errno in (errno.ENOSPC, errno.EDQUOT):
        # A write of an open file, which does not say of which: all that zixin keeps lies in its folder.
        return Misconfigured("E-HOME", path=str(home), detail=error.strerror or type(error).__name__)
    if path is None or not (path.is_relative_to(home) or home.is_relative_to(path)):
        raise error
    return Misconfigured("E-HOME", path=str(home), detail=error.strerror or type(error).__name__)


@cache
def _command() -> Any:
    """The tree of commands; made from the annotations, which takes 70 ms."""
    return typer.main.get_command(app)


def _language(words: Sequence[str]) -> str:
    names = [word.removeprefix("--lang=") for word in words if word.startswith("--lang=")]
    names += [words[n + 1] for n, word in enumerate(words[:-1]) if word == "--lang"]
    return names[-1] if names else os.environ.get("ZIXIN_LANG", "en")


for command in (
    demo,
    init,
    connect,
    doctor,
    mapping,
    fields,
    sync,
    runs,
    credit,
    links,
    flags,
    explain,
    evaluate,
    policy,
    serve,
    simulate,
    adapter,
    backup,
):
    command.register(app)
