"""COQL for the simulator: one SELECT over a module.

Source: zoho.com/crm/developer/docs/api/v8/COQL-Overview.html and COQL-Limitations: a WHERE, at most 2,000 rows, two
criteria a bracket, 204 when nothing is found; a lookup comes as its id alone. Joins and functions are left out.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from lark import Lark, Transformer
from lark.exceptions import LarkError

#: Most rows and columns per query. Source: COQL-Limitations.
MOST_ROWS, MOST_COLUMNS, MOST_IN = 2_000, 500, 100

_GRAMMAR = r"""
    start: "select"i names "from"i NAME "where"i test ["order"i "by"i orders] ["limit"i INT] ["offset"i INT]
    names: NAME ("," NAME)*
    orders: order ("," order)*
    order: NAME [DIRECTION]
    ?test: single | single AND single -> both | single OR single -> either
    ?single: NAME OP value -> compare
        | NAME "in"i "(" value ("," value)* ")" -> among
        | NAME "is"i "null"i -> empty
        | NAME "is"i "not"i "null"i -> filled
        | "(" test ")"
    value: STRING | NUMBER | BOOLEAN
    AND: "and"i
    OR: "or"i
    BOOLEAN.2: "true"i | "false"i
    DIRECTION: "asc"i | "desc"i
    OP: ">=" | "<=" | "!=" | "=" | ">" | "<"
    NAME: /(?!(and|or|in|is|not|null|order|by|limit|offset|where|from|asc|desc|true|false)\b)[A-Za-z_$][A-Za-z0-9_$.]*/i
    STRING: /'[^']*'/
    NUMBER: /-?[0-9]+(\.[0-9]+)?/
    %import common.INT
    %import common.WS
    %ignore WS
"""
_OPS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
Test = Callable[[Mapping[str, Any]], bool]


class InvalidQueryError(Exception):
    """What Zoho answers with INVALID_QUERY."""


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT that was understood."""

    columns: tuple[str, ...]
    module: str
    #: Names that the criteria and the order use, beside the columns.
    named: tuple[str, ...]
    test: Test
    order: tuple[tuple[str, bool], ...]
    limit: int
    offset: int


def parsed(text: str) -> Query:
    """The query of that text. InvalidQueryError: it breaks the grammar or a limit."""
    try:
        query: Query = _Build().transform(_parser().parse(text))
    except LarkError as error:
        raise InvalidQueryError("syntax error near the given query") from error
    if query.limit > MOST_ROWS or len(query.columns) > MOST_COLUMNS:
        raise InvalidQueryError("limit exceeded")
    return query


def limit_of(text: str) -> int:
    """The rows that a query asks for, which its price goes by; 200 where it does not say."""
    try:
        return parsed(text).limit
    except InvalidQueryError:
        return 0


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr")


class _Build(Transformer[Any, Any]):
    """The grammar's rules, by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.named: list[str] = []

    def names(self, names: list[str]) -> tuple[str, ...]:
        return tuple(str(name) for name in names)

    def value(self, items: list[Any]) -> str:
        return str(items[0]).strip("'")

    def compare(self, items: list[Any]) -> Test:
        name, op, wanted = str(items[0]), _OPS[str(items[1])], items[2]
        self.named.append(name)
        return lambda row: row.get(name) is not None and op(*_alike(row[name], wanted))

    def among(self, items: list[Any]) -> Test:
        name, values = str(items[0]), set(items[1:])
        if len(items) - 1 > MOST_IN:
            raise InvalidQueryError("more than 100 values")
        self.named.append(name)
        return lambda row: plain(row.get(name)) in values

    def empty(self, items: list[Any]) -> Test:
        name = str(items[0])
        self.named.append(name)
        return lambda row: row.get(name) is None

    def filled(self, items: list[Any]) -> Test:
        name = str(items[0])
        self.named.append(name)
        return lambda row: row.get(name) is not None

    def both(self, items: list[Any]) -> Test:
        one, _, other = items
        return lambda row: one(row) and other(row)

    def either(self, items: list[Any]) -> Test:
        one, _, other = items
        return lambda row: one(row) or other(row)

    def order(self, items: list[Any]) -> tuple[str, bool]:
        return str(items[0]), str(items[1] or "asc").lower() == "desc"

    def orders(self, items: list[Any]) -> tuple[tuple[str, bool], ...]:
        return tuple(items)

    def start(self, items: list[Any]) -> Query:
        columns, module, test, order, limit, offset = items
        named = (*self.named, *(name for name, _ in order or ()))
        return Query(columns, str(module), named, test, order or (), int(limit or 200), int(offset or 0))


def selected(query: Query, rows: list[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], bool]:
    """The rows that fit, in order, at most `limit`; and whether there are more."""
    results = [row for row in rows if query.test(row)]
    for name, down in reversed(query.order):
        results.sort(key=lambda row: plain(row.get(name)) or "", reverse=down)
    batch = results[query.offset : query.offset + query.limit]
    names = dict.fromkeys(("id", *query.columns))
    return [{name: _shown(row.get(name)) for name in names} for row in batch], len(results) > query.offset + query.limit


def plain(value: Any) -> str | None:
    """A value as text: a lookup is its id."""
    if isinstance(value, dict):
        return str(value.get("id"))
    return None if value is None else str(value)


def _shown(value: Any) -> Any:
    return {"id": value["id"]} if isinstance(value, dict) and "id" in value else value


def _alike(value: Any, wanted: str) -> tuple[Any, Any]:
    """Both sides as what they are: instants, numbers, or text. Ids have equally many digits and compare as text."""
    text = plain(value) or ""
    if "T" in wanted:
        try:
            return datetime.fromisoformat(text), datetime.fromisoformat(wanted)
        except ValueError:
            raise InvalidQueryError("the value given is no instant") from None
    return text.rjust(20), wanted.rjust(20)
