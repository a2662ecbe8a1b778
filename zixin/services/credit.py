"""The credit desk for the doors: a profile's accounts as they stand now, what people decide, whether an order fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from connector import money
from connector.credit.decision_rules import Asked
from connector.credit.order_check import OUT, WHY, check
from connector.errors import Misconfigured
from connector.messages.flags import FLAGS, canonical
from connector.messages.terms import term
from connector.policy import Policy
from connector.schema import Tables, day_number, day_of
from connector.scoring.assess import assess
from connector.scoring.customers import HOLDING
from connector.scoring.explanation.what_if import with_values
from connector.scoring.features.tendency import Statistics
from connector.scoring.ledger.rates import Rates
from sync import decisions as decision_store
from sync import survivors, warnings
from sync.crm_connection import micros
from sync.store import Store, ledger, links, ratings
from zixin import compose
from zixin.config import settings


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as it stands: its newest facts and decisions, on the newest assessed day."""

    account_id: str
    number: str
    name: str
    #: Its assessment, with the columns of `ASSESSMENT`.
    row: dict[str, Any]
    tables: Tables
    portfolio: Statistics
    prior: pl.DataFrame


@dataclass(frozen=True, slots=True)
class CreditContext:
    """A profile's store, without a call to its CRM."""

    profile: str
    store: Store
    connection: str
    policy: Policy
    #: The newest assessed day: the one that decisions count from.
    day: int
    now: datetime

    @property
    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return micros(self.now)

    def account(self, wanted: str) -> tuple[str, str, str]:
        """Id, number and name of the account of that number, id or whole name. Raises Misconfigured."""
        with self.store.read(self.connection) as session:
            rows = ledger.find(session, wanted)
        if not rows:
            raise Misconfigured("E-NO-ACCOUNT", account=wanted, profile=self.profile)
        return rows[0]

    def standing(self, wanted: str) -> Standing:
        """The account, assessed anew from what the store knows, decisions included; nothing is stored."""
        account, number, name = self.account(wanted)
        with self.store.read(self.connection) as session:
            tables = ledger.load(session, [account])
            stored = ratings.statistics_before(session, self.day)
            tree = tables["accounts"]["account_id"].to_list()
            prior = ratings.assessments(session, before=self.day, accounts=tree)
        portfolio = Statistics.from_json(str(stored))
        frame = assess(tables, self.policy, self.day, portfolio=portfolio, prior=prior)
        row = frame.row(by_predicate=pl.col("customer_id") == account, named=True)
        return Standing(account, number or account, name, row, tables, portfolio, prior)


#: Days for which what was finished stays in sight.
_IN_SIGHT = 30


@dataclass(frozen=True, slots=True)
class Line:
    """One reason, or one way out."""

    code: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """Whether an order may be delivered on credit."""

    account_id: str
    number: str
    name: str
    as_of: date
    #: Of all amounts: the base currency.
    currency: str
    rating: str
    #: allow, warn, needs_approval, block.
    answer: str
    reasons: tuple[Line, ...]
    ways_out: tuple[Line, ...]
    #: What it rests on: name → plain decimal text; None: not known.
    numbers: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """What a person decided. Days are ISO dates, an amount is decimal text with its currency."""

    id: str
    account_id: str
    number: str
    kind: str
    value: str | None
    amount: str | None
    valid_from: str | None
    until: str | None
    reason: str | None
    by: str | None
    #: in_force, over, ahead, waits, orphaned: of an account that is no more, and was merged into none.
    state: str


@dataclass(frozen=True, slots=True)
class FlagRow:
    """A flag with its life."""

    account_id: str
    code: str
    severity: str
    acknowledged_by: str | None
    note: str | None
    raised_on: str | None
    cleared_on: str | None
    number: str
    en: str
    zh: str
    #: What is recommended: a code, and its words.
    measure: str
    measure_en: str
    measure_zh: str


@dataclass(frozen=True, slots=True)
class ActionRow:
    """A measure that somebody takes."""

    id: str
    account_id: str
    number: str
    flag: str | None
    measure: str
    owner: str | None
    due: str | None
    done_on: str | None
    outcome: str | None
    #: Past its day, and open.
    late: bool


@dataclass(frozen=True, slots=True)
class WhatIf:
    """An account as it is, and with other values of features."""

    account_id: str
    number: str
    name: str
    currency: str
    now: Mapping[str, Any]
    then: Mapping[str, Any]


@contextmanager
def open_context(profile: str, now: datetime | None = None) -> Iterator[CreditContext]:
    """The profile's desk. Raises Misconfigured where nothing was assessed yet."""
    with compose.open_store(profile) as (store, name):
        with store.read(name) as session:
            day = ratings.newest_day(session)
            base = ratings.base_currency(session, day)
        if day is None or base is None:
            raise Misconfigured("E-NOTHING-RATED", profile=profile)
        yield CreditContext(
            profile, store, name, settings.policy_in(profile, base, rated=True), day, now or datetime.now(UTC)
        )


