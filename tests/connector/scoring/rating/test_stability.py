import numpy as np
import polars as pl
import pytest

from connector.scoring.frame.columns import NEVER
from connector.scoring.frame.grades import GRADE_RANK
from connector.scoring.frame.grades import grades as grades_of
from connector.scoring.rating.stability import steady
from tests.connector.scoring.books import POLICY

SCHEMA = {
    "customer_id": pl.String,
    "as_of": pl.Int32,
    "rating": pl.String,
    "model_rating": pl.String,
    "pending_rating": pl.String,
    "pending_since": pl.Int32,
}
Day = tuple[int, float | None]


def grades(*days: Day, cap: str = "AAA", **on: dict[int, str]) -> list[str]:
    """Grade of each day, a better one that waits after an arrow. `on`: rating → days on which it is set by an event."""
    prior = None
    texts = []
    for day, score in days:
        event = next((name for name, when in on.items() if day in when), None)
        frame = pl.DataFrame(
            {"account_id": ["A"], "score_milli": [None if score is None else round(score * 1000)], "away": [False]},
            schema_overrides={"score_milli": pl.Int64},
        )
        best, unrated = np.array([GRADE_RANK[cap]]), np.array([event == "NR"])
        now = steady(frame, best, unrated, POLICY, prior, day)
        row = {
            "model_rating": grades_of("x", now.grade)[0],
            "pending_rating": grades_of("x", now.pending)[0],
            "pending_since": None if now.pending_since[0] == NEVER else int(now.pending_since[0]),
        }
        waits = f"→{row['pending_rating']}" if row["pending_rating"] else ""
        texts.append(f"{row['model_rating']}{waits}")
        prior = pl.DataFrame(
            [
                {
                    "customer_id": "A",
                    "as_of": day,
                    "rating": event or row["model_rating"],
                    **{k: row[k] for k in list(SCHEMA)[3:]},
                }
            ],
            SCHEMA,
        )
    return texts


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # The floor of A is 74: two points below it hold the grade, more does not.
        ([(1, 75.0), (2, 72.0), (3, 71.9)], ["A", "A", "BBB"]),
        # The floor of AA is 82: 84 is beyond the band, holds for 7 days, and then is the grade.
        ([(1, 75.0), (2, 83.9)], ["A", "A"]),
        ([(1, 75.0), (2, 84.0), (8, 84.0), (9, 84.0)], ["A", "A→AA", "A→AA", "AA"]),
        # It did not hold: from the start.
        ([(1, 75.0), (2, 84.0), (5, 80.0), (9, 84.0)], ["A", "A→AA", "A", "A→AA"]),
        # What is even better by then waits for itself.
        ([(1, 75.0), (2, 84.0), (9, 95.0)], ["A", "A→AA", "AA→AAA"]),
        # It fell to something still better than today's.
        ([(1, 51.0), (2, 84.0), (5, 69.0), (9, 84.0)], ["B", "B→AA", "B→BBB", "BBB→AA"]),
        # Reached longer ago than 40 days: forgotten.
        ([(1, 75.0), (2, 84.0), (50, 84.0)], ["A", "A→AA", "A→AA"]),
        # At most three notches a day, either way.
        ([(1, 95.0), (2, 10.0), (3, 10.0), (4, 10.0)], ["AAA", "BBB", "CCC", "C"]),
        ([(1, 10.0), (8, 95.0), (15, 95.0), (16, 95.0)], ["C", "C→AAA", "AAA", "AAA"]),
        ([(1, 10.0), (8, 95.0), (14, 95.0), (15, 95.0)], ["C", "C→AAA", "C→AAA", "B→AAA"]),
        # Without a score the last grade is kept.
        ([(1, 75.0), (2, None), (3, 75.0)], ["A", "A", "A"]),
        ([(1, None), (2, 75.0)], ["None", "A"]),
    ],
)
def test_grades_over_days(days: list[Day], expected: list[str]) -> None:
    assert grades(*days) == expected


def test_a_cap_binds_at_once_and_what_it_held_back_waits() -> None:
    assert grades((1, 95.0), cap="BB") == ["BB"]
    assert grades((1, 95.0), (2, 95.0), cap="BBB") == ["BBB", "BBB"]


def test_out_of_default_leads_the_way_of_any_upgrade() -> None:
    days = [(1, 95.0), (2, 95.0), (3, 95.0), (10, 95.0), (17, 95.0), (24, 95.0)]

    assert grades(*days, D={2: ""}) == ["AAA", "AAA", "C→AAA", "AAA", "AAA", "AAA"]


def test_not_rated_keeps_the_last_grade_and_is_no_notch() -> None:
    assert grades((1, 60.0), (2, 95.0), (3, 95.0), NR={2: ""}) == ["BB", "BB", "BB→AAA"]
