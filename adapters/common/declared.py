"""How records of a table are told apart, what changed of them, and which are deleted: declared, or known by name.

Databases and lakes do not say so of themselves. A YAML file declares it where names are odd; columns that common
loaders add, and the names that applications mostly use, are known without one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import AfterValidator, BeforeValidator, Field

from connector.documents import Part, parse
from connector.errors import Misconfigured

#: When a loader last wrote the row, which is what a reader of the copy must go by; then what applications keep
#: themselves. fivetran.com/docs/core-concepts/system-columns-and-tables, docs.airbyte.com (CDC), Singer's _sdc_,
#: hevodata.com, docs.peerdb.io, dlthub.com (a load id is seconds since 1970 as text).
_MODIFIED = (
    *("_fivetran_synced", "_ab_cdc_updated_at", "_airbyte_extracted_at", "_airbyte_emitted_at", "_sdc_batched_at"),
    *("_sdc_received_at", "_sdc_extracted_at", "__hevo__loaded_at", "_peerdb_synced_at", "_dlt_load_id"),
    *("systemmodstamp", "updated_at", "modified_at", "last_modified_at", "lastmodifieddate", "last_modified"),
    *("modified_date", "last_updated", "last_update", "updated_on", "modified_on", "changed_at", "changed_on"),
    *("write_date", "modified", "date_modified", "update_time", "modify_time", "gmt_modified", "updated"),
    *("geaendert_am", "geändert_am", "aenderungsdatum", "änderungsdatum", "letzte_aenderung", "letzte_änderung"),
    *("修改时间", "更新时间", "最后修改时间", "最后更新时间", "变更时间", "修改日期", "更新日期"),
)
#: True, or not null, where the row was deleted.
_DELETED = (
    *("_fivetran_deleted", "_ab_cdc_deleted_at", "_sdc_deleted_at", "__hevo__marked_deleted", "_peerdb_is_deleted"),
    *("__deleted", "is_deleted", "isdeleted", "deleted_at", "deleted_on", "geloescht", "gelöscht", "geloescht_am"),
    *("gelöscht_am", "已删除", "是否删除", "删除标志", "删除标记", "删除时间"),
)
#: Where nothing else is declared and there is no primary key.
_ID = ("id", "_fivetran_id", "_dlt_id", "_airbyte_raw_id", "编号")
#: A name that says that a whole number is one of a record.
_NAMES_A_RECORD = re.compile(r"(^|_|[a-z])(id|no|nr|num|key|code|number|nummer|编号|号|编码|代码)$", re.IGNORECASE)
#: Text of a deleted column that says that the row is there, and that it is not; a number is 0 or another one.
_THERE = ("", "false", "f", "no", "n", "nein", "否", "未删除", "-", "active", "infinity", "-infinity")
_GONE = ("true", "t", "yes", "y", "x", "d", "ja", "j", "是", "已删除", "deleted")
#: A time is when it was deleted, but for the days that stand for none.
_TIME = r"^\d{4}-\d{2}-\d{2}([ T].*)?$"
_NO_TIME = r"^(0000|0001|1753|1899|1900|1970|9999)-"
_NUMBER = r"^-?\d+(\.\d+)?$"
#: Rows of which it is odd that all are deleted.
_MANY = 20


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Declared(Part):
    """What an admin says of one table or view; what is left out is told by its key and by names."""

    #: Its columns that no two rows share.
    id: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    #: Column of the last change; empty text: none, the table is read whole each time and compared.
    modified: str | None = None
    #: Column that is true, or not null, where the row was deleted; empty text: none.
    deleted: str | None = None
    #: IANA zone of its times that bear none.
    zone: Annotated[str, AfterValidator(lambda value: _zone(value))] = ""
    #: Where its files lie, below the lake's own address.
    path: str = ""


class Declarations(Part):
    """The file: tables and views by name, and what counts for all of them."""

    tables: dict[str, Declared] = Field(default_factory=dict)
    #: IANA zone of times that bear none.
    zone: Annotated[str, AfterValidator(lambda value: _zone(value))] = ""
    #: Minutes that a transaction may commit later than the time that it wrote.
    late_minutes: int = Field(10, ge=0, le=1440)

    def of(self, name: str) -> Declared:
        """What is declared of a table."""
        return self.tables.get(name, Declared())

    def zone_of(self, name: str) -> str:
        """IANA zone of a table's times that bear none; empty: nobody says."""
        return self.of(name).zone or self.zone


@dataclass(frozen=True, slots=True)
class Keys:
    """The columns by which a table is read."""

    id: tuple[str, ...]
    modified: str = ""
    deleted: str = ""
    #: Names of columns that were told by their names alone.
    guessed: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """Changes when they are others than before."""
        return " / ".join((", ".join(self.id), self.modified or "–", self.deleted or "–"))


def declarations(path: str) -> Declarations:
    """The file of that path; without a path nothing is declared. Raises Misconfigured."""
    if not path:
        return Declarations()
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("E-FILE", file=path, detail=type(error).__name__) from None
    return parse(text, path, Declarations, "E-TABLES")


