"""`zixin connect CRM`: attach a CRM."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zixin.cli.context import MARKS, Context, moves_text
from zixin.cli.simulate import check_crm

if TYPE_CHECKING:
    from zixin.services.connect import SettingSpec
    from zixin.services.disconnect import Leaving


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("connect", help="Attach a CRM: settings from a file, ZIXIN_SET_NAME or asked for; tried, then kept.")(
        connect
    )
    app.command("disconnect", help="Take a feed away, with all that it brought; what that changes is said first.")(
        disconnect
    )


def disconnect(
    call: typer.Context,
    name: Annotated[str, typer.Argument(metavar="FEED", help="What the feed is called; zixin status lists them.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else it is only said what would change.")] = False,
) -> None:
    """Without --yes nothing is changed; a person at a terminal is asked."""
    from datetime import UTC, datetime

    from zixin.services import disconnect as service

    context: Context = call.obj
    would = service.leaving(context.profile, name)
    if context.json:
        if yes:
            service.disconnect(context.profile, name, datetime.now(UTC))
        context.document({**asdict(would), "done": yes})
        return
    _say_leaving(context, would)
    if not yes and not context.no_input:
        yes = typer.confirm(context.words(f"Take {name} away?", f"移除 {name}？"), err=True)
    if not yes:
        context.say(
            context.words(
                f"nothing was changed: zixin disconnect {name} --yes", f"未作改动：zixin disconnect {name} --yes"
            )
        )
        return
    service.disconnect(context.profile, name, datetime.now(UTC))
    context.say(context.words(f"{name} is gone. Next: zixin sync", f"已移除 {name}。下一步：zixin sync"))


def _say_leaving(context: Context, would: Leaving) -> None:
    from connector.messages.glossary import TABLE_NAMES

    rows = ", ".join(f"{count:,} {table}" for table, count in would.rows.items()) or "–"
    rows_zh = "、".join(f"{TABLE_NAMES[table]} {count:,}" for table, count in would.rows.items()) or "–"
    en = f"{would.feed} brought {rows}, of {would.customers:,} customers"
    context.say(context.words(en, f"{would.feed} 提供了 {would.customers:,} 个客户的{rows_zh}"))
    if would.moves is not None:
        without = context.words("without it: ", "移除后：")
        context.say(f"{without}{moves_text(context, asdict(would.moves))}")
    if would.back:
        zh = "、".join(TABLE_NAMES[table] for table in would.back)
        en = f"{', '.join(would.back)} are read from the CRM again, by the next sync"
        context.say(context.words(en, f"{zh}将由下次同步重新从 CRM 读取"))


def connect(
    call: typer.Context,
    crm: Annotated[
        str, typer.Argument(help="Name of its adapter: zoho, salesforce, rest, erpnext, espocrm, sql, lake, folder.")
    ],
    name: Annotated[
        str, typer.Option("--as", "--name", help="What the connection is called; else as the adapter.")
    ] = "",
    feeds: Annotated[
        str,
        typer.Option(metavar="CRM", help="Only read it, beside the connection of this name, into which is written."),
    ] = "",
    number: Annotated[
        str, typer.Option(metavar="FIELD", help="Of a feed: the CRM account's field with the customer's number there.")
    ] = "",
    account: Annotated[
        str, typer.Option(metavar="FIELD", help="Of a feed: its customers' field with the account's id or number.")
    ] = "",
    tables: Annotated[str, typer.Option(help="Of a feed: which tables it brings, by commas; else all it has.")] = "",
    beside: Annotated[bool, typer.Option(help="Of a feed: its invoices count beside the CRM's own.")] = False,
    settings: Annotated[
        Path | None,
        typer.Option(help="YAML file of the settings, chmod 600; -: standard input."),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option("--import", help="Another program's store (zoho: the CSV of zcrmsdk).", exists=True),
    ] = None,
    mapping: Annotated[str, typer.Option(help="A shipped mapping of another name, such as salesforce-billing.")] = "",
    replace: Annotated[bool, typer.Option(help="In place of the profile's connection of another name.")] = False,
    steps: Annotated[bool, typer.Option("--steps", help="Only print what to do on the CRM's side.")] = False,
) -> None:
    """Exit code 5 where something may not be seen; nothing is kept where the CRM cannot be entered."""
    from zixin.config.connections import ConnectionConfig
    from zixin.services import connect

    context: Context = call.obj
    check_crm(crm)
    if number and account:
        raise typer.BadParameter("--number or --account, not both", param_hint="--account")
    if (number or account or tables or beside) and not feeds:
        raise typer.BadParameter("these words are a feed's: --feeds CRM", param_hint="--feeds")
    document = connect.from_file(settings)
    if store is not None:
        document = {**connect.imported(crm, store), **document}
    asks = not (context.no_input or context.json)
    if steps or (asks and settings is None and store is None):
        _guide(context, crm)
    if steps:
        return
    ask = (lambda need: _ask_setting(context, need)) if asks else None
    values = connect.gather_settings(lambda found: connect.setting_specs(crm, found), document, ask)
    config = ConnectionConfig(
        crm,
        values,
        context.language,
        mapping=mapping,
        feeds=feeds,
        number=number,
        account=account,
        # The file is called invoices, the table receivables.
        tables=tuple(each.strip().replace("invoices", "receivables") for each in tables.split(",") if each.strip()),
        beside=beside,
    )
    lines = connect.connect(context.profile, name or crm, config, replace=replace)
    rows = [{"what": line.what, "state": line.state, "en": line.en, "zh": line.zh} for line in lines]
    if context.json:
        context.document({"connection": name or crm, "crm": crm, "lines": rows})
    else:
        for line in lines:
            context.say(f"{MARKS[line.state]} {line.what:<24} {context.words(line.en, line.zh)}")
        context.say(context.words("Next: zixin doctor", "下一步：zixin doctor"))
    if any(line.state == "failed" for line in lines):
        raise typer.Exit(5)


def _guide(context: Context, crm: str) -> None:
    """What to do on the vendor's side, on standard error where that is asked for below."""
    from zixin.services.connect import setup_steps

    for number, way in enumerate(setup_steps(crm), 1):
        context.say(f"{number}. {context.words(way.en, way.zh)}")
        if way.paste:
            context.say(f"\n   {way.paste}\n")


def _ask_setting(context: Context, need: SettingSpec) -> str:
    hint = context.words(need.en, need.zh)
    text = f"{need.name} ({hint})" if hint else need.name
    empty = "" if need.default is not None else None
    return str(typer.prompt(text, hide_input=need.secret, err=True, default=empty, show_default=False))
