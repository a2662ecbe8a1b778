"""`zixin report ACCOUNT`: one self-contained page about a customer, English or Chinese, fit to print."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from connector import money
from connector.assessment import NOT_RATED, RATINGS
from connector.messages.limits import METHODS
from connector.messages.rendering import in_words
from connector.messages.sources import line, listed
from connector.presentation import telling
from connector.schema import day_of
from connector.scoring.customers import folded
from connector.scoring.explanation.explain import explained
from connector.scoring.explanation.what_if import upgrade_paths
from connector.scoring.ledger.ledger import ledger
from sync import decisions
from sync.crm_connection import instant
from sync.store import provenance, ratings
from sync.token_cache import private_text
from zixin.services import credit as doors
from zixin.services.credit import CreditContext
from zixin.services.ratings import origins_document

#: Ageing buckets: first and last day overdue, English and Chinese.
AGES: tuple[tuple[int, int, str, str], ...] = (
    (0, 0, "not due", "未到期"),
    (1, 30, "1–30 days", "1–30天"),
    (31, 60, "31–60 days", "31–60天"),
    (61, 90, "61–90 days", "61–90天"),
    (91, 10**6, "over 90 days", "90天以上"),
)
_MOST_POINTS = 60
_MOST_OPEN = 40
_WIDTH, _HEIGHT = 560, 150
_GRADES = (*RATINGS, NOT_RATED)


def write(profile: str, account: str, language: str, out: Path | None) -> Path:
    """Writes the page for its owner only: to *out*, else to report-NUMBER.html here."""
    with doors.open_context(profile) as at:
        number = at.account(account)[1] or account
        page = report(at, account, language)
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in number)
    path = out or Path(f"report-{safe}.html")
    private_text(path, page)
    return path


def report(at: CreditContext, wanted: str, language: str) -> str:
    """The page, as HTML."""
    page = _page(at, wanted, "zh" if language == "zh-CN" else "en")
    templates = Environment(
        loader=PackageLoader("zixin.services", "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("report.html").render(page)


def _page(at: CreditContext, wanted: str, key: str) -> dict[str, Any]:
    standing = at.standing(wanted)
    row, base = in_words(standing.row, at.policy.sentences), standing.row["currency"]
    account = standing.account_id
    folds = folded(standing.tables)
    ledger_ = ledger(folds.tables, at.policy, at.day, standing.portfolio.base)
    document = explained(standing.tables, at.policy, at.day, standing.portfolio, account, standing.prior)
    with at.store.read(at.connection) as session:
        days = ratings.history(session, account)
        done = decisions.history(session, account)
        origins = origins_document(provenance.of_account(session, account))

    def amount(minor: int | None) -> str:
        return "–" if minor is None else money.format_money(minor, base)

    owed = ledger_.items.filter(ledger_.items["account_id"].cast(str) == folds.customer(account)).to_dicts()
    aged = ages([(item["days_overdue"] or 0, max(0, item["open_base"] or 0)) for item in owed], key)
    limit, exposure = row["limit"], row["exposure"] or 0
    return {
        "zh": key == "zh",
        "number": standing.number,
        "name": standing.name,
        "row": row,
        "currency": base,
        "as_of": day_of(at.day).isoformat(),
        "made": at.now.strftime("%Y-%m-%d %H:%M"),
        "policy": at.policy.version,
        "amount": amount,
        "day": lambda day: day_of(day).isoformat() if day else "–",
        "colour": COLOURS[row["rating"]],
        "history": _chart(days),
        "ages": _bars(aged),
        "used": min(1.0, exposure / limit) if limit else None,
        "terms": [
            {
                **term,
                "label": getattr(METHODS[term["method"]], key),
                "formula": "" if key == "zh" else METHODS[term["method"]].formula,
            }
            for term in row["limit_terms"]
        ],
        "flags": [
            {
                **flag,
                "text": flag[key],
                "evidence": flag[f"evidence_{key}"],
                "first": day_of(flag["since"]).isoformat(),
                "todo": getattr(at.policy.measure(flag["measure"]), key),
            }
            for flag in row["flags"]
        ],
        "reasons": [{**line, "text": line[key]} for line in telling(row["reasons"])],
        "rise": [
            way[key] for way in upgrade_paths(standing.tables, at.policy, at.day, standing.portfolio, account)["ways"]
        ],
        "open": [
            {**item, "open": f"{Decimal(item['open']):,f} {item['currency']}"}
            for item in document["facts"]["open"][:_MOST_OPEN]
        ],
        "more": max(0, len(document["facts"]["open"]) - _MOST_OPEN),
        "decisions": doors.decisions(at, wanted),
        "actions": doors.actions(at, wanted, over=True),
        "log": [{**entry, "when": _when(entry["at"])} for entry in done],
        "notices": row["notices"],
        "sources": [(source, line(rows)[key == "zh"]) for source, rows in listed(origins).items()],
    }


def ages(owed: list[tuple[int, int]], key: str) -> list[tuple[str, int]]:
    """Label and sum of each bucket of `AGES`, of (days overdue, open amount)."""
    return [
        (words[key == "zh"], sum(amount for days, amount in owed if first <= days <= last))
        for first, last, *words in AGES
    ]


#: Rating → colour of its badge; dark enough for white text on it.
COLOURS = {
    **dict.fromkeys(("AAA", "AA", "A"), "#1a7f37"),
    **dict.fromkeys(("BBB", "BB"), "#9a6700"),
    **dict.fromkeys(("B", "CCC"), "#bc4c00"),
    **dict.fromkeys(("CC", "C", "D"), "#cf222e"),
    NOT_RATED: "#57606a",
}


def _when(micros: int) -> str:
    return instant(micros).isoformat(sep=" ", timespec="minutes")


def _chart(days: list[dict[str, Any]]) -> dict[str, Any] | None:
    """A step line of the score and the ratings' labels, as SVG coordinates; None with fewer than two days."""
    batch = [row for row in days if row["score"] is not None][-_MOST_POINTS:]
    if len(batch) < 2:
        return None
    first, last = batch[0]["as_of"], batch[-1]["as_of"]
    span = max(1, last - first)

    def x(day: int) -> float:
        return float(round(40 + (day - first) * (_WIDTH - 60) / span, 1))

    def y(score: float) -> float:
        return float(round(10 + (100 - score) * (_HEIGHT - 40) / 100, 1))

    line = f"M{x(batch[0]['as_of'])} {y(batch[0]['score'])}"
    for row in batch[1:]:
        line += f" H{x(row['as_of'])} V{y(row['score'])}"
    changes = [row for n, row in enumerate(batch) if n == 0 or row["rating"] != batch[n - 1]["rating"]]
    return {
        "line": line,
        "width": _WIDTH,
        "height": _HEIGHT,
        "first": day_of(first).isoformat(),
        "last": day_of(last).isoformat(),
        "marks": [{"x": x(row["as_of"]), "y": y(row["score"]), "rating": row["rating"]} for row in changes],
        "grid": [{"y": y(score), "score": score} for score in (0, 25, 50, 75, 100)],
    }


def _bars(ages: list[tuple[str, int]]) -> list[dict[str, Any]]:
    limit = max((owed for _, owed in ages), default=0)
    return [{"label": label, "owed": owed, "share": owed / limit if limit else 0.0} for label, owed in ages]
