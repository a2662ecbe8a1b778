"""Proposes for every canonical column the CRM's field: by name, labels, type, target, options and sample values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rapidfuzz import fuzz

from connector.ports import Described, Field
from connector.schema import TABLES, Column
from mappings.cast import fitting
from mappings.lexicon import UMLAUTS, Meaning, Target, meanings
from mappings.likely import may_be_thousands
from mappings.load import Rule

Shape = Literal["day", "number", "flag", "choice", "reference", "text", "other"]

#: Below it nothing is proposed: an admin who has to look anyway loses more by a wrong proposal than by none.
LEAST = 0.5
_MOST = 3
#: Share of a field's values that cast; some records hold anything.
_CASTS = 0.95
#: What a field that no record fills is worth beside others.
_EMPTY = 0.9
#: Kinds whose values are words, which a mapping can translate.
_WORDED = ("choice", "flag", "currency")

#: A vendor's word for a type → what can be in it.
_SHAPES: dict[str, Shape] = {
    **dict.fromkeys(("date", "datetime", "datetimeoptional", "timestamp", "day"), "day"),
    **dict.fromkeys(
        ("currency", "monetary", "double", "float", "numeric", "decimal", "number", "int", "integer", "long", "bigint",
         "money", "formula", "rollup_summary"), "number",
    ),
    **dict.fromkeys(("boolean", "bool", "check", "checkbox", "flag", "true_or_false"), "flag"),
    **dict.fromkeys(
        ("picklist", "select", "selection", "enum", "choice", "select_one", "combobox", "multipicklist", "multivalue"),
        "choice",
    ),
    **dict.fromkeys(
        ("reference", "lookup", "many2one", "link", "dynamiclink", "ownerlookup", "userlookup", "object_reference",
         "employee", "linkparent"), "reference",
    ),
    **dict.fromkeys(
        ("binary", "image", "attachimage", "attach", "one2many", "many2many", "multiselectpicklist", "email", "phone",
         "url", "website", "fax", "fileupload", "imageupload", "time", "html", "texteditor", "password", "choices"),
        "other",
    ),
}  # fmt: skip
#: Kind of a canonical column → what a field must hold; a text may hold anything, and its values tell.
_FITS: dict[str, tuple[Shape, ...]] = {
    "day": ("day", "text"), "instant": ("day", "text"), "money": ("number", "text"), "rate": ("number", "text"),
    "ratio": ("number", "text"), "count": ("number", "text"), "flag": ("flag", "choice", "text"),
    "choice": ("choice", "text", "reference"), "currency": ("choice", "reference", "text"),
    "text": ("text", "reference", "choice", "number"),
}  # fmt: skip
#: Columns of kind text that hold something else than words.
_ALSO: dict[str, tuple[Shape, ...]] = {
    "status": ("flag",), "disputed_on": ("flag",), "bounced_on": ("flag",), "voided_on": ("flag",),
    "founded_on": ("number",),
}  # fmt: skip
_IDS = ("account_id", "parent_id", "owner_id", "rep_id", "seller_id", "payer_id", "receivable_id", "payment_id",
        "supersedes_id", "order_id")  # fmt: skip

_TARGETS: dict[Target, tuple[str, ...]] = {
    "account": ("account", "customer", "partner", "party", "client", "customers", "accounts", "thirdparty", "lead"),
    "user": ("user", "users", "employee", "salesperson", "salesrep", "owner"),
    "currency": ("currency",), "country": ("country",), "company": ("company", "organization", "legalentity"),
    "receivable": ("invoice", "receivable", "bill", "doctype", "move"),
    "payment": ("payment", "receipt", "paymententry", "collection"), "order": ("order", "salesorder", "salesorders"),
}  # fmt: skip
#: What a reference points to → the canonical table that stands there.
_TABLES: dict[Target, str] = {"account": "accounts", "receivable": "receivables", "payment": "payments"}
_PLACED = ("account_id", "receivable_id", "payment_id")
#: Words that say nothing of what a field holds.
_FILLER = frozenset({"c", "id", "the", "of", "a", "cf", "custom", "x", "field", "property", "s", "iso"})
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_STEMS = {"no": "number", "num": "number", "cust": "customer", "amt": "amount", "inv": "invoice", "curr": "currency",
          "pmt": "payment", "cancelled": "cancel", "cancellation": "cancel", "canceled": "cancel",
          "nr": "number"}  # fmt: skip
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One field that may hold a column. `score`: 0 to 1."""

    field: str
    score: float
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """The best fields for one column, the best first; empty: no field seems to hold it."""

    table: str
    column: str
    candidates: tuple[Candidate, ...]
    #: The best one whose values are other words than the column takes: it needs `values` in the mapping.
    untranslated: tuple[Candidate, ...] = ()


