"""What people decided: it counts while it is in force, as far as the policy lets it, and zixin never ends it."""

from typing import Any

import polars as pl
import pytest

from connector.messages.rendering import in_words
from connector.scoring.assess import assess, portfolio_statistics
from tests.connector.scoring.books import POLICY, books, day, invoice, table
from tests.connector.scoring.steady import TODAY, decision, ledger


def scored(tables: dict[str, pl.DataFrame], as_of: int = TODAY, prior: pl.DataFrame | None = None) -> dict[str, Any]:
    portfolio = portfolio_statistics(tables, POLICY, as_of)
    return assess(tables, POLICY, as_of, portfolio=portfolio, prior=prior).row(0, named=True)


def test_an_override_counts_from_its_first_day_to_its_last_and_says_so() -> None:
    own = scored(ledger())["rating"]
    values = decision("override", "CCC", valid_from="2025-12-31", valid_until="2026-01-31", reason="new_information")
    tables = ledger(decisions=table("decisions", values))

    row = scored(tables)

    assert row["rating"] == "CCC" != own
    assert row["model_rating"] == own
    assert (
        in_words(row, POLICY.sentences)["reasons"][0]["en"]
        == "decided by a person: rating set to CCC until 2026-01-31 (new information)"
    )
    assert (
        in_words(row, POLICY.sentences)["reasons"][0]["zh"] == "人工决定：等级设为CCC，至2026-01-31（new information）"
    )
    assert row["next_day"] == day("2026-02-01")
    assert scored(tables, TODAY - 1)["rating"] == own
    assert scored(tables, day("2026-02-01"))["rating"] != "CCC"


def test_an_override_lifts_by_the_policy_s_notches_and_no_more() -> None:
    poor = scored(ledger(late=17))["rating"]
    tables = ledger(late=17, decisions=table("decisions", decision("override", "AAA")))

    lifted = scored(tables)["rating"]

    order = ["AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C", "D"]
    assert order.index(poor) - order.index(lifted) == POLICY.overrides.most_notches


@pytest.mark.parametrize(
    ("decisions", "hold"),
    [
        ([decision("hold", "approve")], "approve"),
        ([decision("hold", None)], "block"),
        ([decision("hold", "warn"), decision("legal")], "approve"),
        ([decision("blacklist")], "block"),
        ([decision("cash_only")], "block"),
        ([decision("hold", "block", valid_until="2025-12-30")], "none"),
    ],
)
def test_a_hold_stands_until_a_person_or_its_day_ends_it(decisions: list[dict[str, Any]], hold: str) -> None:
    assert scored(ledger(decisions=table("decisions", *decisions)))["hold"] == hold


def test_a_person_s_hold_outlives_the_automatic_block_beside_it() -> None:
    """Source: cases/README.md, 44."""
    old = invoice("OLD", 5_000_00, "2025-05-01", "2025-05-31")
    held = decision("hold", "approve", reason="legal_advice", valid_from="2025-06-01", valid_until="2026-01-15")
    owing = ledger(decisions=table("decisions", held))
    owing["receivables"] = pl.concat([owing["receivables"], table("receivables", old)])
    paid = dict(owing)
    extra = books([old], [("PX", "OLD", "2025-12-31", 5_000_00)])
    for name in ("payments", "allocations"):
        paid[name] = pl.concat([owing[name], extra[name]])

    assert scored(owing)["hold"] == "block"
    row = scored(paid)
    assert row["hold"] == "approve"
    assert "held: approve until 2026-01-15 (legal advice)" in in_words(row, POLICY.sentences)["reasons"][0]["en"]
    assert scored(paid, day("2026-01-16"))["hold"] not in ("approve", "block")


def test_a_release_lowers_our_hold_and_never_a_person_s() -> None:
    old = invoice("OLD", 5_000_00, "2025-05-01", "2025-05-31")
    owing = ledger()
    owing["receivables"] = pl.concat([owing["receivables"], table("receivables", old)])
    free, person = decision("release"), decision("hold", "approve")

    assert scored({**owing, "decisions": table("decisions", free)})["hold"] == "none"
    assert scored({**owing, "decisions": table("decisions", free, person)})["hold"] == "approve"


def test_a_natural_person_s_lower_grade_waits_for_a_person() -> None:
    good, poor = ledger(), ledger(late=17)
    for tables in (good, poor):
        tables["accounts"] = tables["accounts"].with_columns(pl.lit(value=True).alias("natural_person"))
    first = assess(good, POLICY, TODAY - 30, portfolio=portfolio_statistics(good, POLICY, TODAY))

    waiting = scored(poor, prior=first)
    confirmed = decision("confirmation", waiting["pending_rating"])
    after = scored({**poor, "decisions": table("decisions", confirmed)}, prior=first)

    assert waiting["rating"] == first["rating"].item()
    assert "downgrade_waits" in waiting["notices"]
    assert after["rating"] == waiting["pending_rating"]
    assert "downgrade_waits" not in after["notices"]
