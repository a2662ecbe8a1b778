"""Salesforce's JSON and CSV ↔ text: one lexical form a field, whichever way it came.

Source: REST API guide, date-time forms; Bulk API 2.0 guide: CSV, every value as text, empty is null, `#N/A` writes it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from adapters.common import documents, misfits
from adapters.common.csv_rows import csv_rows
from connector.errors import Retry
from connector.ports import Misfit

#: Numbers keep the digits they came with.
_decode = msgspec.json.Decoder(float_hook=str).decode
_PLAIN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_NUMBERS = ("double", "currency", "int", "percent", "long")
#: Writes null in Bulk CSV; an empty cell leaves the field as it is.
NULL = "#N/A"
#: 2026-11-23T10:20:30.000+0000 of REST and …000Z of Bulk.
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|\+0000|\+00:00)")
MODIFIED = "SystemModstamp"


def document(body: bytes) -> Any:
    """The JSON of an answer; None: it is empty. Raises Retry: it is none."""
    try:
        return _decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Retry("E-CRM-GARBLED", host="Salesforce") from None


def part(body: bytes, key: str) -> Any:
    """What the JSON object of an answer holds under a key. Raises Retry: no JSON, or it does not hold it."""
    whole = document(body)
    if not isinstance(whole, dict) or whole.get(key) is None:
        raise Retry("E-CRM-ENVELOPE", host="Salesforce", object=key, place=key, found=documents.shape(whole))
    return whole[key]


#: Types whose JSON is a text that is ours as it stands.
_AS_IS = frozenset(
    (
        "string",
        "picklist",
        "multipicklist",
        "reference",
        "id",
        "date",
        "textarea",
        "phone",
        "url",
        "email",
        "combobox",
        "encryptedstring",
    )
)


class Rows:
    """Decodes pages of one query straight into columns: no dict a record. `types`: field → its type, where known."""

    def __init__(self, columns: Sequence[str], types: Mapping[str, str]) -> None:
        self.columns = tuple(columns)
        self._types = types
        self._tops = tuple(dict.fromkeys(name.partition(".")[0] for name in self.columns))
        names = [f"f{n}" for n in range(len(self._tops))]
        record = msgspec.defstruct(
            "Record", [(name, Any, None) for name in names], rename=dict(zip(names, self._tops, strict=True))
        )
        shape: list[Any] = [
            ("done", bool),
            ("totalSize", int),
            ("records", list[record]),  # type: ignore[valid-type]
            ("nextRecordsUrl", str, ""),
        ]
        self._record: Any = record
        self._page: Any = msgspec.defstruct("Page", shape)
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(self._page, float_hook=str).decode
        self._get = {top: operator.attrgetter(name) for top, name in zip(self._tops, names, strict=True)}

    def page(self, body: bytes) -> tuple[list[Any], str, int]:
        """Records of a page, where the next one is (empty: it was the last), how many the query has. Raises Retry."""
        try:
            page = self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # One record may be what it breaks at.
            page = self._by_record(body)
        if not page.done and not page.nextRecordsUrl:
            raise Retry("E-CRM-ENVELOPE", host="Salesforce", object="query", place="nextRecordsUrl", found="{}")
        return page.records, "" if page.done else page.nextRecordsUrl, page.totalSize

    def _by_record(self, body: bytes) -> Any:
        try:
            whole = documents.document(body)
        except ValueError:
            raise Retry("E-CRM-GARBLED", host="Salesforce") from None
        shape = {"done": bool, "totalSize": int, "records": list}
        if not isinstance(whole, dict) or any(not isinstance(whole.get(key), kind) for key, kind in shape.items()):
            told = documents.shape(whole)
            raise Retry("E-CRM-ENVELOPE", host="Salesforce", object="query", place="records", found=told)
        names = dict(zip(self._tops, self._get, strict=True))
        fields = dict(zip(self._tops, self._record.__struct_fields__, strict=True))
        rows = [each if isinstance(each, Mapping) else {} for each in whole["records"]]
        records = [self._record(**{fields[top]: row.get(top) for top in names}) for row in rows]
        return self._page(whole["done"], whole["totalSize"], records, str(whole.get("nextRecordsUrl") or ""))

    def framed(self, records: Sequence[Any]) -> tuple[pl.DataFrame, tuple[Misfit, ...]]:
        """As `table`, without records that cannot be read; and those."""
        name = self._get["Id"]
        table, others = misfits.framed(records, lambda some: self.table(some).rename({"Id": "id"}), name)
        return table.rename({"id": "Id"}), others

    def table(self, records: Sequence[Any]) -> pl.DataFrame:
        """Text columns by their names."""
        tops = {top: list(map(get, records)) for top, get in self._get.items()}
        return pl.DataFrame({name: self._column(name, tops) for name in self.columns})

    def _column(self, name: str, tops: Mapping[str, Sequence[Any]]) -> pl.Series:
        top, _, rest = name.partition(".")
        values = tops.get(top, ())
        kind = self._types.get(name, "")
        if rest:
            values = [_at(value, rest) if isinstance(value, Mapping) else None for value in values]
        if kind in _AS_IS and not rest and _are_texts(values):
            return pl.Series(name, values, dtype=pl.String)
        if kind == "datetime" and _are_texts(values):
            stamps = pl.Series(name, values, dtype=pl.String)
            plain = stamps.str.ends_with("+0000").all()
            # Cutting is many times cheaper than a pattern, and REST always writes the one form.
            return (
                stamps.str.strip_suffix("+0000") + "+00:00" if plain else stamps.str.replace(_CSV_STAMP, "${1}+00:00")
            )
        return pl.Series(name, [text(value) for value in values], dtype=pl.String)


def _are_texts(values: Sequence[Any]) -> bool:
    return {*map(type, values)} <= {str, type(None)}


def frame(table: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """Columns of a page: id, modified_at and the fields; null where the object has none."""
    has, null = set(table.columns), pl.lit(None, pl.String)
    stamped = pl.col(MODIFIED) if MODIFIED in has else null
    columns = {name: pl.col(name) if name in has else null for name in fields}
    return table.select(pl.col("Id").alias("id"), stamped.alias("modified_at"), **columns)


def csv_frame(body: bytes, fields: Sequence[str], types: Mapping[str, str]) -> tuple[pl.DataFrame, tuple[Misfit, ...]]:
    """The same of a Bulk result. It says no charset: it is UTF-8. Raises Retry: no CSV, or without its header."""
    try:
        rows, others = csv_rows(body, "") if body.strip() else (pl.DataFrame(), ())
    except pl.exceptions.PolarsError:
        raise Retry("E-CRM-GARBLED", host="Salesforce") from None
    null = pl.lit(None, pl.String)
    has = set(rows.columns)
    if body.strip() and "Id" not in has:
        raise Retry("E-CRM-ENVELOPE", host="Salesforce", object="CSV", place="Id", found=", ".join(sorted(has))[:60])
    if "Id" not in has:
        return pl.DataFrame(schema=dict.fromkeys(["id", "modified_at", *fields], pl.String)), ()
    stamped = pl.col(MODIFIED).str.replace(r"Z$|\+0000$", "+00:00") if MODIFIED in has else null
    columns = {
        name: (_iso(name) if types.get(name) == "datetime" else pl.col(name)) if name in has else null
        for name in fields
    }
    return rows.select(pl.col("Id").alias("id"), stamped.alias("modified_at"), **columns), others


def _iso(name: str) -> pl.Expr:
    return pl.col(name).str.replace(_CSV_STAMP, "${1}+00:00")


_CSV_STAMP = r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(Z|\+0000)$"


def text(value: Any) -> str | None:
    """A value as text: a boolean `true` or `false`, an instant with its offset, a multi-select as it comes (`;`)."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return stamp(value) if len(value) > 19 and value[10] == "T" else value
    if isinstance(value, Mapping):
        return text(misfits.lookup_id(value, "Id"))
    if isinstance(value, list):
        return misfits.nested_text(value)
    return documents.plain(value) if isinstance(value, Decimal) else str(value)


def stamp(value: Any) -> str | None:
    """An instant as ISO with offset; what is none stays as it is."""
    if not isinstance(value, str):
        return None
    match = _STAMP.fullmatch(value)
    return f"{match[1]}{match[2] or '.000'}+00:00" if match else value


def soql_stamp(value: str) -> str:
    """An ISO instant as SOQL writes it: no quotes, UTC."""
    return value.replace("+00:00", "Z").replace("+0000", "Z")


def is_id(record: str | None) -> bool:
    """Whether it may be an id: letters and digits, 15 or 18 of them."""
    return record is not None and record.isascii() and record.isalnum() and len(record) in (15, 18)


def quoted(value: str) -> str:
    """A text as SOQL writes it. Source: SOQL reference, quoted string escape sequences."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def wire(value: str | None, kind: str) -> Any:
    """A canonical text as JSON wants it for a field of that type."""
    if value is None:
        return None
    # What is no number goes as it is, for Salesforce to refuse that one record.
    if kind in _NUMBERS and _PLAIN.fullmatch(value):
        return msgspec.Raw(value.encode())
    return value


def _at(row: Mapping[str, Any], name: str) -> Any:
    """A field, or one of a parent by a dotted name."""
    node: Any = row
    for part in name.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node