def suggest(
    table: str, described: Described, labels: Mapping[str, str] | None = None,
    samples: Mapping[str, Sequence[str]] | None = None, objects: Mapping[str, str] | None = None,
    rules: Mapping[str, Rule] | None = None, ours: Collection[str] = (), keys: Mapping[str, str] | None = None,
) -> list[Proposal]:  # fmt: skip
    """One proposal for every column of a canonical table that the lexicon knows, in the table's order.

    `labels`: field → its label in a second language; `samples`: field → values of some records; `objects`: canonical
    table → the CRM's object that holds it, as far as known: a reference to it is told by that; `rules`: column → how
    the mapping translates it now; `ours`: fields that zixin writes or made, which hold no fact; `keys`: canonical
    table → the field that tells its records apart, which references are called like. A field whose values do not cast
    is not proposed; one of options or yes and no is told as untranslated.
    """
    second, places = labels or {}, objects or {}
    known = {
        name: _place(meaning, places) if name in _PLACED else meaning
        for name, meaning in meanings().get(table, {}).items()
    }
    items = {*words_of(described.object), *({"invoice"} if table == "receivables" else ())}
    # An object is called in the plural, its fields in the singular.
    around = frozenset({*items, *(word.rstrip("s") for word in items)})
    columns = [column for column in TABLES[table].columns if column.name in known]
    forms = {field.name: _forms(field, second.get(field.name, "")) for field in described.fields}
    proposals = []
    for column in columns:
        candidates: list[Candidate] = []
        foreign: list[Candidate] = []
        for field in described.fields:
            values = (samples or {}).get(field.name, ())
            if field.name in ours or not fits(column, field):
                continue
            casts = _casts(column, values, (rules or {}).get(column.name))
            if not casts and column.kind not in _WORDED:
                continue
            one = _judge(column, known[column.name], field, forms[field.name], (described.object, places), around)
            if keys is not None:
                one = _by_key(known[column.name], field, (described, places), keys, one)
            if samples and not values:
                # Where others hold something, an empty field is the poorer one.
                one = replace(one, score=one.score * _EMPTY)
            (candidates if casts else foreign).append(_by_values(column, one, values))
        proposals.append(Proposal(table, column.name, _best(candidates), _best(foreign)[:1]))
    return _one_each(proposals)


def _by_key(
    meaning: Meaning, field: Field, where: tuple[Described, Mapping[str, str]], keys: Mapping[str, str], one: Candidate
) -> Candidate:
    """A reference is mostly called as the key of the table that it points to; one alone that points there is it."""
    table = _TABLES.get(meaning.target, "")
    described, places = where
    place = places.get(table, "")
    if not place or place == described.object:
        return one
    if field.name.casefold() == keys.get(table, "").casefold():
        return replace(one, score=max(one.score, 0.9), en=f"called as the key of {place}", zh=f"与 {place} 的主键同名")
    alone = sum(place in _targets(each) for each in described.fields) == 1
    if alone and place in _targets(field):
        return replace(one, score=max(one.score, 0.7), en=f"points to {place}", zh=f"指向 {place}")
    return one


