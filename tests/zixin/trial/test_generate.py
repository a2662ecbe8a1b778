import polars as pl
import pytest

from connector.assessment import ASSESSMENT
from connector.messages.rendering import Sentences
from connector.presentation import reasons, written_values
from zixin.services.ratings import distribution

ROW = {
    **dict.fromkeys(ASSESSMENT),
    "as_of": 20_000,
    "rating": "NR",
    "currency": "JPY",
    "limit": 5_000,
    "available": None,
    "hold": "none",
    "score": 61.25,
    "flags": [{"code": "SLOWING"}, {"code": "DISPUTE"}],
    "reasons": [
        {"lost": None, "words_en": "gate", "words_zh": "门槛", "indicator": "gate"},
        {"lost": 12.0, "words_en": "much", "words_zh": "多", "indicator": "much"},
        {"lost": 0.01, "words_en": "nothing", "words_zh": "无", "indicator": "nothing"},
    ],
}


def test_an_assessment_is_written_as_canonical_text_and_nr_as_empty() -> None:
    values = written_values(ROW, "en", Sentences())

    assert values["rating"] is None
    assert (values["limit"], values["available"], values["flags"]) == ("5000", None, "DISPUTE;SLOWING")
    assert (values["score"], values["overdue_since"], values["rated_on"]) == ("61.2", None, "2024-10-04")
    assert values["reasons"] == "gate\nmuch"
    assert reasons(ROW, "zh-CN", Sentences()) == ["门槛", "多"]


@pytest.mark.parametrize("ratings", [[], ["NR", "AAA", "C", "AAA"]])
def test_ratings_are_counted_best_first(ratings: list[str]) -> None:
    counted = distribution(pl.DataFrame({"rating": ratings}, schema={"rating": pl.String}))

    assert list(counted.items()) == ([("AAA", 2), ("C", 1), ("NR", 1)] if ratings else [])
