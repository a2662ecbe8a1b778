"""`zixin explain ACCOUNT`: the arithmetic from raw facts to rating and limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from zixin.cli.context import Context
from zixin.cli.evaluate import days_of

_MOST_PARTS = 25


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", help="Show how an account's rating and limit were computed, from the facts on.")(explain)
    app.command("report", help="Write a page about a customer, fit to print.")(report)
    app.command("what-if", help="What a rating would be if a feature had another value.")(what_if)


def explain(
    call: typer.Context,
    account: Annotated[str, typer.Argument(help="Its number, id or whole name.")],
    every: Annotated[bool, typer.Option("--all", help="Every payment, not only the newest.")] = False,
    as_of: Annotated[str, typer.Option(help="An earlier assessed day, from what was known then.")] = "",
) -> None:
    """Explain the newest assessment, or that of a day."""
    context: Context = call.obj
    day = days_of(as_of)[0] if as_of else None

    from connector.schema import day_number
    from zixin.services.ratings import explanation

    result = explanation(context.profile, account, day_number(day) if day else None).document
    if context.json:
        context.document(result)
        return
    context.say(f"{result['number']}  {result['name']}")
    context.say(
        context.words(
            f"as of {result['as_of']}, policy {result['policy']}, amounts in {result['currency']}",
            f"截至 {result['as_of']}，政策 {result['policy']}，金额单位 {result['currency']}",
        )
    )
    known = context.words("computed again from what was known at", "按当时已知数据重新计算，截至")
    same = (
        context.words("the same as stored", "与存储一致")
        if result["same"]
        else context.words("NOT as stored: another version of zixin", "与存储不一致：zixin 版本不同")
    )
    context.say(f"{known} {result['known_at']}: {same}")
    if day is not None:
        context.say(context.words("that day's figures, in today's words", "数字为当日数据，语句为当前表述"))
    for line in result["reasons"]:
        context.say(f"  • {context.words(line['en'], line['zh'])}")
    _sources(context, result["sources"])
    _facts(context, result["facts"], every=every)
    _tendency(context, result["tendency"])
    _points(context, result)
    _limit(context, result["limit"])
    _rise(context, result["rise"])


def _rise(context: Context, found: dict[str, Any]) -> None:
    context.say()
    if found["to"] is None:
        context.say(context.words("6. No better grade to reach", "6. 已无更高等级可达"))
        return
    context.say(context.words(f"6. What would lift it to {found['to']}", f"6. 升至 {found['to']} 的途径"))
    for way in found["ways"]:
        context.say(f"   {context.words(way['en'], way['zh'])}")
    for gate in found["gates"]:
        context.say(
            context.words(
                f"   in the way: {gate['en']} ({gate['effect']})", f"   受限：{gate['zh']}（{gate['effect']}）"
            )
        )
    if not found["ways"]:
        context.say(context.words("   no single change would do", "   单项改善均不足以升级"))


def what_if(
    call: typer.Context,
    account: Annotated[str, typer.Argument(help="Its number, id or whole name.")],
    values: Annotated[list[str], typer.Argument(metavar="FEATURE=VALUE…", help="docs/features.md lists them.")],
) -> None:
    """Rating, score, limit, hold and flags as they are, and with these features instead."""
    context: Context = call.obj
    changes = {}
    for word in values:
        name, sign, value = word.partition("=")
        try:
            changes[name] = Decimal(value)
        except InvalidOperation:
            sign = ""
        if not sign:
            raise typer.BadParameter(f"{word!r} is not FEATURE=VALUE, like overdue_share=0.1")

    from zixin.services import credit

    with credit.open_context(context.profile) as at:
        result = credit.what_if(at, account, changes)
    if context.json:
        context.document(asdict(result))
        return
    for key, en, zh in (("now", "now ", "现状"), ("then", "then", "假设")):
        row = asdict(result)[key]
        score = "–" if row["score"] is None else f"{row['score']:.1f}"
        flags = ", ".join(row["flags"]) or "–"
        line = f"{context.words(en, zh)}  {row['rating']:<4} {score:>5}  {row['limit']:>14} {result.currency}"
        context.say(f"{line}  {row['hold']:<8} {flags}")


def report(
    call: typer.Context,
    account: Annotated[str, typer.Argument(help="Its number, id or whole name.")],
    out: Annotated[Path | None, typer.Option(help="Where to; else report-NUMBER.html here.")] = None,
) -> None:
    """One self-contained HTML page, in the chosen language."""
    context: Context = call.obj

    from zixin.services.report import write

    path = write(context.profile, account, context.language, out)
    if context.json:
        context.document({"file": str(path)})
    else:
        context.say(context.words(f"wrote {path}", f"已生成 {path}"))


def _sources(context: Context, origins: list[dict[str, Any]]) -> None:
    """Where the facts come from: a line a source."""
    from connector.messages.sources import line, listed

    context.say()
    context.say(context.words("Where its facts come from", "数据来源"))
    for source, rows in listed(origins).items():
        context.say(f"   {source:<22} {context.words(*line(rows))}")


def _facts(context: Context, facts: dict[str, Any], *, every: bool) -> None:
    context.say()
    context.say(context.words("1. Open items", "1. 未清款项"))
    for row in facts["open"]:
        late = (
            context.words(f"{row['days_overdue']} days overdue", f"逾期 {row['days_overdue']} 天")
            if row["days_overdue"]
            else ""
        )
        late = context.words("disputed", "有争议") if row["disputed"] else late
        context.say(
            f"   {row['invoice']:<16} {row['issued']} → {row['due'] or '–':<10} {row['open']:>14} / {row['amount']} "
            f"{row['currency']}  {late}  [{row['source'] or '–'}]"
        )
    settled = facts["settled"] if every else facts["settled"][:_MOST_PARTS]
    context.say()
    context.say(
        context.words(
            "2. Payments that count: days late, rungs of lateness passed, weight",
            "2. 计入的收款：逾期天数、越过的逾期档、权重",
        )
    )
    for row in settled:
        days = row["days_late"] or -row["days_early"]
        context.say(
            f"   {row['paid']} {row['invoice']:<16} {row['amount']:>14} {days:>+5} d  {row['late']}  {row['weight']:.4f}"
        )
    if len(facts["settled"]) > len(settled):
        more = len(facts["settled"]) - len(settled)
        context.say(context.words(f"   … and {more} older ones (--all)", f"   …另有 {more} 笔更早的（--all）"))


def _tendency(context: Context, found: dict[str, Any]) -> None:
    context.say()
    context.say(context.words("3. Tendency to pay late", "3. 逾期倾向"))
    if found["log_odds"] is None:
        context.say(context.words("   no payment and no open item: no data", "   无收款也无未清款项：无数据"))
        return
    context.say(
        context.words(
            "   late rate r = {late:.4f} late ÷ {weight:.4f} weight = {late_rate:.4f}"
            "  (of it the portfolio's {portfolio_late_rate:.4f} × {strength:g}; overdue items only where they raise it)",
            "   逾期率 r = {late:.4f} ÷ 权重 {weight:.4f} = {late_rate:.4f}"
            "（其中组合均值 {portfolio_late_rate:.4f} × {strength:g}；逾期未付项仅在推高时计入）",
        ).format(**found)
    )
    context.say(
        context.words(
            "   log-odds = ln(r ÷ (1 − r)) − early share {early_share:.3f} + 0.3 × ln(1 + min({unpaid} unpaid, 4)) − 0.15"
            " = {log_odds:.4f}",
            "   对数几率 = ln(r ÷ (1 − r)) − 提前付款占比 {early_share:.3f} + 0.3 × ln(1 + min(未付 {unpaid}, 4)) − 0.15"
            " = {log_odds:.4f}",
        ).format(**found)
    )


def _points(context: Context, found: Mapping[str, Any]) -> None:
    context.say()
    context.say(
        context.words("4. Points: value → points of 100, weight, cost", "4. 得分：数值 → 分值（满分100）、权重、扣分")
    )
    for row in found["points"]:
        value = (
            "–" if row["value"] is None else row["value"] if isinstance(row["value"], str) else f"{row['value']:.4g}"
        )
        lost = "–" if row["lost"] is None else f"−{row['lost']:.3f}"
        weight = "" if row["weight"] is None else f"{row['weight']:.1%}"
        context.say(
            f"   {context.words(row['en'], row['zh']):<42} {value:>10} → {row['points']:7.3f}  {weight:>6}  {lost:>8}"
        )
    score = "–" if found["score"] is None else f"{found['score']:.3f}"
    context.say(context.words(f"   score = 100 − their sum = {score}", f"   评分 = 100 − 合计 = {score}"))
    for gate in found["gates"]:
        if gate["fired"]:
            context.say(
                context.words(
                    f"   gate {gate['gate']} → {gate['effect']}: {gate['en']}",
                    f"   门槛 {gate['gate']} → {gate['effect']}：{gate['zh']}",
                )
            )
    context.say(
        context.words(
            f"   rating {found['rating']}, hold {found['hold']}", f"   等级 {found['rating']}，管控 {found['hold']}"
        )
    )
    for flag in found["flags"]:
        context.say(
            context.words(
                f"   flag {flag['code']} since {flag['since']}: {flag['en']} [{flag['evidence_en']}]",
                f"   预警 {flag['code']}（自 {flag['since']}）：{flag['zh']}［{flag['evidence_zh']}］",
            )
        )


def _limit(context: Context, found: dict[str, Any]) -> None:
    context.say()
    context.say(context.words("5. Limit", "5. 信用额度"))
    numbers = {
        **found,
        "days_of_credit": found["days_of_credit"] or 0,
        "days_beyond_terms": found["days_beyond_terms"] or 0,
    }
    context.say(
        context.words(
            "   needs = billed {billed_12_months} ÷ {days_active} days × ({days_of_credit:.2f} of credit"
            " + {days_beyond_terms:.2f} late) × peak {peak:g} × factor {factor:g}; proposed {proposed}",
            "   需求 = 开票 {billed_12_months} ÷ {days_active} 天 ×（账期 {days_of_credit:.2f} + 逾期 {days_beyond_terms:.2f}）"
            "× 峰值 {peak:g} × 系数 {factor:g}；建议 {proposed}",
        ).format(**numbers)
    )
    for term in found["terms"]:
        mark = context.words("  ← it bounds", "  ← 取此值") if term["binding"] else ""
        context.say(f"   {context.words(term['en'], term['zh']):<28} {term['amount']:>16}{mark}")
    none = context.words("none", "无")
    parts = [found[name] or none for name in ("agreed", "in_force", "exposure", "available")]
    context.say(
        context.words(
            "   agreed {}, in force {}, exposure {}, room left {}", "   约定 {}，生效 {}，占用 {}，可用 {}"
        ).format(*parts)
    )
