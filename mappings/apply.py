"""Applies a mapping to a page: the CRM's fields → canonical rows, whole columns at once; misfits go to the rejects."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from collections.abc import Mapping as Mapping_
from dataclasses import dataclass, field, replace
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
class Ties:
    """How another system's names are ours."""

    #: Its customers → our account ids; one whom nobody is tied to is missing.
    accounts: Callable[[Collection[str]], Mapping_[str, str]]
    #: Numbers of claims → their ids, where the claims lie elsewhere; None: they are its own.
    claims: Callable[[Collection[str]], Mapping_[str, str]] | None = None


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
    #: Feed → account_id, number: what accounts say of their numbers there; null: nothing.
    numbers: Mapping_[str, pl.DataFrame] = field(default_factory=dict)

    def with_misfits(self, misfits: Sequence[Misfit]) -> Applied:
        """With records that the adapter could not read among the rejects; their table is not known."""
        if not misfits:
            return self
        rows = dict.fromkeys((each.record, "", each.field, each.value, each.reason) for each in misfits)
        rejects = pl.concat([self.rejects, pl.DataFrame(list(rows), schema=REJECTS, orient="row")])
        return replace(self, records=[*self.records, *(each.record for each in misfits)], rejects=rejects)


def apply(
    mapping: Mapping,
    source: str,
    frame: pl.DataFrame,
    organisation: Organisation,
    zone: str = "UTC",
    ties: Ties | None = None,
) -> Applied:
    """Columns in: `id`, `modified_at` and the source's fields, as text or null. `zone`: of business days.

    `ties`: of a feed, whose names of customers are told in our account ids; rows of a customer whom nobody is tied to
    are rejected.

    A record that breaks mapping or cast is rejected, and the others go on.
    """
    try:
        return _applied(mapping, source, frame, organisation, zone, ties)
    except FAULTS:
        if frame.is_empty():
            raise
        if frame["id"].n_unique() == 1:
            nothing = _applied(mapping, source, frame.clear(), organisation, zone, ties)
            return nothing.with_misfits([Misfit(frame["id"][0], "", None, "unreadable")])
    ids = frame["id"].unique(maintain_order=True)
    first = frame["id"].is_in(ids[: len(ids) // 2].implode())
    parts = (frame.filter(first), frame.filter(~first))
    halves = [apply(mapping, source, part, organisation, zone, ties) for part in parts]
    return _joined(*halves)


def _joined(one: Applied, other: Applied) -> Applied:
    observed = None
    if one.observed is not None and other.observed is not None:
        observed = pl.concat([one.observed, other.observed])
    tables = {name: pl.concat([table, other.tables[name]]) for name, table in one.tables.items()}
    rejects, owners, modified = (
        pl.concat([getattr(one, name), getattr(other, name)]) for name in ("rejects", "owners", "modified")
    )
    numbers = {feed: pl.concat([told, other.numbers[feed]]) for feed, told in one.numbers.items()}
    return Applied([*one.records, *other.records], tables, rejects, owners, observed, modified, numbers)


def _applied(
    mapping: Mapping, source: str, frame: pl.DataFrame, organisation: Organisation, zone: str, ties: Ties | None
) -> Applied:  # fmt: skip
    part = mapping.sources[source]
    tables: dict[str, pl.DataFrame] = {}
    rejects = [REJECTS.to_frame()]
    for item in part.yields:
        renamed = _renamed(item, frame, organisation)
        if ties is not None:
            renamed, strangers = _told_in_ours(item, renamed, ties)
            rejects += strangers
        result = cast(renamed, TABLES[item.table], zone)
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
    owners = _owners(part, frame, misfits, ties)
    numbers = {feed: _numbers(part, frame, name) for feed, name in mapping.numbers(source).items()}
    return Applied(frame["id"].to_list(), tables, misfits, owners, observed, modified, numbers)


def _numbers(part: SourceMap, frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """What accounts say in a field of theirs; null: nothing."""
    text = pl.col(name).str.strip_chars()
    said = pl.when(text != "").then(text).alias("number")
    return frame.select(pl.col(part.owner() or "id").alias("account_id"), said).drop_nulls("account_id")


#: Columns that name a customer; without the first a row is nobody's.
_CUSTOMERS = ("account_id", "parent_id", "payer_id")


def _told_in_ours(item: Yield, rows: pl.DataFrame, ties: Ties) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The rows with our names of customers and claims, and those whose customer or claim nobody knows."""
    strangers: list[pl.DataFrame] = []
    for column in (name for name in _CUSTOMERS if name in rows.columns):
        rows = _translated(rows, column, ties.accounts)
        if column == "account_id":
            rows, unknown = _apart(rows, column)
            strangers.append(rejected(unknown, item.table, column, "unknown_account"))
    if ties.claims is not None and item.table != "receivables" and "receivable_id" in rows.columns:
        rows, unknown = _apart(_translated(rows, "receivable_id", ties.claims), "receivable_id")
        strangers.append(rejected(unknown, item.table, "receivable_id", "unknown_invoice"))
    return rows.drop([name for name in rows.columns if name.startswith("?")]), strangers


def _translated(
    rows: pl.DataFrame, column: str, tie: Callable[[Collection[str]], Mapping_[str, str]]
) -> pl.DataFrame:  # fmt: skip
    """Our name in the place of theirs; null: nobody is tied to it. Theirs stands under `?` and the column's name."""
    theirs = pl.col(column).str.strip_chars()
    rows = rows.with_columns(pl.when(theirs != "").then(theirs).alias(column))
    ours = tie(rows[column].drop_nulls().unique().to_list())
    return rows.with_columns(
        pl.col(column).alias(f"?{column}"),
        pl.col(column).replace_strict(list(ours), list(ours.values()), default=None, return_dtype=pl.String),
    )


def _apart(rows: pl.DataFrame, column: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that are tied or name nobody, and those that name somebody unknown, by their own name."""
    unknown = pl.col(column).is_null() & pl.col(f"?{column}").is_not_null()
    return rows.filter(~unknown), rows.filter(unknown).with_columns(pl.col(f"?{column}").alias(column))


def _owners(part: SourceMap, frame: pl.DataFrame, rejects: pl.DataFrame, ties: Ties | None) -> pl.DataFrame:
    owner = part.owner()
    account = pl.lit(None, pl.String) if owner is None else pl.col(owner).str.strip_chars()
    rows = frame.filter(pl.col("id").is_in(rejects["record"].implode()))
    rows = rows.select(pl.col("id").alias("record"), account.alias("account_id"))
    rows = rows if ties is None else _translated(rows, "account_id", ties.accounts).drop("?account_id")
    return rows.filter(pl.col("account_id") != "").unique(maintain_order=True)


def _renamed(item: Yield, frame: pl.DataFrame, organisation: Organisation) -> pl.DataFrame:
    for test in item.when:
        among = pl.col(test.field).is_in(list(test.among))
        frame = frame.filter(among if test.among else _is_filled(test.field))
    at = moment(pl.col("modified_at")).cast(pl.Int64)
    columns = [_text(rule, organisation).alias(name) for name, rule in item.columns.items()]
    return frame.select(pl.col("id").alias("record"), at.alias("source_modified_at"), *columns)


def _text(rule: Rule, organisation: Organisation) -> pl.Expr:
    text = _unprefixed(rule, organisation)
    if rule.prefix:
        stripped = text.str.strip_chars()
        return pl.when(stripped != "").then(pl.lit(rule.prefix) + stripped)
    return text


def _unprefixed(rule: Rule, organisation: Organisation) -> pl.Expr:
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
