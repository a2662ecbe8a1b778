"""What a hole in what was read is called, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.messages.glossary import TABLE_NAMES

_WORDS = {
    "rejected": (
        "{source}: {rows:,} of {of:,} {table} do not fit",
        "{source}：{of:,} 行{table}中有 {rows:,} 行不符合要求",
    ),
    "gone": (
        "{source}: {rows:,} of {of:,} {table} are gone since the last run",
        "{source}：自上次运行以来，{of:,} 行{table}中有 {rows:,} 行消失",
    ),
    "lost": (
        "{source}: {rows:,} of {of:,} records are out of sight",
        "{source}：{of:,} 条记录中有 {rows:,} 条不可见",
    ),
}


def sentence(hole: Mapping[str, Any], language: str) -> str:
    """hole: source, table, cause, rows, of, and customers: how many it concerns, null: everybody."""
    en, zh = _WORDS[hole["cause"]]
    table, customers = hole["table"], hole["customers"]
    if language == "zh-CN":
        whom = "所有客户" if customers is None else f" {customers:,} 个客户"
        return f"{zh.format(**{**hole, 'table': TABLE_NAMES.get(table, table)})}；涉及{whom}"
    whom = "everybody" if customers is None else f"{customers:,} customer{'' if customers == 1 else 's'}"
    return f"{en.format(**hole)}; concerns {whom}"