def keys(host: str, name: str, declared: Declared, columns: Collection[str], primary: Sequence[str]) -> Keys:
    """The keys of a table that has these columns; `primary`: those of its primary key.

    Raises Misconfigured: a declared column is not there, or nothing tells its rows apart.
    """
    said = [*declared.id, *(each for each in (declared.modified, declared.deleted) if each)]
    must_have(host, name, columns, said)
    own = {each.casefold(): each for each in reversed(list(columns))}
    guessed: list[str] = []
    id_ = declared.id or tuple(primary) or _by_name(_ids_of(name), own, guessed)
    if not id_:
        raise Misconfigured("E-TABLE-ID", host=host, table=name)
    modified, deleted = declared.modified, declared.deleted
    if modified is None:
        modified = "".join(_by_name(_MODIFIED, own, guessed))
    if deleted is None:
        deleted = "".join(_by_name(_DELETED, own, guessed))
    return Keys(id_, modified, deleted, tuple(guessed))


def must_have(host: str, name: str, columns: Collection[str], wanted: Sequence[str]) -> None:
    """Raises Misconfigured: a column that is to be read of a table is not there."""
    if missing := [each for each in wanted if each not in columns]:
        raise Misconfigured("E-TABLE-COLUMN", host=host, table=name, columns=", ".join(missing))


def names_a_record(name: str) -> bool:
    """Whether a whole number in a column of that name tells a record, and counts nothing."""
    return bool(_NAMES_A_RECORD.search(name))


def deleted(host: str, name: str, found: Keys, texts: pl.Series) -> pl.Series:
    """Which rows are deleted, by the text of that column. Raises Misconfigured: it says neither yes nor no."""
    low = texts.fill_null("").str.strip_chars().str.to_lowercase()
    number = low.str.contains(_NUMBER)
    there = low.is_in(list(_THERE)) | low.str.contains(_NO_TIME) | (number & low.str.contains(r"^-?0+(\.0+)?$"))
    gone = ~there & (low.is_in(list(_GONE)) | low.str.contains(_TIME) | number)
    if not (gone | there).all():
        detail = "it holds words that are neither yes nor no"
        raise Misconfigured("E-TABLE-DELETED", host=host, table=name, column=found.deleted, detail=detail)
    return gone


def some_are_there(host: str, name: str, found: Keys, rows: int, gone: int) -> None:
    """Raises Misconfigured: by a column that was told by its name alone, all rows of a table are deleted."""
    if found.deleted in found.guessed and rows == gone and rows >= _MANY:
        detail = "all rows would be deleted by it"
        raise Misconfigured("E-TABLE-DELETED", host=host, table=name, column=found.deleted, detail=detail)


def same_keys(host: str, name: str, found: Keys, state: Mapping[str, object]) -> None:
    """Raises Misconfigured: a cursor was cut with other keys, by which rows were called or left out otherwise."""
    before = state.get("keys")
    if before is not None and before != found.mark:
        raise Misconfigured("E-TABLE-KEYS", host=host, table=name, before=str(before), now=found.mark)


def told(found: Keys, whole: tuple[str, str] = ("read whole each time", "每次整表读取")) -> tuple[str, str]:
    """By which columns a table is read, for whoever checks it; `whole`: what is said where none tells changes."""

    def named(columns: Sequence[str], *, zh: bool) -> str:
        guess = "（按列名判断）" if zh else " (by its name)"
        return ", ".join(f"{each}{guess if each in found.guessed else ''}" for each in columns)

    def both(columns: Sequence[str], en: str, zh: str) -> tuple[str, str]:
        return f"{en} {named(columns, zh=False)}", f"{zh} {named(columns, zh=True)}"

    parts = [both(found.id, "told apart by", "区分各行的列")]
    parts.append(both([found.modified], "changes by", "修改时间") if found.modified else whole)
    gone = "deleted rows are those that a full read misses", "删除由整表读取发现"
    parts.append(both([found.deleted], "deleted by", "删除标记") if found.deleted else gone)
    return "; ".join(each[0] for each in parts), "；".join(each[1] for each in parts)


def _ids_of(name: str) -> tuple[str, ...]:
    bare = name.rpartition(".")[2].casefold()
    return (*_ID, f"{bare}_id", f"{bare.removesuffix('s')}_id")


def _by_name(known: Sequence[str], own: Mapping[str, str], guessed: list[str]) -> tuple[str, ...]:
    found = next((own[each] for each in known if each in own), None)
    if found is None:
        return ()
    guessed.append(found)
    return (found,)


def joined(parts: Sequence[str]) -> str:
    """One text for an id of several columns."""
    if len(parts) == 1:
        return parts[0]
    return "|".join(each.replace("\\", "\\\\").replace("|", "\\|") for each in parts)


def parted(text: str, count: int) -> tuple[str, ...] | None:
    """The columns of such an id; None: it is none of so many."""
    if count == 1:
        return (text,)
    parts, at = [""], 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
            parts[-1] += text[at : at + 1]
        elif text[at] == "|":
            parts.append("")
        else:
            parts[-1] += text[at]
        at += 1
    return tuple(parts) if len(parts) == count else None


def is_zone(name: str) -> bool:
    """Whether it is an IANA time zone, or empty."""
    try:
        ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return False
    return True


def _zone(value: str) -> str:
    if not is_zone(value):
        raise ValueError(f"{value!r} is no IANA time zone, such as Asia/Shanghai")
    return value
