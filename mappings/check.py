"""What of a mapping does not stand in the CRM: missing, renamed, retyped, unwritable fields, untranslated values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from connector.ports import Described, Field
from connector.schema import TABLES
from mappings.load import Mapping as Mapping_
from mappings.load import SourceMap, Yield
from mappings.matching import fits, shape

What = Literal["object", "missing", "renamed", "retyped", "unwritable", "untranslated", "kind", "values", "unread"]
#: Object → field → (id, type, label), as it was when the mapping was made.
Snapshot = Mapping[str, Mapping[str, Sequence[str]]]
#: Names that every page carries.
_CARRIED = ("id", "modified_at")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit. `severe`: rows would be lost or wrong; else somebody should look."""

    source: str
    what: What
    field: str
    en: str
    zh: str
    severe: bool = True


def snapshot(described: Sequence[Described]) -> dict[str, dict[str, list[str]]]:
    """What `check` compares with later."""
    return {each.object: {item.name: [item.id, item.type, item.label] for item in each.fields} for each in described}


def check(mapping: Mapping_, described: Mapping[str, Described | None], before: Snapshot) -> list[Finding]:
    """`described`: object → its fields, None where there is no such object; one without fields is not judged."""
    findings: list[Finding] = []
    for name, part in mapping.sources.items():
        there = described.get(part.object)
        if there is None:
            if not part.optional:
                told = f"the CRM has no object {part.object}", f"CRM 中没有对象 {part.object}"
                findings.append(Finding(name, "object", part.object, *told))
            continue
        if there.fields:
            findings += _source(name, part, there, before.get(part.object, {}))
    findings += _check_written(mapping, described.get(mapping.writes.object))
    return findings


def missing_fields(part: SourceMap, there: Described) -> list[str]:
    """Fields that a source reads and the object has not; none of an object whose fields are not told."""
    names = {field.name for field in there.fields}
    return [each for each in part.fields() if names and each not in names and each.partition(".")[0] not in names]


def _source(name: str, part: SourceMap, there: Described, before: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    fields = {field.name: field for field in there.fields}
    gone, needed = missing_fields(part, there), _needed(part, fields)
    for text in part.fields():
        if text in gone:
            yield _missing(name, text, there.fields, before, needed=text in needed)
            continue
        field = fields.get(text) or fields[text.partition(".")[0]]
        was = before.get(text)
        if was is not None and shape(was[1]) != shape(field.type):
            en = f"{text} was of type {was[1]} and is {field.type} now"
            yield Finding(name, "retyped", text, en, f"{text} 的类型由 {was[1]} 变为 {field.type}")
    for item in part.yields:
        yield from _kinds(name, item, fields)
        yield from _ends(name, item)


#: What an allocation ties: money on one end, what it settles on the other.
_ENDS = (("payment_id", "adjustment_id"), ("receivable_id", "order_id"))


def _ends(name: str, item: Yield) -> Iterator[Finding]:
    """An allocation without one of its ends settles nothing, and no row of it is wrong by itself."""
    for either in _ENDS if item.table == "allocations" else ():
        if not set(either) & set(item.columns):
            en = f"allocations name neither {either[0]} nor {either[1]}: they would settle nothing"
            yield Finding(name, "missing", either[0], en, f"核销既无 {either[0]} 也无 {either[1]}：不会核销任何款项")


def _needed(part: SourceMap, there: Mapping[str, Field]) -> set[str]:
    """Fields without which rows are rejected, or fall due on no day; rows of which the condition is gone are none."""
    return {
        name
        for item in part.yields
        if all(test.field in there for test in item.when)
        for column in TABLES[item.table].columns
        if (column.null is None or column.name == "due") and column.name in item.columns
        for name in [item.columns[column.name].field]
        if name is not None and item.columns[column.name].default is None
    }


def _missing(
    name: str, asked: str, fields: Sequence[Field], before: Mapping[str, Sequence[str]], *, needed: bool
) -> Finding:
    """By its id, else by its label, a field that is called otherwise now is told."""
    was = before.get(asked)
    now = next((each for each in fields if was and was[0] and each.id == was[0]), None)
    now = now or next((each for each in fields if was and each.label == was[2] and each.name not in before), None)
    if now is not None:
        return Finding(name, "renamed", asked, f"{asked} is called {now.name} now", f"{asked} 已改名为 {now.name}")
    return Finding(
        name, "missing", asked, f"there is no field {asked}", f"没有字段 {asked}", severe=needed or was is not None
    )


def _kinds(name: str, item: Yield, fields: Mapping[str, Field]) -> Iterator[Finding]:
    columns = {column.name: column for column in TABLES[item.table].columns}
    for key, rule in item.columns.items():
        field = fields.get(rule.field or "")
        if field is None:
            continue
        column = columns[key]
        if not rule.values and not fits(column, field):
            en = f"{field.name} is of type {field.type}: {item.table}.{key} wants a {column.kind}"
            yield Finding(
                name,
                "kind",
                field.name,
                en,
                f"{field.name} 的类型为 {field.type}，而 {item.table}.{key} 需要 {column.kind}",
            )
        # A choice that is not ours word by word is translated, or every row of it is rejected.
        if column.options and rule.otherwise is None:
            names = set(rule.values) | (set(column.options) if not rule.values else set())
            open_ = [option for option in field.options if option not in names]
            if open_:
                message = ", ".join(open_)
                en = f"{field.name}: no translation of {message} for {item.table}.{key}"
                yield Finding(
                    name, "untranslated", field.name, en, f"{field.name}：{message} 未对应到 {item.table}.{key}"
                )


def _check_written(mapping: Mapping_, there: Described | None) -> Iterator[Finding]:
    if there is None or not there.fields:
        return
    fields = {field.name: field for field in there.fields}
    for key, name in mapping.writes.fields.items():
        field = fields.get(name)
        if field is None:
            told = f"{name} ({key}) is not made yet: zixin fields apply", f"{name}（{key}）尚未创建：zixin fields apply"
            yield Finding("writes", "missing", name, *told, severe=False)
        elif not field.writable:
            en = f"{name} ({key}) may not be written by zixin's user"
            yield Finding("writes", "unwritable", name, en, f"{name}（{key}）对 zixin 的用户不可写")
