import polars as pl
import pytest

from connector.editions import default_text
from connector.errors import Misconfigured
from connector.policy import Policy, load
from connector.scoring.assess import assess, segment_of
from connector.scoring.explanation.explain import explained
from connector.scoring.features.tendency import Statistics
from tests.connector.scoring.books import books, day, invoice, table

TODAY = day("2025-06-30")
PORTFOLIO = Statistics(100_00, 100_000)


def policy(segments: str) -> Policy:
    return load(default_text() + "\nsegments:\n" + segments, "policy.yaml")


BUILDERS = policy(
    """
  builders:
    match: {industry: [construction, 建筑], country: [DE, CN]}
    pillars: {relationship: {weight: 60}}
    gates: {overdue_90: {cap: B}}
    limits: {peak: 3.0}
  people: {match: {natural_person: [true]}, indicators: {tenure: {missing: 10}}}
"""
)


def two_alike() -> dict[str, pl.DataFrame]:
    claims = [invoice(f"{key}1", 100_00, "2025-04-01", "2025-05-01", key) for key in ("A", "B")]
    paid = [("PA", "A1", "2025-05-01", 100_00), ("PB", "B1", "2025-05-01", 100_00)]
    tables = books(claims, paid)
    rows = [
        {"account_id": "A", "name": "A"},
        {"account_id": "B", "name": "B", "industry": "Construction", "country": "DE"},
    ]
    return {**tables, "accounts": table("accounts", *rows)}


def test_a_segment_is_judged_by_its_own_weights() -> None:
    result = {row["customer_id"]: row for row in assess(two_alike(), BUILDERS, TODAY, portfolio=PORTFOLIO).to_dicts()}
    alone = assess(two_alike(), load(default_text(), "p"), TODAY, portfolio=PORTFOLIO)

    assert result["A"]["score"] == alone["score"][0]
    # 90 days a customer: tenure earns little, and weighs six times as much.
    assert result["B"]["score"] < result["A"]["score"] - 10
    assert result["B"]["proposed_limit"] > 0
    assert result["A"]["policy_version"] == result["B"]["policy_version"] == BUILDERS.version


def test_the_explanation_is_that_of_the_segment() -> None:
    result = explained(two_alike(), BUILDERS, TODAY, PORTFOLIO, "B")

    assert result["segment"] == "builders"
    assert result["limit"]["peak"] == 3.0
    assert next(gate for gate in result["gates"] if gate["gate"] == "overdue_90")["effect"] == "B"
    assert explained(two_alike(), BUILDERS, TODAY, PORTFOLIO, "A")["segment"] is None


def test_the_first_segment_that_fits_in_everything_counts() -> None:
    accounts = table(
        "accounts",
        {"account_id": "1", "name": "1", "industry": "建筑", "country": "cn", "natural_person": True},
        {"account_id": "2", "name": "2", "industry": "建筑", "country": "FR", "natural_person": True},
        {"account_id": "3", "name": "3"},
    )

    assert segment_of(accounts, BUILDERS).to_list() == ["builders", "people", ""]


@pytest.mark.parametrize(
    ("segments", "words"),
    [
        ("  x: {match: {}}", "match"),
        ("  x: {match: {industry: [a]}, indicators: {tenure: {wieght: 2}}}", "segments.x.indicators.tenure.wieght"),
        ("  x: {match: {industry: [a]}, indicators: {new: {weight: 2}}}", "segments.x.indicators.new.feature"),
    ],
)
def test_a_wrong_segment_is_named(segments: str, words: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        policy(segments)
    assert words in raised.value.text("en")
