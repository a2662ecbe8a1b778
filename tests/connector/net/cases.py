"""The cases of the net, and one hash a column of what they are assessed to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from connector.editions import preset_text
from connector.messages.rendering import in_words
from connector.policy import load
from tests.connector.net.assessing import assessments
from tests.connector.net.portfolios import TODAY, portfolio

#: What was recorded: a line a case and day, a column a column of the assessments.
RECORDED = Path(__file__).with_name("net.tsv")
_MANY = ("USD", "EUR", "CNY", "JPY")
_DEFAULT = preset_text("default")
#: Every method of the limit, a segment with flags of its own, one by a flag of the account.
_METHODS = "{needs: 1.0, average_sales: 2.0, equity: 0.1, working_capital: 0.2, high_balance: 1.2}"
_SEGMENTS = """segments:
  key:
    match: {segment: [key]}
    flags:
      LARGE_SHARE: {when: {feature: share_of_receivables, gt: 0.01}, severity: warning, en: large, zh: 大}
  person: {match: {natural_person: [true]}, limits: {peak: 1.0}}
"""
_EVERY_METHOD = (
    _DEFAULT.replace("unrated_share: 0.0}", f"unrated_share: 0.1, methods: {_METHODS}}}").rstrip() + "\n" + _SEGMENTS
)


@dataclass(frozen=True)
class Case:
    """A portfolio under a policy on some days."""

    name: str
    tables: Mapping[str, pl.DataFrame]
    policy: str
    days: tuple[int, ...] = (TODAY - 90, TODAY - 30, TODAY - 1, TODAY)


def cases() -> list[Case]:
    """All of them, the same every time."""
    few = (TODAY - 40, TODAY)
    without_rates = {**portfolio(5, 40, _MANY), "rates": portfolio(5, 0)["rates"]}
    read_only = {name: frame for name, frame in portfolio(6, 40).items() if name in _FIRST}
    cn, ratios = preset_text("cn-b2b-100"), preset_text("financial-ratios")
    return [
        Case("everything", portfolio(1, 60), _DEFAULT),
        Case("currencies", portfolio(2, 60, _MANY), _DEFAULT),
        Case("sound", portfolio(13, 80, sound=True), _DEFAULT),
        Case("sound-cn", portfolio(14, 60, ("CNY", "USD"), sound=True), cn, few),
        Case("one-customer", portfolio(3, 1), _DEFAULT, few),
        Case("plain", portfolio(4, 80, plain=True), _DEFAULT),
        Case("no-rates", without_rates, _DEFAULT, few),
        Case("first-tables-only", read_only, _DEFAULT, few),
        Case("every-method", portfolio(7, 60), _EVERY_METHOD),
        Case("every-method-currencies", portfolio(8, 60, _MANY), _EVERY_METHOD, few),
        Case("cn", portfolio(9, 60, ("CNY",)), cn.replace("base_currency: USD", "base_currency: CNY"), few),
        Case("cn-currencies", portfolio(10, 60, _MANY), cn, few),
        Case("ratios", portfolio(11, 60, _MANY), ratios, few),
        Case("nobody", portfolio(12, 0), _DEFAULT, (TODAY,)),
    ]


#: Tables that a first connection has.
_FIRST = ("accounts", "receivables", "payments", "allocations")


def rows(case: Case) -> Iterator[tuple[str, dict[str, str]]]:
    """For each day its name, and the hash of each column; `statistics` is the portfolio's."""
    sentences = load(case.policy, "policy.yaml").sentences
    for day, frame, statistics in assessments(case.tables, case.policy, case.days):
        # As they are read: the codes stand for these very sentences.
        told = [in_words(row, sentences) for row in frame.sort("customer_id").to_dicts()]
        hashes = {column: _hash([row[column] for row in told]) for column in frame.columns}
        yield f"{case.name}@{day}", {"statistics": _hash(json.loads(statistics)), **hashes}


def recorded() -> dict[str, dict[str, str]]:
    """What the file says: case and day → column → hash."""
    head, *lines = (line.split("\t") for line in RECORDED.read_text(encoding="utf-8").splitlines())
    return {line[0]: dict(zip(head[1:], line[1:], strict=True)) for line in lines}


def record() -> None:
    """Write the file anew, from what the scorer says now."""
    result = dict(row for case in cases() for row in rows(case))
    columns = list(dict.fromkeys(column for hashes in result.values() for column in hashes))
    lines = [["case", *columns], *([name, *hashes.values()] for name, hashes in result.items())]
    RECORDED.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


def rounded(value: Any) -> Any:
    """Floats to nine decimals, which other processors agree on; everything within lists and structs."""
    if isinstance(value, float):
        return round(value, 9) + 0.0
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def _hash(value: Any) -> str:
    text = json.dumps(rounded(value), ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
