import math
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.schema import day_number
from connector.scoring.ledger import ledger
from connector.scoring.tendency import Statistics, statistics, tendency
from tests.connector.scoring.books import POLICY, books, day, invoice

AS_OF = "2025-06-30"
CONSTANTS = POLICY.tendency
#: Median 100.00; portfolio late rate 10 %.
PORTFOLIO = Statistics(100_00, 100_000)


def of(tables: dict[str, pl.DataFrame], as_of: str = AS_OF) -> dict[str, float]:
    made = tendency(ledger(tables, POLICY, day(as_of)), CONSTANTS, PORTFOLIO, day(as_of))
    return made.to_dicts()[0] if made.height else {}


def test_one_payment_checked_by_hand() -> None:
    # One claim of the median, paid today 12 days late: weight 1, rungs 3, 5, 10 of five passed.
    tables = books([invoice("I1", 100_00, "2025-05-19", "2025-06-18")], [("P1", "I1", AS_OF, 100_00)])

    found = of(tables)

    rate = (0.6 + 0.1) / 2
    assert found["history"] == 1
    assert found["late_rate"] == pytest.approx(rate)
    assert found["late_tendency"] == pytest.approx(math.log(rate / (1 - rate)) - 0.15)


def test_evidence_halves_in_120_days() -> None:
    tables = books([invoice("I1", 100_00, "2025-01-02", "2025-03-02")], [("P1", "I1", "2025-03-02", 100_00)])

    assert of(tables)["history"] == pytest.approx(0.5)


def test_paying_early_and_leaving_nothing_open_helps() -> None:
    claim = invoice("I1", 100_00, "2025-06-01", "2025-07-20")
    early = of(books([claim], [("P1", "I1", AS_OF, 100_00)]))
    on_day = of(books([{**claim, "due": AS_OF}], [("P1", "I1", AS_OF, 100_00)]))

    assert early["late_tendency"] == pytest.approx(on_day["late_tendency"] - 0.5)
    with_open = of(books([claim, invoice("I2", 1, "2025-06-01", "2025-07-20")], [("P1", "I1", AS_OF, 100_00)]))
    assert with_open["late_tendency"] == pytest.approx(early["late_tendency"] + 0.3 * math.log(2))


def test_thirty_tiny_prompt_invoices_do_not_hide_a_late_large_one() -> None:
    late = [invoice("L", 100_00, "2025-04-01", "2025-05-01")]
    tiny = [invoice(f"T{n}", 1_00, "2025-05-30", "2025-06-29") for n in range(30)]
    paid: list[Payment] = [("PL", "L", AS_OF, 100_00)]

    alone = of(books(late, paid))
    among = of(books(late + tiny, paid + [(f"P{n}", f"T{n}", AS_OF, 1_00) for n in range(30)]))

    assert alone["late_rate"] - among["late_rate"] < 0.35
    assert among["late_rate"] > 0.15


def test_the_portfolio_s_rate_is_its_own_only_with_enough_history() -> None:
    claims = [invoice(f"I{n}", (n + 1) * 10_00, "2025-05-01", "2025-05-31") for n in range(60)]
    paid = [(f"P{n}", f"I{n}", "2025-06-20" if n % 2 else "2025-05-31", (n + 1) * 10_00) for n in range(60)]

    many = statistics(ledger(books(claims, paid), POLICY, day(AS_OF)), CONSTANTS, day(AS_OF))
    few = statistics(ledger(books(claims[:9], paid[:9]), POLICY, day(AS_OF)), CONSTANTS, day(AS_OF))

    assert many.median_amount == 305_00
    assert 0.3 < many.late_rate / 10**6 < 0.5
    assert few == Statistics(50_00, 80_000)
    assert Statistics.from_json(many.to_json()) == many


def test_no_facts_no_rows() -> None:
    assert of(books([])) == {}
    assert statistics(ledger(books([]), POLICY, day(AS_OF)), CONSTANTS, day(AS_OF)) == Statistics(1, 80_000)


Payment = tuple[str, str | None, str, int]
TODAY = date.fromisoformat(AS_OF)
# (amount, days from due to today, days late when paid or None when open)
CLAIMS = st.lists(
    st.tuples(st.integers(1_00, 1_000_00), st.integers(-40, 200), st.none() | st.integers(-30, 90)),
    min_size=1,
    max_size=8,
)


def drawn(
    claims: list[tuple[int, int, int | None]],
) -> tuple[list[dict[str, object]], list[Payment]]:
    invoices: list[dict[str, object]] = []
    payments: list[Payment] = []
    for n, (amount, age, late) in enumerate(claims):
        due = TODAY - timedelta(days=age)
        invoices.append(invoice(f"I{n}", amount, "2024-01-01", due.isoformat()))
        if late is not None and due + timedelta(days=late) <= TODAY:
            payments.append((f"P{n}", f"I{n}", (due + timedelta(days=late)).isoformat(), amount))
    return invoices, payments


@settings(max_examples=150, deadline=None)
@given(CLAIMS, st.integers(0, 7))
def test_paying_an_open_item_never_raises_the_tendency(claims: list[tuple[int, int, int | None]], which: int) -> None:
    invoices, payments = drawn(claims)
    paid = {row[1] for row in payments}
    unpaid = [row for row in invoices if row["receivable_id"] not in paid]
    if not unpaid:
        return
    target = unpaid[which % len(unpaid)]
    more: list[Payment] = [("PX", str(target["receivable_id"]), AS_OF, int(str(target["amount"])))]

    before = of(books(invoices, payments)).get("late_tendency")
    after = of(books(invoices, payments + more))["late_tendency"]

    assert before is None or after <= before + 1e-9


@settings(max_examples=150, deadline=None)
@given(CLAIMS, st.integers(0, 7), st.integers(1, 60))
def test_an_item_that_ages_never_lowers_the_tendency(
    claims: list[tuple[int, int, int | None]], which: int, days: int
) -> None:
    invoices, payments = drawn(claims)
    paid = {row[1] for row in payments}
    unpaid = [n for n, row in enumerate(invoices) if row["receivable_id"] not in paid]
    if not unpaid:
        return
    n = unpaid[which % len(unpaid)]
    older = [dict(row) for row in invoices]
    older[n]["due"] = (date.fromisoformat(str(older[n]["due"])) - timedelta(days=days)).isoformat()

    before = of(books(invoices, payments)).get("late_tendency", -99.0)
    after = of(books(older, payments)).get("late_tendency", -99.0)

    assert after >= before - 1e-9
    assert day_number(TODAY) == day(AS_OF)
