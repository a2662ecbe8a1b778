"""One table of a lake as it is at one moment: its list of files, or a version of a Delta table; its rows as text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from adapters.common.columns import Shape, stamp
from adapters.lake.places import Place, digest
from connector.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a read goes by from its first row to its last."""

    name: str
    #: Changes when anything of the table does.
    mark: str
    schema: Mapping[str, pl.DataType]
    #: Its rows, in parts that are read one by one, each with how many there are in it where that is told.
    parts: tuple[Part, ...]
    #: Column → comment, where the table has them.
    comments: Mapping[str, str]
    #: Where its files lie; empty: what it was stays readable, whatever is written meanwhile.
    where: str = ""

    def is_still_there(self) -> bool:
        """Whether its files are those that it was pinned to."""
        return not self.where or digest(self.parts[0].place.files(self.where)) == self.mark


@dataclass(frozen=True, slots=True)
class Part:
    """A file, or a whole Delta table, that is opened when its turn comes."""

    place: Place
    source: Any

    @property
    def written(self) -> float | None:
        """Seconds since 1970 of its last write; None: nobody says."""
        return getattr(self.source, "written", None)

    def rows(self) -> pl.LazyFrame:
        """Its rows, none of them read yet."""
        return self.place.lazy(self.source) if not isinstance(self.source, pl.LazyFrame) else self.source


def pin(place: Place, name: str, path: str, delta_options: Mapping[str, str]) -> Pinned:
    """The table as it is now. Raises Misconfigured: it is not there, or its files do not fit together."""
    where, is_delta = place.find(name, path)
    return _delta(place, name, where, delta_options) if is_delta else _folder(place, name, where)


def _folder(place: Place, name: str, where: str) -> Pinned:
    files = place.files(where)
    if not files:
        raise Misconfigured("E-CRM-OBJECT", host=place.host, name=name)
    parts = tuple(Part(place, each) for each in files)
    first = _schema(place, parts[0])
    schemas = [first, _schema(place, parts[-1]) if len(parts) > 1 else first]
    # What the oldest and the newest file both have: a column that only one has was added or renamed meanwhile.
    for one, other in (schemas, schemas[::-1]):
        if lost := [each for each in one if each not in other]:
            detail = f"column {', '.join(lost)} is in the {'first' if one is first else 'last'} file only"
            raise Misconfigured("E-LAKE-FILES", host=place.host, table=name, detail=detail)
    return Pinned(name, digest(files), schemas[0], parts, {}, where)


def _schema(place: Place, part: Part) -> dict[str, pl.DataType]:
    with place.asked():
        return dict(part.rows().collect_schema())


def _delta(place: Place, name: str, where: str, options: Mapping[str, str]) -> Pinned:
    try:
        import deltalake
    except ModuleNotFoundError:
        raise Misconfigured("E-DB-DRIVER", name="Delta", package="deltalake") from None
    with place.asked():
        table = deltalake.DeltaTable(place.address(where), storage_options=dict(options) or None)
        frame = pl.scan_delta(table, storage_options=dict(options) or None)
        schema = dict(frame.collect_schema())
    fields = json.loads(table.schema().to_json())["fields"]
    comments = {each["name"]: str(each["metadata"]["comment"]) for each in fields if each["metadata"].get("comment")}
    # One that was deleted and made anew begins at the same version again.
    mark = f"v{table.version()} {table.metadata().id} {where}"
    return Pinned(name, hashlib.sha256(mark.encode()).hexdigest()[:24], schema, (Part(place, frame),), comments)


def shape_of(dtype: pl.DataType) -> Shape:
    """The shape of a column's text."""
    if dtype == pl.Boolean:
        return "flag"
    if isinstance(dtype, pl.Datetime):
        return "time"
    return "float" if dtype.is_float() else "text"


def as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column as text, without loss."""
    column = pl.col(name)
    match dtype:
        case pl.String():
            return column
        case pl.Binary():
            return column.bin.encode("hex")
        case pl.Array():
            return column.arr.to_list().map_elements(_nested, return_dtype=pl.String, skip_nulls=True)
        case pl.List() | pl.Struct() | pl.Duration() | pl.Object():
            return column.map_elements(_nested, return_dtype=pl.String, skip_nulls=True)
        case pl.Datetime() if dtype.time_zone:
            return column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%d %H:%M:%S%.6f+00")
        case pl.Datetime():
            return column.dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
        case pl.Float32() | pl.Float64():
            # A whole number that a null turned into a float is still the number of a record.
            return column.cast(pl.String).str.replace(r"\.0$", "")
        case _:
            return column.cast(pl.String)


def _nested(value: Any) -> str:
    """A list as its values joined by `;`, as a page has it; what else is nested, as JSON or its own words."""
    if isinstance(value, pl.Series | list | tuple) and not any(
        isinstance(each, dict | list | pl.Series) for each in value
    ):
        return ";".join(str(each) for each in value if each is not None)
    plain = value.to_list() if isinstance(value, pl.Series) else value
    return json.dumps(plain, ensure_ascii=False, default=str) if isinstance(plain, dict | list) else str(plain)


def changed_since(name: str, dtype: pl.DataType, at: datetime, zone: str) -> pl.Expr:
    """Rows that changed at that instant (aware) or later; of days, on its day or later.

    Compared as the column's own type where there is one, so that whole groups of rows are passed over by their
    statistics; texts and numbers as the instants that they stand for.
    """
    column = pl.col(name)
    local = at.astimezone(ZoneInfo(zone) if zone else UTC)
    match dtype:
        case pl.Datetime() if dtype.time_zone:
            return column >= pl.lit(at.astimezone(UTC)).cast(pl.Datetime(dtype.time_unit, dtype.time_zone))
        case pl.Datetime():
            return column >= pl.lit(local.replace(tzinfo=None)).cast(dtype)
        case pl.Date():
            return column >= pl.lit(local.date())
        case _:
            told = stamp(column.cast(pl.String), zone).str.to_datetime(
                "%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us"
            )
            return told >= pl.lit(at.astimezone(UTC)).cast(pl.Datetime("us", "UTC"))


def slices(
    pinned: Pinned, columns: Sequence[str], where: Callable[[Mapping[str, pl.DataType], Part], pl.Expr | None],
    begin: tuple[int, int], rows: int,
) -> Iterator[tuple[pl.DataFrame, int, int, bool]]:  # fmt: skip
    """These columns of rows from (part, row) on, so many at a time: frame, part, the row behind it, whether it ends.

    `where`: which rows of a part, by its schema. Raises Misconfigured: a part lacks a column.
    """
    first, offset = begin
    for at in range(first, len(pinned.parts)):
        part = pinned.parts[at]
        offset = offset if at == first else 0
        with part.place.asked():
            # One of a remote store comes as a whole: it is opened once.
            frame = part.rows()
            schema = dict(frame.collect_schema())
        if lost := [each for each in columns if each not in schema]:
            detail = f"file {at + 1} of {len(pinned.parts)} has no column {', '.join(lost)}"
            raise Misconfigured("E-LAKE-FILES", host=part.place.host, table=pinned.name, detail=detail)
        condition = where(schema, part)
        with part.place.asked():
            frame = (frame if condition is None else frame.filter(condition)).select(columns)
        while True:
            with part.place.asked():
                some = frame.slice(offset, rows).collect()
            offset += some.height
            ended = some.height < rows
            yield some, at, offset, ended and at == len(pinned.parts) - 1
            if ended:
                break
