"""Everything that an explanation may name has words in English and Chinese."""

from typing import Any, get_args

import pytest

from connector.assessment import FLAGS
from connector.editions import PRESETS, preset_text
from connector.messages.features import FEATURES
from connector.messages.flags import FLAGS as FLAG_WORDS
from connector.messages.flags import MEASURES
from connector.messages.limits import METHODS
from connector.messages.rendering import DECISIONS
from connector.policy import Method, load
from connector.schema import TABLES


def chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_indicator_gate_and_flag_of_a_policy_is_worded(preset: str) -> None:
    rules = load(preset_text(preset), preset)
    words = [FEATURES[item.feature] for item in rules.indicators.values()]
    parts: list[Any] = [*words, *rules.gates.values(), *rules.flags.values()]

    assert all(part.en and not chinese(part.en) for part in parts)
    assert all(chinese(part.zh) or part.zh.isascii() for part in parts)


def test_every_flag_measure_method_and_decision_is_worded() -> None:
    whole: list[Any] = [*FLAG_WORDS.values(), *MEASURES.values(), *METHODS.values()]
    for words in whole:
        assert words.en
        assert chinese(words.zh)
    assert set(get_args(Method)) < set(METHODS)
    assert set(FLAGS) == set(FLAG_WORDS)
    kinds = next(column.options for column in TABLES["decisions"].columns if column.name == "kind")
    assert set(DECISIONS) == set(kinds)
