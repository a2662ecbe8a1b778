"""`zixin map suggest|check|test`: which field of the CRM holds what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.messages import left_out
from zixin.cli.context import MARKS, Context

if TYPE_CHECKING:
    from zixin.services.mapping import Checked, Place, Suggested


#: Whose mapping it is.
_OF = typer.Option("--of", metavar="FEED", help="A feed by itself, with its own mapping; else the CRM with all feeds.")
#: Values that are shown of a field.
_SAMPLES = 5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    maps = typer.Typer(no_args_is_help=True, help="Which field of the CRM holds what.")
    maps.command("suggest", help="A field for every column: score, reason, values of real records.")(suggest)
    maps.command("check", help="Missing, renamed, retyped, unwritable fields; values without a translation.")(check)
    maps.command("test", help="One record on its way: the CRM's fields, zixin's rows.")(show)
    app.add_typer(maps, name="map")


def suggest(
    call: typer.Context,
    write: Annotated[
        bool, typer.Option("--write", help="Into the connection's own mapping, where it has a gap.")
    ] = False,
    objects: Annotated[
        list[str] | None,
        typer.Option("--object", help="SOURCE=OBJECT: where it lies in this CRM, such as invoices=Invoice__c."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also columns that stand, and those that the mapping leaves out.")
    ] = False,
    of: Annotated[str, _OF] = "",
) -> None:
    """`=` the mapping's field is there; `+` proposed for a gap; `-` nothing seems to hold it."""
    from zixin import compose
    from zixin.services import mapping

    context: Context = call.obj
    values = _objects(objects or [])
    workspace = compose.open_attached(context.profile, of)
    suggesteds, seen = mapping.suggested(workspace, values)
    changed: list[str] = []
    path = ""
    if write:
        file, changed = mapping.write(context.profile, workspace, suggesteds, values, seen, everything=everything)
        path = str(file)
        compose.remember(context.profile, workspace.link.name, seen)
    found, there, looked = mapping.proposed_places(workspace) if not values else ({}, 0, 0)
    if context.json:
        tables = {table: [{"object": each.object, "score": round(each.score, 2), "columns": list(each.columns)}
                          for each in some] for table, some in found.items()}  # fmt: skip
        document = {"suggested": [_row(each) for each in suggesteds], "written": changed, "file": path}
        context.document(document | ({"tables": tables} if there else {}))
        return
    if there:
        _say_places(context, found, there, looked, of)
    for each in suggesteds:
        if everything or (each.used and not each.stands):
            _say(context, each)
    left = sum(not each.used and bool(each.proposal.candidates) for each in suggesteds)
    if left and not everything:
        told = (
            f"{left} further columns that the mapping leaves out have a field: --all shows them, --write --all takes them",
            f"另有 {left} 个映射未使用的列可对应字段：--all 显示，--write --all 一并写入",
        )
        context.say(context.words(*told))
    for line in changed:
        context.say(f"- {line.removesuffix(' –')}" if line.endswith(" –") else f"+ {line}")
    if path:
        context.say(path)
        _say_tie(context, of)
    context.say(context.words("Next: zixin map check", "下一步：zixin map check"))


def _say_tie(context: Context, of: str) -> None:
    """What a feed brings now, and what it takes the place of."""
    from zixin.services import connect

    for line in connect.tie(context.profile, of) if of else ():
        context.say(f"{MARKS[line.state]} {line.what:<14} {context.words(line.en, line.zh)}")


def _say_places(context: Context, found: Mapping[str, Sequence[Place]], there: int, looked: int, of: str) -> None:
    """Tables that may hold what; which of them do is for a person to say."""
    en = f"{there:,} tables and views, {looked:,} of them looked at"
    context.say(context.words(en, f"共 {there:,} 个表和视图，已查看 {looked:,} 个"))
    for table, some in found.items():
        for each in some[:_SAMPLES]:
            said = context.words(f"{len(each.columns)} columns fit", f"{len(each.columns)} 列可对应")
            context.say(f"? {table:<14} {each.object}  ({each.score:.2f}, {said})")
    if not found:
        en = "none of them looks like one of zixin's tables: name yours, --object receivables=THEIRS --write"
        context.say(context.words(en, "没有表与 zixin 的表相似：请自行指定，--object receivables=表名 --write"))
    best = " ".join(f"--object '{table}={some[0].object}'" for table, some in found.items())
    if best:
        words = f"zixin map suggest --of {of} {best} --write" if of else f"zixin map suggest {best} --write"
        context.say(context.words(f"Take those that are right: {words}", f"选用正确的表：{words}"))


