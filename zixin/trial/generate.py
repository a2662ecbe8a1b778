"""A portfolio that looks real, for demos and trials: a portfolio folder of about a thousand customers and two years.

The marginals (invoices a customer, lateness between and within customers, payment runs, weekdays, terms, sizes) are
those measured on real ledgers; no row of these is in it. The same seed and day give the same folder.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

from zixin.trial.further_facts import Customer, company, further

T = TypeVar("T")

_ENGLISH = (
    "Harbour Northgate Meridian Cobalt Juniper Ashford Pinnacle Redwood Silverline Oakfield Brightwater Stonebridge"
    " Larkspur Falcon Greyfriars Whitmore Kestrel Bluewave Summit Ironbark"
).split()
_TRADES = "Foods Logistics Components Textiles Packaging Electronics Chemicals Retail Engineering Supplies".split()
_FORMS = ("Ltd", "GmbH", "Inc", "BV", "SA", "Co")
_PLACES = "上海 深圳 苏州 宁波 青岛 成都 武汉 厦门 杭州 天津".split()
_CHINESE = "恒达 瑞丰 华信 金源 博远 永昌 新源 中诚 嘉禾 鼎盛 远航 立信".split()
_CHINESE_TRADES = "食品 物流 电子 纺织 包装 化工 机械 建材 贸易 科技".split()
_INDUSTRIES = "Food Logistics Electronics Textiles Packaging Chemicals Machinery Construction Wholesale Retail".split()
#: Country, currency, how common.
_MARKETS = (("CN", "CNY", 60), ("US", "USD", 16), ("DE", "EUR", 12), ("NL", "EUR", 5), ("JP", "JPY", 7))
#: Units of CNY for one unit of the currency.
_RATES = {"USD": "7.12", "EUR": "7.84", "JPY": "0.0485"}
#: What is known of some companies, and of others not.
_COMPANY = "segment founded_on registered_capital"
#: Kind of payer → share of customers, typical days late, spread.
_PAYERS: dict[str, tuple[int, float, float]] = {
    "prompt": (64, -1.5, 2.0),
    "slow": (13, 6.0, 5.0),
    "worsening": (7, 0.0, 3.0),
    "recovering": (6, 18.0, 5.0),
    "disputing": (5, 2.0, 4.0),
    "defaulting": (3, 4.0, 5.0),
    "erratic": (2, 5.0, 14.0),
}


@dataclass(slots=True)
class _Books:
    invoices: list[Sequence[object]] = field(default_factory=list)
    payments: list[Sequence[object]] = field(default_factory=list)
    notes: list[Sequence[object]] = field(default_factory=list)
    note_allocations: list[Sequence[object]] = field(default_factory=list)


def generate(folder: Path, as_of: date, *, accounts: int = 1_000, seed: int = 20) -> None:
    """Write the folder: every table of a portfolio, links between accounts left out."""
    folder.mkdir(parents=True, exist_ok=True)
    chance, beside = random.Random(seed), random.Random(seed + 2)  # noqa: S311
    customers, limits, known = [], [], []
    books = _Books()
    for number in range(1, accounts + 1):
        country, currency = _weighted(chance, [((c, m), share) for c, m, share in _MARKETS])
        payer = _weighted(chance, [(kind, share) for kind, (share, _, _) in _PAYERS.items()])
        key = f"K{number:05d}"
        since = as_of - timedelta(days=chance.randint(40, 3_000))
        name, industry = _name(chance, country), chance.choice(_INDUSTRIES)
        row = (key, key, name, country, since.isoformat(), currency, industry)
        customers.append((*row, *company(beside, since)))
        typical = Decimal(round(chance.lognormvariate(8.6, 1.2), 2)) * (
            Decimal(20) if currency == "JPY" else Decimal(1)
        )
        if chance.random() < 0.4:
            limits.append((f"L{number:05d}", key, _money(typical * chance.choice((3, 5, 8)), "0"), currency))
        began = max(since, as_of - timedelta(days=730))
        terms = _trade(chance, books, key, payer, currency, typical, began, as_of)
        known.append(Customer(key, country, currency, payer, typical, terms, since))
    _write(folder, "accounts", f"account_id number name country since currency industry {_COMPANY}", customers)
    _write(folder, "invoices", "invoice_id account_id issued due amount currency disputed", books.invoices)
    _write(folder, "payments", "payment_id account_id invoice_id paid_on amount currency", books.payments)
    _write(folder, "adjustments", "adjustment_id account_id kind booked_on amount currency", books.notes)
    _write(folder, "allocations", "adjustment_id receivable_id amount currency", books.note_allocations)
    _write(folder, "limits", "limit_id account_id amount currency", limits)
    day = (as_of - timedelta(days=730)).isoformat()
    _write(folder, "rates", "currency base day rate", [(code, "CNY", day, rate) for code, rate in _RATES.items()])
    further(known, as_of, seed, partial(_write, folder))


def _trade(
    chance: random.Random,
    books: _Books,
    key: str,
    payer: str,
    currency: str,
    typical: Decimal,
    start: date,
    as_of: date,
) -> int:
    """Invoices of one customer and what he did about them; his days of credit."""
    many = min(150, 1 + int(chance.lognormvariate(1.9, 1.2)))
    terms = chance.choice((15, 15, 15, 15, 30, 30, 45, 60))
    # Most customers pay in runs: everything that is due by then, on one weekday.
    weekday = chance.choice((0, 0, 1, 1, 2, 3, 4, 4)) if chance.random() < 0.6 else None
    span = max(1, (as_of - start).days)
    days = sorted(chance.randint(0, span) for _ in range(many))
    for n, offset in enumerate(days):
        issued = start + timedelta(days=offset)
        due = issued + timedelta(days=terms)
        amount = max(Decimal(20), typical * Decimal(round(chance.lognormvariate(0, 0.8), 3)))
        text = _money(amount, "1" if currency == "JPY" else "0.01")
        disputed = payer == "disputing" and chance.random() < 0.25
        invoice = f"{key}-{n + 1:03d}"
        books.invoices.append((invoice, key, issued, due, text, currency, str(disputed).lower()))
        paid = _paid_on(chance, payer, due, issued, as_of, offset / span)
        if paid is not None and weekday is not None:
            paid += timedelta(days=(weekday - paid.weekday()) % 7)
        _settle(chance, books, key, invoice, Decimal(text), currency, paid, as_of)
    return terms


def _paid_on(chance: random.Random, payer: str, due: date, issued: date, as_of: date, progress: float) -> date | None:
    """The day an invoice is paid; None: never."""
    _, usual, spread = _PAYERS[payer]
    late = chance.gauss(usual, spread)
    if payer == "worsening":
        late += 35 * max(0.0, progress - 0.55)
    elif payer == "recovering":
        late -= 18 * min(1.0, max(0.0, progress - 0.3) * 2)
    elif payer == "defaulting" and (as_of - due).days < chance.randint(60, 260):
        return None
    if chance.random() < 0.015:
        late += chance.choice((20, 35, 60))
    return max(issued + timedelta(days=1), due + timedelta(days=round(late)))


def _settle(
    chance: random.Random,
    books: _Books,
    key: str,
    invoice: str,
    amount: Decimal,
    currency: str,
    paid: date | None,
    as_of: date,
) -> None:
    places = "1" if currency == "JPY" else "0.01"
    if chance.random() < 0.03:
        note = Decimal(_money(amount * Decimal("0.1"), places))
        booked = min(as_of, paid or as_of)
        books.notes.append((f"C{invoice}", key, "credit_note", booked, note, currency))
        books.note_allocations.append((f"C{invoice}", invoice, note, currency))
        amount -= note
    if paid is None or paid > as_of:
        return
    if chance.random() < 0.08:
        first = Decimal(_money(amount * Decimal(chance.choice(("0.3", "0.5", "0.7"))), places))
        books.payments.append((f"P{key}-{paid:%y%m%d}", key, invoice, paid, first, currency))
        rest = paid + timedelta(days=chance.randint(5, 40))
        if rest <= as_of:
            books.payments.append((f"P{key}-{rest:%y%m%d}", key, invoice, rest, amount - first, currency))
        return
    books.payments.append((f"P{key}-{paid:%y%m%d}", key, invoice, paid, amount, currency))
    if chance.random() < 0.01:
        books.payments.append((f"U{invoice}", key, "", paid, _money(amount * Decimal("0.2"), places), currency))


def _name(chance: random.Random, country: str) -> str:
    if country == "CN":
        return f"{chance.choice(_PLACES)}{chance.choice(_CHINESE)}{chance.choice(_CHINESE_TRADES)}有限公司"
    return f"{chance.choice(_ENGLISH)} {chance.choice(_TRADES)} {chance.choice(_FORMS)}"


def _weighted(chance: random.Random, options: Sequence[tuple[T, int]]) -> T:
    return chance.choices([option for option, _ in options], [share for _, share in options])[0]


def _money(amount: Decimal, places: str) -> str:
    return str(amount.quantize(Decimal(places if places != "0" else "1")))


def _write(folder: Path, name: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.split())
        writer.writerows(rows)
