"""A dozen small ledgers with their full assessments, reviewed by hand: tests/connector/scoring/ledgers/.

After a wanted change: `ZIXIN_REGENERATE=1 pytest tests/connector/scoring/test_golden.py`, then read `git diff`.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ruamel.yaml import YAML

from connector import money
from connector.editions import preset_text
from connector.policy import Policy, load
from connector.presentation import reasons
from connector.schema import TABLES, day_number, day_of
from connector.scoring.assess import assess
from connector.scoring.explanation.explain import explained
from connector.scoring.features.tendency import Statistics
from tests.connector.scoring.books import table
from tests.golden import check

FOLDER = Path(__file__).parent / "ledgers"
RATE = 10**12


def cell(column: Any, value: Any, currency: str) -> Any:
    if isinstance(value, date):
        return day_number(value)
    if column.kind == "money":
        return money.to_minor(Decimal(str(value)), currency)
    return int(Decimal(value) * RATE) if column.kind == "rate" else value


def rows_of(name: str, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of one table; `paid` is short for payments of a single invoice: [invoice, day, amount, currency]."""
    home = document.get("currency", "USD")
    owner = {row["receivable_id"]: row.get("account_id", "A") for row in document.get("receivables", ())}
    rows = [dict(row) for row in document.get(name, ())]
    for claim, day, amount, *other in document.get("paid", ()):
        key = f"{claim}|{day}"
        short = {"payment_id": key, "amount": amount, "currency": other[0] if other else home}
        if name == "payments":
            rows.append({**short, "account_id": owner[claim], "paid_on": day})
        if name == "allocations":
            rows.append({**short, "allocation_id": key, "receivable_id": claim})
    columns = {column.name: column for column in TABLES[name].columns}
    results = []
    for row in rows:
        defaults = {"currency": home, "account_id": "A"} if name == "receivables" else {"currency": home}
        whole = {key: value for key, value in {**defaults, **row}.items() if key in columns}
        results.append({key: cell(columns[key], value, whole.get("currency", home)) for key, value in whole.items()})
    return results


def shown(document: dict[str, Any]) -> str:
    policy = load(preset_text(document.get("policy", "default")), "preset")
    tables = {name: table(name, *rows_of(name, document)) for name in TABLES if rows_of(name, document)}
    median = money.to_minor(Decimal(1000), policy.base_currency)
    portfolio = Statistics(median, 100_000, 500 * median)
    lines = [f"# {document['about']}", ""]
    prior: pl.DataFrame | None = None
    for day in document["days"]:
        as_of = day_number(day)
        frame = assess(tables, policy, as_of, portfolio=portfolio, prior=prior)
        for row in frame.to_dicts():
            lines += one(row, tables, policy, portfolio, prior)
        prior = frame
    return "\n".join(lines)


def one(
    row: dict[str, Any],
    tables: dict[str, pl.DataFrame],
    policy: Policy,
    portfolio: Statistics,
    prior: pl.DataFrame | None,
) -> list[str]:
    def amount(name: str) -> str:
        return "-" if row[name] is None else f"{money.from_minor(row[name], row['currency']):,}"

    result = explained(tables, policy, row["as_of"], portfolio, row["customer_id"], prior)
    score = "-" if row["score"] is None else f"{row['score']:.1f}"
    pending = f", {row['pending_rating']} since {day_of(row['pending_since'])}" if row["pending_rating"] else ""
    since = "" if row["overdue_since"] is None else f" since {day_of(row['overdue_since'])}"
    flags = ", ".join(f"{flag['code']} ({flag['severity']}, {day_of(flag['since'])})" for flag in row["flags"])
    kind = f" {row['nr_kind']}" if row["nr_kind"] else ""
    overdue = f"{amount('overdue')}{since} ({row['max_days_overdue']} days)"
    on_account, group = amount("on_account"), amount("group_exposure")
    limits = f"proposed {amount('proposed_limit')}  limit {amount('limit')}  available {amount('available')}"
    notices = ", ".join(row["notices"]) or "none"
    evidence = f"score {score}  history {row['history']:.2f}  confidence {row['confidence']:.2f}"
    return [
        f"== {row['customer_id']} on {day_of(row['as_of'])}",
        f"rating {row['rating']}{kind} (model {row['model_rating']}{pending})  {evidence}",
        f"hold {row['hold']}  flags {flags or 'none'}",
        f"exposure {amount('exposure')}  overdue {overdue}  on account {on_account}  group {group}",
        f"{limits}  review {day_of(row['next_review_on'])}  notices {notices}",
        "points " + "  ".join(f"{point['indicator']} {point['points']:.0f}" for point in result["points"]),
        *(f"  {line}" for line in reasons(row, "en", policy.sentences)),
        *(f"  {line}" for line in reasons(row, "zh-CN", policy.sentences)),
        "",
    ]


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_assessment_is_the_one_that_was_reviewed(file: Path) -> None:
    document = YAML(typ="safe").load(file.read_text(encoding="utf-8"))

    check(f"tests/connector/scoring/ledgers/{file.stem}.txt", shown(document))
