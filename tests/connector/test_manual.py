"""Reference pages are what the code says, and the product uses their words."""

import re
from pathlib import Path

import pytest

from connector.assessment import HOLDS, RATINGS
from connector.manual import features_page, glossary_page
from connector.messages import glossary
from connector.messages.features import FEATURES
from connector.messages.flags import FLAGS
from connector.schema import TABLES
from tests.golden import check

ROOT = Path(__file__).parents[2]


def test_the_page_of_features_is_what_the_code_says() -> None:
    page = features_page()

    assert all(f"`{name}`" in page for name in FEATURES)
    check("docs/features.md", page)


def test_the_glossary_has_every_word_of_tables_features_flags_grades_and_holds() -> None:
    page = glossary_page()

    columns = {column.name for table in TABLES.values() for column in table.columns}
    assert set(glossary.COLUMN_NAMES) == columns
    assert set(glossary.TABLE_NAMES) == set(TABLES)
    assert set(glossary.HOLD_WORDS) == set(HOLDS)
    for word in (*columns, *TABLES, *FEATURES, *FLAGS, *RATINGS, *HOLDS):
        assert f"`{word}`" in page
    check("docs/glossary.md", page)


def texts() -> list[Path]:
    folders = ("connector", "mappings", "adapters", "sync", "zixin", "docs")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    return [path for path in (*found, ROOT / "README.zh-CN.md") if path.suffix in (".py", ".yaml", ".md", ".html")]


def test_every_chinese_text_uses_the_words_of_the_glossary() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {word} → {right}"
        for path in texts()
        # What people write is theirs.
        if path.name not in ("glossary.py", "lexicon.yaml", "headings.yaml")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word, right in glossary.AVOIDED.items()
        if word in line
    ]
    assert wrong == []


@pytest.mark.parametrize("word", sorted(glossary.AVOIDED))
def test_a_word_that_is_avoided_has_one_that_is_used(word: str) -> None:
    used = {zh for zh, _ in glossary.TRADE.values()} | {"账龄", "坏账"}
    assert glossary.AVOIDED[word] in used
    assert re.search("[\u4e00-\u9fff]", word)
