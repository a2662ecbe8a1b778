"""Where facts come from, as people are told of it, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connector.messages.glossary import TABLE_NAMES

#: The source of what people entered here.
_PEOPLE = "zixin"

Words = tuple[str, str]


def listed(origins: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Source → its tables; origins: source, table, rows, newest_at, read_at, away_since."""
    result: dict[str, list[Mapping[str, Any]]] = {}
    for each in origins:
        result.setdefault(each["source"], []).append(each)
    return result


def line(rows: Sequence[Mapping[str, Any]]) -> Words:
    """What one source brought of an account, when it was read last, and whether it still can be."""
    en = ", ".join(f"{each['rows']:,} {each['table']}" for each in rows)
    zh = "、".join(f"{TABLE_NAMES.get(each['table'], each['table'])} {each['rows']:,}" for each in rows)
    if rows[0]["source"] == _PEOPLE:
        return f"{en}; entered by people", f"{zh}；人工录入"
    read = _minute(rows[0]["read_at"])
    if rows[0]["away_since"] is not None:
        since = _minute(rows[0]["away_since"])
        return f"{en}; read {read}, cannot be read since {since}", f"{zh}；读取于 {read}，自 {since} 起无法读取"
    return f"{en}; read {read}", f"{zh}；读取于 {read}"


def _minute(at: str | None) -> str:
    return "–" if at is None else at[:16].replace("T", " ")
