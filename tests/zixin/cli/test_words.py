"""What a Chinese reader sees has no English states in it."""

import re
from dataclasses import fields

import pytest

from connector.assessment import HOLDS
from connector.messages.terms import TERMS, term
from tests.story.house import House
from tests.zixin.calls import run
from zixin.cli.context import aligned, clipped, padded
from zixin.services.status import Status

#: Words of results that an English reader sees as they are kept.
ENGLISH = re.compile(r"\b(warn|approve|block|info|warning|critical|last_\w+|newest_day|done|sync|permanent|in_force)\b")


@pytest.mark.parametrize(
    "words",
    ["status", "list", "flags list", "runs", "limit list", "hold list", "doctor", "check A004 100", "actions list"],
)
def test_states_kinds_and_levels_are_chinese(rated: House, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(*words.split(), "--lang", "zh-CN")
    shown = re.sub(r"zixin [a-z -]+|/\S+", "", capsys.readouterr().out)
    assert ENGLISH.findall(shown) == []


def test_all_that_status_counts_has_a_word() -> None:
    assert {field.name for field in fields(Status)} - {"wants"} <= set(TERMS)


def test_every_hold_has_a_word_and_a_name_stays_a_name() -> None:
    assert set(HOLDS) <= set(TERMS)
    assert term("block", "zh-CN") == "冻结"
    assert term("block", "en") == "block"
    assert term("simulated-zoho", "zh-CN") == "simulated-zoho"


def test_a_chinese_character_takes_two_cells() -> None:
    assert padded("冻结", 6) == "冻结  "
    assert aligned("冻结", 6) == "  冻结"
    assert aligned("block", -6) == "block "
    assert clipped("逾期超过90天", 6) == "逾期超"
    assert clipped("逾期", 5) == "逾期 "