def decide(context: CreditContext, wanted: str, asked: Asked) -> tuple[str, decision_store.Decided]:
    """Puts it into force, or lets it wait; the account's number and what became of it."""
    standing = context.standing(wanted)
    base = standing.row["currency"]
    limit = context.policy.approvals.limit_above
    # The policy's amount is in its base currency; in any other one somebody else has to look.
    above = None if limit is None or asked.currency not in (None, base) else money.to_minor(limit, base)
    rating = standing.row["rating"]
    decided = decision_store.decide(
        context.store,
        context.connection,
        standing.account_id,
        asked,
        context.policy,
        rating=rating,
        above=above,
        now_us=context.now_us,
    )
    return standing.number, decided


def end(context: CreditContext, key: str, by: str) -> None:
    """Ends a decision with the day before the desk's."""
    decision_store.end(context.store, context.connection, key, by, last=context.day - 1, now_us=context.now_us)


def approve(context: CreditContext, key: str, by: str) -> None:
    """Puts a decision that waits into force, in another person's name."""
    decision_store.approve(context.store, context.connection, key, by, context.policy, now_us=context.now_us)


def acknowledge(context: CreditContext, wanted: str, code: str, by: str, note: str | None) -> str:
    """Notes that somebody has seen a flag of the account; the account's number."""
    account, number, _ = context.account(wanted)
    with context.store.write(context.connection) as session:
        warnings.acknowledge(session, account, canonical(code), by, note, now_us=context.now_us)
    return number


def action_done(context: CreditContext, key: str, outcome: str, by: str) -> None:
    """Notes what came of a measure, on the desk's day."""
    with context.store.write(context.connection) as session:
        warnings.done(session, key, outcome, on=context.day, by=by, now_us=context.now_us)


def confirm(
    context: CreditContext, wanted: str, by: str, reason: str = "confirmed", days: int = 30
) -> tuple[str, str, decision_store.Decided]:
    """Confirms the lower grade or limit of a natural person that waits. Raises Misconfigured where none does."""
    standing = context.standing(wanted)
    row = standing.row
    if "downgrade_waits" not in row["notices"]:
        raise Misconfigured("E-DESK-UNKNOWN", key=wanted, what="override")
    grade = row["pending_rating"] or row["rating"]
    result = Asked("confirmation", grade, reason, by, context.day, context.day + days)
    decided = decision_store.decide(
        context.store,
        context.connection,
        standing.account_id,
        result,
        context.policy,
        rating=row["rating"],
        above=None,
        now_us=context.now_us,
    )
    return standing.number, str(grade), decided


def check_order(context: CreditContext, wanted: str, amount: Decimal, currency: str | None) -> OrderAnswer:
    """Whether an order of that amount may be delivered on credit, and if not, what would help.

    Raises Misconfigured for an amount that is none, or in a currency without a rate.
    """
    standing = context.standing(wanted)
    base = standing.row["currency"]
    given = currency or base
    try:
        minor = money.to_minor(amount, given)
    except ValueError as error:
        raise Misconfigured("E-AMOUNT", amount=str(amount), detail=str(error)) from None
    if minor <= 0:
        raise Misconfigured("E-AMOUNT", amount=str(amount), detail="it must be above 0")
    if given != base:
        frame = pl.DataFrame(
            {"currency": [given], "amount": [minor]}, schema={"currency": pl.String, "amount": pl.Int64}
        )
        minor = Rates(standing.tables["rates"], base).based(frame, context.day, amount="amount")["amount"][0]
        if minor is None:
            raise Misconfigured("E-AMOUNT", amount=f"{amount} {given}", detail=f"no rate from {given} into {base}")
    today = context.now.astimezone(ZoneInfo(context.policy.calendar.time_zone)).date()
    decision = check(standing.row, minor, context.policy, max(0, day_number(today) - context.day))

    def put_into_words(
        catalogue: dict[str, tuple[str, str]], lines: list[tuple[str, dict[str, Any]]]
    ) -> tuple[Line, ...]:
        results = []
        for code, filled in lines:
            text = {
                key: money.format_money(value, base) if isinstance(value, int) and key != "days" else value
                for key, value in filled.items()
            }
            en, zh = catalogue[code]
            results.append(
                Line(code, en.format(**text), zh.format(**{**text, "hold": term(str(text.get("hold")), "zh-CN")}))
            )
        return tuple(results)

    numbers = {
        key: None if value is None else f"{money.from_minor(value, base):f}" for key, value in decision.numbers.items()
    }
    return OrderAnswer(
        standing.account_id, standing.number, standing.name, day_of(context.day), base, standing.row["rating"],
        decision.answer,
        put_into_words(WHY, decision.reasons), put_into_words(OUT, decision.ways_out), numbers,
    )  # fmt: skip


