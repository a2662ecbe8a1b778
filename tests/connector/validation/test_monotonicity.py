import pytest

from connector.editions import PRESETS, preset_text
from connector.policy import load
from connector.validation.monotonicity import find_violations


def tenure_becomes(feature: str, points: str) -> str:
    text = preset_text("default")
    return text.replace("feature: tenure\n", f"feature: {feature}\n").replace(
        "points: [[0, 30], [180, 50], [365, 70], [1095, 90], [1825, 100]]", f"points: {points}"
    )


@pytest.mark.parametrize("name", PRESETS)
def test_what_zixin_ships_rewards_no_late_payer(name: str) -> None:
    assert find_violations(load(preset_text(name), name)) == []


@pytest.mark.parametrize(
    ("feature", "points", "example"),
    [
        ("days_beyond_terms", "[[0, 0], [30, 100]]", "pays an invoice 40 days late instead of on its day"),
        ("open_items", "[[0, 0], [4, 100]]", "leaves an invoice unpaid for 40 days instead of paying it today"),
        ("sales_change", "[[-0.3, 0], [0.3, 100]]", "was given an invoice that is not due yet"),
        ("trend", "[[0, 100], [10, 0]]", "paid an invoice 40 days late half a year ago instead of on its day"),
    ],
)
def test_an_indicator_that_could_reward_a_late_payer_is_found(feature: str, points: str, example: str) -> None:
    findings = find_violations(load(tenure_becomes(feature, points), "policy.yaml"))

    assert {finding.indicator for finding in findings} == {"tenure"}
    assert example in {finding.en for finding in findings}
    assert all(finding.worse > finding.better for finding in findings)


def test_the_indicators_of_segments_are_looked_at() -> None:
    segment = "segments:\n  x: {match: {country: [CN]}, indicators: {tenure: {feature: overdue_share}}}\n"

    assert [finding.feature for finding in find_violations(load(preset_text("default") + segment, "p"))][:1] == [
        "overdue_share"
    ]
