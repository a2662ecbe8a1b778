"""A mapping on real records: what of each source would be rejected, and the likely reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from connector import money
from connector.messages.rejects import sentence
from connector.ports import Misfit, Organisation, Page
from connector.schema import TABLES
from mappings.apply import apply
from mappings.check import Finding
from mappings.likely import likely, suspicious
from mappings.load import Mapping, SourceMap, Yield

#: Above this share of rows that do not fit, customers would not be written (the policy's `checks`).
_SHARE = 0.05
#: Records of which a field that is never filled, or a condition that is never met, is worth a word; … is a fault.
_MANY, _VERY_MANY = 20, 100
_SHOWN = 3
#: References that are asked for by their ids.
_ASKED = 10
#: Tables without rows of which there is nothing to rate.
_CORE = ("accounts", "receivables", "payments")
#: Reasons that say it all.
_PLAIN = ("empty", "too_large", "id_twice", "unreadable")

#: Source and ids → those that the CRM shows; None: it cannot be asked so.
Asked = Callable[[str, Sequence[str]], set[str] | None]


def tells(mapping: Mapping, source: str, frame: pl.DataFrame, organisation: Organisation, zone: str) -> bool:
    """Whether these records say something of each table that every CRM has rows of, as far as the source yields it."""
    applied = apply(mapping, source, frame, organisation, zone)
    bad = set(applied.rejects["table"])
    return all(applied.tables[name].height or name in bad for name in mapping.sources[source].tables() if name in _CORE)


def look(mapping: Mapping, page: Page, organisation: Organisation, zone: str) -> list[Finding]:
    """Real records of a source: what does not fit, what fits and looks wrong, and what yields nothing."""
    source, frame = page.source, page.frame
    part = mapping.sources[source]
    applied = apply(mapping, source, frame, organisation, zone)
    findings = list(_unread(source, page.misfits, frame))
    for table in part.tables():
        bad = applied.rejects.filter(pl.col("table") == table)
        good = applied.tables[table]
        of = good.height + bad["record"].n_unique()
        findings += _rejected(source, part, table, bad, of)
        findings += _odd(source, part, table, frame, good, organisation)
        if table in _CORE and not of:
            findings += [each for item in part.yields for each in _conditions(source, item, table, frame)]
    return findings + list(_never(source, part, frame))


def strangers(mapping: Mapping, page: Page, asked: Asked) -> list[Finding]:
    """References to customers, and of what settles claims to claims, of which the CRM shows none by that id."""
    findings: list[Finding] = []
    part = mapping.sources[page.source]
    for column, table in (("account_id", "accounts"), ("receivable_id", "receivables")):
        field = next(
            (_field(item, column) for item in part.yields if item.table != table and column in item.columns), ""
        )
        target = next((name for name, each in mapping.sources.items() if table in each.tables()), "")
        by_id = target and _field(mapping.sources[target].yields[0], TABLES[table].key[0]) == "id"
        if not field or field not in page.frame.columns or not by_id or target == page.source:
            continue
        ids = page.frame[field].drop_nulls().unique(maintain_order=True).head(_ASKED).to_list()
        there = asked(target, ids) if len(ids) >= _SHOWN else None
        if there is not None and not there.intersection(ids):
            shown = _listed(ids)
            en = f"{field} → {column}: none of {len(ids)} values is the id of a record of {target} ({shown})"
            zh = f"{field} → {column}：{len(ids)} 个取值都不是 {target} 中记录的编号（{shown}）"
            findings.append(Finding(page.source, "values", field, en, zh))
    return findings


def _unread(source: str, misfits: Sequence[Misfit], frame: pl.DataFrame) -> Iterator[Finding]:
    if misfits:
        count, of = len(misfits), len(misfits) + frame["id"].n_unique()
        reason = misfits[0].reason
        en = f"{count:,} of {of:,} records cannot be taken: {sentence(reason)}"
        zh = f"{of:,} 条记录中有 {count:,} 条无法读取：{sentence(reason, 'zh-CN')}"
        yield Finding(source, "values", misfits[0].field, en, zh, severe=count > max(_SHOWN, _SHARE * of))


def _rejected(source: str, part: SourceMap, table: str, bad: pl.DataFrame, of: int) -> Iterator[Finding]:
    kinds = {column.name: column.kind for column in TABLES[table].columns}
    for (column, why), rows in bad.group_by("column", "reason", maintain_order=True):
        name, reason, count = str(column), str(why), rows["record"].n_unique()
        values = rows["value"].drop_nulls().to_list()
        field = next((_field(item, name) for item in part.yields if item.table == table), "") or "–"
        verb = "fits" if count == of else "does not fit" if count == 1 else "do not fit"
        none = f"none of {of:,} {verb}" if count == of else f"{count:,} of {of:,} {verb}"
        en = f"{field} → {table}.{name}: {none}, {sentence(reason)}"
        zh = f"{field} → {table}.{name}：{of:,} 行中有 {count:,} 行不符合要求，{sentence(reason, 'zh-CN')}"
        guess = likely(kinds.get(name, ""), values) if values and reason not in _PLAIN else None
        if guess:
            en, zh = f"{en}; likely {guess[0]}", f"{zh}；可能原因：{guess[1]}"
        if values:
            en, zh = f"{en} ({_listed(values)})", f"{zh}（{_listed(values)}）"
        yield Finding(source, "values", field, en, zh, severe=count > max(_SHOWN, _SHARE * of) or count == of)


def _field(item: Yield, column: str) -> str:
    rule = item.columns.get(column)
    return "" if rule is None else (rule.field or rule.present or "")


def _odd(
    source: str, part: SourceMap, table: str, frame: pl.DataFrame, good: pl.DataFrame, organisation: Organisation
) -> Iterator[Finding]:
    """Values that cast, and look wrong as a whole."""
    columns = {column.name: column for column in TABLES[table].columns}
    rows = frame.filter(pl.col("id").is_in(good["source_id"].implode()))
    currencies = {organisation.currency, *(good["currency"].drop_nulls() if "currency" in good.columns else ())}
    places = max(money.EXPONENTS.get(each, 2) for each in currencies)
    for item in part.yields:
        for name, rule in item.columns.items() if item.table == table else ():
            if rule.field not in rows.columns:
                continue
            values = [rule.values.get(value, value) for value in rows[rule.field].drop_nulls().to_list()]
            why = suspicious(columns[name].kind, values, places)
            if why:
                en, zh = f"{rule.field} → {table}.{name}: {why[0]}", f"{rule.field} → {table}.{name}：{why[1]}"
                yield Finding(source, "values", rule.field, en, zh, severe=False)


def _conditions(source: str, item: Yield, table: str, frame: pl.DataFrame) -> Iterator[Finding]:
    """Conditions that no record meets, of a table that every CRM has rows of."""
    for test in item.when if item.table == table else ():
        if test.field not in frame.columns or frame.height < _SHOWN:
            continue
        values = frame[test.field].drop_nulls()
        if values.is_in(list(test.among)).any() if test.among else values.len():
            continue
        shown, wanted = _listed(values.to_list()) or "–", ", ".join(test.among)
        en = f"no record yields {table}: {test.field} is {shown}" + (f", never {wanted}" if wanted else "")
        zh = f"没有记录产生 {table}：{test.field} 为 {shown}" + (f"，从不为 {wanted}" if wanted else "")
        yield Finding(source, "values", test.field, en, zh, severe=frame.height >= _VERY_MANY)


def _never(source: str, part: SourceMap, frame: pl.DataFrame) -> Iterator[Finding]:
    """Fields without which nothing falls due, and which no record fills."""
    if frame.height < _MANY:
        return
    rules = [item.columns["due"] for item in part.yields if "due" in item.columns and not item.when]
    for name in dict.fromkeys(rule.field for rule in rules if rule.field in frame.columns):
        if name and frame[name].null_count() == frame.height:
            en = f"{name} is empty in all {frame.height:,} records that were looked at: nothing falls due"
            zh = f"{name} 在查看的 {frame.height:,} 条记录中均为空：没有到期日"
            yield Finding(source, "values", name, en, zh, severe=False)


def _listed(values: Sequence[str]) -> str:
    """Some of them, each once; values hold commas."""
    return " · ".join(_short(value) for value in list(dict.fromkeys(values))[:_SHOWN])


def _short(value: str) -> str:
    text = " ".join(value.split())
    return text if len(text) <= 24 else f"{text[:23]}…"
