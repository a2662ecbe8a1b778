"""What a source has and no mapping takes: rows and columns of a portfolio, fields of a CRM's objects, whole tables.

Nothing vanishes without a word: whoever fills, reads or checks a source tells what is left out, with counts, and what
else could bring it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from connector.schema import TABLES, Column
from mappings.feeds import LEDGER
from mappings.load import Mapping as Mapping_
from mappings.load import Yield

#: Field of a source that bears the day on which it was read: the system keeps no history.
READ_ON = "read_on"
#: Tables that people fill in zixin itself, or that it makes; no CRM is expected to bring them.
_OWN = ("links", "profiles", "decisions", "actions")
#: Columns that a system makes itself: its ids, and what only repeats another column there.
_MADE = frozenset({"limit_id", "allocation_id", "owner_id", "basis", "payment_amount", "payment_currency"})
#: What an allocation says in the payment's currency, it need not say in the claim's.
_IMPLIED = frozenset({("allocations", "amount"), ("allocations", "currency")})


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of a table, or values of one of its columns, that do not arrive."""

    table: str
    #: Empty: the whole table.
    column: str
    rows: int


@dataclass(frozen=True, slots=True)
class Unread:
    """Fields of an object that no source reads."""

    object: str
    fields: tuple[str, ...]
    #: How many fields it has, zixin's own left out.
    of: int


def of_tables(mapping: Mapping_, tables: Mapping[str, pl.DataFrame]) -> list[LeftOut]:
    """What of canonical tables a system of that mapping has no place for. Columns in: those of the canonical tables.

    A table that nothing yields is left out whole; of the others each column that no rule fills, with its values that
    say something: neither null nor what stands in where a source says nothing.
    """
    result: list[LeftOut] = []
    for name, frame in tables.items():
        yields = [item for part in mapping.sources.values() for item in part.yields if item.table == name]
        if frame.is_empty():
            continue
        if not yields:
            result.append(LeftOut(name, "", frame.height))
            continue
        for column in TABLES[name].columns:
            implied = column.name in _MADE or (name, column.name) in _IMPLIED
            # What names the order names the claims that bill it.
            implied |= (name, column.name) == ("allocations", "receivable_id") and _reads(yields, "order_id")
            if column.name in frame.columns and not implied:
                rows = frame.filter(_says(column) & ~_kept(column, yields)).height
                result += [LeftOut(name, column.name, rows)] if rows else []
    return result + _limits(mapping, tables) + _rates(mapping, tables)


def _reads(yields: Iterable[Yield], column: str) -> bool:
    return any(column in item.columns and item.columns[column].field for item in yields)


def _says(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    if column.kind == "flag":
        return value.fill_null(value=False)
    return value.is_not_null() if column.default is None else (value != column.default).fill_null(value=False)


def _kept(column: Column, yields: Iterable[Yield]) -> pl.Expr:
    """Whether some yield can say the value: it reads a field for it, or says that very value."""
    rules = [item.columns[column.name] for item in yields if column.name in item.columns]
    if any(rule.field or (rule.const or "").startswith("$") for rule in rules):
        return pl.lit(value=True)
    texts = [text for rule in rules for text in (rule.const, rule.then, rule.otherwise) if text is not None]
    return pl.col(column.name).cast(pl.String).is_in(texts) if texts else pl.lit(value=False)


def _limits(mapping: Mapping_, tables: Mapping[str, pl.DataFrame]) -> list[LeftOut]:
    """Second limits of an account, where the CRM keeps one in a field of the account."""
    limits = tables.get("limits")
    places = [
        part for part in mapping.sources.values() if {"accounts", "limits"} <= {item.table for item in part.yields}
    ]
    if limits is None or not places:
        return []
    again = limits.height - limits["account_id"].n_unique()
    return [LeftOut("limits", "limit_id", again)] if again else []


def _rates(mapping: Mapping_, tables: Mapping[str, pl.DataFrame]) -> list[LeftOut]:
    """Rates of earlier days, where the system keeps none but today's."""
    rates = tables.get("rates")
    days = {
        item.columns["day"].field
        for part in mapping.sources.values()
        for item in part.yields
        if item.table == "rates" and "day" in item.columns
    }
    if rates is None or rates.is_empty() or days != {READ_ON}:
        return []
    earlier = rates.height - rates.select(pl.struct("currency", "base").n_unique()).item()
    return [LeftOut("rates", "day", earlier)] if earlier else []


def brought_beside(left: Iterable[LeftOut], tables: Mapping[str, pl.DataFrame]) -> tuple[str, ...]:
    """Tables that a feed has to bring so that nothing is left out: claims with all that settles them, accounts as
    profiles.
    """
    names = {each.table for each in left}
    if names & set(LEDGER):
        names |= {name for name in LEDGER if name in tables}
    return tuple(as_brought(name) for name in TABLES if name in names)


def as_brought(table: str) -> str:
    """The table under which a feed brings it: what it knows of customers are profiles."""
    return "profiles" if table == "accounts" else table


def of_objects(mapping: Mapping_, described: Mapping[str, Iterable[str]]) -> list[Unread]:
    """Fields of the objects that the mapping reads and that none of its sources takes, zixin's own left out.

    described: object → names of its fields.
    """
    result: list[Unread] = []
    for object_, fields in described.items():
        parts = [part for part in mapping.sources.values() if part.object == object_]
        ours = set(mapping.writes.fields.values()) if mapping.writes.object == object_ else set()
        names = [name for name in fields if name not in ours]
        taken = {
            "id",
            *(name for part in parts for field in part.fields() for name in (field, field.partition(".")[0])),
        }
        left = tuple(name for name in names if name not in taken and name.lower() != "id")
        if parts and left:
            result.append(Unread(object_, left, len(names)))
    return result


def unbrought(mapping: Mapping_, absent: Collection[str] = ()) -> tuple[str, ...]:
    """Canonical tables that no source brings; those that people fill in zixin are none of them.

    absent: optional sources that are not there.
    """
    brought = {item.table for name, part in mapping.sources.items() if name not in absent for item in part.yields}
    return tuple(name for name in TABLES if name not in brought and name not in _OWN)
