"""`zixin policy check|show`: whether a policy file is sound, and the policies that zixin ships, to start one's own from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Context

if TYPE_CHECKING:
    from connector.proof.probe import Finding

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

    from app import settings
    from connector.proof.probe import probe

    rules = settings.policy(context.profile, None if file is None else Path(file))
    found = probe(rules)
    if context.json:
        context.document({"version": rules.version, "findings": [_readable(finding) for finding in found]})
    for finding in found:
        context.say(_sentence(context, finding))
    if found:
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


def _sentence(context: Context, finding: Finding) -> str:
    better, worse = f"{finding.better:.1f}", f"{finding.worse:.1f}"
    return context.words(
        f"indicators.{finding.indicator}: {finding.feature} gives {worse} points instead of {better} to a customer who"
        f" {finding.en}. Reverse its points, or use it in a flag instead.",
        f"indicators.{finding.indicator}：客户{finding.zh}，{finding.feature} 反而得 {worse} 分（否则 {better} 分）。"
        "请颠倒其分值，或改用于预警。",
    )


def _readable(finding: Finding) -> dict[str, object]:
    return {
        "indicator": finding.indicator,
        "feature": finding.feature,
        "example": {"en": finding.en, "zh-CN": finding.zh},
        "points": {"better": finding.better, "worse": finding.worse},
    }
