"""SOQL for the simulator, parsed properly: what clients really send.

Source: developer.salesforce.com SOQL and SOSL reference: SELECT of fields, parents by dotted names, COUNT() and
aggregates with GROUP BY; WHERE with AND, OR, NOT, comparisons, LIKE, IN, NOT IN, INCLUDES, EXCLUDES, date literals,
semi-joins; ORDER BY with NULLS FIRST or LAST; LIMIT, OFFSET, ALL ROWS. A comparison of null with < or > is false; text
is compared without case. TYPEOF, WITH and subqueries in SELECT are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import LarkError, VisitError

_GRAMMAR = r"""
    start: "select"i columns "from"i NAME [alias] ["where"i test] [grouped] [ordered] [limited] [skipped] [ALLROWS]
    ?grouped: "group"i "by"i groups
    ?ordered: "order"i "by"i orders
    ?limited: "limit"i INT
    ?skipped: "offset"i INT
    alias: NAME
    columns: column ("," column)*
    column: NAME [NAME] -> plain
        | FUNCTION "(" [NAME] ")" [NAME] -> aggregate
    groups: NAME ("," NAME)*
    orders: order ("," order)*
    order: NAME [DIRECTION] [NULLS]
    ?test: both | either | single
    both: single ("and"i single)+
    either: single ("or"i single)+
    ?single: NAME OP value -> compare
        | NAME "like"i STRING -> like
        | NAME [NOT] "in"i "(" value ("," value)* ")" -> among
        | NAME [NOT] "in"i "(" start ")" -> joined
        | NAME INCLUDES "(" STRING ("," STRING)* ")" -> includes
        | "not"i single -> negated
        | "(" test ")"
    ?value: STRING -> string
        | DATETIME -> moment
        | DATE -> day
        | LITERAL -> literal
        | NUMBER -> number
        | BOOLEAN -> boolean
        | NULL -> null
    FUNCTION.3: /(count_distinct|count|sum|max|min|avg)(?=\s*\()/i
    ALLROWS: /all\s+rows/i
    NOT: "not"i
    INCLUDES: "includes"i | "excludes"i
    NULLS: /nulls\s+(first|last)/i
    BOOLEAN.2: /(true|false)\b/i
    NULL.2: /null\b/i
    DIRECTION: /(asc|desc)\b/i
    OP: ">=" | "<=" | "!=" | "<>" | "=" | ">" | "<"
    DATETIME.4: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/
    DATE.3: /\d{4}-\d\d-\d\d/
    LITERAL.2: /(YESTERDAY|TODAY|TOMORROW|(LAST|NEXT)_N_DAYS:\d+)\b/i
    NAME: /(?!(KEYWORDS)\b)[A-Za-z][A-Za-z0-9_.]*/i
    STRING: /'(\\.|[^'\\])*'/
    NUMBER: /[+-]?\d+(\.\d+)?([eE][+-]?\d+)?/
    %import common.INT
    %import common.WS
    %ignore WS
"""
_KEYWORDS = (
    "and|or|not|in|like|includes|excludes|order|group|where|from|limit|offset|null|true|false|asc|desc|nulls|all"
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
Row = Mapping[str, Any]
#: Row and a dotted name → its value.
Get = Callable[[Row, str], Any]
Test = Callable[[Row, "Context"], bool]


class MalformedQueryError(Exception):
    """What Salesforce answers with MALFORMED_QUERY."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a query runs against."""

    get: Get
    now: datetime
    #: Values of a semi-join's column.
    run: Callable[[Query], list[Any]]


