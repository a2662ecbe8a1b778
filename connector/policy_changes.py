"""What differs between two policies, key by key, in words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.policy import Policy

#: Section → what one of its entries is called.
_ENTRIES = {
    "scale": ("grade", "等级"),
    "segments": ("segment", "客户分组"),
    "pillars": ("pillar", "维度"),
    "indicators": ("indicator", "指标"),
    "gates": ("gate", "门槛"),
    "flags": ("flag", "预警"),
    "measures": ("measure", "措施"),
}
#: Keys that say nothing about results.
_APART = {"version", "edition", "base_currency"}


@dataclass(frozen=True, slots=True)
class Change:
    """One key that differs; `before` or `after` None: it is not there."""

    key: str
    before: str | None
    after: str | None
    en: str
    zh: str


def changes(before: Policy, after: Policy) -> list[Change]:
    """Every key that differs, defaults included, in the order of the file; amounts are compared as they are written."""
    one, two = (policy.model_dump(by_alias=True) for policy in (before, after))
    results: list[Change] = []
    for section in two:
        if section in _APART:
            continue
        if section in _ENTRIES:
            for name in {**one[section], **two[section]}:
                results += _entry(section, name, one[section].get(name), two[section].get(name))
        else:
            results += _values(section, one[section], two[section], section, section)
    return results


def _entry(section: str, name: str, one: Any, two: Any) -> list[Change]:
    en, zh = (f"{noun} {name}" for noun in _ENTRIES[section])
    key = f"{section}.{name}"
    if one is None or two is None:
        there = one or two
        text_en, text_zh = (f": {there[word]}" if there.get(word) else "" for word in ("en", "zh"))
        is_new = one is None
        return [
            Change(
                key,
                None if is_new else _text(one),
                _text(two) if is_new else None,
                f"{en} {'is new' if is_new else 'is gone'}{text_en}",
                f"{'新增' if is_new else '取消'}{zh}{text_zh.replace(': ', '：')}",
            )
        ]
    return _values(key, one, two, en, zh)


def _values(key: str, one: Any, two: Any, en: str, zh: str) -> list[Change]:
    """The leaves that differ; a condition, or a list, is one leaf."""
    if one == two:
        return []
    if isinstance(one, dict) and isinstance(two, dict) and "feature" not in one | two:
        results = []
        for name in {**one, **two}:
            results += _values(f"{key}.{name}", one.get(name), two.get(name), f"{en}, {name}", f"{zh}，{name}")
        return results
    was, now = _text(one), _text(two)
    return [Change(key, was, now, f"{en}: {was} → {now}", f"{zh}：{was} → {now}")]


def _text(value: Any) -> str:
    if value is None or value == ():
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        # What a part leaves at its default is nothing that it says.
        pairs = ((name, each) for name, each in value.items() if each is not None and each != ())
        return ", ".join(f"{name} {_nested(each)}" for name, each in pairs if name not in ("en", "zh"))
    if isinstance(value, list | tuple):
        return "(" + "; ".join(_text(each) for each in value) + ")"
    return str(value)


def _nested(value: Any) -> str:
    return f"({_text(value)})" if isinstance(value, dict) else _text(value)
