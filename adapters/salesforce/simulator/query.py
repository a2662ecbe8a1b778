"""Runs SOQL over a simulated org: visible fields only, parents by their relationship, aggregates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from adapters.salesforce.simulator.org import Org, Table
from adapters.salesforce.simulator.soql import Column, Context, Query, parsed
from connector.errors import Misconfigured


class QueryError(Exception):
    """errorCode and message of a query that is refused."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def run(org: Org, text: str, *, deleted: bool = False) -> tuple[Query, Table, list[dict[str, Any]]]:
    """The query, its object, and the records that it finds, whole."""
    query = parsed(text)
    try:
        table = org.table(query.object)
    except Misconfigured:
        raise QueryError("INVALID_TYPE", f"sObject type '{query.object}' is not supported.") from None
    for name in query.named:
        if _place(org, table, name) is None and name.casefold() not in _aliases(query):
            message = f"No such column '{name}' on entity '{table.name}'."
            raise QueryError("INVALID_FIELD", message)
    rows = list(table.records.values())
    if deleted or query.all_rows:
        rows += list(org.bin.get(table.name, {}).values())

    def get(row: Mapping[str, Any], name: str) -> Any:
        return value_of(org, table, row, name)

    def joined(inner: Query) -> list[Any]:
        _, other, results = _found(org, inner)
        return [value_of(org, other, row, inner.columns[0].name) for row in results]

    context = Context(get, org.now(), joined)
    if query.test is not None:
        rows = [row for row in rows if query.test(row, context)]
    return query, table, _ordered(query, rows, get)


def _found(org: Org, query: Query) -> tuple[Query, Table, list[dict[str, Any]]]:
    table = org.table(query.object)
    context = Context(lambda row, name: value_of(org, table, row, name), org.now(), lambda _: [])
    rows = [row for row in table.records.values() if query.test is None or query.test(row, context)]
    return query, table, rows


def shown(org: Org, query: Query, table: Table, row: Mapping[str, Any], version: str) -> dict[str, Any]:
    """A record as REST shows it: attributes, and its columns; a parent as an object of its own."""
    result: dict[str, Any] = {
        "attributes": {"type": table.name, "url": f"/services/data/{version}/sobjects/{table.name}/{row['Id']}"}
    }
    for column in query.columns:
        parent, _, rest = column.name.partition(".")
        if not rest:
            result[_real(table, column.name)] = value_of(org, table, row, column.name)
            continue
        inner = result.setdefault(parent, {"attributes": {"type": parent}})
        inner[rest] = value_of(org, table, row, column.name)
    return result


def grouped(org: Org, query: Query, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of an aggregate query."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(value_of(org, table, row, name) for name in query.groups), []).append(row)
    if not query.groups and not groups:
        groups[()] = []
    results = []
    for batch in groups.values():
        document: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
        for place, column in enumerate(query.columns):
            key = column.alias or (f"expr{place}" if column.function else column.name)
            document[key] = _aggregate(org, table, column, batch)
        results.append(document)
    return results


def value_of(org: Org, table: Table, row: Mapping[str, Any], name: str) -> Any:
    """A field's value, by any case of its name, or a parent's."""
    parent, _, rest = name.partition(".")
    if not rest:
        return row.get(_real(table, name))
    link = _link(table, parent)
    other = org.tables.get(table.fields[link].reference) if link else None
    record = other.records.get(str(row.get(link))) if other and link else None
    return value_of(org, other, record, rest) if other and record else None


def _aggregate(org: Org, table: Table, column: Column, rows: Sequence[Mapping[str, Any]]) -> Any:
    if not column.function:
        return value_of(org, table, rows[0], column.name) if rows else None
    values = [value_of(org, table, row, column.name) for row in rows] if column.name else [1] * len(rows)
    there = [value for value in values if value is not None]
    match column.function:
        case "count":
            return len(there)
        case "count_distinct":
            return len(set(there))
        case "min" | "max" if there:
            return min(there) if column.function == "min" else max(there)
        case "sum" | "avg" if there:
            total = sum((Decimal(str(value)) for value in there), Decimal(0))
            return total if column.function == "sum" else total / len(there)
    return None


def _ordered(query: Query, rows: list[dict[str, Any]], get: Any) -> list[dict[str, Any]]:
    def compare(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
        for name, down, nulls_first in query.order:
            a, b = get(one, name), get(other, name)
            if a == b:
                continue
            if a is None or b is None:
                return -1 if (a is None) == nulls_first else 1
            return (-1 if a < b else 1) * (-1 if down else 1)
        return 0

    results = sorted(rows, key=cmp_to_key(compare)) if query.order else rows
    end = None if query.limit is None else query.offset + query.limit
    return results[query.offset : end]


def _place(org: Org, table: Table, name: str) -> str | None:
    """The name of a field as the object has it, if it may be seen; of a parent's field, the whole."""
    parent, _, rest = name.partition(".")
    if rest:
        link = _link(table, parent)
        other = org.tables.get(table.fields[link].reference) if link else None
        return name if other and _place(org, other, rest) else None
    real = _real(table, name)
    return real if real in table.fields and table.fields[real].granted else None


def _real(table: Table, name: str) -> str:
    if name in table.fields:
        return name
    return next((key for key in table.fields if key.casefold() == name.casefold()), name)


def _link(table: Table, parent: str) -> str | None:
    """The field behind a relationship: Owner → OwnerId, Account__r → Account__c."""
    wanted = f"{parent.removesuffix('__r')}__c" if parent.endswith("__r") else f"{parent}Id"
    return next((name for name in table.fields if name.casefold() == wanted.casefold()), None)


def _aliases(query: Query) -> set[str]:
    return {column.alias.casefold() for column in query.columns if column.alias}
