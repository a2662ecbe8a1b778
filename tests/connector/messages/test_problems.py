import string

import pytest

from connector import errors
from connector.messages.problems import PROBLEMS


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_every_problem_says_what_and_what_next_in_both_languages(code: str) -> None:
    words = PROBLEMS[code]
    facts = {
        name: "x"
        for text in (words.what_en, words.next_en, words.what_zh, words.next_zh)
        for _, name, _, _ in string.Formatter().parse(text)
        if name
    }

    problem = errors.Misconfigured(code, **facts)

    assert problem.text("en") == str(problem) != problem.text("zh-CN")
    assert all(text.strip() for text in (words.what_en, words.next_en, words.what_zh, words.next_zh))
    assert any("\u4e00" <= letter <= "\u9fff" for letter in words.what_zh + words.next_zh)


def test_the_class_carries_the_exit_code() -> None:
    facts = {"path": "p", "file": "f"}

    codes = {kind.__name__: kind("E-FOLDER-MISSING", **facts).exit_code for kind in (errors.Denied, errors.Exhausted)}

    assert codes == {"Denied": 5, "Exhausted": 6}
    assert errors.Busy("E-FOLDER-MISSING", **facts).exit_code == 7
    assert errors.RateLimited("E-FOLDER-MISSING", after=3, **facts).after == 3
