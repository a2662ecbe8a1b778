"""`zixin fields plan|apply|drift|remove`: zixin's own fields on the CRM's accounts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zixin.cli.context import Context

if TYPE_CHECKING:
    from connector.ports import Step

_MARKS = {"create": "+", "keep": "=", "grow": "~", "hand": "!", "mend": "!", "remove": "-", "leave": "="}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    fields = typer.Typer(no_args_is_help=True, help="zixin's fields on the CRM's accounts.")
    fields.command("plan", help="What apply would do.")(plan)
    fields.command("apply", help="Create the missing fields, extend ours; a second time changes nothing.")(apply)
    fields.command("drift", help="How the fields differ from what zixin made and writes.")(drift)
    fields.command("remove", help="Delete the fields that apply made, with their values, and no other.")(remove)
    fields.command("widget", help="The panel for the account page, packed for upload (zoho).")(widget)
    app.add_typer(fields, name="fields")


def plan(
    call: typer.Context,
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="3 where something would change.")] = False,
) -> None:
    """One line per field."""
    from zixin import compose
    from zixin.services import crm_fields

    context: Context = call.obj
    workspace = compose.open_attached(context.profile)
    steps = crm_fields.planned(context.profile, workspace.link)
    _tell(context, [(step.name, step.action, step.field, _detail(context, step)) for step in steps])
    if not context.json:
        context.say(context.words("Next: zixin fields apply", "下一步：zixin fields apply"))
    if detailed and any(step.action not in ("keep", "hand") for step in steps):
        raise typer.Exit(3)


def apply(
    call: typer.Context,
    adopt: Annotated[bool, typer.Option(help="Take over fields of these names that zixin did not make.")] = False,
    optional: Annotated[
        str | None,
        typer.Option("--with", help="Optional ones that are wanted: score, exposure, next_review; 'none': none."),
    ] = None,
) -> None:
    """Creates what is missing, extends what is ours, and says what is left to do by hand."""
    from zixin import compose
    from zixin.services import crm_fields

    context: Context = call.obj
    chosen = _chosen(optional)
    workspace = compose.open_attached(context.profile)
    link, steps = crm_fields.install(context.profile, workspace.link, adopt=adopt, optional=chosen)
    off = crm_fields.off_page_as_seen(link)
    named, made = link.mapping.writes.fields, any(step.action == "create" for step in steps)
    placing = crm_fields.placing(link) if made else None
    rows = [(step.name, step.action, named.get(step.name, step.field), _detail(context, step)) for step in steps]
    _tell(context, rows)
    if context.json:
        return
    for layout, names in off.items():
        message = ", ".join(names)
        context.say(
            context.words(f"! page layout {layout}: put on it {message}", f"! 页面布局 {layout}：请加入 {message}")
        )
    if placing:
        context.say(f"! {context.words(*placing)}")
    context.say(context.words("Next: zixin sync --dry-run", "下一步：zixin sync --dry-run"))


def drift(
    call: typer.Context,
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="3 where something differs.")] = False,
) -> None:
    """Missing, retyped, relabelled, shortened, read-only fields, lost options and marks, others who may edit."""
    from zixin import compose
    from zixin.services import crm_fields

    context: Context = call.obj
    workspace = compose.open_attached(context.profile)
    drifts = crm_fields.find_drift(context.profile, workspace.link)
    if context.json:
        context.document({"drift": [{"field": row.field, "en": row.en, "zh": row.zh} for row in drifts]})
    else:
        for row in drifts:
            context.say(f"! {row.field:<28} {context.words(row.en, row.zh)}")
        if not drifts:
            context.say(context.words("No difference.", "无差异。"))
    if detailed and drifts:
        raise typer.Exit(3)


def remove(
    call: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Takes only fields with zixin's mark and id; says which it leaves. The store keeps every rating."""
    from zixin import compose
    from zixin.services import crm_fields

    context: Context = call.obj
    workspace = compose.open_attached(context.profile)
    take, leave = crm_fields.removable(context.profile, workspace.link)
    rows = [("", "remove", field.name, field.label) for field in take]
    rows += [("", "leave", name, context.words("not made by zixin", "并非 zixin 创建")) for name in leave]
    if take and not yes:
        if context.no_input or context.json:
            raise typer.BadParameter("it deletes fields with their values: say --yes", param_hint="--yes")
        _tell(context, rows)
        question = (
            f"Delete {len(take)} fields and their values in the CRM?",
            f"删除 CRM 中的 {len(take)} 个字段及其数值？",
        )
        typer.confirm(context.words(*question), abort=True, err=True)
    crm_fields.remove(context.profile, workspace.link, take)
    if context.json or yes:
        _tell(context, rows)
    if not context.json and not take:
        context.say(context.words("Nothing to remove.", "没有可删除的字段。"))


def widget(
    call: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write the archive.")] = Path("zixin-widget.zip"),
) -> None:
    """With the names that the fields have in this CRM; it holds no secret."""
    from zixin import compose
    from zixin.services import crm_fields

    context: Context = call.obj
    body = crm_fields.widget(context.profile, compose.open_attached(context.profile))
    file.write_bytes(body)
    if context.json:
        context.document({"file": str(file), "bytes": len(body)})
        return
    context.say(f"{file} ({len(body):,} bytes)")
    told = (
        "Next: Setup > Developer Hub > Widgets > Create: Related List, Zoho hosted, index page /widget.html (docs/zoho.md)",
        "下一步：设置 > 开发者中心 > 组件 > 新建：相关列表，由 Zoho 托管，首页 /widget.html（见 docs/zoho.md）",
    )
    context.say(context.words(*told))


def _detail(context: Context, step: Step) -> str:
    return context.words(step.detail, step.detail_zh or step.detail)


def _chosen(optional: str | None) -> tuple[str, ...] | None:
    from connector.assessment import OUTPUT_FIELDS

    if optional is None:
        return None
    names = [each.strip() for each in optional.split(",") if each.strip() and each.strip() != "none"]
    results = [item.name for item in OUTPUT_FIELDS if item.optional]
    if wrong := [each for each in names if each not in results]:
        raise typer.BadParameter(f"{', '.join(wrong)}: there is {', '.join(results)}", param_hint="--with")
    return tuple(names)


def _tell(context: Context, rows: list[tuple[Any, ...]]) -> None:
    if context.json:
        names = ("name", "action", "field", "detail")
        context.document({"fields": [dict(zip(names, row, strict=True)) for row in rows]})
        return
    for name, action, field, detail in rows:
        context.say(f"{_MARKS[action]} {name:<16} {field:<32} {detail}".rstrip())
