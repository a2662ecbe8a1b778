"""What a source has and nothing takes, as people are told of it, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from connector.messages.glossary import TABLE_NAMES

Words = tuple[str, str]


def of_table(table: str, column: str, rows: int) -> Words:
    """Rows of a table, or values of one of its columns, for which a system has no place."""
    many = "row" if rows == 1 else "rows"
    name = TABLE_NAMES.get(table, table)
    if not column:
        return f"{table}: {rows:,} {many} left out", f"{name}：{rows:,} 行未读入"
    return f"{table}.{column}: left out of {rows:,} {many}", f"{name}.{column}：{rows:,} 行未读入"


def of_object(name: str, fields: int, of: int) -> Words:
    """Fields of an object that no source reads."""
    return f"{name}: {fields:,} of {of:,} fields are not read", f"{name}：{of:,} 个字段中有 {fields:,} 个未读取"


def of_tables(tables: Sequence[str]) -> Words:
    """Tables that no source brings, and what could."""
    en, zh = ", ".join(tables), "、".join(TABLE_NAMES.get(name, name) for name in tables)
    return (
        f"nothing brings {en}: another system or a folder of files can, zixin connect folder --as files --feeds",
        f"没有来源提供{zh}：可由其他系统或文件夹提供，zixin connect folder --as files --feeds",
    )


def placeless(crm: str) -> Words:
    """Behind a list of what a system has no place for: who brings it instead."""
    return (
        f"{crm} has no place for them: a folder feed brings them beside it (docs/sources.md)",
        f"{crm} 没有存放这些数据的位置：可由文件夹数据源补充（docs/sources.zh-CN.md）",
    )
