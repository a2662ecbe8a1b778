"""`zixin sync`, `zixin approve`, `zixin list`: read, rate, write back; and what came of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.assessment import OUTPUT_FIELDS
from connector.messages import holes, left_out
from connector.messages.flags import flag_name
from zixin.cli.context import Context, clipped, moves_text
from zixin.cli.evaluate import days_of
from zixin.cli.upgrade import upgraded

if TYPE_CHECKING:
    from zixin.services.ratings import AccountRating
    from zixin.services.runs import RunDone

#: Accounts that a dry run names on a terminal.
_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("sync", help="Read what changed in the CRM, rate, and write back what moved.")(sync)
    app.command("approve", help="Put a run into force that waits for a person.")(approve)
    app.command("accept", help="Take what a source shows for all that there is: the rest is gone.")(accept)
    app.command("list", help="Show the newest assessment of every account.")(list_)


def sync(
    call: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    as_of: Annotated[str, typer.Option(help="Day to rate as of; else today.")] = "",
) -> None:
    """One run under the profile's lock."""
    context: Context = call.obj
    day = days_of(as_of)[0] if as_of else None

    from zixin.services import runs

    upgraded(context, makes=True)
    finish(context, runs.sync(context.profile, day, full=full, dry=dry_run))


def approve(
    call: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id; zixin runs lists them.")],
    by: Annotated[str, typer.Option(help="Who approves; else the user of this system.")] = "",
) -> None:
    """Put a run into force that the brake stopped, or go on without what its sources lack."""
    context: Context = call.obj

    import getpass

    from zixin.services import runs

    upgraded(context)
    finish(context, runs.approve(context.profile, run_id, by or getpass.getuser()))


def accept(
    call: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Out of sight; zixin status lists them.")],
    by: Annotated[str, typer.Option(help="Who accepts; else the user of this system.")] = "",
) -> None:
    """Holds until the source shows another count."""
    context: Context = call.obj

    import getpass
    from dataclasses import asdict
    from datetime import UTC, datetime

    from zixin.services import runs

    upgraded(context)
    row = runs.accept(context.profile, source, by or getpass.getuser(), datetime.now(UTC))
    if context.json:
        context.document(asdict(row))
        return
    context.say(
        context.words(
            f"accepted: {row.source} shows {row.shown:,} of {row.stored:,} records. The next zixin sync reads it whole and "
            f"closes the other {row.missing:,}.",
            f"已接受：{row.source} 显示 {row.stored:,} 条记录中的 {row.shown:,} 条。下次 zixin sync 将全量读取该数据源，"
            f"并关闭其余 {row.missing:,} 条。",
        )
    )


def finish(context: Context, done: RunDone) -> None:
    """Say what a run did, and leave with its exit code."""
    if context.json:
        context.document(_document(done))
    else:
        say_summary(context, done.summary)
        _say_state(context, done)
    if done.stopped:
        raise typer.Exit(8)
    if done.incomplete:
        raise typer.Exit(4)


def _document(done: RunDone) -> dict[str, Any]:
    if done.changes is None:
        return done.summary
    changes = [
        {
            "account_id": each.account_id,
            "number": each.number,
            "fields": [(field.name, field.shown, field.value) for field in each.fields],
        }
        for each in done.changes
    ]
    return {**done.summary, "changes": changes}


def _say_state(context: Context, done: RunDone) -> None:
    summary, changes = done.summary, done.changes or ()
    state = summary["state"]
    if state == "shown":
        words = ("An earlier day: only shown, nothing stored or written.", "较早的日期：仅展示，未存储也未写回。")
        context.say(context.words(*words))
    for change in changes[:_SHOWN]:
        values = ", ".join(f"{each.name}: {_short(each.shown)} → {_short(each.value)}" for each in change.fields)
        context.say(f"would write  {change.number}  {values}")
    if len(changes) > _SHOWN:
        more = len(changes) - _SHOWN
        context.say(
            context.words(f"… and {more:,} more accounts: --json lists all", f"……另有 {more:,} 个客户：--json 列出全部")
        )
    _say_withheld(context, summary)
    if summary["brake"] is None or not summary["brake"]["stopped"] or state == "approved":
        return
    seen = summary["brake"]
    en = (
        "stopped  {changed} of {rated} ratings would differ, {fallen} fall to C or D: nothing was written.\n"
        "         Look with zixin sync --dry-run; put it into force with zixin approve {run}"
    )
    zh = (
        "已制动   {rated} 个评级中有 {changed} 个将变化，{fallen} 个降至 C 或 D：未写回任何内容。\n"
        "         可用 zixin sync --dry-run 查看；用 zixin approve {run} 批准生效"
    )
    for cause, words in _CAUSES.items():
        if seen[cause] is not None:
            context.say(f"         {context.words(*words)} {moves_text(context, seen[cause])}")
    context.say(context.words(en, zh).format(**seen, run=summary["run"]))