def _best(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    return tuple(sorted((each for each in candidates if each.score >= LEAST), key=lambda each: -each.score))


def _one_each(made: Sequence[Proposal]) -> list[Proposal]:
    """A field holds one column: that of which it says most; of equals, the first."""
    taken: dict[str, tuple[float, str]] = {}
    for each in made:
        for candidate in each.candidates[:1]:
            if candidate.score > taken.get(candidate.field, (0.0, ""))[0]:
                taken[candidate.field] = candidate.score, each.column
    return [
        replace(each, candidates=tuple(
            one for one in each.candidates if taken.get(one.field, (0.0, each.column))[1] == each.column
        )[:_MOST])
        for each in made
    ]  # fmt: skip


def _place(meaning: Meaning, objects: Mapping[str, str]) -> Meaning:
    """A reference is also called as the object that it points to: `Contact`, where the accounts are contacts."""
    place = objects.get(_TABLES.get(meaning.target, ""), "")
    words = [word for word in words_of(place) if word not in meaning.en]
    if not words:
        return meaning
    return replace(meaning, en=(*meaning.en, " ".join(words)), never=tuple(set(meaning.never) - set(words)))


def shape(type_: str) -> Shape:
    """What a field of that type holds; a type that nobody knows is text."""
    return _SHAPES.get(re.sub(r"[^a-z0-9_]", "", type_.lower()), "text")


def fits(column: Column, field: Field) -> bool:
    """Whether a field of that type can hold the column's kind."""
    allowed = (*_FITS[column.kind], *_ALSO.get(column.name, ()))
    held = shape(field.type)
    return held in allowed and not (column.name in _IDS and held == "number")


def _casts(column: Column, values: Sequence[str], rule: Rule | None) -> bool:
    """Whether nearly all of the values cast, as the mapping translates them; without values nobody knows."""
    if rule is not None and rule.values:
        values = [rule.values.get(value, rule.otherwise or value) for value in values]
    # An amount that may be a thousandth of what it is casts, too.
    wrong = column.kind == "money" and may_be_thousands(values)
    return not wrong and fitting(column, values) >= _CASTS * len(values)


@dataclass(frozen=True, slots=True)
class _Form:
    """One way in which a field is called."""

    said: str
    words: frozenset[str]
    chinese: str = ""


def _forms(field: Field, second: str) -> list[_Form]:
    forms = []
    for label in dict.fromkeys((field.name, field.label, second)):
        plain = unicodedata.normalize("NFKC", label or "").strip()
        if any("\u4e00" <= each <= "\u9fff" for each in plain):
            forms.append(_Form(plain, frozenset(), re.sub(r"[\s()（）:：*]", "", plain)))
        elif plain:
            forms.append(_Form(plain, frozenset(words_of(plain))))
    return forms


def words_of(text: str) -> list[str]:
    """Words of a name in any style, in lower case."""
    plain = unicodedata.normalize("NFKC", text).translate(UMLAUTS)
    plain = re.sub(r"__(c|r|pc)$", "", plain)
    return [_STEMS.get(word, word) for word in (each.lower() for each in _WORDS.findall(plain))]


def _judge(
    column: Column,
    meaning: Meaning,
    field: Field,
    forms: Sequence[_Form],
    where: tuple[str, Mapping[str, str]],
    around: frozenset[str],
) -> Candidate:
    best, why = 0.0, ("", "")
    for form in forms:
        score, phrase = _chinese(meaning, form) if form.chinese else _latin(meaning, form, around)
        if score > best:
            best, why = score, (f"{form.said} ~ {phrase}", f"{form.said} ≈ {phrase}")
    if best == 0.0:
        best, why = _without_words(meaning, field, *where)
    score = best * _of_type(column, field) + _of_target(meaning, field, *where) + _of_options(meaning, field)
    return Candidate(field.name, max(0.0, min(1.0, score)), *why)


def _latin(meaning: Meaning, form: _Form, around: frozenset[str]) -> tuple[float, str]:
    """English or German, whichever says it better."""
    return max(_said(phrases, meaning, form, around) for phrases in (meaning.en, meaning.de))


def _said(phrases: Sequence[str], meaning: Meaning, form: _Form, around: frozenset[str]) -> tuple[float, str]:
    """How well a name says one of the phrases: its words that are there, less what it says beside them."""
    own = form.words - around - _FILLER or form.words - around or form.words
    wrong = {word for word in own if word in meaning.never}
    best, message = 0.0, ""
    for place, phrase in enumerate(phrases):
        names = frozenset(phrase.split())
        needed = names - around or names
        there = sum(max((_like(word, each) for each in form.words), default=0.0) for word in needed) / len(needed)
        beside = len([word for word in own if all(_like(word, each) < 0.9 for each in names)])
        score = there**2 * (1.0 - 0.16 * beside) - 0.012 * place - (0.0 if names <= form.words else 0.05)
        score -= 0.35 * len(wrong - names)
        if score > best:
            best, message = score, phrase
    return best, message


def _like(one: str, other: str) -> float:
    if one == other or one.rstrip("s") == other.rstrip("s"):
        return 1.0
    # Long words may be spelled differently; short ones that are alike mean something else.
    return fuzz.ratio(one, other) / 100 if min(len(one), len(other)) > 4 and fuzz.ratio(one, other) > 84 else 0.0


def _chinese(meaning: Meaning, form: _Form) -> tuple[float, str]:
    best, message = 0.0, ""
    wrong = any(word in form.chinese for word in meaning.never if not word.isascii())
    for place, phrase in enumerate(meaning.zh):
        if form.chinese == phrase:
            score = 1.0
        elif phrase in form.chinese:
            score = 0.45 + 0.5 * len(phrase) / len(form.chinese)
        elif form.chinese in phrase:
            # 日期 alone does not say which.
            score = 0.6 * len(form.chinese) / len(phrase)
        else:
            alike = fuzz.ratio(phrase, form.chinese) / 100
            score = 0.8 * alike if alike >= 0.75 else 0.0
        score -= 0.012 * place + (0.35 if wrong else 0.0)
        if score > best:
            best, message = score, phrase
    return best, message


def _without_words(
    meaning: Meaning, field: Field, object_: str, objects: Mapping[str, str]
) -> tuple[float, tuple[str, str]]:
    """A reference that says nothing by its name may still point to what is looked for."""
    if shape(field.type) == "reference" and _points(meaning.target, field, object_, objects):
        return 0.3, ("points there", "指向该对象")
    return 0.0, ("", "")


def _of_type(column: Column, field: Field) -> float:
    """A type of the column's own kind is worth more than one that may hold anything."""
    held = shape(field.type)
    exact = {"day": "day", "money": "number", "rate": "number", "flag": "flag", "choice": "choice"}.get(column.kind)
    if exact is not None:
        return 1.0 if held == exact else 0.9 if held in ("choice", "reference") else 0.75
    if column.name in _IDS:
        return 1.0 if held == "reference" else 0.85
    if column.name in ("name", "number", "tax_id"):
        return 1.0 if held == "text" else 0.8
    return 1.0


def _of_target(meaning: Meaning, field: Field, object_: str, objects: Mapping[str, str]) -> float:
    # A dynamic link says in another field what it points to.
    if not meaning.target or shape(field.type) != "reference" or not _targets(field) or "ynamic" in field.type:
        return 0.0
    if _points(meaning.target, field, object_, objects):
        return 0.15
    # Where the object is known, a reference to another one is another thing.
    return -0.6 if _TABLES.get(meaning.target, "") in objects else -0.4


def _targets(field: Field) -> tuple[str, ...]:
    """Some CRMs tell what a link points to as its option."""
    return (field.target,) if field.target else field.options


def _points(target: Target, field: Field, object_: str, objects: Mapping[str, str]) -> bool:
    place = objects.get(_TABLES.get(target, ""), "")
    if place:
        return place in _targets(field)
    to = {"".join(words_of(each)) for each in _targets(field)}
    if target == "self":
        return object_ in _targets(field)
    return any(each.endswith(word) for each in to for word in _TARGETS.get(target, ()))


def _of_options(meaning: Meaning, field: Field) -> float:
    if not meaning.options or shape(field.type) != "choice":
        return 0.0
    message = " ".join(field.options).lower()
    return 0.2 if any(option in message for option in meaning.options) else 0.0


def _by_values(column: Column, one: Candidate, values: Sequence[str]) -> Candidate:
    """Values speak: a currency is three capitals, a number on a document is told from record to record."""
    if not values or one.score == 0.0:
        return one
    change = 0.0
    if column.kind == "currency":
        change = 0.1 if all(_CURRENCY.fullmatch(value) for value in values) else -0.3
    elif column.name == "number":
        change = 0.05 if len(set(values)) == len(values) else -0.3
    elif column.name == "tax_id":
        change = 0.1 if all(re.fullmatch(r"[0-9A-Z]{8,20}", value) for value in values) else -0.2
    return Candidate(one.field, max(0.0, min(1.0, one.score + change)), one.en, one.zh)
