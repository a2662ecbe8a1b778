"""The plan of what to write into the CRM."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.assessment import FLAGS, HOLDS, OUTPUT_FIELDS, RATINGS, OutputField
from connector.plan import Plan, Planned, PlanRow, Settled, normalise, plan, same

FIELDS = {field.name: field for field in OUTPUT_FIELDS}

SHOWN: dict[str, str | None] = {
    "rating": "A",
    "score": "71.4",
    "limit": "50000",
    "available": "12000",
    "overdue_since": None,
    "flags": "OVERDUE_1;SLOWING",
    "hold": "warn",
    "reasons": "pays 4 days late",
    "rated_on": "2026-01-05",
}


def quiet_row(**desired: str | None) -> PlanRow:
    """An account that shows what was sent, with unmoved facts; `desired` says what differs now."""
    return PlanRow(
        account="A1",
        version=7,
        moved=False,
        desired={**SHOWN, **desired},
        sent=SHOWN,
        observed=SHOWN,
    )


def changed(row: PlanRow) -> dict[str, str | None] | None:
    """Values that the plan would send; None: no call."""
    changes = plan([row]).changes
    return dict(changes[0].values) if changes else None


def test_a_quiet_account_costs_no_call() -> None:
    planned = plan([quiet_row()])

    assert planned == Plan((), (Settled("A1", 7, SHOWN),))


@pytest.mark.parametrize(
    ("name", "value"), [("rating", "BB"), ("limit", "40000"), ("flags", "OVERDUE_30"), ("hold", "block")]
)
def test_a_trigger_that_differs_is_written_alone(name: str, value: str) -> None:
    planned = plan([quiet_row(**{name: value})])

    assert planned == Plan((Planned("A1", 7, {name: value}),), ())


@pytest.mark.parametrize(
    ("name", "value"),
    [("score", "66.0"), ("available", "9000"), ("overdue_since", "2026-01-01"), ("reasons", "x")],
)
def test_a_follower_waits_until_the_facts_have_moved(name: str, value: str) -> None:
    row = quiet_row(**{name: value})

    assert plan([row]) == Plan((), (Settled("A1", 7, None),))
    assert changed(replace(row, moved=True)) == {name: value}


def test_a_passenger_is_no_reason_to_write() -> None:
    row = replace(quiet_row(rated_on="2026-01-06"), moved=True)

    assert plan([row]) == Plan((), (Settled("A1", 7, None),))


def test_a_passenger_goes_along() -> None:
    row = quiet_row(rated_on="2026-01-06", rating="BB", score="66.0")

    assert changed(row) == {"rated_on": "2026-01-06", "rating": "BB", "score": "66.0"}


@pytest.mark.parametrize("name", list(SHOWN))
def test_an_edit_in_the_crm_is_healed_whatever_the_field(name: str) -> None:
    edited = {**SHOWN, name: "2020-02-02" if FIELDS[name].kind == "day" else "1"}

    assert changed(replace(quiet_row(), observed=edited)) == {name: SHOWN[name]}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("score", "71.40"),
        ("limit", "50000.00"),
        ("flags", " SLOWING; OVERDUE_1"),
        ("rated_on", "2026-01-05T00:00:00+08:00"),
        ("reasons", "pays 4 days late "),
    ],
)
def test_a_crm_that_words_the_same_value_otherwise_is_not_healed(name: str, shown: str) -> None:
    row = replace(quiet_row(), observed={**SHOWN, name: shown})

    assert changed(row) is None


@pytest.mark.parametrize(
    ("sent", "shown", "healed"),
    [
        ("1234567.89", "1234568", False),
        ("1234567.89", "1234567", False),
        ("1234567.89", "1234567.9", False),
        ("1234567.89", "1234569", True),
        ("1234567.89", "1234567.88", True),
        ("50000", "50001", True),
        ("0.4", "0", False),
        ("0.4", None, True),
    ],
)
def test_a_field_that_holds_fewer_decimals_is_not_written_for_ever(sent: str, shown: str | None, healed: bool) -> None:
    """twentyhq/twenty #11322, ibericode/mailchimp-user-sync #46: write-back that triggers itself."""
    row = replace(quiet_row(available=sent), sent={**SHOWN, "available": sent}, observed={**SHOWN, "available": shown})

    assert changed(row) == ({"available": sent} if healed else None)


def test_an_edit_that_hits_what_is_wanted_now_settles_without_a_call() -> None:
    row = quiet_row(rating="BB")

    planned = plan([replace(row, observed=row.desired)])

    assert planned == Plan((), (Settled("A1", 7, row.desired),))


def test_a_first_write_sends_only_what_the_crm_does_not_show() -> None:
    row = replace(quiet_row(), sent=None, observed={**SHOWN, "rating": None, "score": "3"})

    assert changed(row) == {"rating": "A", "score": "71.4"}


def test_a_first_write_into_an_unread_account_sends_everything() -> None:
    row = replace(quiet_row(), sent=None, observed=None)

    assert changed(row) == SHOWN


def test_an_account_never_sent_that_shows_what_is_wanted_is_settled_and_remembered() -> None:
    planned = plan([replace(quiet_row(), sent=None)])

    assert planned.settled == (Settled("A1", 7, SHOWN),)


