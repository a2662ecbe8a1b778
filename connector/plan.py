"""Wanted, sent, observed → the smallest set of field changes, account by account.

A field's role (`connector.assessment.Written`) says what makes it worth a call: a *trigger* when it differs from what
was sent; a *follower* when it differs and the customer's facts have moved since, or one of his own days has passed; a
*passenger* never, it rides along. Whatever the CRM shows otherwise than we sent it was edited there, and is healed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, InvalidOperation

from connector.assessment import OUTPUT_FIELDS, OutputField
from connector.ports import OutcomeState

Values = Mapping[str, str | None]

#: Wide enough for any amount that a CRM shows; quantising beyond a context's precision is an error.
_WIDE = Context(prec=60, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One account whose `desired` is not settled yet. Values: `Written.name` → canonical text, None for empty.

    A field that is missing from `desired` is not ours to write here; missing from `observed`, it was not read.
    """

    account: str
    #: Version of `desired`.
    version: int
    desired: Values
    #: What the CRM took last; None: nothing was ever sent.
    sent: Values | None
    #: Facts have moved since `sent` was scored, or a day of the customer's own (a due day, a validity) has passed.
    moved: bool
    #: What the CRM showed when last read; None: never read.
    observed: Values | None
    #: Fields that were refused or cut when they were sent last: worth a call as soon as they differ.
    owed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Planned:
    """New values for one account: `Written.name` → canonical text."""

    account: str
    version: int
    values: Values


@dataclass(frozen=True, slots=True)
class AccountOutcome:
    """What became of one account's values, over all calls that they took. Fields by their canonical names."""

    state: OutcomeState
    #: The CRM's words when it refused something.
    refusal: str | None = None
    #: Fields that were left out because the CRM refuses them.
    refused: tuple[str, ...] = ()
    #: Of these, those that do not take the value as the CRM describes them.
    described: tuple[str, ...] = ()
    #: Texts that were cut to what their field holds.
    cut: tuple[str, ...] = ()
    #: What the fields were like, and how we name them, when something was refused; empty: not looked at.
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A version of `desired` that needs no call."""

    account: str
    version: int
    #: Values now known to be in the CRM, to be kept as `sent`; None: `sent` stays as it is.
    shows: Values | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Every row of a plan is in exactly one of the two, in the rows' order."""

    changes: tuple[Planned, ...]
    settled: tuple[Settled, ...]


def plan(rows: Iterable[PlanRow]) -> Plan:
    """What to write, and what needs no call."""
    changes: list[Planned] = []
    settled: list[Settled] = []
    for row in rows:
        values = _changed(row) if _worth_a_call(row) else {}
        if values:
            changes.append(Planned(row.account, row.version, values))
        else:
            settled.append(Settled(row.account, row.version, _confirmed(row)))
    return Plan(tuple(changes), tuple(settled))


def normalise(field: OutputField, text: str | None) -> str | None:
    """A field's value in the one form in which it is compared; what cannot be read as its kind stays text.

    Numbers are rounded half up to `places`, texts cut to `length`, choices sorted. Empty text is None.
    """
    stripped = (text or "").strip()
    if not stripped:
        return None
    if field.kind in ("number", "money"):
        return _decimal_text(stripped, field.places)
    if field.kind == "choices":
        return ";".join(sorted({part.strip() for part in stripped.split(";")} - {""})) or None
    if field.kind == "day":
        return _day_text(stripped)
    return _truncate(stripped, field.length) if field.kind == "text" else stripped


def same(field: OutputField, a: str | None, b: str | None) -> bool:
    """True when two values of a field are one after normalisation, or nearer than its tolerance."""
    one, other = normalise(field, a), normalise(field, b)
    if one == other:
        return True
    first, second = _number(field, one), _number(field, other)
    return first is not None and second is not None and abs(first - second) < Decimal(field.tolerance)


def _fields(row: PlanRow) -> list[OutputField]:
    return [field for field in OUTPUT_FIELDS if field.name in row.desired]


def _worth_a_call(row: PlanRow) -> bool:
    if row.sent is None:
        return any(not _shown_as_wanted(row, field) for field in _fields(row))
    return any(_has_moved(row, field, row.sent) or _edited(row, field, row.sent) for field in _fields(row))


def _has_moved(row: PlanRow, field: OutputField, sent: Values) -> bool:
    if field.role == "passenger" or same(field, row.desired[field.name], sent.get(field.name)):
        return False
    return field.role == "trigger" or row.moved or field.name in row.owed


def _edited(row: PlanRow, field: OutputField, sent: Values) -> bool:
    read = row.observed is not None and field.name in row.observed
    if not read or same(field, text := _shown_values(row).get(field.name), sent.get(field.name)):
        return False
    return not _rounded(field, text, sent.get(field.name))


def _rounded(field: OutputField, shown: str | None, sent: str | None) -> bool:
    """Whether a CRM whose field holds fewer decimals shows what was sent: writing it again would end the same."""
    number, ours = _number(field, (shown or "").strip() or None), _number(field, normalise(field, sent))
    if number is None or ours is None:
        return False
    places = max(0, -int(number.as_tuple().exponent))
    step = Decimal(1).scaleb(-places)
    ways = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)
    return places < field.places and any(ours.quantize(step, way, _WIDE) == number for way in ways)


def _shown_values(row: PlanRow) -> dict[str, str | None]:
    """What the CRM shows as far as we know: as read, else as sent; a field of which neither is known is missing."""
    return {**(row.sent or {}), **(row.observed or {})}


def _shown_as_wanted(row: PlanRow, field: OutputField) -> bool:
    return same(field, row.desired[field.name], _shown_values(row).get(field.name))


def _changed(row: PlanRow) -> dict[str, str | None]:
    values = _shown_values(row)
    return {
        field.name: _as_sent(field, row.desired[field.name])
        for field in _fields(row)
        if field.name not in values or not _shown_as_wanted(row, field)
    }


def _as_sent(field: OutputField, text: str | None) -> str | None:
    # A text beyond the field's length is refused by the CRM; numbers keep their decimals, the CRM rounds.
    return normalise(field, text) if field.kind == "text" else text or None


def _confirmed(row: PlanRow) -> Values | None:
    if row.observed is None or not all(_shown_as_wanted(row, field) for field in _fields(row)):
        return None
    return dict(row.desired)


def _decimal_text(text: str, places: int) -> str:
    try:
        value = Decimal(text).quantize(Decimal(1).scaleb(-places), context=_WIDE)
    except InvalidOperation:
        return text
    return f"{abs(value) if value.is_zero() else value:f}" if value.is_finite() else text


def _day_text(text: str) -> str:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return text


def _truncate(text: str, length: int) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")[:length].rstrip()


def _number(field: OutputField, text: str | None) -> Decimal | None:
    if field.kind not in ("number", "money") or text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
