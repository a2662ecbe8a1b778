"""What is sent of an account of which the CRM refuses a field, and what is told of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import pytest

from connector.plan import AccountOutcome, Planned
from connector.ports import Change, Described, Field, Outcome
from mappings.load import packaged
from sync.crm_connection import CrmConnection
from sync.sending import Sending

NAMES = {name: f"C_{name}" for name in ("rating", "limit", "hold", "flags", "reasons", "rated_on", "overdue_since")}
WHOLE = {
    "rating": "BB",
    "limit": "5000.00",
    "hold": "warn",
    "flags": "OVERDUE_30;SLOWING",
    "reasons": "x" * 300,
    "rated_on": "2026-03-01",
    "overdue_since": None,
}


def field(name: str, **given: Any) -> Field:
    return Field(NAMES[name], name, "t", **{"writable": True, **given})


class Fake:
    """Refuses what its description does not take, as CRMs do: the whole record, naming one field, all or none."""

    def __init__(self, names: str, lost: bool = False, **fields: Mapping[str, Any]) -> None:
        self.names, self.lost = names, lost
        self.fields = {NAMES[name]: field(name, **fields.get(name, {})) for name in NAMES}
        self.calls: list[dict[str, str | None]] = []
        self.descriptions = 0

    def describe(self, name: str) -> Described:
        self.descriptions += 1
        return Described(name, tuple(self.fields.values()))

    def write(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        for change in changes:
            self.calls.append(dict(change.values))
            wrong = tuple(name for name, value in change.values.items() if not self._takes(self.fields[name], value))
            named = {"all": wrong, "one": wrong[:1], "none": (), "other": ("Phone",)}[self.names]
            if wrong:
                yield Outcome(change.record, "refused", f"bad: {wrong[0]}", named)
            else:
                yield Outcome(change.record, "unknown" if self.lost else "taken")

    def _takes(self, field: Field, value: str | None) -> bool:
        if value is None:
            return field.writable
        if field.length is not None and len(value) > field.length:
            return False
        return field.writable and (not field.options or set(value.split(";")) <= set(field.options))


def sent(crm: Fake, values: Mapping[str, str | None] = WHOLE) -> tuple[Planned, AccountOutcome]:
    link = CrmConnection("x", cast("Any", crm), packaged("zoho").with_written(NAMES), cast("Any", None))
    pairs = list(Sending(link, cast("Any", crm)).sent([Planned("a", 1, values)]))
    assert len(pairs) == 1
    return pairs[0]


FLAGS: dict[str, Any] = {"options": ("OVERDUE_30",)}
GRADES: dict[str, Any] = {"options": ("AAA",)}


@pytest.mark.parametrize("names", ["all", "one", "none", "other"])
def test_the_other_fields_are_written_whatever_the_crm_names(names: str) -> None:
    crm = Fake(names, flags=FLAGS, overdue_since={"writable": False})
    item, outcome = sent(crm)
    assert outcome.state == "taken"
    assert set(outcome.refused) == {"flags", "overdue_since"}
    assert outcome.refusal is not None
    assert outcome.refusal.startswith("bad: C_flags")
    assert set(item.values) == set(WHOLE) - {"flags", "overdue_since"}
    assert crm.calls[-1] == {NAMES[name]: value for name, value in item.values.items()}
    # What the description shows beside it is left out of the second call, too.
    assert len(crm.calls) == 2


@pytest.mark.parametrize("vouched", ["rating", "hold"])
def test_without_grade_or_hold_neither_day_nor_reasons_are_written(vouched: str) -> None:
    item, outcome = sent(Fake("all", **cast("Any", {vouched: GRADES})))
    assert outcome.refused == (vouched,)
    assert set(item.values) == set(WHOLE) - {vouched, "rated_on", "reasons"}


def test_a_text_that_is_too_long_is_cut_to_what_its_field_holds() -> None:
    for names in ("all", "none"):
        item, outcome = sent(Fake(names, reasons={"length": 100}))
        assert (outcome.state, outcome.refused, outcome.refusal) == ("taken", (), None)
        assert outcome.cut == ("reasons",)
        assert item.values == {**WHOLE, "reasons": "x" * 100}


def test_nothing_is_sent_for_the_day_alone() -> None:
    crm = Fake("all", flags=FLAGS)
    item, outcome = sent(crm, {"flags": "SLOWING", "rated_on": "2026-03-01"})
    assert (outcome.state, outcome.refused, len(crm.calls)) == ("refused", ("flags",), 1)
    assert item.account == "a"


def test_where_nothing_tells_which_field_it_was_the_account_is_refused_as_before() -> None:
    class Ruled(Fake):
        def write(self, changes: Iterable[Change]) -> Iterator[Outcome]:
            yield from (Outcome(change.record, "refused", "Phone is mandatory") for change in changes)

    crm = Ruled("none", rating={"options": ("BB",)}, hold={"options": ("warn",)})
    item, outcome = sent(crm)
    assert (outcome.state, outcome.refused, outcome.refusal) == ("refused", (), "Phone is mandatory")
    assert item.values == WHOLE


def test_an_answer_that_is_lost_behind_a_refusal_is_unknown() -> None:
    _, outcome = sent(Fake("all", lost=True, flags=FLAGS))
    assert (outcome.state, outcome.refused) == ("unknown", ())


def test_the_description_is_asked_for_only_when_something_is_refused_and_once() -> None:
    crm = Fake("none")
    sent(crm)
    assert crm.descriptions == 0
    crm = Fake("none", flags=FLAGS, overdue_since={"writable": False})
    sent(crm)
    assert crm.descriptions == 1
