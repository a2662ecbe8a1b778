"""Reference pages made from the code: docs/features.md."""

from __future__ import annotations

from connector.messages.features import CHAPTERS

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