def decisions(context: CreditContext, wanted: str | None) -> tuple[DecisionRow, ...]:
    """What people decided, newest last; of one account, or of all."""
    only = None if wanted is None else context.account(wanted)[0]
    with context.store.read(context.connection) as session:
        # What was decided about the customer's other accounts counts for this one.
        names = None if only is None else links.accounts_of(session, only)
        rows = [row for name in names or (None,) for row in decision_store.list_decisions(session, name)]
        numbers, orphans = ledger.numbers(session), survivors.orphaned(session)
        gone = {row["account_id"] for row in rows} - numbers.keys()
        numbers |= {account: number for account, (number, _) in ledger.called_last(session, gone).items()}
        guessed = survivors.guesses(session)

    def state_of(row: dict[str, Any]) -> str:
        if row["account_id"] in orphans:
            return "orphaned"
        # Until a person says that it was merged, only what holds acts.
        if row["account_id"] in guessed and row["kind"] not in HOLDING:
            return "waits"
        if row["state"] == "waits":
            return "waits"
        if row["valid_until"] is not None and row["valid_until"] < context.day:
            return "over"
        return "ahead" if (row["valid_from"] or 0) > context.day else "in_force"

    return tuple(
        DecisionRow(
            row["key"], row["account_id"], numbers.get(row["account_id"]) or row["account_id"],
            row["kind"], row.get("value"),
            money.format_money(row["amount"], row["currency"]) if row.get("amount") is not None else None,
            _iso(row["valid_from"]), _iso(row["valid_until"]), row.get("reason") or row.get("basis"),
            row.get("by") or row.get("approved_by"), state_of(row),
        )
        for row in rows
    )  # fmt: skip


def what_if(context: CreditContext, wanted: str, values: Mapping[str, Decimal]) -> WhatIf:
    """The account as it is, and with these features instead. Raises Misconfigured for a feature that there is not."""
    standing = context.standing(wanted)
    result = with_values(standing.tables, context.policy, context.day, standing.portfolio, standing.account_id, values)
    return WhatIf(
        standing.account_id, standing.number, standing.name, result["currency"], result["now"], result["then"]
    )


def flags(context: CreditContext, wanted: str | None, code: str | None, *, over: bool = False) -> tuple[FlagRow, ...]:
    """Flags with their lives, gravest first; of one account, of one code, or all. `over`: those that are down, too.

    What somebody acknowledged stays in sight for thirty days after it went down.
    """
    only = None if wanted is None else context.account(wanted)[0]
    with context.store.read(context.connection) as session:
        rows = warnings.list_flags(session, only, over=over, since=context.day - _IN_SIGHT)
        numbers = ledger.numbers(session)
    flag_rows = []
    for row in rows:
        if code is not None and row["code"] != canonical(code):
            continue
        rule = context.policy.flags.get(row["code"])
        words = rule or FLAGS[row["code"]]
        measure = context.policy.measure_of(row["code"])
        about = context.policy.measure(measure)
        flag_rows.append(FlagRow(
            row["account_id"], row["code"], row["severity"], row["acknowledged_by"], row["note"],
            _iso(row["raised_on"]), _iso(row["cleared_on"]), numbers.get(row["account_id"]) or "", words.en, words.zh,
            measure, about.en if about else measure, about.zh if about else measure,
        ))  # fmt: skip
    return tuple(flag_rows)


def plan_action(
    context: CreditContext, wanted: str, measure: str, *, flag: str, owner: str, due: date | None, by: str
) -> tuple[str, str | None]:
    """Plans a measure; its id and the day it is due. Without a day the measure's own number of days counts."""
    account, _, _ = context.account(wanted)
    known = context.policy.measure(measure)
    last = day_number(due) if due else context.day + known.days if known else None
    with context.store.write(context.connection) as session:
        key = warnings.act(
            session, account, measure, flag=canonical(flag) or None, owner=owner or None, due=last, by=by,
            now_us=context.now_us,
        )  # fmt: skip
    return key, _iso(last)


def actions(context: CreditContext, wanted: str | None, *, over: bool = False) -> tuple[ActionRow, ...]:
    """Measures, by when they are due; of one account, or all; thirty days longer than they are open. `over`: all."""
    only = None if wanted is None else context.account(wanted)[0]
    with context.store.read(context.connection) as session:
        rows = warnings.actions(session, only, over=over, since=context.day - _IN_SIGHT)
        numbers = ledger.numbers(session)
    return tuple(
        ActionRow(
            row["action_id"], row["account_id"], numbers.get(row["account_id"]) or "", row["flag"], row["measure"],
            row["owner"], _iso(row["due"]), _iso(row["done_on"]), row["outcome"],
            row["done_on"] is None and row["due"] is not None and row["due"] < context.day,
        )
        for row in rows
    )  # fmt: skip


def _iso(day: int | None) -> str | None:
    return None if day is None else day_of(day).isoformat()
