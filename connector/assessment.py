"""What zixin finds out about a customer on a day, and which of it is written into the CRM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from connector.messages.flags import FLAGS as FLAG_WORDS

#: The grades, best first. D is a state set by an event, never by points.
RATINGS: tuple[str, ...] = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C", "D")
#: Not rated: evidence is too thin.
NOT_RATED = "NR"
#: What an order meets, mildest first.
HOLDS: tuple[str, ...] = ("none", "warn", "approve", "block")

#: Warning flags, gravest first; the options of the CRM's field.
FLAGS: tuple[str, ...] = tuple(FLAG_WORDS)

#: A figure that raised a flag; amounts in minor units of the assessment's currency.
EVIDENCE = pl.Struct({"feature": pl.String, "value": pl.Float64})
#: A flag that is up; its sentence is made by `connector.messages.rendering`. `measure`: what is recommended; `segment`:
#: whose policy raised it, null: everybody's; words: of figures that an earlier release kept as text, else null.
FLAG = pl.Struct(
    {
        "code": pl.String,
        "severity": pl.String,
        "since": pl.Int32,
        "measure": pl.String,
        "evidence": pl.List(EVIDENCE),
        "segment": pl.String,
        "words_en": pl.String,
        "words_zh": pl.String,
    }
)
#: One line of the explanation, a sentence by `connector.messages.rendering`. Of an indicator: its feature, value,
#: points of 100, and what they lost of the score; of a gate or a pillar without data: the grade; of what a person
#: decided: the value, the last day and the reason. words: as an earlier release kept it, else null.
REASON = pl.Struct(
    {
        "indicator": pl.String,
        "feature": pl.String,
        "value": pl.Float64,
        "points": pl.Float64,
        "lost": pl.Float64,
        "grade": pl.String,
        "segment": pl.String,
        "decided": pl.String,
        "until": pl.Int32,
        "why": pl.String,
        "words_en": pl.String,
        "words_zh": pl.String,
    }
)

#: What a method of the limit gave, in minor units; `binding`: the smallest, which the proposal rests on.
LIMIT_TERM = pl.Struct({"method": pl.String, "amount": pl.Int64, "binding": pl.Boolean})

#: One row per customer and day; money in minor units of `currency`, the base currency; days since 1970.
ASSESSMENT: dict[str, pl.DataType] = {
    "customer_id": pl.String(),
    # All accounts of a customer who has several, in order; each of them bears the same assessment. Empty: one alone.
    "accounts": pl.List(pl.String()),
    "as_of": pl.Int32(),
    "rating": pl.String(),
    # By points, caps and stability, before knock-outs and what people decided; while not rated the last one.
    "model_rating": pl.String(),
    # A better grade that takes effect when it still holds some days later, and when it was reached; null: none.
    "pending_rating": pl.String(),
    "pending_since": pl.Int32(),
    # thin or cash; null when rated.
    "nr_kind": pl.String(),
    # 0 to 100, higher is better; null only without a single fact.
    "score": pl.Float64(),
    # Payments' worth of evidence behind the score.
    "history": pl.Float64(),
    "currency": pl.String(),
    "proposed_limit": pl.Int64(),
    # What the proposal is made of: methods, then cap, securities.
    "limit_terms": pl.List(LIMIT_TERM),
    # In force; null: nobody has set one, and the proposal waits for a person.
    "limit": pl.Int64(),
    "exposure": pl.Int64(),
    # Room left: the smaller of the own and the group's limit less exposure, not below 0; null without a limit.
    "available": pl.Int64(),
    "utilisation": pl.Float64(),
    "overdue": pl.Int64(),
    "max_days_overdue": pl.Int32(),
    # Day the oldest overdue item fell due; null: nothing is overdue.
    "overdue_since": pl.Int32(),
    "on_account": pl.Int64(),
    # Of all accounts under the same top parent; without one, the own exposure.
    "group_exposure": pl.Int64(),
    "flags": pl.List(FLAG),
    "hold": pl.String(),
    # What is recommended about the flags that are up: codes of connector.messages.flags.MEASURES or the policy's.
    "measures": pl.List(pl.String()),
    "reasons": pl.List(REASON),
    # What a clerk should look at: due_unknown, cash_beside_overdue, rate_missing, implausible_date,
    # parent_cycle, upgrade_pending, downgrade_waits (for a person's confirmation),
    # statement_stale, evidence_stale (older than two years: they count no more),
    # source_away (a source of the customer's facts cannot be read: nothing rises on them).
    "notices": pl.List(pl.String()),
    "next_review_on": pl.Int32(),
    # First day on which a day of the customer's own has passed: a due day, a limit's last; null: none ahead.
    "next_day": pl.Int32(),
    # Share of the indicators' weight that had data.
    "confidence": pl.Float64(),
    "policy_version": pl.String(),
}

Role = Literal["trigger", "follower", "passenger"]
WrittenKind = Literal["choice", "choices", "number", "money", "day", "text"]


@dataclass(frozen=True, slots=True)
class OutputField:
    """One field that zixin writes into the CRM's account.

    Canonical text of a value: choice as the option; choices sorted and joined by `;`; number and money as plain
    decimal text; day as ISO date; text as is. None: empty.
    """

    name: str
    kind: WrittenKind
    #: trigger: differs from what was sent → write. follower: differs, and the customer's facts changed since or one of
    #: his days has passed → write. passenger: never a reason to write, rides along.
    role: Role
    #: Labels of the field, at most 25 characters: Zoho's limit (docs/zoho.md).
    en: str
    zh: str
    #: Smaller differences are none; in the field's own unit.
    tolerance: str = "0"
    #: Decimals kept of numbers, characters kept of texts.
    places: int = 0
    length: int = 255
    options: tuple[str, ...] = ()
    #: Made only when an admin asks for it: editions allow ten fields, pages show eight.
    optional: bool = False
    #: As one CRM shows it; empty: the English label, and the Chinese one as the tooltip.
    label: str = ""
    tooltip: str = ""
    #: What that CRM calls it, where that is known; empty: it is found by its label, or the name that it would get.
    field: str = ""

    @property
    def shown(self) -> str:
        """Its label in the CRM."""
        return self.label or self.en

    @property
    def tip(self) -> str:
        """Its tooltip in the CRM."""
        return self.tooltip or self.zh


OUTPUT_FIELDS: tuple[OutputField, ...] = (
    # NR is written as empty: some CRMs take ten options and no more.
    OutputField("rating", "choice", "trigger", "Credit Rating", "信用等级", options=RATINGS),
    OutputField("limit", "money", "trigger", "Credit Limit", "信用额度", places=2),
    OutputField("available", "money", "follower", "Credit Available", "可用额度", places=2),
    OutputField("hold", "choice", "trigger", "Credit Hold", "信用管控", options=HOLDS),
    OutputField("flags", "choices", "trigger", "Credit Flags", "信用预警", options=FLAGS),
    OutputField("overdue_since", "day", "follower", "Credit Overdue Since", "最早逾期日"),
    OutputField("reasons", "text", "follower", "Credit Reasons", "评级理由", length=2000),
    OutputField("rated_on", "day", "passenger", "Credit Rated On", "评级日期"),
    OutputField("score", "number", "follower", "Credit Score", "信用评分", tolerance="0.1", places=1, optional=True),
    OutputField("exposure", "money", "follower", "Credit Exposure", "信用占用", places=2, optional=True),
    OutputField("next_review", "day", "follower", "Credit Next Review", "下次复核日", optional=True),
)
#: What is made where nobody asks for more.
CORE = tuple(item for item in OUTPUT_FIELDS if not item.optional)
