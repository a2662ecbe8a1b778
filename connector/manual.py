"""Reference pages made from the code: docs/features.md and docs/glossary.md."""

from __future__ import annotations

from connector.assessment import RATINGS
from connector.messages.features import CHAPTERS
from connector.messages.flags import FLAGS
from connector.messages.glossary import COLUMN_NAMES, HOLD_WORDS, TABLE_NAMES, TRADE
from connector.schema import TABLES

_HEAD = """# Features 指标

Made from `connector/messages/features.py`; a test says when it is stale. Every feature is of a customer as of a day;
money in minor units of the base currency, days as counts, shares 0 to 1. A feature is empty ("missing") where there
is nothing to compute it from; counts and sums are 0. Terms as in [scoring.md](scoring.md): *settled* is discharged,
*open late items* are unpaid, past their original due day and not excused.
"""


def features_page() -> str:
    """The page docs/features.md: one table a chapter."""
    lines = [_HEAD]
    for chapter in CHAPTERS:
        lines += [f"## {chapter.en} {chapter.zh}", "", "| name | unit | what it is | formula | source |"]
        lines.append("|---|---|---|---|---|")
        lines += [
            f"| `{name}` | {item.unit} | {item.en} {item.zh} | {item.formula} | {item.source} |"
            for name, item in chapter.features.items()
        ]
        lines.append("")
    return "\n".join(lines)


_GLOSSARY_HEAD = """# Glossary 术语表

Made from `connector/messages/glossary.py` and the tables that it names; a test says when it is stale. One word per
thing, in code, messages and pages.
"""


def glossary_page() -> str:
    """The page docs/glossary.md: the trade, grades, holds, flags, tables with their columns, features."""
    lines = [_GLOSSARY_HEAD, *_section("The trade 业务", [(f"{en} {zh}", what) for en, (zh, what) in TRADE.items()])]
    grades = [(f"`{grade}`", _GRADES.get(grade, "by points 按得分")) for grade in (*RATINGS, "NR")]
    lines += _section("Ratings 信用等级", grades)
    lines += _section("Holds 信用管控", [(f"`{code}` {zh}", what) for code, (zh, what) in HOLD_WORDS.items()])
    lines += _section("Warning flags 预警", [(f"`{code}` {words.zh}", words.en) for code, words in FLAGS.items()])
    for table in TABLES.values():
        rows = [(f"`{column.name}` {COLUMN_NAMES[column.name]}", column.meaning) for column in table.columns]
        lines += _section(f"`{table.name}` {TABLE_NAMES[table.name]}", rows)
    for chapter in CHAPTERS:
        rows = [(f"`{name}` {item.zh}", item.en) for name, item in chapter.features.items()]
        lines += _section(f"Features: {chapter.en} 指标：{chapter.zh}", rows)
    return "\n".join(lines)


_GRADES = {
    "D": "in default: an event, never points 违约，由事件决定",
    "NR": "not rated: too little evidence 未评级，依据不足",
}


def _section(title: str, rows: list[tuple[str, str]]) -> list[str]:
    return [
        f"## {title}",
        "",
        "| word | what it is |",
        "|---|---|",
        *(f"| {word} | {what} |" for word, what in rows),
        "",
    ]
