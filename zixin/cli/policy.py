"""`zixin policy check|show|editions`: whether a policy file is sound, what zixin ships, and to go on to a newer edition."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.errors import Misconfigured
from zixin.cli.context import Context, moves_text

if TYPE_CHECKING:
    from connector.editions import Edition
    from connector.policy import Policy
    from connector.validation.monotonicity import Finding

group = typer.Typer(no_args_is_help=True, help="Check a policy file; show the policies that zixin ships.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="policy")


@group.command(help="Whether a policy is sound: its keys, and whether an indicator could reward a late payer.")
def check(
    call: typer.Context,
    file: Annotated[
        str | None, typer.Argument(help="A policy file, or the name of a shipped policy; else the profile's own.")
    ] = None,
) -> None:
    """Exit code 0 where nothing is wrong, 1 with the faults named."""
    context: Context = call.obj

    from connector.validation.monotonicity import find_violations
    from zixin.config import settings

    rules = settings.policy(context.profile, None if file is None else Path(file))
    findings, figures = find_violations(rules), rules.own_figures()
    if context.json:
        context.document(
            {
                "version": rules.version,
                "findings": [_readable_finding(finding) for finding in findings],
                "sentences": [{"sentence": where, "figure": figure} for where, figure in figures],
            }
        )
    for finding in findings:
        context.say(_sentence(context, finding))
    for where, figure in figures:
        context.say(
            context.words(
                f"{where}: holds the figure {figure} itself; write {{FEATURE}} for the number of its condition",
                f"{where}：语句中直接写了数字 {figure}；请用 {{FEATURE}} 引用条件中的数值",
            )
        )
    if findings or figures:
        raise typer.Exit(1)
    indicators, gates, flags = len(rules.indicators), len(rules.gates), len(rules.flags)
    context.say(
        context.words(
            f"sound: {indicators} indicators, {gates} gates, {flags} flags; version {rules.version}",
            f"没有问题：{indicators} 个指标，{gates} 条门槛，{flags} 个预警；版本 {rules.version}",
        )
    )


@group.command(help="Print a policy that zixin ships: a file to change and keep as ZIXIN_HOME/PROFILE/policy.yaml.")
def show(
    name: Annotated[str, typer.Argument(help="default, cn-b2b-100 or financial-ratios.")] = "default",
) -> None:
    """The YAML text, as it is."""
    from connector.editions import PRESETS, preset_text

    if name not in PRESETS:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(PRESETS)}")
    typer.echo(preset_text(name), nl=False)


@group.command(help="The edition that the profile is on, what a newer one changes, and whom; --take goes on to it.")
def editions(
    call: typer.Context,
    take: Annotated[str, typer.Option(help="An edition, POLICY/NUMBER: the next sync rates by it.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Also where the profile's policy was changed.")] = False,
) -> None:
    """Exit code 1 where an edition is not known, or the profile's own policy would be replaced."""
    context: Context = call.obj

    from connector import editions as shipped
    from zixin.services import policies

    every = {each.name: each for policy in shipped.PRESETS for each in shipped.editions(policy)}
    if take and take not in every:
        raise typer.BadParameter(f"{take!r} is none of {', '.join(every)}", param_hint="--take")
    rules = policies.current(context.profile)
    mine = shipped.edition_of(rules)
    edition = every[take] if take else policies.newer(rules)
    document = _tell(context, rules, edition)
    if take:
        aside = policies.take(context.profile, every[take], _base(context), datetime.now(UTC), replace=replace)
        document |= {"taken": take, "before": str(aside) if aside else None}
    own = mine is None or not shipped.unchanged(rules, mine)
    document |= {"edition": mine.name if mine else None, "changed": own, "editions": list(every)}
    if context.json:
        context.document(document)
    else:
        _say_editions(context, document)


def _base(context: Context) -> str:
    """What a policy's amounts count in: as now; before there is a policy or a rating, in the CRM's own currency."""
    from zixin import compose
    from zixin.config import connections
    from zixin.services import policies

    known = policies.known_base(context.profile)
    if known is not None:
        return known
    try:
        connections.first(context.profile)
    except Misconfigured:
        return ""
    workspace = compose.open_attached(context.profile)
    return workspace.policy.base_currency


def _tell(context: Context, rules: Policy, wanted: Edition | None) -> dict[str, Any]:
    """What an edition would change: newer, differences, moves (None: there are no ratings that it could move)."""
    from connector.policy_changes import changes
    from zixin.services import policies

    if wanted is None:
        return {"newer": None, "differences": [], "moves": None}
    moved = policies.effect(context.profile, wanted.rules())
    return {
        "newer": wanted.name,
        "differences": [asdict(each) for each in changes(rules, wanted.rules(rules.base_currency))],
        "moves": None if moved is None else asdict(moved),
    }


def _say_editions(context: Context, told: dict[str, Any]) -> None:
    mine = told["edition"]
    if mine is None:
        context.say(context.words("policy of your own making", "自定义信用政策"))
    elif told["changed"]:
        context.say(context.words(f"policy made from edition {mine}", f"基于版本 {mine} 修改的信用政策"))
    else:
        context.say(context.words(f"edition {mine}, as it was shipped", f"版本 {mine}，与发布时一致"))
    for each in told["differences"]:
        context.say(f"  {context.words(each['en'], each['zh'])}")
    if told["moves"] is not None:
        context.say(moves_text(context, told["moves"]))
    if "taken" in told:
        context.say(context.words(f"on edition {told['taken']} from now on", f"现已采用版本 {told['taken']}"))
        if told["before"]:
            context.say(context.words(f"the policy before: {told['before']}", f"原信用政策：{told['before']}"))
    elif told["newer"]:
        context.say(
            context.words(
                f"to go on to it: zixin policy editions --take {told['newer']}",
                f"采用该版本：zixin policy editions --take {told['newer']}",
            )
        )
    elif mine is not None:
        context.say(context.words("there is no newer one", "没有更新的版本"))


def _sentence(context: Context, finding: Finding) -> str:
    better, worse = f"{finding.better:.1f}", f"{finding.worse:.1f}"
    return context.words(
        f"indicators.{finding.indicator}: {finding.feature} gives {worse} points instead of {better} to a customer who"
        f" {finding.en}. Reverse its points, or use it in a flag instead.",
        f"indicators.{finding.indicator}：客户{finding.zh}，{finding.feature} 反而得 {worse} 分（否则 {better} 分）。"
        "请颠倒其分值，或改用于预警。",
    )


def _readable_finding(finding: Finding) -> dict[str, object]:
    return {
        "indicator": finding.indicator,
        "feature": finding.feature,
        "example": {"en": finding.en, "zh-CN": finding.zh},
        "points": {"better": finding.better, "worse": finding.worse},
    }