def _say_withheld(context: Context, summary: dict[str, Any]) -> None:
    own = any(hole["cause"] != "lost" for hole in summary["holes"])
    if not (summary["withheld"] or own):
        return
    en = "withheld {withheld:,} customers: what was read of them has holes, and they are not written."
    zh = "已暂缓   {withheld:,} 个客户：读取到的数据不完整，未写回这些客户。"
    context.say(context.words(en, zh).format(**summary))
    if own and summary["state"] == "braked":
        en = "         They wait for a decision of their own, which the run after this one asks for."
        zh = "         这些客户须另行决定，由本次之后的运行提出。"
        context.say(context.words(en, zh))
    elif own:
        en = "         Mend the cause (zixin errors {run}, zixin map check), or go on without: zixin approve {run}"
        zh = "         请排除原因（zixin errors {run}、zixin map check），或在缺失情况下继续：zixin approve {run}"
        context.say(context.words(en, zh).format(**summary))
    for source in summary["lost_from_sight"]:
        en = "         {source}: mend the access, or take what it shows for all that there is: zixin accept {source}"
        zh = "         {source}：请恢复访问权限，或将其显示的内容视为全部：zixin accept {source}"
        context.say(context.words(en, zh).format(source=source))


#: What moves customers apart from their facts and the day.
_CAUSES = {"engine": ("this release", "新版本程序："), "policy": ("the policy", "信用政策：")}


def _short(value: str | None) -> str:
    text = "–" if value is None else value.replace("\n", " / ")
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


_SHOWN_CHARACTERS = 40


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
    if summary["unknown"]:
        en = "! nothing shows that the CRM took what was sent for {unknown:,} accounts: the next sync reads them back first"
        zh = "! 尚不能证明 CRM 已接受 {unknown:,} 个客户的写回：下次同步会先回读"
        context.say(context.words(en, zh).format(**summary))
    labels = {item.name: item.zh for item in OUTPUT_FIELDS}
    for name, count in summary["refused_fields"].items():
        told = (
            f"! the CRM refuses {name} of {count:,} accounts: zixin errors RUN says why, zixin fields plan what it lacks",
            f"! CRM 拒绝 {count:,} 个客户的字段 {labels.get(name, name)}：zixin errors RUN 说明原因，zixin fields plan 说明缺少什么",
        )
        context.say(context.words(*told))
    for source, done in summary["read_in_full"].items():
        if done["missed"]:
            en = "! {source}: read in full, facts of {missed:,} customers had come by no change: zixin doctor"
            zh = "! {source}：全量读取发现 {missed:,} 个客户的数据未被增量读取到：zixin doctor"
            context.say(context.words(en, zh).format(source=source, **done))
    for source, count in summary["dated_ahead"].items():
        en = "! {source}: {count:,} records are dated after now; each sync reads them again until then: zixin doctor"
        zh = "! {source}：{count:,} 条记录的修改时间晚于当前时间；在此之前每次同步都会重新读取：zixin doctor"
        context.say(context.words(en, zh).format(source=source, count=count))
    _say_feeds(context, summary)
    for hole in summary["holes"]:
        if hole["cause"] != "lost":
            context.say(f"! {holes.sentence(hole, context.language)}")
    for source, seen in summary["lost_from_sight"].items():
        en = (
            "! {source}: the CRM shows {shown:,} of {stored:,} records; for {missing:,} nothing is closed: zixin status"
        )
        zh = "! {source}：CRM 仅显示 {stored:,} 条记录中的 {shown:,} 条；其余 {missing:,} 条未作关闭：zixin status"
        context.say(context.words(en, zh).format(source=source, **seen))
    _say_left_out(context, summary["left_out"])
    calls = ", ".join(f"{context.term(name)} {count}" for name, count in summary["calls"].items())
    credits_ = summary["credits"]
    context.say(context.words(f"calls    {calls}; {credits_:,} credits", f"调用     {calls}；{credits_:,} 点额度"))
    seconds = ", ".join(f"{context.term(name)} {spent:.1f}" for name, spent in summary["seconds"].items())
    context.say(context.words(f"seconds  {seconds}", f"秒数     {seconds}"))


