"""Applies a mapping to a page: the CRM's fields → canonical rows, whole columns at once; misfits go to the rejects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl

from connector.faults import FAULTS
from connector.instants import moment
from connector.ports import Misfit, Organisation
from connector.schema import TABLES
from mappings.cast import REJECTS, cast, rejected
from mappings.load import Mapping, Rule, SourceMap, Yield

#: What a canonical row carries of its record: source, source_id, source_modified_at (microseconds since 1970 UTC).
ORIGIN = ("source", "source_id", "source_modified_at")


@dataclass(frozen=True, slots=True)
class Applied:
    """What a page yields."""

    #: Ids of its records, whether they yielded a row or not.
    records: list[str]
    #: Canonical table → its columns and those of `ORIGIN`; every table that the source may yield is there.
    tables: dict[str, pl.DataFrame]
    #: The columns of `mappings.cast.REJECTS`; `record` is the record's id.
    rejects: pl.DataFrame
    #: record, account_id: whose the rejected records are, where they say so.
    owners: pl.DataFrame
    #: account_id and one text column a written field, as the CRM shows it; None: the source is not the written object.
    observed: pl.DataFrame | None
    #: id, at: when each record changed, in microseconds since 1970 UTC; null where it does not say.
    modified: pl.DataFrame

    def with_misfits(self, misfits: Sequence[Misfit]) -> Applied:
        """With records that the adapter could not read among the rejects; their table is not known."""
        if not misfits:
            return self
        rows = dict.fromkeys((each.record, "", each.field, each.value, each.reason) for each in misfits)
        rejects = pl.concat([self.rejects, pl.DataFrame(list(rows), schema=REJECTS, orient="row")])
        return replace(self, records=[*self.records, *(each.record for each in misfits)], rejects=rejects)


def apply(mapping: Mapping, source: str, frame: pl.DataFrame, organisation: Organisation, zone: str = "UTC") -> Applied:
    """Columns in: `id`, `modified_at` and the source's fields, as text or null. `zone`: of business days.

    A record that breaks mapping or cast is rejected, and the others go on.
    """
    try:
        return _applied(mapping, source, frame, organisation, zone)
    except FAULTS:
        if frame.is_empty():
            raise
        if frame["id"].n_unique() == 1:
            nothing = _applied(mapping, source, frame.clear(), organisation, zone)
            return nothing.with_misfits([Misfit(frame["id"][0], "", None, "unreadable")])
    ids = frame["id"].unique(maintain_order=True)
    first = frame["id"].is_in(ids[: len(ids) // 2].implode())
    halves = [apply(mapping, source, part, organisation, zone) for part in (frame.filter(first), frame.filter(~first))]
    return _joined(*halves)


def _joined(one: Applied, other: Applied) -> Applied:
    observed = None
    if one.observed is not None and other.observed is not None:
        observed = pl.concat([one.observed, other.observed])
    tables = {name: pl.concat([table, other.tables[name]]) for name, table in one.tables.items()}
    rejects, owners, modified = (
        pl.concat([getattr(one, name), getattr(other, name)]) for name in ("rejects", "owners", "modified")
    )
    return Applied([*one.records, *other.records], tables, rejects, owners, observed, modified)


def _applied(mapping: Mapping, source: str, frame: pl.DataFrame, organisation: Organisation, zone: str) -> Applied:
    part = mapping.sources[source]
    tables: dict[str, pl.DataFrame] = {}
    rejects = [REJECTS.to_frame()]
    for item in part.yields:
        result = cast(_renamed(item, frame, organisation), TABLES[item.table], zone)
        rows = result.frame.with_columns(pl.lit(source).alias("source"), pl.col("record").alias("source_id"))
        rows = rows.select(*TABLES[item.table].names(), *ORIGIN)
        rejects.append(result.rejects)
        if item.table in tables:
            # Each yield of a table counts; a key that an earlier one gave is that one's.
            key = [*TABLES[item.table].key, "source_id"]
            again = rows.join(tables[item.table], on=key, how="semi")
            first = TABLES[item.table].key[0]
            rejects.append(rejected(again.rename({"source_id": "record"}), item.table, first, "id_twice"))
            rows = pl.concat([tables[item.table], rows.join(tables[item.table], on=key, how="anti")])
        tables[item.table] = rows
    observed = None
    if part.object == mapping.writes.object:
        own = [pl.col(field).alias(name) for name, field in mapping.writes.fields.items()]
        observed = frame.select(pl.col("id").alias("account_id"), *own)
    modified = frame.select("id", moment(pl.col("modified_at")).cast(pl.Int64).alias("at"))
    misfits = pl.concat(rejects)
    return Applied(frame["id"].to_list(), tables, misfits, _owners(part, frame, misfits), observed, modified)


def _owners(part: SourceMap, frame: pl.DataFrame, rejects: pl.DataFrame) -> pl.DataFrame:
    owner = part.owner()
    account = pl.lit(None, pl.String) if owner is None else pl.col(owner).str.strip_chars()
    rows = frame.filter(pl.col("id").is_in(rejects["record"].implode()))
    rows = rows.select(pl.col("id").alias("record"), account.alias("account_id"))
    return rows.filter(pl.col("account_id") != "").unique(maintain_order=True)


def _renamed(item: Yield, frame: pl.DataFrame, organisation: Organisation) -> pl.DataFrame:
    for test in item.when:
        among = pl.col(test.field).is_in(list(test.among))
        frame = frame.filter(among if test.among else _is_filled(test.field))
    at = moment(pl.col("modified_at")).cast(pl.Int64)
    columns = [_text(rule, organisation).alias(name) for name, rule in item.columns.items()]
    return frame.select(pl.col("id").alias("record"), at.alias("source_modified_at"), *columns)


def _text(rule: Rule, organisation: Organisation) -> pl.Expr:
    if rule.const is not None:
        return _stands_for(rule.const, organisation)
    if rule.present is not None:
        return pl.when(_is_filled(rule.present)).then(pl.lit(rule.then)).otherwise(pl.lit(rule.otherwise))
    text = pl.col(str(rule.field))
    if rule.values:
        other = pl.lit(rule.otherwise) if rule.otherwise is not None else text
        text = text.replace_strict(list(rule.values), list(rule.values.values()), default=other, return_dtype=pl.String)
    if rule.invert:
        text = text.map_elements(_inverse, return_dtype=pl.String)
    return text if rule.default is None else text.fill_null(_stands_for(rule.default, organisation))


def _is_filled(field: str) -> pl.Expr:
    return (pl.col(field).str.strip_chars() != "").fill_null(value=False)


def _stands_for(text: str, organisation: Organisation) -> pl.Expr:
    if text == "$home":
        return pl.lit(organisation.currency)
    return pl.col(text[1:]) if text.startswith("$") else pl.lit(text)


def _inverse(text: str) -> str:
    """One divided by a decimal, to twelve places; what is no positive number is left for the cast to reject."""
    try:
        value = Decimal(text)
        return f"{1 / value:.12f}" if value > 0 else text
    except ArithmeticError:
        return text
