"""What if: another value of a feature, overdue items paid today; and the smallest change that lifts a rating.

Answers hold once a better grade is confirmed: steady grades are left out, caps and knock-outs are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from connector import money
from connector.assessment import NOT_RATED, RATINGS
from connector.errors import Misconfigured
from connector.messages.features import AFTERWARDS, FEATURES
from connector.messages.rendering import LANGUAGES, value_text
from connector.policy import Policy
from connector.schema import TABLES, Tables, table
from connector.scoring.assess import judge_accounts, prepared
from connector.scoring.customers import folded
from connector.scoring.features.tendency import Statistics
from connector.scoring.ledger.ledger import Ledger, ledger

#: Features that a customer cannot change by what he does.
_GIVEN = ("tenure", "company_age", "registered_capital", "history", "insolvency")
#: Steps from the present value of a feature to its best one that are looked at.
_STEPS = 24
#: Ways that are told.
_MOST_WAYS = 3
_ORDER = (*RATINGS, NOT_RATED)


def with_values(
    tables: Tables, policy: Policy, as_of: int, portfolio: Statistics, account: str, values: Mapping[str, Decimal]
) -> dict[str, Any]:
    """The account's rating, score, limit, hold and flags as they are, and with these features instead.

    Amounts in major units of the base currency, days as counts, shares 0 to 1. Other features stay as they are, those
    derived from the changed one, too. Raises Misconfigured for a feature that there is not.
    """
    for name in values:
        if name not in FEATURES or name in AFTERWARDS:
            raise Misconfigured("E-FEATURE", name=name)
    tables, account = _of_customer(tables, account)
    state, frame = _row(tables, policy, as_of, portfolio, account)
    changed = frame.with_columns(
        pl.lit(_inside(name, value, state.base)).cast(frame.schema[name]).alias(name) for name, value in values.items()
    )
    one, other = (_summarise(_judge(each, policy, state.base, as_of), state.base) for each in (frame, changed))
    return {"currency": state.base, "now": one, "then": other}


def upgrade_paths(tables: Tables, policy: Policy, as_of: int, portfolio: Statistics, account: str) -> dict[str, Any]:
    """The smallest realistic changes that would lift the rating by one grade at least.

    `rating`; `to` (the next better grade; None: there is none to reach); `ways`: the fewest overdue items to pay, then
    single features by how far they would have to move, each with en and zh; `gates`: the caps and knock-outs that stand
    in the way.
    """
    tables, account = _of_customer(tables, account)
    state, frame = _row(tables, policy, as_of, portfolio, account)
    now = _judge(frame, policy, state.base, as_of)
    rating, rules = now["rating"][0], policy.of_segments.get(frame["policy_segment"][0], policy)
    if rating in (NOT_RATED, next(iter(rules.scale))):
        return {"rating": rating, "to": None, "ways": [], "gates": _gates(now, rules)}
    better = [grade for grade in rules.scale if _ORDER.index(grade) < _ORDER.index(rating)]
    ways = [*_by_paying(tables, rules, as_of, portfolio, account, state, rating)]
    ways += _by_feature(frame, now, rules, state.base, as_of)
    return {"rating": rating, "to": better[-1], "ways": ways[:_MOST_WAYS], "gates": _gates(now, rules)}


def _of_customer(tables: Tables, account: str) -> tuple[Tables, str]:
    folds = folded(tables)
    return folds.tables, folds.customer(account)


def _row(
    tables: Tables, policy: Policy, as_of: int, portfolio: Statistics, account: str
) -> tuple[Ledger, pl.DataFrame]:
    state = ledger(tables, policy, as_of, portfolio.base)
    # What would be is asked of a day on which everything can be read.
    tables = {name: table for name, table in tables.items() if name != "freshness"}
    frame = prepared(tables, state, policy, portfolio, as_of)
    return state, frame.filter(pl.col("account_id") == account)


def _judge(frame: pl.DataFrame, policy: Policy, base: str, as_of: int) -> pl.DataFrame:
    return pl.concat([rows for _, rows in judge_accounts(frame, policy, base, as_of)], how="diagonal_relaxed")


def _inside(name: str, value: Decimal, base: str) -> Any:
    return money.to_minor(value, base) if FEATURES[name].unit == "money" else float(value)


def _summarise(frame: pl.DataFrame, base: str) -> dict[str, Any]:
    row = frame.row(0, named=True)
    limit = row["limit"] if row["limit"] is not None else row["proposed_limit"]
    return {
        "rating": row["rating"],
        "score": None if row["score_milli"] is None else row["score_milli"] / 1000,
        "limit": f"{money.from_minor(limit, base):f}",
        "hold": row["hold"],
        "flags": [flag["code"] for flag in row["flags"]],
    }


def _gates(frame: pl.DataFrame, policy: Policy) -> list[dict[str, Any]]:
    row = frame.row(0, named=True)
    return [
        {
            "gate": name,
            "effect": gate.cap or gate.rating,
            **dict(zip(LANGUAGES, policy.sentences.gates[policy.segment, name], strict=True)),
        }
        for name, gate in policy.gates.items()
        if row[f"gate_{name}"]
    ]


def _by_paying(
    tables: Tables, policy: Policy, as_of: int, portfolio: Statistics, account: str, state: Ledger, rating: str
) -> list[dict[str, Any]]:
    """The fewest overdue items, oldest first, whose payment today lifts the rating. More of them never lower it."""
    overdue = state.items.filter((pl.col("account_id") == account) & (pl.col("days_overdue") > 0))
    items = overdue.sort("days_overdue", "receivable_id", descending=[True, False]).to_dicts()

    def lifted(count: int) -> bool:
        paid = _paid(tables, items[:count], as_of)
        _, frame = _row(paid, policy, as_of, portfolio, account)
        after = _judge(frame, policy, state.base, as_of)["rating"][0]
        return _ORDER.index(after) < _ORDER.index(rating)

    if not items or not lifted(len(items)):
        return []
    least, most = 1, len(items)
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if lifted(middle) else (middle + 1, most)
    owed = sum(item["overdue_base"] or 0 for item in items[:least])
    names = ", ".join(str(item["number"] or item["receivable_id"]) for item in items[:least])
    amount = money.format_money(owed, state.base)
    return [
        {
            "what": "pay_overdue",
            "items": names,
            "amount": f"{money.from_minor(owed, state.base):f}",
            "en": f"pay the {least} oldest overdue items today: {names} ({amount})"
            if least > 1
            else f"pay the oldest overdue item today: {names} ({amount})",
            "zh": f"今日付清最早的 {least} 笔逾期款：{names}（{amount}）",
        }
    ]


def _paid(tables: Tables, items: Sequence[Mapping[str, Any]], as_of: int) -> dict[str, pl.DataFrame]:
    """The tables with these claims paid on the day."""
    payments = [
        {
            "payment_id": f"wish|{n}",
            "account_id": item["account_id"],
            "paid_on": as_of,
            "amount": item["open"],
            "currency": item["currency"],
            "kind": "receipt",
        }
        for n, item in enumerate(items)
    ]
    applied = [
        {
            "allocation_id": f"wish|{n}",
            "receivable_id": item["receivable_id"],
            "payment_id": f"wish|{n}",
            "amount": item["open"],
            "currency": item["currency"],
        }
        for n, item in enumerate(items)
    ]
    return {
        **tables,
        "payments": _with(tables, "payments", payments),
        "allocations": _with(tables, "allocations", applied),
    }


def _with(tables: Tables, name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    names = TABLES[name].names()
    frame = table(tables, name).select(names)
    cells = [{column: row.get(column) for column in names} for row in rows]
    return pl.concat([frame, pl.DataFrame(cells, schema=TABLES[name].schema()).cast(frame.schema)])


def _by_feature(frame: pl.DataFrame, now: pl.DataFrame, policy: Policy, base: str, as_of: int) -> list[dict[str, Any]]:
    """Single features that would do it, those first that have to go the smallest part of the way to their best."""
    row, rating = now.row(0, named=True), now["rating"][0]
    tried: list[tuple[str, float, int]] = []
    for name, item in policy.indicators.items():
        value, lost = row[f"value_{name}"], row[f"lost_{name}"]
        if item.feature in _GIVEN or value is None or not lost:
            continue
        # A policy's amounts stand in major units, a feature's in minor ones.
        unit = policy.minor(Decimal(1), base) if FEATURES[item.feature].unit == "money" else 1
        best = max(item.points, key=lambda pair: pair[1])[0] * unit
        tried += [(item.feature, value + (best - value) * step / _STEPS, step) for step in range(1, _STEPS + 1)]
    if not tried:
        return []
    copies = pl.concat(
        [
            frame.with_columns(
                pl.lit(f"{n}").cast(frame.schema["account_id"]).alias("account_id"),
                pl.lit(value).cast(frame.schema[feature]).alias(feature),
            )
            for n, (feature, value, _) in enumerate(tried)
        ]
    )
    after = dict(_judge(copies, policy, base, as_of).select(pl.col("account_id").cast(pl.String), "rating").iter_rows())
    result: dict[str, tuple[int, float]] = {}
    for n, (feature, value, step) in enumerate(tried):
        if feature not in result and _ORDER.index(after[f"{n}"]) < _ORDER.index(rating):
            result[feature] = (step, value)
    return [
        _way(feature, row[feature], value, base)
        for feature, (_, value) in sorted(result.items(), key=lambda each: each[1][0])
    ]


def _way(feature: str, before: float, after: float, base: str) -> dict[str, Any]:
    words: dict[str, str] = {}
    for key in LANGUAGES:
        was, then = (value_text(value, feature, base, key) for value in (before, after))
        words[key] = f"{getattr(FEATURES[feature], key)}: {was} → {then}"
    return {"what": feature, "from": before, "to": after, **words}