@dataclass(frozen=True, slots=True)
class Column:
    """A field, or an aggregate of one."""

    name: str
    function: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT that was understood."""

    columns: tuple[Column, ...]
    object: str
    test: Test | None
    groups: tuple[str, ...]
    #: Field, descending, nulls first.
    order: tuple[tuple[str, bool, bool], ...]
    limit: int | None
    offset: int
    all_rows: bool
    #: Every field that is named, for INVALID_FIELD.
    named: tuple[str, ...] = field(default=())


def parsed(text: str) -> Query:
    """The query of that text. MalformedQueryError: it breaks the grammar."""
    try:
        build = _Build()
        query: Query = build.transform(_parser().parse(text))
    except (LarkError, VisitError) as error:
        raise MalformedQueryError(f"unexpected token near: {text[:60]}") from error
    return query


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR.replace("KEYWORDS", _KEYWORDS), parser="lalr", maybe_placeholders=True)


@v_args(inline=True)
class _Build(Transformer[Any, Any]):
    """The grammar's rules, by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.named: list[str] = []

    def start(self, columns: Any, name: Token, alias: Any, test: Any, groups: Any, orders: Any, *rest: Any) -> Query:
        del alias
        limit, offset, whole = rest
        return Query(
            columns,
            str(name),
            test,
            groups or (),
            orders or (),
            None if limit is None else int(limit),
            int(offset or 0),
            whole is not None,
            tuple(self.named),
        )

    def columns(self, *columns: Column) -> tuple[Column, ...]:
        return columns

    def plain(self, name: Token, alias: Token | None) -> Column:
        self.named.append(str(name))
        return Column(str(name), alias=str(alias or ""))

    def aggregate(self, function: Token, name: Token | None, alias: Token | None) -> Column:
        if name:
            self.named.append(str(name))
        return Column(str(name or ""), str(function).lower(), str(alias or ""))

    def groups(self, *names: Token) -> tuple[str, ...]:
        self.named += map(str, names)
        return tuple(map(str, names))

    def orders(self, *orders: Any) -> tuple[Any, ...]:
        return orders

    def order(self, name: Token, direction: Token | None, nulls: Token | None) -> tuple[str, bool, bool]:
        self.named.append(str(name))
        down = str(direction or "").lower() == "desc"
        return str(name), down, str(nulls).lower().endswith("first") if nulls else not down

    def both(self, *tests: Test) -> Test:
        return lambda row, context: all(test(row, context) for test in tests)

    def either(self, *tests: Test) -> Test:
        return lambda row, context: any(test(row, context) for test in tests)

    def negated(self, test: Test) -> Test:
        return lambda row, context: not test(row, context)

    def compare(self, name: Token, op: Token, wanted: Any) -> Test:
        key, how = str(name), str(op)
        self.named.append(key)
        # Ids keep their case; of other texts it does not count.
        fold = (lambda value: value) if key.rpartition(".")[2] == "Id" else _folded
        return lambda row, context: _compared(context.get(row, key), how, _meant(wanted, context), fold)

    def like(self, name: Token, pattern: Token) -> Test:
        key = str(name)
        self.named.append(key)
        text = _unquoted(pattern)
        shape = re.compile(re.escape(text).replace("%", ".*").replace("_", "."), re.IGNORECASE | re.DOTALL)
        return lambda row, context: shape.fullmatch(str(context.get(row, key) or "")) is not None

    def among(self, name: Token, no: Token | None, *wanted: Any) -> Test:
        key, inside = str(name), no is None
        self.named.append(key)
        items = {_folded(value) for value in wanted}
        return lambda row, context: (_folded(context.get(row, key)) in items) == inside

    def joined(self, name: Token, no: Token | None, query: Query) -> Test:
        key, inside = str(name), no is None
        stored: dict[int, set[Any]] = {}

        def test(row: Row, context: Context) -> bool:
            items = stored.setdefault(id(context), {_folded(value) for value in context.run(query)})
            return (_folded(context.get(row, key)) in items) == inside

        return test

    def includes(self, name: Token, how: Token, *wanted: Token) -> Test:
        key, inside = str(name), str(how).lower() == "includes"
        self.named.append(key)
        sets = [set(_unquoted(each).split(";")) for each in wanted]

        def test(row: Row, context: Context) -> bool:
            has = set(str(context.get(row, key) or "").split(";"))
            return any(each <= has for each in sets) == inside

        return test

    def string(self, text: Token) -> str:
        return _unquoted(text)

    def moment(self, text: Token) -> datetime:
        return datetime.fromisoformat(str(text))

    def day(self, text: Token) -> date:
        return date.fromisoformat(str(text))

    def number(self, text: Token) -> Decimal:
        return Decimal(str(text))

    def boolean(self, text: Token) -> bool:
        return str(text).lower() == "true"

    def null(self, _: Token) -> None:
        return None

    def literal(self, text: Token) -> str:
        return f"\0{str(text).upper()}"


def _unquoted(text: Token) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), str(text)[1:-1])


def _meant(wanted: Any, context: Context) -> Any:
    """A date literal as a range of days; anything else as it is."""
    if not (isinstance(wanted, str) and wanted.startswith("\0")):
        return wanted
    today = context.now.date()
    word, _, count = wanted[1:].partition(":")
    days = {"YESTERDAY": (-1, -1), "TODAY": (0, 0), "TOMORROW": (1, 1)}.get(word)
    if days is None:
        days = (-int(count), 0) if word.startswith("LAST") else (1, int(count))
    return today + timedelta(days=days[0]), today + timedelta(days=days[1])


def _compared(has: Any, how: str, wanted: Any, fold: Callable[[Any], Any]) -> bool:
    if isinstance(wanted, tuple):
        low, high = wanted
        here = _typed(has, low, fold)
        if here is None:
            return how in ("!=", "<>")
        tests = {"=": low <= here <= high, "<": here < low, ">": here > high, "<=": here <= high, ">=": here >= low}
        return bool(tests.get(how, not low <= here <= high))
    if wanted is None or has is None:
        same = wanted is None and has is None
        return same if how == "=" else how in ("!=", "<>") and not same
    one, other = _typed(has, wanted, fold), fold(wanted)
    if one is None:
        return how in ("!=", "<>")
    match how:
        case "=":
            return bool(one == other)
        case "!=" | "<>":
            return bool(one != other)
        case ">":
            return bool(one > other)
        case "<":
            return bool(one < other)
        case ">=":
            return bool(one >= other)
    return bool(one <= other)


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _typed(has: Any, wanted: Any, fold: Callable[[Any], Any]) -> Any:
    """What a record has, as the kind that it is compared with; None: it is no such thing."""
    try:
        if isinstance(wanted, datetime):
            at = datetime.fromisoformat(str(has))
            return at if at.tzinfo else at.replace(tzinfo=UTC)
        if isinstance(wanted, date):
            return date.fromisoformat(str(has)[:10])
        if isinstance(wanted, Decimal) and not isinstance(has, bool):
            return Decimal(str(has))
    except (ValueError, ArithmeticError):
        return None
    return fold(has)
