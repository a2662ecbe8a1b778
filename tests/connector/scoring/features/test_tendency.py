import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.schema import day_of
from connector.scoring.features.tendency import Statistics, statistics, tendency
from connector.scoring.ledger.ledger import ledger
from tests.connector.scoring.books import POLICY, books, day, invoice
from tests.examples import TOGETHER, together

AS_OF = "2025-06-30"
CONSTANTS = POLICY.tendency
#: Median 100.00; portfolio late rate 10 %.
PORTFOLIO = Statistics(100_00, 100_000)


def of(tables: dict[str, pl.DataFrame], as_of: str = AS_OF) -> dict[str, float]:
    """What the first account shows, of what is known."""
    result = tendency(ledger(tables, POLICY, day(as_of)), CONSTANTS, PORTFOLIO, day(as_of))
    return {name: float(values[0]) for name, values in result.items() if not math.isnan(values[0])}


def test_one_payment_checked_by_hand() -> None:
    # One claim of the median, paid today 12 days late: weight 1, rungs 3, 5, 10 of five passed.
    tables = books([invoice("I1", 100_00, "2025-05-19", "2025-06-18")], [("P1", "I1", AS_OF, 100_00)])

    result = of(tables)

    rate = (0.6 + 0.1) / 2
    assert result["history"] == 1
    assert result["late_rate"] == pytest.approx(rate)
    assert result["late_tendency"] == pytest.approx(math.log(rate / (1 - rate)) - 0.15)


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
    paid: list[tuple[str, str | None, str, int]] = [("PL", "L", AS_OF, 100_00)]

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
    assert few == Statistics(50_00, 80_000, newest=day("2025-06-20"), base="USD")
    assert Statistics.from_json(many.to_json()) == many


def test_no_facts_no_rows() -> None:
    assert of(books([])) == {"history": 0}
    assert statistics(ledger(books([]), POLICY, day(AS_OF)), CONSTANTS, day(AS_OF)) == Statistics(1, 80_000, base="USD")


CASE = st.tuples(
    st.lists(
        st.tuples(st.integers(1_00, 1_000_00), st.integers(-40, 200), st.none() | st.integers(-30, 90)),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 4),
    st.integers(1, 60),
)


# Each customer as it is, with an item paid, and with an item aged.
@together
@given(st.lists(CASE, min_size=TOGETHER, max_size=TOGETHER))
def test_paying_never_raises_the_tendency_and_ageing_never_lowers_it(
    cases: list[tuple[list[tuple[int, int, int | None]], int, int]],
) -> None:
    today = day(AS_OF)
    rows: list[dict[str, object]] = []
    paid: list[tuple[str, str | None, str, int]] = []
    for number, (claims, which, days) in enumerate(cases):
        for variant in ("now", "paid", "aged"):
            account = f"{variant}{number}"
            for k, (amount, age, late) in enumerate(claims):
                it = k == which % len(claims)
                key, older = f"{account}-{k}", days if it and variant == "aged" else 0
                rows.append({**invoice(key, amount, "2024-01-01", None, account), "due": today - age - older})
                if it and variant == "paid":
                    paid.append((f"P{key}", key, AS_OF, amount))
                elif not it and late is not None and late <= age:
                    paid.append((f"P{key}", key, day_of(today - age + late).isoformat(), amount))

    state = ledger(books(rows, paid, "now0"), POLICY, today)
    values = tendency(state, CONSTANTS, PORTFOLIO, today)["late_tendency"]

    result = dict(zip(state.accounts, values, strict=False))
    for number in range(len(cases)):
        assert result[f"paid{number}"] <= result[f"now{number}"] + 1e-9
        assert result[f"aged{number}"] >= result[f"now{number}"] - 1e-9
