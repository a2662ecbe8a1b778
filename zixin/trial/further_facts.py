"""What is known of a generated portfolio's customers beside the ledger: orders, terms, securities, figures, judgements.

One file a canonical table that a CRM seldom has a place for. Few customers have much of it, as in real books; the
shares are made up, the forms are those of docs/glossary.md.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

#: Writes a table: its name, its columns, its rows.
Write = Callable[[str, str, Sequence[Sequence[object]]], None]

#: Share of customers of whom there is a row, in percent.
_STATEMENTS, _ORDERS, _TERMS, _JUDGED, _LEGAL, _TAX = 35, 20, 30, 15, 4, 25
_SECURED, _CONTRACTS, _CONFIRMED, _PROMISES = 8, 12, 10, 3
_TAX_GRADES = "A A A B B B M C D".split()


@dataclass(frozen=True, slots=True)
class Customer:
    """One of the generated customers."""

    key: str
    country: str
    currency: str
    payer: str
    #: His usual invoice, in his currency.
    typical: Decimal
    #: Days of credit that he has.
    terms: int
    since: date


def further(customers: Sequence[Customer], as_of: date, seed: int, write: Write) -> None:
    """Write the further tables. The same customers, day and seed give the same rows."""
    # A stream of its own: the ledger stays as it is, whatever is added here.
    chance = random.Random(seed + 1)  # noqa: S311
    _trade(customers, as_of, chance, write)
    _knowledge(customers, as_of, chance, write)
    _desk(customers, as_of, chance, write)


def _some(customers: Sequence[Customer], percent: int, chance: random.Random) -> list[Customer]:
    return [each for each in customers if chance.random() * 100 < percent]


def _amount(value: Decimal, currency: str) -> str:
    return str(value.quantize(Decimal(1) if currency == "JPY" else Decimal("0.01")))


def _ago(as_of: date, days: int) -> str:
    return (as_of - timedelta(days=days)).isoformat()


def _trade(customers: Sequence[Customer], as_of: date, chance: random.Random, write: Write) -> None:
    """What is ordered, agreed and secured."""
    orders = [
        (
            f"O{each.key}", each.key, _ago(as_of, chance.randint(0, 20)),
            _amount(each.typical * Decimal(chance.choice(("0.4", "0.7", "1.2"))), each.currency), each.currency,
        )
        for each in _some(customers, _ORDERS, chance)
    ]  # fmt: skip
    terms = [
        (each.key, max(each.since, as_of - timedelta(days=720)).isoformat(), "net", each.terms)
        for each in _some(customers, _TERMS, chance)
    ]
    kinds = ("insurance", "guarantee", "deposit", "letter_of_credit")
    secured = [
        (
            f"S{each.key}", each.key, chance.choice(kinds), _amount(each.typical * 2, each.currency), each.currency,
            chance.choice(("1", "0.9", "0.8")), (as_of + timedelta(days=chance.randint(20, 400))).isoformat(),
        )
        for each in _some(customers, _SECURED, chance)
    ]  # fmt: skip
    contracts = [
        (
            f"V{each.key}", each.key, _ago(as_of, chance.randint(40, 700)),
            _amount(each.typical * 20, each.currency), each.currency,
        )
        for each in _some(customers, _CONTRACTS, chance)
    ]  # fmt: skip
    write("orders", "order_id account_id ordered_on amount currency", orders)
    write("terms", "account_id valid_from kind days", terms)
    write("securities", "security_id account_id kind amount currency coverage valid_until", secured)
    write("contracts", "contract_id account_id signed_on value currency", contracts)


def _knowledge(customers: Sequence[Customer], as_of: date, chance: random.Random, write: Write) -> None:
    """Figures, judgements, and balances that customers confirmed."""
    year = as_of.year - 1 if as_of.month > 4 else as_of.year - 2
    statements = []
    for each in _some(customers, _STATEMENTS, chance):
        healthy = each.payer in ("prompt", "recovering", "slow")
        revenue = each.typical * chance.randint(60, 400)
        assets = revenue * Decimal(chance.choice(("0.5", "0.7", "0.9", "1.2")))
        debts = assets * _share(chance, *((0.25, 0.6) if healthy else (0.55, 0.95)))
        profit = revenue * _share(chance, *((0.01, 0.09) if healthy else (-0.12, 0.02)))
        short = debts * Decimal("0.6")
        money = (assets, assets * Decimal("0.55"), debts, short, assets - debts, revenue, profit)
        figures = [_amount(value, each.currency) for value in money]
        statements.append((each.key, f"{year}-12-31", "false", each.currency, "true", *figures))
    evidence: list[Sequence[object]] = []
    for kind, share in (("bureau", _JUDGED), ("tax", _TAX), ("legal", _LEGAL), ("visit", 5), ("news", 3)):
        for each in _some(customers, share, chance):
            bad = each.payer in ("defaulting", "erratic", "worsening")
            value = _observed(kind, chance, bad=bad)
            if kind != "tax" or each.country == "CN":
                day = _ago(as_of, chance.randint(5, 300))
                evidence.append((f"E{kind[0].upper()}{each.key}", each.key, kind, day, value))
    end = as_of.replace(day=1) - timedelta(days=1)
    confirmed = [
        (each.key, end.isoformat(), _amount(each.typical * 2, each.currency), each.currency, as_of.isoformat())
        for each in _some(customers, _CONFIRMED, chance)
    ]
    columns = "total_assets current_assets total_liabilities current_liabilities equity revenue net_profit"
    write("statements", f"account_id period_end consolidated currency audited {columns}", statements)
    write("evidence", "evidence_id account_id kind observed_on value", evidence)
    write("reconciliations", "account_id period_end balance currency confirmed_on", confirmed)


def _share(chance: random.Random, least: float, most: float) -> Decimal:
    return Decimal(str(round(chance.uniform(least, most), 4)))


def _observed(kind: str, chance: random.Random, *, bad: bool) -> str:
    if kind == "tax":
        return chance.choice(_TAX_GRADES)
    if kind == "legal":
        return "bankruptcy" if bad and chance.random() < 0.3 else "sued"
    return str(chance.randint(15, 50) if bad else chance.randint(55, 95))


def _desk(customers: Sequence[Customer], as_of: date, chance: random.Random, write: Write) -> None:
    """What people promised, decided and did."""
    late = [each for each in customers if each.payer in ("defaulting", "worsening", "disputing")]
    promises = [
        (
            f"X{each.key}", each.key, _ago(as_of, 9), (as_of + timedelta(days=chance.randint(-5, 20))).isoformat(),
            _amount(each.typical, each.currency), each.currency,
        )
        for each in _some(late, _PROMISES * 5, chance)
    ]  # fmt: skip
    decisions = [
        (f"D{each.key}", each.key, "hold", chance.choice(("approve", "block")), "collections", _ago(as_of, 12))
        for each in late[:6]
    ]
    due = (as_of + timedelta(days=3)).isoformat()
    actions = [(f"M{each.key}", each.key, "OVERDUE_30", "call the customer", "collections", due) for each in late[:12]]
    write("promises", "promise_id account_id made_on due amount currency", promises)
    write("decisions", "decision_id account_id kind value by valid_from", decisions)
    write("actions", "action_id account_id flag measure owner due", actions)


def company(chance: random.Random, since: date) -> tuple[str, str, str]:
    """Segment, founding day, registered capital of a customer; empty: not known."""
    founded = since - timedelta(days=chance.randint(100, 6_000))
    capital = str(chance.choice((500_000, 1_000_000, 5_000_000, 20_000_000)))
    known = chance.random() < 0.5
    return ("key" if chance.random() < 0.05 else "", founded.isoformat() if known else "", capital if known else "")