def _say_feeds(context: Context, summary: dict[str, Any]) -> None:
    """Whom the feeds have and the CRM has not, and which of them cannot be read."""
    if count := summary.get("relinked"):
        context.say(
            context.words(
                f"{count:,} accounts are one customer with others now, or no more: zixin links list",
                f"{count:,} 个客户档案的合并关系有变化：zixin links list",
            )
        )
    for source, seen in summary["strangers"].items():
        en = "· {source}: {rows:,} rows of {customers:,} customers whom no account names; they enter once one does"
        zh = "· {source}：{customers:,} 个客户的 {rows:,} 行没有对应的客户档案；有对应后自动读入"
        context.say(context.words(en, zh).format(source=source, **seen))
    for feed in summary["untied"]:
        en = f"! {feed}: no account names a single one of its customers: is it the right field? zixin map check"
        context.say(context.words(en, f"! {feed}：没有客户档案对应其任何客户，字段是否正确？zixin map check"))
    for feed, code in summary["away"].items():
        en = f"! {feed} cannot be read ({code}): what it brought stands as it is, and nothing rises on it: zixin status"
        zh = f"! 无法读取 {feed}（{code}）：其数据保持原样，评级与额度不会因此上调：zixin status"
        context.say(context.words(en, zh))
        if feed in summary["away_because"]:
            context.say(f"  {context.words(*summary['away_because'][feed])}")


def _say_left_out(context: Context, left: dict[str, Any]) -> None:
    """What there is and no source takes, in a line each."""
    parts = [left_out.of_object(name, seen["unread"], seen["of"]) for name, seen in left["fields"].items()]
    if parts:
        en, zh = "; ".join(part[0] for part in parts), "；".join(part[1] for part in parts)
        context.say(
            context.words(f"left out {en}: zixin map check names them", f"未读     {zh}：zixin map check 列出名称")
        )
    if left["tables"]:
        en, zh = left_out.of_tables(left["tables"])
        context.say(context.words(f"left out {en}", f"未读     {zh}"))


def list_(
    call: typer.Context,
    rating: Annotated[str, typer.Option(help="Only this rating.")] = "",
    flag: Annotated[str, typer.Option(help="Only with this flag.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values.")] = False,
) -> None:
    """The store's newest assessments, the worst grade first; a decision shows at once, marked by *."""
    context: Context = call.obj

    from zixin.services.ratings import accounts

    rows = accounts(context.profile)
    rows = tuple(row for row in rows if rating in ("", row.rating) and (not flag or flag in row.flags))
    if context.json:
        context.document({"accounts": [row.document for row in rows]})
    elif as_csv:
        context.say(_csv(rows))
    else:
        _table(context, rows)


_COLUMNS = ("number", "name", "rating", "score", "limit", "exposure", "available", "overdue", "hold")


def _csv(rows: Sequence[AccountRating]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    # Accounts of one customer show the same figures: whoever adds up takes one row a customer.
    writer.writerow([*_COLUMNS, "currency", "flags", "customer"])
    for row in rows:
        cells = [safe(getattr(row, name)) for name in _COLUMNS]
        writer.writerow([*cells, row.currency, ";".join(row.flags), safe(row.customer)])
    return out.getvalue().rstrip("\n")


def safe(value: Any) -> Any:
    """A cell that no spreadsheet runs as a formula; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t" and not _number(value) else value


def _number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _table(context: Context, rows: Sequence[AccountRating]) -> None:
    en, zh = (
        "number rating score limit exposure overdue hold flags name",
        "编号 等级 评分 额度 占用 逾期 管控 预警 名称",
    )
    context.heads(en, zh, (-14, -4, 5, 14, 14, 14, -8, -22, -4))
    for row in rows:
        flags = ",".join(context.words(code, flag_name(code, "zh-CN")) for code in row.flags) or "–"
        score = "–" if row.score is None else f"{row.score:.1f}"
        money = [f"{amount or '–':>14}" for amount in (row.limit, row.exposure, row.overdue)]
        head = f"{row.number[:14]:<14} {row.rating + ('*' if row.decided else ''):<4} {score:>5} {' '.join(money)}"
        with_others = (
            context.words(f"  ={row.accounts} accounts", f"  ={row.accounts} 个档案") if row.accounts > 1 else ""
        )
        context.say(f"{head} {context.term(row.hold, 8)} {clipped(flags, 22)} {row.name}{with_others}")
    if any(row.accounts > 1 for row in rows):
        en, zh = "= one customer of so many accounts, who show the same figures", "= 同一客户的多个档案，所示数额相同"
        context.say(context.words(en, zh))
    if any(row.decided for row in rows):
        en, zh = "* decided since it was assessed: zixin sync writes it", "* 评级之后有人工决定：zixin sync 将写回"
        context.say(context.words(en, zh))
