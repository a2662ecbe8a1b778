"""Sentences take their numbers from the condition that they are about."""

import pytest

from connector.messages.figures import filled, own_figures

BETWEEN = [("material_overdue_days", "gt", 60.0), ("material_overdue_days", "le", 90.0)]


@pytest.mark.parametrize(
    ("text", "comparisons", "language", "shown"),
    [
        ("over {material_overdue_days}", [("material_overdue_days", "gt", 120)], "en", "over 120 days"),
        ("逾期超过{material_overdue_days}", [("material_overdue_days", "gt", 120)], "zh", "逾期超过120天"),
        ("{material_overdue_days.gt} to {material_overdue_days.le}", BETWEEN, "en", "60 days to 90 days"),
        ("over {utilisation}", [("utilisation", "gt", 0.8)], "en", "over 80 %"),
        ("超过{utilisation}", [("utilisation", "gt", 0.805)], "zh", "超过80.5%"),
        ("{late_items_90} items", [("late_items_90", "ge", 3)], "en", "three items"),
        ("{late_items_90}笔", [("late_items_90", "ge", 3)], "zh", "3笔"),
        ("{late_items_90} items", [("late_items_90", "ge", 40)], "en", "40 items"),
        ("{tenure:months} of trade", [("tenure", "lt", 180)], "en", "6 months of trade"),
        ("{tenure:years}", [("tenure", "lt", 365)], "en", "1 year"),
        ("{altman_z:number}", [("altman_z", "lt", 1.1)], "en", "1.1"),
        ("{days_beyond_terms}", [("days_beyond_terms", "gt", 2.25)], "en", "2.25 days"),
        ("{tenure:months}", [("tenure", "lt", 540)], "zh", "18个月"),
        ("{tenure:months}", [("tenure", "lt", 730)], "en", "24 months"),
        ("{tenure:months}", [("tenure", "lt", 39)], "en", "1.3 months"),
        ("{tenure:years}", [("tenure", "lt", 460)], "en", "1.26 years"),
        ("no place", [], "en", "no place"),
    ],
)
def test_a_number_is_shown_with_its_unit(
    text: str, comparisons: list[tuple[str, str, float]], language: str, shown: str
) -> None:
    assert filled(text, comparisons, "zh" if language == "zh" else "en") == shown


@pytest.mark.parametrize(
    ("text", "comparisons", "message"),
    [
        ("{overdue}", BETWEEN, "does not compare it with a number"),
        ("{material_overdue_days}", BETWEEN, "several times"),
        ("{material_overdue_days.eq}", BETWEEN, "does not compare"),
        ("{material_overdue_days.gt:weeks}", BETWEEN, "a form is one of months"),
    ],
)
def test_a_place_that_means_nothing_is_told(text: str, comparisons: list[tuple[str, str, float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        filled(text, comparisons, "en")


def test_figures_of_its_own_are_found_and_those_of_a_definition_are_not() -> None:
    assert own_figures("more than 180 days overdue", ["material_overdue_days"]) == ["180"]
    assert own_figures("over {late_15_share} paid over 15 days late in 12 months", ["late_15_share"]) == []
    assert own_figures("{late_items_90} late within 90 days", ["late_items_90"]) == []
