"""Which tables of a database or a lake hold what, by their names and columns: proposals for a person to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.ports import Described
from connector.schema import TABLES
from mappings.lexicon import meanings
from mappings.matching import suggest, words_of

#: Canonical table → what such tables are called, in English, German and Chinese.
_CALLED = {
    "accounts": ("customer", "account", "client", "kunde", "debitor", "partner", "客户", "往来单位"),
    "receivables": ("invoice", "receivable", "bill", "rechnung", "faktura", "beleg", "发票", "应收", "账单"),
    "payments": ("payment", "receipt", "collection", "zahlung", "zahlungseingang", "收款", "回款", "付款", "到账"),
    "allocations": ("allocation", "application", "settlement", "matching", "zuordnung", "ausgleich", "核销", "分配"),
    "adjustments": ("credit", "memo", "adjustment", "gutschrift", "贷项", "红字", "冲减"),
    "orders": ("order", "auftrag", "bestellung", "订单"),
    "limits": ("limit", "kreditlimit", "额度", "授信"),
    "rates": ("rate", "exchange", "kurs", "wechselkurs", "汇率"),
}
#: Columns without which a row says nothing, where the table has them.
_TELLING = ("account_id", "amount", "due", "paid_on", "ordered_on", "receivable_id", "payment_id", "name", "rate")
#: Below it nothing is proposed.
_LEAST = 0.5
_NAME, _COLUMNS, _ALONE = 0.45, 0.55, 0.7
_SEVERAL = 3
#: Words of what a company owes, not of what it is owed.
_BOUGHT = frozenset({"vendor", "supplier", "lieferant", "kreditor", "purchase"})


@dataclass(frozen=True, slots=True)
class Place:
    """A table that may hold a canonical one. `score`: 0 to 1; `columns`: those for which a field was found."""

    table: str
    object: str
    score: float
    columns: tuple[str, ...]


def places(objects: Sequence[Described]) -> dict[str, list[Place]]:
    """Canonical table → the tables that may hold it, the best first; each is proposed for what it fits best."""
    found: list[Place] = []
    for described in objects:
        judged = [_judged(table, described) for table in _CALLED]
        best = max(judged, key=lambda each: each.score)
        if best.score >= _LEAST:
            found.append(best)
    result: dict[str, list[Place]] = {}
    for each in sorted(found, key=lambda each: (-each.score, each.object)):
        result.setdefault(each.table, []).append(each)
    return {table: result[table] for table in _CALLED if table in result}


def _judged(table: str, described: Described) -> Place:
    known: Mapping[str, object] = meanings()[table]
    proposed = {each.column: each.candidates[0].score for each in suggest(table, described) if each.candidates}
    telling = [each for each in _TELLING if each in known]
    share = sum(proposed.get(each, 0.0) for each in telling) / len(telling)
    others = sum(column in proposed for column in known) / len(known)
    columns = tuple(name for name in TABLES[table].names() if name in proposed)
    name = max(_by_name(table, each) for each in (described.object.rpartition(".")[2], described.label))
    held = 0.75 * share + 0.25 * others
    # Columns that say it all need no name; a supplier's are no customer's.
    score = max(_NAME * name + _COLUMNS * held, _ALONE * held if len(telling) >= _SEVERAL else 0.0)
    words = {word for field in described.fields for word in words_of(f"{field.name} {field.label}")}
    bought = bool(words & _BOUGHT or any(each in described.label for each in ("供应商", "采购")))
    return Place(table, described.object, score * (0.5 if bought and "account_id" not in proposed else 1.0), columns)


def _by_name(table: str, name: str) -> float:
    """How well a table's name says what it holds: as a whole, by its last word, by some word."""
    own = words_of(name)
    best = 0.0
    for called in _CALLED[table]:
        if not called.isascii():
            best = max(best, 1.0 if called in name else 0.0)
            continue
        for at, word in enumerate(own):
            if word.startswith(called) and len(word) - len(called) <= len("en"):
                # An invoice's lines are no invoices: the last word says what it is.
                best = max(best, 1.0 if at == len(own) - 1 else 0.5)
            elif word.endswith(called) or word.startswith(called):
                best = max(best, 0.5)
    return best
