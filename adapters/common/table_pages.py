"""Rows of a database or a lake as a page: ids of several columns as one, times as instants, what is deleted apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from adapters.common.columns import Shape, shaped, stamped
from adapters.common.declared import Keys, deleted
from connector.ports import UNNAMED, Gone, Misfit, Page, Source

#: Columns of raw rows beside the fields that are read.
MODIFIED, DELETED = "?modified", "?deleted"


def id_columns(found: Keys) -> list[str]:
    """The columns of raw rows that tell them apart."""
    return [f"?id{at}" for at in range(len(found.id))]


def id_text(columns: Sequence[pl.Expr]) -> pl.Expr:
    """One text for an id of several columns, as `joined` has it; null where one of them is."""
    if len(columns) == 1:
        return columns[0]
    parts = [
        text.str.replace_all("\\", "\\\\", literal=True).str.replace_all("|", "\\|", literal=True) for text in columns
    ]
    return pl.concat_str(parts, separator="|")


def page_of(
    host: str, source: Source, found: Keys, raw: pl.DataFrame, shapes: Mapping[str, Shape], zone: str,
    misfits: Sequence[Misfit] = (),
) -> Page:  # fmt: skip
    """Raw rows, all of them text, as a page without a cursor; those without an id are told by their number.

    Columns in: `id_columns`, MODIFIED and DELETED where there are such keys, the source's fields. A table that nothing
    keys is told apart by the places of its rows.
    """
    one = id_text([pl.col(name) for name in id_columns(found)]) if found.id else pl.int_range(pl.len()).cast(pl.String)
    moved = stamped(raw[MODIFIED], zone) if found.modified else pl.lit(None, pl.String)
    frame = raw.with_columns(one.alias("id"), moved.alias("modified_at"))
    if nameless := frame["id"].null_count():
        told = Misfit(f"{UNNAMED}{source.object}", ", ".join(found.id), f"{nameless} rows", "no_id")
        misfits = (*misfits, told)
        frame = frame.filter(pl.col("id").is_not_null())
    gone: tuple[Gone, ...] = ()
    if found.deleted:
        dead = deleted(host, source.object, found, frame[DELETED])
        gone = tuple(Gone(each, "deleted") for each in frame.filter(dead)["id"].to_list())
        frame = frame.filter(~dead)
    fields = {name: shapes[name] for name in source.fields}
    frame = shaped(frame.select("id", "modified_at", *fields), fields, zone)
    return Page(source.name, frame, gone, "", complete=False, misfits=tuple(misfits))
