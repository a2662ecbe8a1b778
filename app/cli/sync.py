"""`zixin sync`, `zixin list`: read, rate, write back; and what came of it."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any

import typer

from app.cli.context import Context
from app.cli.evaluate import days_of


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("sync", help="Read what changed in the CRM, rate, and write back what moved.")(sync)
    app.command("list", help="Show the newest assessment of every account.")(list_)


def sync(
    call: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    as_of: Annotated[str, typer.Option(help="Day to rate as of; else today, by the CRM's clock.")] = "",
) -> None:
    """One run under the profile's lock."""
    context: Context = call.obj
    wanted = days_of(as_of)[0] if as_of else None

    from app import compose, settings
    from connector.schema import day_number
    from sync.run import run
    from sync.shared import run_lock

    with (
        run_lock(settings.profile_folder(context.profile), context.profile),
        compose.opened(context.profile) as house,
    ):
        compose.check_fields(house)
        day = day_number(wanted or house.link.today())
        ran = run(house.store, house.link, house.policy, day, language=house.language, full=full)
        summary = ran.summary(house.link)
    if context.json:
        context.document(summary)
    else:
        say_summary(context, summary)
        if ran.shown_only:
            context.say(
                context.words(
                    "An earlier day: only shown, nothing stored or written.", "较早的日期：仅展示，未存储也未写回。"
                )
            )
    if summary["rejected"] or summary["refused"]:
        raise typer.Exit(4)


def say_summary(context: Context, summary: dict[str, Any]) -> None:
    """What a run did, in a few lines."""
    context.say(
        context.words(
            "read     {accounts:,} accounts, {receivables:,} invoices, {payments:,} payments; {rejected} rows rejected",
            "读取     {accounts:,} 个客户，{receivables:,} 张发票，{payments:,} 笔收款；{rejected} 行被拒绝",
        ).format(**summary)
    )
    context.say(
        context.words(
            "rated    {assessed:,} accounts",
            "评级     {assessed:,} 个客户",
        ).format(**summary)
    )
    context.say(
        context.words(
            "written  {written:,} accounts ({fields:,} fields), {unchanged:,} unchanged, {refused} refused",
            "写回     {written:,} 个客户（{fields:,} 个字段），{unchanged:,} 个未变，{refused} 个被拒绝",
        ).format(**summary)
    )
    calls = ", ".join(f"{name} {count}" for name, count in summary["calls"].items())
    credits_ = summary["credits"]
    context.say(context.words(f"calls    {calls}; {credits_:,} credits", f"调用     {calls}；{credits_:,} 点额度"))
    seconds = ", ".join(f"{name} {spent:.1f}" for name, spent in summary["seconds"].items())
    context.say(context.words(f"seconds  {seconds}", f"秒数     {seconds}"))


def list_(
    call: typer.Context,
    rating: Annotated[str, typer.Option(help="Only this rating.")] = "",
    flag: Annotated[str, typer.Option(help="Only with this flag.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values.")] = False,
) -> None:
    """The store's newest assessments, worst score first."""
    context: Context = call.obj

    from app.show import accounts

    rows = accounts(context.profile)
    rows = [row for row in rows if rating in ("", row["rating"])]
    rows = [row for row in rows if not flag or flag in [item["code"] for item in row["flags"]]]
    if context.json:
        context.document({"accounts": rows})
    elif as_csv:
        context.say(_csv(rows))
    else:
        _table(context, rows)


_COLUMNS = ("number", "name", "rating", "score", "limit", "exposure", "available", "overdue", "hold")


def _csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_COLUMNS, "currency", "flags"])
    for row in rows:
        flags = ";".join(flag["code"] for flag in row["flags"])
        writer.writerow([_safe(row[name]) for name in _COLUMNS] + [row["currency"], flags])
    return out.getvalue().rstrip("\n")


def _safe(value: Any) -> Any:
    # A spreadsheet runs text that begins so; numbers stay numbers.
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t" and not _number(value) else value


def _number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _table(context: Context, rows: list[dict[str, Any]]) -> None:
    heads = context.words(
        "number rating score limit exposure overdue hold flags name", "编号 等级 评分 额度 占用 逾期 管控 预警 名称"
    )
    context.say("{:<14} {:<4} {:>5} {:>14} {:>14} {:>14} {:<8} {:<22} {}".format(*heads.split()))
    for row in rows:
        flags = ",".join(flag["code"] for flag in row["flags"]) or "–"
        score = "–" if row["score"] is None else f"{row['score']:.1f}"
        money = [f"{row[name] or '–':>14}" for name in ("limit", "exposure", "overdue")]
        head = f"{row['number'][:14]:<14} {row['rating']:<4} {score:>5} {' '.join(money)}"
        context.say(f"{head} {row['hold']:<8} {flags[:22]:<22} {row['name']}")
