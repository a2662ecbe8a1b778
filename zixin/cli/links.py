"""`zixin links list|add|remove`: which accounts are one customer."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zixin.cli.context import Context, padded
from zixin.cli.credit import ACCOUNT, BY, read_context, who, write_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zixin.services.links import Change

#: What links an account, in English and Chinese.
WAYS = {
    "merge": ("merged in the CRM", "已在 CRM 中合并"),
    "guess": ("looks merged, asks a person", "疑似已合并，待人工确认"),
    "field": ("same number elsewhere", "其他系统编号相同"),
    "tax_id": ("same tax id", "税号相同"),
    "person": ("joined by a person", "人工合并"),
}
#: Why two accounts look like one customer.
LOOKS = {
    "same": ("same name", "名称相同"),
    "other_form": ("same name, other legal form", "名称相同，组织形式不同"),
    "no_place": ("same name, place missing", "名称相同，缺地名"),
    "slip": ("a letter differs", "差一个字母"),
    "forms_differ": ("same name, another legal form", "名称相同，组织形式不同"),
    "tax_id": ("same tax id, not proven", "税号相同（校验未通过）"),
    "merge": ("gone; all its claims went there", "档案已消失，应收全部转入"),
}
links = typer.Typer(no_args_is_help=True, help="Accounts that are one customer: rated, limited and held together.")
duplicates = typer.Typer(no_args_is_help=True, help="Accounts that look like one customer: a person says.")
OTHER = Annotated[
    str, typer.Argument(help="Its number, id or whole name; or SYSTEM:CUSTOMER, a customer of an attached system.")
]
YES = Annotated[bool, typer.Option("--yes", help="Do it; else it is only said what would change.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(links, name="links")
    app.add_typer(duplicates, name="duplicates")


@links.command("list", help="Customers of several accounts, and what joins them.")
def _list(call: typer.Context) -> None:
    context: Context = call.obj
    with read_context(context) as at:
        from zixin.services import links as service

        found = service.linked(at)
    if context.json:
        context.document(asdict(found))
        return
    before = ""
    for row in found.rows:
        if row.customer != before:
            context.say(f"{row.customer}  {context.words('since', '自')} {row.joined_on}")
        before = row.customer
        gone = context.words("  no more in the CRM", "  CRM 中已不存在") if row.gone else ""
        context.say(f"  {row.number:<14} {padded(context.words(*WAYS[row.by]), 26)} {row.name}{gone}")
    for each in found.vetoed:
        names = ", ".join(each.accounts)
        context.say(
            context.words(
                f"? number {each.number} joins nobody of {names}: their tax ids differ, or too many accounts say it",
                f"? 编号 {each.number} 未合并 {names}：税号不同，或使用该编号的档案过多",
            )
        )
    for tied in found.tied:
        context.say(
            context.words(
                f"{tied.customer} is {tied.account} {tied.name}: a person said so",
                f"{tied.customer} 即 {tied.account} {tied.name}（人工指定）",
            )
        )
    for name in found.alone:
        context.say(context.words(f"{name} stands alone: a person took it out", f"{name} 独立：已由人工移出"))
    if not (found.rows or found.vetoed or found.alone or found.tied):
        context.say(context.words("nobody has several accounts", "没有拥有多个档案的客户"))


@links.command("add", help="Two accounts are one customer. Says first what that changes.")
def _add(call: typer.Context, account: ACCOUNT, other: OTHER, yes: YES = False, by: BY = "") -> None:
    context: Context = call.obj
    with write_context(context) as at:
        from zixin.services import links as service

        if (customer := service.of_feed(at, other)) is not None:
            service.tie(at, customer, account, who(by))
            _tied(context, other, f"{other} is {account}", f"{other} 即 {account}")
            return

        def act(*, do: bool) -> Sequence[Change]:
            return service.join(at, account, other, who(by), do=do)

        confirmed(
            context, act, yes=yes,
            ask=context.words(f"Join {account} and {other}?", f"将 {account} 与 {other} 合为一个客户？"),
            again=f"zixin links add {account} {other} --yes",
            done=context.words(f"{account} and {other} are one customer", f"{account} 与 {other} 已合为一个客户"),
        )  # fmt: skip


@links.command("remove", help="Make an account a customer of its own again. Says first what that changes.")
def _remove(call: typer.Context, account: OTHER, yes: YES = False, by: BY = "") -> None:
    context: Context = call.obj
    with write_context(context) as at:
        from zixin.services import links as service

        if (customer := service.of_feed(at, account)) is not None:
            service.tie(at, customer, None, who(by))
            _tied(context, account, f"{account} is whoever its system says", f"{account} 以其系统内容为准")
            return

        def act(*, do: bool) -> Sequence[Change]:
            return service.part(at, account, who(by), do=do)

        confirmed(
            context, act, yes=yes,
            ask=context.words(f"Make {account} a customer of its own?", f"将 {account} 恢复为独立客户？"),
            again=f"zixin links remove {account} --yes",
            done=context.words(f"{account} is a customer of its own", f"{account} 已为独立客户"),
        )  # fmt: skip


def _tied(context: Context, customer: str, en: str, zh: str) -> None:
    if context.json:
        context.document({"customer": customer, "done": True, "changes": []})
        return
    later = context.words("; the next zixin sync reads its facts again", "；下次 zixin sync 重新读取其数据")
    context.say(context.words(en, zh) + later)


@duplicates.command("list", help="Accounts that look like one customer, the surest first.")
def _proposed(
    call: typer.Context,
    least: Annotated[int, typer.Option(help="How sure it has to be, of 100.", min=1, max=100)] = 85,
) -> None:
    context: Context = call.obj
    with read_context(context) as at:
        from zixin.services import duplicates as service

        found = service.proposed(at, least)
    if context.json:
        context.document({"duplicates": [asdict(each) for each in found]})
        return
    for each in found:
        why = padded(context.words(*LOOKS[each.why]), 32)
        context.say(f"{each.score:>3} {why} {each.one_number:<14} {each.one_name}")
        context.say(f"    {'':<32} {each.other_number:<14} {each.other_name}")
    if not found:
        context.say(context.words("nobody looks like somebody else", "没有疑似重复的客户"))


@duplicates.command("accept", help="They are one customer. Says first what that changes.")
def _accept(call: typer.Context, account: ACCOUNT, other: ACCOUNT, yes: YES = False, by: BY = "") -> None:
    context: Context = call.obj
    with write_context(context) as at:
        from zixin.services import duplicates as service

        def act(*, do: bool) -> Sequence[Change]:
            return service.accept(at, account, other, who(by), do=do)

        confirmed(
            context, act, yes=yes,
            ask=context.words(f"Join {account} and {other}?", f"将 {account} 与 {other} 合为一个客户？"),
            again=f"zixin duplicates accept {account} {other} --yes",
            done=context.words(f"{account} and {other} are one customer", f"{account} 与 {other} 已合为一个客户"),
        )  # fmt: skip


@duplicates.command("reject", help="They only look alike: they are proposed no more.")
def _reject(call: typer.Context, account: ACCOUNT, other: ACCOUNT, yes: YES = False, by: BY = "") -> None:
    context: Context = call.obj
    with write_context(context) as at:
        from zixin.services import duplicates as service

        def act(*, do: bool) -> Sequence[Change]:
            return service.reject(at, account, other, who(by), do=do)

        # Nothing changes but of an account that is gone: what holds acts no more.
        harmless = not act(do=False)
        confirmed(
            context, act, yes=yes or harmless,
            ask=context.words(f"Keep {account} and {other} apart?", f"{account} 与 {other} 不是同一客户？"),
            again=f"zixin duplicates reject {account} {other} --yes",
            done=context.words(f"{account} and {other} are two customers", f"{account} 与 {other} 为两个客户"),
        )  # fmt: skip


def confirmed(context: Context, act: Any, *, yes: bool, ask: str, again: str, done: str) -> None:
    """Says what something changes, and does it where a person agrees. `act`: called with `do`, returns the changes."""
    changes = act(do=yes and context.json)
    if context.json:
        context.document({"changes": [asdict(each) for each in changes], "done": yes})
        return
    if changes or not yes:
        say_changes(context, changes)
    if not yes and not context.no_input:
        yes = typer.confirm(ask, err=True)
    if not yes:
        context.say(context.words(f"nothing was changed: {again}", f"未作改动：{again}"))
        return
    act(do=True)
    written = context.words("; the next zixin sync writes it to the CRM", "；下次 zixin sync 写回 CRM")
    context.say(f"{done}{written if changes else ''}")


def say_changes(context: Context, changes: Sequence[Change]) -> None:
    """A line an account."""
    if not changes:
        context.say(context.words("no rating, limit, hold or exposure changes", "等级、额度、管控与占用均不变"))
    for each in changes:
        parts = [
            (context.words("rating", "等级"), each.rating_before, each.rating_after),
            (context.words("limit", "额度"), each.limit_before or "–", each.limit_after or "–"),
            (context.words("hold", "管控"), context.term(each.hold_before), context.term(each.hold_after)),
            (context.words("exposure", "占用"), each.exposure_before, each.exposure_after),
        ]
        moved = ", ".join(f"{name} {was} → {now}" for name, was, now in parts if was != now)
        same = context.words("rated as before", "评级不变")
        context.say(f"  {each.number:<14} {moved or same}  ({each.currency})  {each.name}")
