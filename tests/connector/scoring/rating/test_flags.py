"""Warning flags: what raises and keeps them, their evidence, what is recommended, and other usual names."""

import polars as pl
import pytest

from connector.assessment import FLAGS
from connector.editions import PRESETS, default_text, preset_text
from connector.messages.flags import ALIASES, MEASURES, canonical
from connector.messages.flags import FLAGS as WORDS
from connector.messages.rendering import in_words
from connector.policy import load
from connector.scoring.assess import assess, portfolio_statistics
from tests.connector.scoring.books import POLICY, books, day, invoice, table
from tests.connector.scoring.steady import TODAY, ledger


def scored(tables: dict[str, pl.DataFrame], as_of: int = TODAY, prior: pl.DataFrame | None = None) -> pl.DataFrame:
    return assess(tables, POLICY, as_of, portfolio=portfolio_statistics(tables, POLICY, as_of), prior=prior)


def codes(made: pl.DataFrame) -> list[str]:
    return [flag["code"] for flag in made["flags"].item()]


def used(share: float) -> dict[str, pl.DataFrame]:
    """A customer who uses that share of a limit of 10,000.00."""
    limit = {"limit_id": "L", "account_id": "A", "amount": 10_000_00, "currency": "USD"}
    tables = ledger(limits=table("limits", limit))
    owed = table("receivables", invoice("NEW", round(10_000_00 * share), "2025-12-20", "2026-01-19"))
    return {**tables, "receivables": pl.concat([tables["receivables"], owed])}


def test_a_flag_stays_up_until_it_is_well_below_and_keeps_its_first_day() -> None:
    raised = scored(used(0.81), TODAY - 2)
    frame = scored(used(0.78), TODAY - 1, raised)
    gone = scored(used(0.74), TODAY, frame)

    assert "NEAR_LIMIT" in codes(raised)
    assert "NEAR_LIMIT" not in codes(scored(used(0.78)))
    since = {flag["code"]: flag["since"] for flag in frame["flags"].item()}
    assert since["NEAR_LIMIT"] == TODAY - 2
    assert "NEAR_LIMIT" not in codes(gone)
    assert codes(scored(used(1.2), TODAY, raised)).count("NEAR_LIMIT") == 0


def test_a_downgrade_shows_for_a_month() -> None:
    good, poor = scored(ledger(), TODAY - 30), ledger(late=17)
    fell = scored(poor, TODAY - 20, good)
    later = scored(poor, TODAY - 1, fell)
    after = scored(poor, TODAY + 11, later)

    assert "DOWNGRADE" in codes(fell)
    assert "DOWNGRADE" in codes(later)
    assert "DOWNGRADE" not in codes(after)


def test_a_flag_says_what_raised_it_and_what_to_do() -> None:
    owing = books([invoice("I", 5_000_00, "2025-10-01", "2025-10-31")])

    row = scored(owing).row(0, named=True)

    told = in_words(row, POLICY.sentences)
    flag = next(flag for flag in told["flags"] if flag["code"] == "OVERDUE_60")
    assert "61 days" in flag["evidence_en"]
    assert "61 天" in flag["evidence_zh"]
    assert flag["measure"] == "formal_demand"
    assert "formal_demand" in row["measures"]


def test_cash_beside_overdue_items_and_a_picture_without_news_are_flagged() -> None:
    owing = books([invoice("I", 5_000_00, "2025-10-01", "2025-10-31")], [("P", None, "2025-11-02", 1_000_00)])

    assert {"CASH_UNAPPLIED", "DATA_STALE"} <= set(codes(scored(owing)))
    assert "DATA_STALE" not in codes(scored(owing, day("2025-11-05")))


def test_every_flag_has_words_and_a_measure_and_every_policy_s_flags_are_of_the_table() -> None:
    assert tuple(WORDS) == FLAGS
    for words in WORDS.values():
        assert words.en
        assert words.zh
        assert words.measure in MEASURES
    for name in PRESETS:
        assert set(load(preset_text(name), name).flags) <= set(FLAGS)


@pytest.mark.parametrize(("alias", "code"), ALIASES.items())
def test_other_usual_names_are_understood(alias: str, code: str) -> None:
    text = default_text().replace(f"  {code}:\n", f"  {alias}:\n")

    assert canonical(alias) == code
    assert code in load(text, "p").flags


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "{feature: bounced, gt: 0}\n",
            "{feature: bounced, gt: 0}\n    measure: cal\n",
            "no measure of the name 'cal'",
        ),
        ("  tenure:\n    feature: tenure", "  tenure:\n    feature: notches_down", "known only once there is a rating"),
    ],
)
def test_a_policy_that_cannot_work_is_refused(old: str, new: str, words: str) -> None:
    with pytest.raises(Exception, match=words):
        load(default_text().replace(old, new), "p")
