"""A mapping on real records: what of each source would be rejected, and the likely reason."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from connector.messages.rejects import sentence
from connector.ports import Organisation
from connector.schema import TABLES
from mappings.apply import apply
from mappings.check import Finding
from mappings.likely import likely, suspicious
from mappings.load import Mapping, SourceMap, Yield

#: Above this share of rows that do not fit, customers would not be written (the policy's `checks`).
_SHARE = 0.05
#: Records of which a field that is never filled is worth a word.
_MANY = 20
_SHOWN = 3
#: Tables without rows of which there is nothing to rate.
_CORE = ("accounts", "receivables", "payments")


def look(mapping: Mapping, source: str, frame: pl.DataFrame, organisation: Organisation, zone: str) -> list[Finding]:
    """Columns in: `id`, `modified_at` and the source's fields, of real records."""
    part = mapping.sources[source]
    applied = apply(mapping, source, frame, organisation, zone)
    findings: list[Finding] = []
    for table in part.tables():
        bad = applied.rejects.filter(pl.col("table") == table)
        good = applied.tables[table]
        of = good.height + bad["record"].n_unique()
        findings += _rejected(source, part, table, bad, of)
        findings += _odd(source, part, table, frame.filter(pl.col("id").is_in(good["source_id"].implode())))
        if table in _CORE and not of:
            findings += [each for item in part.yields for each in _conditions(source, item, table, frame)]
    return findings + list(_never(source, part, frame))


def _rejected(source: str, part: SourceMap, table: str, bad: pl.DataFrame, of: int) -> Iterator[Finding]:
    kinds = {column.name: column.kind for column in TABLES[table].columns}
    for (column, reason), rows in bad.group_by("column", "reason", maintain_order=True):
        name, count = str(column), rows["record"].n_unique()
        values = rows["value"].drop_nulls().to_list()
        field = next((_field(item, name) for item in part.yields if item.table == table), "")
        of_all = f"all {of:,}" if count == of else f"{count:,} of {of:,}"
        en = f"{field} → {table}.{name}: {of_all} do not fit, {sentence(str(reason))}"
        zh = f"{field} → {table}.{name}：{of:,} 行中有 {count:,} 行不符合要求，{sentence(str(reason), 'zh-CN')}"
        why = likely(kinds.get(name, ""), values) if values else None
        if why:
            en, zh = f"{en}; likely {why[0]}", f"{zh}；可能原因：{why[1]}"
        if values:
            shown = ", ".join(_short(value) for value in dict.fromkeys(values[:_MANY]))
            en, zh = f"{en} ({shown})", f"{zh}（{shown}）"
        yield Finding(source, "values", field, en, zh, severe=count > max(_SHOWN, _SHARE * of) or count == of)


def _field(item: Yield, column: str) -> str:
    rule = item.columns.get(column)
    return "" if rule is None else (rule.field or rule.present or "")


def _odd(source: str, part: SourceMap, table: str, frame: pl.DataFrame) -> Iterator[Finding]:
    """Values that cast, and look wrong as a whole."""
    columns = {column.name: column for column in TABLES[table].columns}
    for item in part.yields:
        for name, rule in item.columns.items() if item.table == table else ():
            if rule.field not in frame.columns:
                continue
            why = suspicious(columns[name].kind, frame[rule.field].drop_nulls().to_list())
            if why:
                en, zh = f"{rule.field} → {table}.{name}: {why[0]}", f"{rule.field} → {table}.{name}：{why[1]}"
                yield Finding(source, "values", rule.field, en, zh, severe=False)


def _conditions(source: str, item: Yield, table: str, frame: pl.DataFrame) -> Iterator[Finding]:
    """Conditions that no record meets, of a table that every CRM has rows of."""
    for test in item.when if item.table == table else ():
        if test.field not in frame.columns or frame.height < _SHOWN:
            continue
        values = frame[test.field].drop_nulls()
        if test.among and values.len() and not values.is_in(list(test.among)).any():
            seen = ", ".join(_short(value) for value in values.unique(maintain_order=True)[:_SHOWN])
            wanted = ", ".join(test.among)
            en = f"no record yields {item.table}: {test.field} is {seen}, never {wanted}"
            zh = f"没有记录产生 {item.table}：{test.field} 为 {seen}，从不为 {wanted}"
            yield Finding(source, "values", test.field, en, zh, severe=False)


def _never(source: str, part: SourceMap, frame: pl.DataFrame) -> Iterator[Finding]:
    """Fields without which nothing falls due, and which no record fills."""
    if frame.height < _MANY:
        return
    rules = [item.columns["due"] for item in part.yields if "due" in item.columns and not item.when]
    for name in dict.fromkeys(rule.field for rule in rules if rule.field in frame.columns):
        if name and frame[name].null_count() == frame.height:
            en = f"{name} is empty in all {frame.height:,} records that were looked at"
            yield Finding(source, "values", name, en, f"{name} 在查看的 {frame.height:,} 条记录中均为空", severe=False)


def _short(value: str) -> str:
    text = " ".join(value.split())
    return text if len(text) <= 24 else f"{text[:23]}…"
