"""Seeded portfolios in which every table and every odd case of it occurs, for the net of assessments.

Drawn with `random.Random`, whose numbers are the same on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import polars as pl

from connector.schema import TABLES

#: The day they are told on, as days since 1970: 2025-06-30.
TODAY = 20_269
#: Units of the base currency for one of it.
_RATES = {"EUR": 1.1, "CNY": 0.14, "JPY": 0.0067}
_NOTES = ("credit_note", "discount", "rebate", "deduction", "fee", "withholding", "exchange", "write_off", "set_off")
_BILLS = ("bank_acceptance", "commercial_acceptance", "cheque", "letter_of_credit")
_SHOWN = tuple(
    "total_assets current_assets cash receivables inventory total_liabilities current_liabilities equity"
    " retained_earnings revenue cost_of_sales ebit interest_expense net_profit operating_cash_flow market_value".split()
)
_MAY_BE_NEGATIVE = {"ebit", "net_profit", "operating_cash_flow", "equity", "retained_earnings"}

Row = dict[str, Any]
T = TypeVar("T")


def portfolio(
    seed: int, customers: int, currencies: Sequence[str] = ("USD",), *, plain: bool = False, sound: bool = False
) -> dict[str, pl.DataFrame]:
    """Canonical tables of so many customers.

    `plain`: invoices and cash, as a first connection reads them. `sound`: who pays, and about in time.
    """
    result = Portfolio(random.Random(seed), currencies, plain, sound)
    accounts = [f"C{seed:02}-{number:03}" for number in range(customers)]
    for account in accounts:
        result.customer(account, accounts)
    result.rates()
    return {name: _frame(name, rows) for name, rows in result.rows.items()}


def _frame(name: str, rows: Sequence[Row]) -> pl.DataFrame:
    columns = TABLES[name].columns
    names = {column.name for column in columns}
    assert all(row.keys() <= names for row in rows), name
    cells = [{column.name: row.get(column.name, column.default) for column in columns} for row in rows]
    return pl.DataFrame(cells, schema=TABLES[name].schema())


class Portfolio:
    """Rows by table, drawn customer by customer."""

    def __init__(self, chance: random.Random, currencies: Sequence[str], plain: bool, sound: bool) -> None:
        self.chance, self.currencies, self.plain, self.sound = chance, currencies, plain, sound
        self.rows: dict[str, list[Row]] = {name: [] for name in TABLES}

    def customer(self, account: str, all_of_them: Sequence[str]) -> None:
        """One account with everything that belongs to it."""
        self._account(account, all_of_them)
        #: What its invoices are about, in minor units, and how many days late it tends to pay.
        size, late = 10 ** self.chance.uniform(2, 6), self.chance.uniform(-15, 4 if self.sound else 45)
        orders = self._orders(account, size)
        claims = [
            self._claim(account, number, size, orders) for number in range(self.chance.choice([0, 1, 2, 5, 10, 30]))
        ]
        for claim in claims:
            if not self._happens(0.01 if self.sound else 0.1):
                self._settle(claim, late)
        if not self.plain:
            self._agreed(account, size)
            self._promises(account, size, claims)
            self._known(account)
            self._decided(account)

    def rates(self) -> None:
        """Rates of the foreign currencies on a few days."""
        for currency in self.currencies:
            days = {TODAY - self.chance.randint(0, 1_200) for _ in range(4)} if currency in _RATES else ()
            for day in sorted(days):
                rate = int(_RATES[currency] * self.chance.uniform(0.9, 1.1) * 10**12)
                self._add("rates", currency=currency, base="USD", day=day, rate=rate)

    def _account(self, account: str, all_of_them: Sequence[str]) -> None:
        maybe, day = self._maybe, self._day
        self._add(
            "accounts", account_id=account, number=account, name=account,
            parent_id=maybe(0.3, lambda: self.chance.choice(all_of_them)), country=maybe(0.5, lambda: self._one("US", "CN")),
            industry=maybe(0.3, lambda: "steel"), segment=maybe(0.5, lambda: self._one("key", "small", "")),
            currency=maybe(0.8, self._currency), since=maybe(0.7, lambda: day(-20, 3_000)),
            founded_on=maybe(0.5, lambda: day(-20, 9_000)), natural_person=maybe(0.2, lambda: self._happens(0.5)),
            registered_capital=maybe(0.4, lambda: self.chance.randint(0, 10**10)),
        )  # fmt: skip

    def _orders(self, account: str, size: float) -> list[str]:
        lines = [] if self.plain else [f"{account}-O{n}" for n in range(self._one(0, 0, 0, 1, 3))]
        for order in lines:
            self._add(
                "orders", order_id=order, account_id=account, ordered_on=self._day(-5, 500),
                amount=self._amount(size, 50, 500), currency=self._currency(),
                billed_amount=self._maybe(0.4, lambda: self._amount(size, 0, 300)),
                cancelled_on=self._maybe(0.1, lambda: self._day(-5, 50)),
            )  # fmt: skip
        return lines

    def _claim(self, account: str, number: int, size: float, orders: Sequence[str]) -> Row:
        issued, amount = self._day(-10, 1_300), self._amount(size, 1, 200)
        due = issued + self._one(-3, 0, 15, 30, 30, 60) if self.plain or self._happens(0.85) else None
        claim: Row = {
            "receivable_id": f"{account}-R{number}", "account_id": account, "number": f"N{number}", "issued": issued,
            "due": due, "due_basis": "given" if due is not None else self._one("unknown", "given"), "amount": amount,
            "currency": self._currency(),
        }  # fmt: skip
        if not self.plain:
            claim |= self._oddities(claim, orders)
        return self._add("receivables", **claim)

    def _oddities(self, claim: Row, orders: Sequence[str]) -> Row:
        """Notes among the claims, retentions, moved due days, disputes, voids."""
        maybe, chance, issued = self._maybe, self.chance, claim["issued"]
        sign = 0 if self._happens(0.02) else -1 if self._happens(0.05) else 1
        odd: Row = {
            "amount": claim["amount"] * sign, "kind": self._one("invoice", "invoice", "opening"),
            "component": "retention" if self._happens(0.12) else "trade",
            "order_id": maybe(0.3, lambda: chance.choice(orders)) if orders else None,
            "seller_id": maybe(0.3, lambda: self._one("S1", "S2")),
            "original_due": None if claim["due"] is None else maybe(0.1, lambda: claim["due"] - chance.randint(0, 60)),
            "disputed_on": maybe(0.15, lambda: issued + chance.randint(0, 90)),
            "voided_on": maybe(0.04, lambda: issued + chance.randint(0, 200)),
        }  # fmt: skip
        if odd["disputed_on"] is not None:
            odd |= {
                "dispute_closed_on": maybe(0.5, lambda: odd["disputed_on"] + chance.randint(0, 120)),
                "disputed_amount": maybe(0.5, lambda: int(abs(claim["amount"]) * chance.uniform(0.1, 1.2))),
                "dispute_fault": maybe(0.6, lambda: self._one("ours", "theirs")),
            }
        return odd

    def _settle(self, claim: Row, late: float) -> None:
        """Payments and notes that take a claim down, in pieces, by too little or too much."""
        left, pieces = claim["amount"], 1 if self.plain else self._one(1, 1, 1, 1, 2, 3)
        due = claim["due"] if claim["due"] is not None else claim["issued"] + 30
        for piece in range(pieces):
            whole = piece == pieces - 1 and (self.sound or self._happens(0.8))
            part = left if whole else int(left * self.chance.uniform(0.1, 1.02))
            part = int(part * 1.1) if self._happens(0.05) else part
            day = due + int(self.chance.gauss(late, 12)) + piece * self._one(0, 0, 7)
            if not self.plain and self._happens(0.12):
                self._note(claim, piece, part, day)
            else:
                self._payment(claim, piece, part, day)
            left -= part
            if left <= 0 < claim["amount"]:
                break

    def _note(self, claim: Row, piece: int, part: int, day: int) -> None:
        key = f"{claim['receivable_id']}-J{piece}"
        shared = {"adjustment_id": key, "currency": claim["currency"]}
        kind = self.chance.choice(_NOTES)
        self._add("adjustments", **shared, account_id=claim["account_id"], kind=kind, booked_on=day, amount=abs(part))
        self._add("allocations", **shared, allocation_id=f"L-{key}", receivable_id=claim["receivable_id"], amount=part)

    def _payment(self, claim: Row, piece: int, part: int, day: int) -> None:
        # Some have the id of a note.
        letter = "J" if not self.plain and self._happens(0.03) else "P"
        key, maybe, chance = f"{claim['receivable_id']}-{letter}{piece}", self._maybe, self.chance
        currency = claim["currency"] if self._happens(0.85) else self._currency()
        bill = not self.plain and self._happens(0.33)
        self._add(
            "payments", payment_id=key, account_id=claim["account_id"], paid_on=day, currency=currency,
            amount=part + (int(part * 0.2) if self._happens(0.1) else 0), instrument=chance.choice(_BILLS) if bill else "cash",
            matures_on=maybe(0.5, lambda: day + chance.randint(0, 180)) if bill else None,
            cleared_on=maybe(0.3, lambda: day + chance.randint(0, 60)),
            bounced_on=maybe(0.1, lambda: day + chance.randint(1, 40)) if bill else None,
        )  # fmt: skip
        self._allocation(claim, key, part, day, currency)

    def _allocation(self, claim: Row, payment: str, part: int, day: int, currency: str) -> None:
        result: Row = {
            "allocation_id": f"L-{payment}", "receivable_id": claim["receivable_id"], "payment_id": payment, "amount": part,
            "currency": claim["currency"], "applied_on": day + 2,
        }  # fmt: skip
        if claim.get("order_id") and self._happens(0.4):
            result |= {"order_id": claim["order_id"], "receivable_id": None}
        if currency != claim["currency"] and self._happens(0.8):
            result |= {"payment_amount": int(part * 1.1), "payment_currency": currency}
            result["amount"] = None if self._happens(0.5) else part
        self._add("allocations", **result)
        if not self.plain and self._happens(0.04):
            back = {
                "allocation_id": f"B-{payment}",
                "amount": -(part // 2),
                "payment_amount": None,
                "payment_currency": None,
            }
            self._add("allocations", **{**result, **back})

    def _agreed(self, account: str, size: float) -> None:
        for number in range(self._one(0, 0, 1, 2)):
            kind = self._one("net", "eom", "cutoff", "prepaid", "cod", "acceptance", "rolling")
            self._add(
                "terms", account_id=account, seller_id=self._one("", "", "S1"), valid_from=self._day(0, 1_200) - number,
                valid_until=self._maybe(0.2, lambda: self._day(-300, 100)), kind=kind, currency=self._currency(),
                days=self._maybe(0.8, lambda: self._one(0, 10, 30, 60)),
                cutoff_day=self._maybe(0.5, lambda: self.chance.randint(1, 31)),
                pay_day=self._maybe(0.3, lambda: self.chance.randint(1, 31)),
                floor_amount=self._maybe(0.8, lambda: int(size * 100)) if kind == "rolling" else None,
            )  # fmt: skip
        for number in range(self._one(0, 0, 1, 2)):
            self._add(
                "limits", limit_id=f"{account}-C{number}", account_id=account, scope=self._one("account", "account", "group"),
                kind=self._one("permanent", "permanent", "temporary", "insured"), amount=self._amount(size, 0, 1_000),
                currency=self._currency(), valid_from=self._maybe(0.7, lambda: self._day(-5, 500)),
                valid_until=self._maybe(0.3, lambda: self._day(-200, 50)),
            )  # fmt: skip
        if self._happens(0.15):
            self._add(
                "securities", security_id=f"{account}-S", account_id=account, kind="guarantee", amount=int(size * 200),
                currency=self._currency(), coverage=self._maybe(0.5, self.chance.random),
                valid_from=self._maybe(0.5, lambda: TODAY - 100), valid_until=self._maybe(0.5, lambda: self._day(-200, 50)),
            )  # fmt: skip

    def _promises(self, account: str, size: float, claims: Sequence[Row]) -> None:
        for number in range(self._one(0, 0, 1, 2)):
            self._add(
                "payments", payment_id=f"{account}-F{number}", account_id=account, paid_on=self._day(0, 400), kind="advance",
                amount=self._amount(size, 1, 50), currency=self._currency(),
            )  # fmt: skip
        for number in range(self._one(0, 0, 1, 2)):
            about = self.chance.choice(claims) if claims and self._happens(0.6) else None
            self._add(
                "promises", promise_id=f"{account}-M{number}", account_id=account, made_on=self._day(50, 300),
                due=self._day(-10, 60), receivable_id=about["receivable_id"] if about else None,
                amount=abs(about["amount"]) if about else self._amount(size, 1, 50),
                currency=about["currency"] if about else self._currency(),
            )  # fmt: skip

    def _known(self, account: str) -> None:
        for number in range(self._one(0, 0, 1, 2, 3)):
            kind = self._one("bureau", "legal", "tax", "management", "industry", "visit")
            document = {"tax": ("A", "B", "M", "C", "D"), "legal": ("case", "insolvency", "bankruptcy", "execution")}
            self._add(
                "evidence", evidence_id=f"{account}-E{number}", account_id=account, kind=kind, observed_on=self._day(-5, 1_000),
                valid_until=self._maybe(0.2, lambda: self._day(-300, 100)),
                value=self.chance.choice(document.get(kind, ("80", "45.5", "AA", "CCC", "x"))),
                weight=self._maybe(0.5, lambda: self.chance.random() * 3),
            )  # fmt: skip
        for number in range(self._one(0, 0, 0, 1, 2, 3)):
            self._statement(account, number)

    def _statement(self, account: str, years_ago: int) -> None:
        amounts = {
            name: self.chance.randint(-(10**6) if name in _MAY_BE_NEGATIVE else 0, 10**8)
            for name in _SHOWN
            if self._happens(0.9)
        }
        self._add(
            "statements", account_id=account, period_end=TODAY - 200 - 365 * years_ago, currency=self._currency(),
            months=self._maybe(0.8, lambda: self._one(12, 12, 6)), consolidated=self._happens(0.3),
            published_on=self._maybe(0.7, lambda: TODAY - 100 - 365 * years_ago), **amounts,
        )  # fmt: skip

    def _decided(self, account: str) -> None:
        if self._happens(0.25):
            kind = self._one("override", "hold", "release", "blacklist", "cash_only", "legal", "confirmation")
            document = {
                "override": self._one("AAA", "BB", "C"), "hold": self._one("warn", "block"),
                "release": self._maybe(0.5, lambda: "warn"), "confirmation": "CCC",
            }  # fmt: skip
            self._add(
                "decisions", decision_id=f"{account}-D", account_id=account, kind=kind, value=document.get(kind),
                reason=self._maybe(0.5, lambda: "agreed"), valid_from=self._maybe(0.5, lambda: TODAY - 30),
                valid_until=self._maybe(0.5, lambda: self._day(-40, 3)),
            )  # fmt: skip

    def _add(self, table: str, **row: Any) -> Row:
        self.rows[table].append(row)
        return row

    def _happens(self, share: float) -> bool:
        return self.chance.random() < share

    def _maybe(self, share: float, draw: Callable[[], T]) -> T | None:
        return draw() if self._happens(share) else None

    def _one(self, *choices: T) -> T:
        return self.chance.choice(choices)

    def _day(self, least: int, most: int) -> int:
        """A day so many days ago; negative: to come."""
        return TODAY - self.chance.randint(least, most)

    def _amount(self, size: float, least: float, most: float) -> int:
        return int(size * self.chance.uniform(least, most))

    def _currency(self) -> str:
        return self.chance.choice(self.currencies)
