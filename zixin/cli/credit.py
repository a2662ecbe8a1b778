"""`zixin check`, and what people decide: `zixin override|limit|hold add|list|end|approve`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zixin.cli.context import Context, padded
from zixin.cli.evaluate import days_of
from zixin.cli.upgrade import upgraded

if TYPE_CHECKING:
    from zixin.services.credit import CreditContext, DecisionRow

ACCOUNT = Annotated[str, typer.Argument(help="Its number, id or whole name.")]
BY = Annotated[str, typer.Option("--by", help="Who decides; else the user of the system.")]
UNTIL = Annotated[str, typer.Option("--until", help="Last day that it counts.")]
REASON = Annotated[str, typer.Option("--reason", help="One of the policy's overrides.reasons.")]
_LIMITS = ("permanent", "temporary", "insured")
_HOLDS = ("hold", "release", "blacklist", "cash_only", "legal")

override = typer.Typer(no_args_is_help=True, help="Set a rating by hand, within the policy's rules.")
limit = typer.Typer(no_args_is_help=True, help="Set a credit limit by hand.")
hold = typer.Typer(no_args_is_help=True, help="Hold or release an account by hand.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("check", help="May an order of that amount be delivered on credit, and if not, what would help.")(check)
    for name, group in (("override", override), ("limit", limit), ("hold", hold)):
        group.command("list", help="What is in force, was, or waits for another person.")(_lister(name))
        group.command("end", help="End one by its id, or reject one that waits.")(_end)
        app.add_typer(group, name=name)
    override.command("approve", help="Approve one by its id, or a natural person's lower grade by the account.")(
        _confirm
    )
    for group in (limit, hold):
        group.command("approve", help="Approve in another person's name what waits.")(_approve)


def check(
    call: typer.Context,
    account: ACCOUNT,
    amount: Annotated[str, typer.Argument(help="A plain decimal, above 0.")],
    currency: Annotated[str, typer.Option(help="ISO code; else the portfolio's base currency.")] = "",
) -> None:
    """Exit code 0 whatever the answer is; --json for a program."""
    context: Context = call.obj
    given = _decimal(amount)

    from zixin.services import credit

    with credit.open_context(context.profile) as at:
        order_answer = credit.check_order(at, account, given, currency or None)
    if context.json:
        document = asdict(order_answer)
        numbers = document.pop("numbers")
        context.document({**document, **numbers})
        return
    answers = {"allow": "放行", "warn": "放行并提醒", "needs_approval": "须审批", "block": "冻结"}
    message = context.words(order_answer.answer.replace("_", " "), answers[order_answer.answer])
    context.say(f"{order_answer.number}  {order_answer.name}  {order_answer.rating}: {message.upper()}")
    for line in order_answer.reasons:
        context.say(f"  {context.words(line.en, line.zh)}")
    if order_answer.ways_out:
        context.say(context.words("what would help:", "可行办法："))
    for line in order_answer.ways_out:
        context.say(f"  {context.words(line.en, line.zh)}")


@override.command("add", help="Set a rating until a day.")
def _override(
    call: typer.Context,
    account: ACCOUNT,
    rating: Annotated[str, typer.Argument(help="AAA … D.")],
    reason: REASON,
    until: UNTIL,
    by: BY = "",
) -> None:
    _add(call.obj, account, "override", rating.upper(), reason=reason, until=until, by=by)


@limit.command("add", help="Set a limit; a temporary one needs a last day.")
def _limit(
    call: typer.Context,
    account: ACCOUNT,
    amount: Annotated[str, typer.Argument(help="A plain decimal.")],
    reason: REASON,
    until: UNTIL = "",
    kind: Annotated[str, typer.Option(help="permanent, temporary (beside it) or insured.")] = "permanent",
    currency: Annotated[str, typer.Option(help="ISO code; else the base currency.")] = "",
    scope: Annotated[str, typer.Option(help="account, or group: the whole tree under it.")] = "account",
    by: BY = "",
) -> None:
    _choice(kind, _LIMITS, "--kind")
    _choice(scope, ("account", "group"), "--scope")
    more: dict[str, Any] = {"amount": _decimal(amount), "currency": currency or None, "scope": scope}
    _add(call.obj, account, kind, None, reason=reason, until=until, by=by, **more)


@hold.command("add", help="Hold an account (warn, approve, block), or release it.")
def _hold(
    call: typer.Context,
    account: ACCOUNT,
    reason: REASON,
    value: Annotated[str, typer.Argument(help="none, warn, approve or block.")] = "",
    kind: Annotated[str, typer.Option(help="hold, release, blacklist, cash_only or legal.")] = "hold",
    until: UNTIL = "",
    by: BY = "",
) -> None:
    _choice(kind, _HOLDS, "--kind")
    usual = {"hold": "block", "release": "none"}.get(kind)
    _add(call.obj, account, kind, value or usual, reason=reason, until=until, by=by)


def _add(
    context: Context,
    account: str,
    kind: str,
    value: str | None,
    *,
    reason: str,
    until: str,
    by: str,
    amount: Decimal | None = None,
    **more: Any,
) -> None:
    last = days_of(until)[0] if until else None
    with write_context(context) as at:
        from connector import money
        from connector.credit.decision_rules import Asked
        from connector.errors import Misconfigured
        from connector.schema import day_number
        from zixin.services import credit

        if amount is not None:
            more["currency"] = more["currency"] or at.standing(account).row["currency"]
            try:
                more["amount"] = money.to_minor(amount, more["currency"])
            except ValueError as error:
                raise Misconfigured("E-AMOUNT", amount=str(amount), detail=str(error)) from None
        result = Asked(kind, value, reason, who(by), at.day, None if last is None else day_number(last), **more)
        number, decided = credit.decide(at, account, result)
    if context.json:
        context.document({"id": decided.key, "account": number, "waits_for": list(decided.needs)})
        return
    waits = context.words(
        f"{decided.key} for {number} waits: another person has to approve it ({', '.join(decided.needs)})",
        f"{decided.key}（{number}）待他人批准（{'、'.join(decided.needs)}）",
    )
    counts = context.words(
        f"{decided.key} for {number} is in force; the next zixin sync writes it to the CRM",
        f"{decided.key}（{number}）已生效；下次 zixin sync 写回 CRM",
    )
    context.say(waits if decided.needs else counts)


def _lister(name: str) -> Any:
    def lister(call: typer.Context, account: Annotated[str, typer.Argument(help="Only this account.")] = "") -> None:
        context: Context = call.obj
        kinds = {"override": ("override", "confirmation"), "limit": _LIMITS, "hold": _HOLDS}[name]
        with read_context(context) as at:
            from zixin.services import credit

            rows = [row for row in credit.decisions(at, account or None) if row.kind in kinds]
        if context.json:
            context.document({"decisions": [_document(row) for row in rows]})
        for row in () if context.json else rows:
            what = row.value or row.amount or ""
            dates = f"{row.valid_from or '–'} … {row.until or '–'}"
            message = context.words(row.state.replace("_", " "), context.term(row.state))
            head = f"{row.id:<8} {padded(message, 9)} {row.number:<14} {context.term(row.kind, 12)} {what:<16} {dates}"
            context.say(f"{head}  {row.reason or ''}  {context.term(row.by or '')}")

    return lister


def _document(row: DecisionRow) -> dict[str, Any]:
    return {"from" if name == "valid_from" else name: value for name, value in asdict(row).items()}


def _end(call: typer.Context, key: Annotated[str, typer.Argument(metavar="ID")], by: BY = "") -> None:
    context: Context = call.obj
    with write_context(context) as at:
        from zixin.services import credit

        credit.end(at, key, who(by))
    _done(context, key, ("ended", "已结束"))


def _approve(call: typer.Context, key: Annotated[str, typer.Argument(metavar="ID")], by: BY = "") -> None:
    context: Context = call.obj
    with write_context(context) as at:
        from zixin.services import credit

        credit.approve(at, key, who(by))
    _done(context, key, ("approved, and in force", "已批准并生效"))


def _confirm(call: typer.Context, key: Annotated[str, typer.Argument(metavar="ID|ACCOUNT")], by: BY = "") -> None:
    context: Context = call.obj
    if key[:1] == "D" and key[1:].isdigit():
        _approve(call, key, by)
        return
    with write_context(context) as at:
        from zixin.services import credit

        number, grade, decided = credit.confirm(at, key, who(by))
    _done(context, decided.key, (f"{number} may fall to {grade}", f"已确认 {number} 可降至 {grade}"))


def _done(context: Context, key: str, words: tuple[str, str]) -> None:
    if context.json:
        context.document({"id": key, "done": words[0]})
    else:
        context.say(f"{key}: {context.words(*words)}")


@contextmanager
def write_context(context: Context) -> Iterator[CreditContext]:
    """The profile's desk, to decide at: a store of an older release is brought up to date first."""
    upgraded(context)
    with read_context(context) as at:
        yield at


@contextmanager
def read_context(context: Context) -> Iterator[CreditContext]:
    """The profile's desk."""
    from zixin.services import credit

    with credit.open_context(context.profile) as at:
        yield at


def who(by: str) -> str:
    """Who decides: the one that was given, else the user of the system."""
    import getpass

    return by or getpass.getuser()


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is not an amount like 12500.00") from None


def _choice(given: str, known: tuple[str, ...], where: str) -> None:
    if given not in known:
        raise typer.BadParameter(f"{given!r} is none of {', '.join(known)}", param_hint=where)
