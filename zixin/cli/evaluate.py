"""`zixin evaluate FOLDER`: scores a portfolio folder as of a day, and how well that foretold who paid late."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zixin.cli.context import Context

if TYPE_CHECKING:
    import polars as pl

_SHOWN_REJECTS = 20


def days_of(text: str) -> list[date]:
    """Comma-separated ISO days."""
    try:
        return [date.fromisoformat(part.strip()) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day like 2025-06-30, or several with commas between") from None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate", help="Score a folder as of a day, and say how well that foretold who paid late.")(evaluate)


def evaluate(
    call: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A portfolio folder.", exists=True, file_okay=False)],
    as_of: Annotated[str, typer.Option(help="Day, or several with commas between; the accounts are of the last.")],
    horizon: Annotated[int, typer.Option(help="Days after it in which money falls due.", min=1)] = 60,
    late_days: Annotated[int, typer.Option(help="Late is more than so many days.", min=0)] = 15,
    late_share: Annotated[float, typer.Option(help="Bad from this share of the money on.", min=0, max=1)] = 0.10,
    policy: Annotated[
        Path | None, typer.Option(help="A policy file or a shipped policy's name; else the profile's.")
    ] = None,
) -> None:
    """Score the folder and print metrics and accounts."""
    context: Context = call.obj
    days = days_of(as_of)

    from zixin.config import settings
    from zixin.services import evaluation

    rules = settings.policy(context.profile, policy)
    read = evaluation.read(folder)
    say_rejects(context, read.rejects)
    done = evaluation.evaluate(read, rules, days, horizon, late_days, late_share)
    metrics, assessed = done.metrics, done.assessed
    if context.json:
        context.document(
            {"metrics": _readable_metrics(metrics), "rejected": read.rejects.height, "accounts": _accounts(assessed)}
        )
    else:
        _show(context, metrics)
    if read.rejects.height:
        raise typer.Exit(4)


def say_rejects(context: Context, rejects: pl.DataFrame) -> None:
    """List what was rejected on standard error: file, line, column, value, reason."""
    from connector.messages.rejects import sentence

    for row in rejects.head(_SHOWN_REJECTS).to_dicts():
        place = context.words(f"{row['file']}, line {row['record']}", f"{row['file']} 第 {row['record']} 行")
        context.progress(f"{place}, {row['column']} {row['value']!r}: {sentence(row['reason'], context.language)}")
    if rejects.height > _SHOWN_REJECTS:
        more = rejects.height - _SHOWN_REJECTS
        context.progress(context.words(f"… and {more} more rows rejected", f"…另有 {more} 行被拒绝"))


def _accounts(assessed: pl.DataFrame) -> list[dict[str, Any]]:
    from connector import money

    rows = assessed.select("customer_id", "score", "rating", "limit", "flags", "currency").iter_rows()
    return [
        {
            "account_id": account,
            "score": score,
            "rating": rating,
            "limit": None if limit is None else str(money.from_minor(limit, currency)),
            "flags": [flag["code"] for flag in flags],
        }
        for account, score, rating, limit, flags, currency in rows
    ]


def _readable_metrics(metrics: dict[str, Any]) -> dict[str, Any]:
    from connector.schema import day_of

    dates = [{**row, "as_of": day_of(row["as_of"]).isoformat()} for row in metrics["dates"]]
    return {**metrics, "dates": dates}


def _show(context: Context, metrics: dict[str, Any]) -> None:
    index = metrics["paydex_like"]
    context.say(
        context.words(
            "                     AUC    KS     late money in worst fifth", "AUC、KS、最差五分之一客户的逾期金额占比"
        )
    )
    for name, row in (
        (context.words("score", "评分"), metrics),
        (context.words("PAYDEX-like index", "类 PAYDEX 指数"), index),
    ):
        cells = [row["auc"], row["ks"], row["late_money_in_worst_fifth"]]
        context.say(f"{name:<20} " + "  ".join("  –  " if cell is None else f"{cell:.3f}" for cell in cells))
    customers, bads = metrics["customers"], metrics["bads"]
    context.say(context.words(f"{customers} customers, {bads} of them bad", f"{customers} 个客户，其中 {bads} 个逾期"))