def check(
    call: typer.Context,
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="3 where something was found.")] = False,
    records: Annotated[int, typer.Option(min=0, help="Real records of each object that are read and cast.")] = 200,
    of: Annotated[str, _OF] = "",
) -> None:
    """Exit code 1 where rows would be lost or wrong."""
    from zixin import compose
    from zixin.services import mapping

    context: Context = call.obj
    workspace = compose.open_attached(context.profile, of)
    checked = mapping.check_mapping(context.profile, workspace, records)
    findings = checked.findings
    if context.json:
        names = ("source", "what", "field", "en", "zh", "severe")
        found = [{key: getattr(each, key) for key in names} for each in findings]
        left = {each.object: list(each.fields) for each in checked.unread}
        context.document(
            {
                "findings": found,
                "records": dict(checked.records),
                "left_out": {"fields": left, "tables": list(checked.unbrought)},
            }
        )
    else:
        counts = ", ".join(f"{name} {count:,}" for name, count in checked.records.items())
        context.say(context.words(f"read and cast: {counts or '–'}", f"已读取并转换：{counts or '–'}"))
        for each in findings:
            context.say(f"{'✗' if each.severe else '?'} {each.source:<14} {context.words(each.en, each.zh)}")
        _say_left_out(context, checked)
        if not findings:
            context.say(context.words("The mapping stands.", "映射与 CRM 一致。"))
        elif any(each.severe and each.what not in ("values", "unread") for each in findings):
            context.say(context.words("Next: zixin map suggest", "下一步：zixin map suggest"))
        elif any(each.severe for each in findings):
            # The fields stand; it is what they hold.
            context.say(context.words("Next: zixin map test --record ID", "下一步：zixin map test --record ID"))
        else:
            context.say(context.words("Next: zixin fields plan", "下一步：zixin fields plan"))
    if any(each.severe for each in findings):
        raise typer.Exit(1)
    if detailed and findings:
        raise typer.Exit(3)


def _say_left_out(context: Context, checked: Checked) -> None:
    """What there is and no source takes, by name: it is no fault, and may be worth a rule."""
    for each in checked.unread:
        en, zh = left_out.of_object(each.object, len(each.fields), each.of)
        names = ", ".join(each.fields)
        context.say(f"· {context.words(f'{en}: {names}', f'{zh}：{names}')}")
    if checked.unbrought:
        context.say(f"· {context.words(*left_out.of_tables(checked.unbrought))}")


def show(
    call: typer.Context,
    record: Annotated[str, typer.Option(help="The record's id in the CRM.")],
    source: Annotated[str, typer.Option(help="Source of the mapping, such as invoices.")] = "accounts",
    of: Annotated[str, _OF] = "",
) -> None:
    """What it holds goes to this terminal only."""
    from zixin import compose
    from zixin.services import mapping

    context: Context = call.obj
    workspace = compose.open_attached(context.profile, of)
    if source not in workspace.link.mapping.sources:
        known = ", ".join(workspace.link.mapping.sources)
        raise typer.BadParameter(f"{source!r} is none of {known}", param_hint="--source")
    record_shown = mapping.show_record(workspace, record, source)
    if context.json:
        context.document(asdict(record_shown))
        return
    context.say(f"{record_shown.object} {record}")
    for name, value in record_shown.record.items():
        context.say(f"  {name:<32} {_short(value)}")
    for table, rows in record_shown.rows.items():
        for row in rows:
            context.say(f"→ {table}")
            for name, value in row.items():
                if value is not None:
                    context.say(f"  {name:<32} {_short(mapping.as_people_write(table, row, name))}")
    for row in record_shown.rejected:
        context.say(f"✗ {row.get('column')}: {row.get('reason')}")


def _objects(given: list[str]) -> dict[str, str]:
    result = {}
    for each in given:
        source, sign, name = each.partition("=")
        if not (sign and source and name):
            raise typer.BadParameter(f"{each!r} is not SOURCE=OBJECT", param_hint="--object")
        result[source] = name
    return result


def _row(each: Suggested) -> dict[str, Any]:
    return {
        "source": each.source,
        "object": each.object,
        "table": each.proposal.table,
        "column": each.proposal.column,
        "now": each.now,
        "stands": each.stands,
        "candidates": [
            {
                "field": one.field,
                "score": round(one.score, 2),
                "en": one.en,
                "zh": one.zh,
                "samples": list(each.samples.get(one.field, ()))[:_SAMPLES],
            }
            for one in each.proposal.candidates
        ],
        "untranslated": [
            {"field": one.field, "values": _different(each.samples, one.field)} for one in each.proposal.untranslated
        ],
    }


def _different(samples: Mapping[str, Sequence[str]], field: str) -> list[str]:
    return list(dict.fromkeys(samples.get(field, ())))[:_SAMPLES]


def _say(context: Context, each: Suggested) -> None:
    best = each.proposal.candidates[:1]
    column = f"{each.proposal.table}.{each.proposal.column}"
    if each.stands:
        mark, message = "=", each.now
    elif best:
        mark, message = "+", f"{best[0].field} {best[0].score:.2f} ({context.words(best[0].en, best[0].zh)})"
    else:
        mark, message = "-", context.words("no field seems to hold it", "没有合适的字段")
    text = " · ".join(_short(value) for value in each.samples.get(best[0].field, ())[:3]) if best else ""
    context.say(f"{mark} {each.object}: {column:<28} {message}  {text}".rstrip())
    for other in each.proposal.untranslated if mark == "-" else ():
        words = ", ".join(_short(value) for value in _different(each.samples, other.field))
        told = (
            f"{other.field} says {words}: translate them by `values`",
            f"{other.field} 的取值为 {words}：请用 `values` 对应",
        )
        context.say(f"    ? {context.words(*told)}")
    for other in each.proposal.candidates[1:] if mark == "+" else ():
        context.say(f"    {other.field} {other.score:.2f}")


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:57]}…"
