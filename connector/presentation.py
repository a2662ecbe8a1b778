"""An assessment as the CRM shows it: canonical text for every written field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector import money
from connector.assessment import NOT_RATED
from connector.messages.rendering import TEXTS, Sentences, language_of, texts
from connector.schema import day_of

#: Lines of the explanation that a page has room for.
_MOST_REASONS = 6


def written_values(row: Mapping[str, Any], language: str, sentences: Sentences) -> dict[str, str | None]:
    """`Written.name` → canonical text, None for empty, of one row with the columns of `ASSESSMENT`.

    NR is written as empty. Amounts are plain decimals in the base currency.
    """
    currency = row["currency"]

    def amount(minor: int | None) -> str | None:
        return None if minor is None else f"{money.from_minor(minor, currency):f}"

    return {
        "rating": None if row["rating"] == NOT_RATED else row["rating"],
        "limit": amount(row["limit"]),
        "available": amount(row["available"]),
        "hold": row["hold"],
        "flags": ";".join(sorted(flag["code"] for flag in row["flags"])) or None,
        "overdue_since": None if row["overdue_since"] is None else day_of(row["overdue_since"]).isoformat(),
        "reasons": "\n".join(reasons(row, language, sentences)) or None,
        "score": None if row["score"] is None else f"{row['score']:.1f}",
        "rated_on": day_of(row["as_of"]).isoformat(),
        "exposure": amount(row["exposure"]),
        "next_review": None if row["next_review_on"] is None else day_of(row["next_review_on"]).isoformat(),
    }


def telling(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The lines of `REASON` that cost something: decisions and gates, and what lost a twentieth of a point at least."""
    return [line for line in lines if line["lost"] is None or line["lost"] >= 0.05]


def reasons(row: Mapping[str, Any], language: str, sentences: Sentences) -> list[str]:
    """A better grade that is pending, then the lines that cost something: gates, then what lost most.

    Flags are shown in a field of their own.
    """
    rows = telling(row["reasons"])
    pending = []
    if row["pending_rating"] is not None:
        day = day_of(row["pending_since"]).isoformat()
        pending = [TEXTS[language_of(language)]["pending"].format(grade=row["pending_rating"], day=day)]
    return [*pending, *texts(rows[:_MOST_REASONS], sentences, row["currency"], language)]