@pytest.mark.parametrize(("observed", "kept"), [(None, None), ({}, {"rating": None})], ids=["unread", "empty"])
def test_nothing_to_show_and_nothing_shown_is_no_difference(
    observed: dict[str, str | None] | None, kept: dict[str, str | None] | None
) -> None:
    row = replace(quiet_row(), desired={"rating": None}, sent=None, observed=observed)

    assert plan([row]) == Plan((), (Settled("A1", 7, kept),))


def test_an_account_never_read_back_is_compared_with_what_was_sent() -> None:
    row = replace(quiet_row(hold="block"), observed=None)

    assert changed(row) == {"hold": "block"}


def test_a_field_the_crm_does_not_have_is_not_healed_for_ever() -> None:
    seen = {name: value for name, value in SHOWN.items() if name != "reasons"}

    assert changed(replace(quiet_row(), observed=seen)) is None


def test_a_text_is_sent_as_long_as_the_field_is() -> None:
    row = replace(quiet_row(reasons="因" * 3_000), moved=True)

    assert changed(row) == {"reasons": "因" * 2_000}


def test_every_row_is_answered_once() -> None:
    rows = [replace(quiet_row(hold=hold), account=f"A{n}") for n, hold in enumerate(HOLDS)]

    planned = plan(rows)

    assert [change.account for change in planned.changes] == ["A0", "A2", "A3"]
    assert [settled.account for settled in planned.settled] == ["A1"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("score", "71.45", "71.5"),
        ("score", "-0.04", "0.0"),
        ("score", "1e2", "100.0"),
        ("score", "n/a", "n/a"),
        ("score", "NaN", "NaN"),
        ("limit", "1234.5", "1234.50"),
        ("limit", "9" * 70, "9" * 70),
        ("flags", ";;", None),
        ("flags", "b;a;b", "a;b"),
        ("rated_on", "soon", "soon"),
        ("rating", " A ", "A"),
        ("reasons", "a\r\nb", "a\nb"),
    ],
)
def test_values_are_compared_in_one_form(name: str, text: str, expected: str | None) -> None:
    assert normalise(FIELDS[name], text) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("10.00", "10.49", True),
        ("10.00", "10.50", False),
        ("10.00", None, False),
        ("10.00", "n/a", False),
        ("10.00", "Infinity", False),
    ],
)
def test_differences_below_the_tolerance_are_none(a: str, b: str | None, expected: bool) -> None:
    field = OutputField("score", "number", "follower", "x", "x", tolerance="0.5", places=2)

    assert same(field, a, b) is expected
    assert same(field, b, a) is expected


def values_of(field: OutputField) -> st.SearchStrategy[str | None]:
    """Any value the field may have, also in a CRM's own wording."""
    number = st.decimals(-(10**9), 10**9, places=3).map(str)
    day = st.dates(date(2020, 1, 1), date(2030, 1, 1)).map(lambda found: found.isoformat())
    kinds: dict[str, st.SearchStrategy[str]] = {
        "choice": st.sampled_from([*RATINGS, "none", "warn", " A "]),
        "choices": st.lists(st.sampled_from(FLAGS[:4]), max_size=4).map(";".join),
        "number": number,
        "money": number,
        "day": day,
        "text": st.text(max_size=20) | st.text(alphabet="x \r\n", min_size=90, max_size=120),
    }
    return st.none() | kinds[field.kind]


ALL_VALUES = st.fixed_dictionaries({field.name: values_of(field) for field in OUTPUT_FIELDS})
SOME_VALUES = st.none() | st.fixed_dictionaries({}, optional={field.name: values_of(field) for field in OUTPUT_FIELDS})
ROWS = st.builds(
    PlanRow,
    account=st.just("A1"),
    version=st.just(1),
    moved=st.booleans(),
    desired=ALL_VALUES,
    sent=st.none() | ALL_VALUES,
    observed=SOME_VALUES,
)


@given(row=ROWS)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(row: PlanRow) -> None:
    for change in plan([row]).changes:
        shows = {**(row.observed or {}), **change.values}

        after = replace(row, observed=shows, sent=row.desired, moved=False)

        assert change.values
        assert plan([after]).changes == ()


@given(row=ROWS)
def test_a_written_account_shows_what_is_wanted(row: PlanRow) -> None:
    for change in plan([row]).changes:
        shows = {**(row.sent or {}), **(row.observed or {}), **change.values}

        assert all(same(field, shows[field.name], row.desired[field.name]) for field in OUTPUT_FIELDS)


@given(row=ROWS)
def test_a_settled_account_stays_settled(row: PlanRow) -> None:
    for settled in plan([row]).settled:
        plan_row = row if settled.shows is None else replace(row, sent=settled.shows, moved=False)

        assert plan([plan_row]).changes == ()


@given(field=st.sampled_from(OUTPUT_FIELDS), data=st.data())
def test_normalising_twice_is_normalising_once(field: OutputField, data: st.DataObject) -> None:
    once = normalise(field, data.draw(values_of(field)))

    assert normalise(field, once) == once
