"""Whether a policy could reward paying late: its indicators on pairs of ledgers of which one is plainly worse.

No indicator may give the worse one more points. The pairs are the properties that zixin's own policies are tested for
on random ledgers; here one example each, so that an admin sees what is wrong with his.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from connector.policy import Policy
from connector.schema import TABLES, Tables
from connector.scoring.assess import measured
from connector.scoring.features.tendency import Statistics
from connector.scoring.ledger.ledger import ledger

#: The day of the examples; any day would do.
TODAY = 20_000
_AMOUNT = 10_000


@dataclass(frozen=True, slots=True)
class Claim:
    """One invoice of an example: due so many days ago (below 0: ahead), and what was paid of it how long ago."""

    due: int
    #: Share of the claim in per cent, days ago.
    paid: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """An indicator that gives more points to the worse of two customers."""

    indicator: str
    feature: str
    #: What the worse one does, in English and Chinese.
    en: str
    zh: str
    #: Points of 100 of the better and of the worse one.
    better: float
    worse: float


Ledger = tuple[Claim, ...]
_PROMPT: Ledger = tuple(Claim(due, ((100, due),)) for due in (20, 80, 160, 200, 250, 300, 420))
_SLOW: Ledger = tuple(Claim(due, ((100, due - 25),)) for due in (40, 100, 160, 200, 250, 300, 420))
_OVERDUE, _CURRENT = Claim(40), Claim(-10)
_NOW, _HALF = ((100, 0),), ((50, 0),)
#: What the worse one does, in English and Chinese; what the better and the worse one have beside their base.
_PAIRS: tuple[tuple[str, str, Ledger, Ledger], ...] = (
    (
        "pays an invoice 40 days late instead of on its day",
        "一张发票晚付40天，而不是按期付",
        (Claim(45, ((100, 45),)),),
        (Claim(45, ((100, 5),)),),
    ),
    (
        "paid an invoice 40 days late half a year ago instead of on its day",
        "半年前一张发票晚付40天，而不是按期付",
        (Claim(220, ((100, 220),)),),
        (Claim(220, ((100, 180),)),),
    ),
    (
        "leaves an invoice unpaid for 40 days instead of paying it today",
        "一张发票逾期40天仍未付，而不是今天付清",
        (replace(_OVERDUE, paid=_NOW),),
        (_OVERDUE,),
    ),
    (
        "leaves all of an overdue invoice unpaid instead of half of it",
        "逾期发票分文未付，而不是付一半",
        (replace(_OVERDUE, paid=_HALF),),
        (_OVERDUE,),
    ),
    ("is a month later with the same invoice", "同一张发票再拖一个月", (_OVERDUE,), (Claim(70),)),
    (
        "has not yet paid an invoice that is not due, instead of paying it today",
        "未到期发票尚未付，而不是今天付清",
        (_OVERDUE, replace(_CURRENT, paid=_NOW)),
        (_OVERDUE, _CURRENT),
    ),
    ("has one more invoice, overdue", "多一张逾期发票", (_OVERDUE,), (_OVERDUE, Claim(35))),
    ("was given an invoice that is not due yet", "新开一张未到期发票", (_OVERDUE,), (_OVERDUE, _CURRENT)),
)


def find_violations(policy: Policy) -> list[Finding]:
    """What is wrong with the policy's indicators; at most one finding an indicator and kind of example."""
    pairs = [(en, zh, base + better, base + worse) for base in (_PROMPT, _SLOW) for en, zh, better, worse in _PAIRS]
    books = [claims for _, _, better, worse in pairs for claims in (better, worse)]
    tables = _tables(books, policy.base_currency)
    statistics = Statistics(_AMOUNT, 80_000, 100 * _AMOUNT)
    result: dict[tuple[str, str], Finding] = {}
    for rules in (policy, *policy.of_segments.values()):
        frame = measured(tables, ledger(tables, rules, TODAY), _whole(rules), statistics, TODAY)
        for name, item in rules.indicators.items():
            points = [value / 1000 for value in frame[f"points_{name}"]]
            for n, (en, zh, _, _) in enumerate(pairs):
                better, worse = points[2 * n], points[2 * n + 1]
                if worse > better:
                    result.setdefault((name, en), Finding(name, item.feature, en, zh, better, worse))
    return list(result.values())


def _whole(policy: Policy) -> Policy:
    """The policy without its segments: each is looked at on its own."""
    return policy.model_copy(update={"segments": {}}) if policy.segments else policy


def _tables(ledgers: list[Ledger], currency: str) -> Tables:
    """One account a ledger, in order, invoiced 30 days before due."""
    rows: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("accounts", "receivables", "payments", "allocations")
    }
    for n, claims in enumerate(ledgers):
        account = f"{n:04}"
        owner = {"account_id": account, "currency": currency}
        rows["accounts"].append({**owner, "name": account, "since": TODAY - 1000})
        for k, claim in enumerate(claims):
            key, due = f"{account}-{k}", TODAY - claim.due
            rows["receivables"].append(
                {**owner, "receivable_id": key, "issued": due - 30, "due": due, "amount": _AMOUNT, "due_basis": "given"}
            )
            for part, (share, ago) in enumerate(claim.paid):
                paid = {"payment_id": f"{key}-{part}", "amount": _AMOUNT * share // 100, "currency": currency}
                rows["payments"].append({**paid, "account_id": account, "paid_on": TODAY - ago})
                rows["allocations"].append({**paid, "allocation_id": f"{key}-{part}", "receivable_id": key})
    return {name: _frame(name, results) for name, results in rows.items()}


def _frame(name: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    columns = TABLES[name].columns
    cells = [{column.name: row.get(column.name, column.default) for column in columns} for row in rows]
    return pl.DataFrame(cells, schema=TABLES[name].schema())
