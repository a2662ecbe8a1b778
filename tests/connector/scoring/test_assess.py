from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.assessment import ASSESSMENT
from connector.editions import default_text, preset_text
from connector.messages.rendering import in_words
from connector.policy import Condition, Policy, load
from connector.scoring.assess import assess, portfolio_statistics
from connector.scoring.features.tendency import Statistics
from connector.scoring.frame.columns import Values
from connector.scoring.rating.conditions import matches
from tests.connector.scoring.books import POLICY, books, day, invoice, table
from tests.examples import TOGETHER, together

AS_OF = "2025-06-30"
PORTFOLIO = Statistics(100_00, 100_000)


def rated(tables: dict[str, pl.DataFrame], policy: Policy = POLICY, as_of: str = AS_OF, **more: Any) -> dict[str, Any]:
    return assess(tables, policy, day(as_of), portfolio=PORTFOLIO, **more).to_dicts()[0]


def prompt(n: int = 12, account: str = "A", late: int = 0, amount: int = 1_000_00) -> dict[str, pl.DataFrame]:
    dues = [f"2025-{1 + k // 2:02d}-{10 + 10 * (k % 2)}" for k in range(n)]
    claims = [invoice(f"{account}{k}", amount, "2024-12-20", due, account) for k, due in enumerate(dues)]
    paid = [f"{due[:8]}{int(due[8:]) + late:02d}" for due in dues]
    return books(claims, [(f"{account}P{k}", f"{account}{k}", paid[k], amount) for k in range(n)], account)


def overdue(days_ago: str, amount: int = 1_000_00) -> dict[str, pl.DataFrame]:
    return books([invoice("I1", amount, "2024-06-01", days_ago)])


def test_a_prompt_payer_stands_above_a_late_one_and_both_say_why() -> None:
    good, bad = rated(prompt()), rated(prompt(late=8))

    assert good["score"] > bad["score"]
    assert (good["rating"], bad["rating"]) == ("AAA", "CCC")
    for row in (good, bad):
        assert sum(reason["lost"] for reason in row["reasons"] if reason["lost"]) == pytest.approx(
            100 - row["score"], abs=0.02
        )
    assert in_words(bad, POLICY.sentences)["reasons"][0]["en"].startswith("Chance of paying seriously late: ")
    assert in_words(bad, POLICY.sentences)["reasons"][0]["zh"].startswith("严重逾期可能性：")


def test_the_columns_are_those_of_the_assessment() -> None:
    assert assess(prompt(), POLICY, day(AS_OF), portfolio=PORTFOLIO).schema == pl.Schema(ASSESSMENT)
    assert assess(books([]), POLICY, day(AS_OF), portfolio=PORTFOLIO).height == 1


@pytest.mark.parametrize(
    ("tables", "rating", "flags", "hold"),
    [
        (books([]), "NR", [], "none"),
        (overdue("2025-06-29"), "CCC", ["OVERDUE_1"], "approve"),
        (overdue("2025-05-15"), "CCC", ["OVERDUE_30"], "approve"),
        (overdue("2025-04-20"), "CCC", ["OVERDUE_60"], "approve"),
        (overdue("2025-03-20"), "CCC", ["OVERDUE_90"], "block"),
        (overdue("2024-12-01"), "D", ["OVERDUE_90"], "block"),
        (overdue("2024-12-01", amount=40_00), "CC", [], "approve"),
    ],
)
def test_what_is_overdue_caps_flags_and_holds(
    tables: dict[str, pl.DataFrame], rating: str, flags: list[str], hold: str
) -> None:
    row = rated(tables)

    assert [flag["code"] for flag in row["flags"] if flag["code"] not in ("OVER_LIMIT", "DORMANT_180")] == flags
    assert row["hold"] == hold
    assert (row["rating"] == rating) or rating not in ("NR", "D")


def test_an_insolvency_is_d_whatever_the_points_say() -> None:
    tables = prompt()
    tables["evidence"] = table(
        "evidence",
        {"evidence_id": "E", "account_id": "A", "kind": "legal", "observed_on": "2025-06-01", "value": "Bankruptcy"},
    )

    row = rated(tables)

    assert (row["rating"], row["model_rating"], row["hold"], row["proposed_limit"]) == ("D", "AAA", "block", 0)
    assert in_words(row, POLICY.sentences)["reasons"][0]["en"] == "D: insolvency is on record"
    assert in_words(row, POLICY.sentences)["reasons"][0]["zh"] == "D：有破产记录"


def test_a_limit_is_proposed_from_what_is_billed_and_takes_effect_up_to_the_policy_s_amount() -> None:
    row = rated(prompt(amount=10_000_00))

    # 120,000.00 a year of 192 days, 98 days of credit on average, peak 1.5, factor of AAA 1.5, rounded down.
    issued, as_of = day("2024-12-20"), day(AS_OF)
    terms = sum(day(f"2025-{1 + k // 2:02d}-{10 + 10 * (k % 2)}") - issued for k in range(12)) / 12
    needs = 120_000_00 * terms * 1.5 * 1.5 / (as_of - issued)
    assert row["proposed_limit"] == int(needs / 10**6) * 10**6
    assert row["limit"] is None
    assert row["available"] is None

    small = rated(prompt(amount=100_00))
    assert small["limit"] == small["proposed_limit"] > 0
    assert small["available"] == small["limit"]


def test_an_agreed_limit_stands_whatever_is_proposed_and_room_left_is_never_below_nothing() -> None:
    tables = prompt()
    tables["receivables"] = pl.concat(
        [tables["receivables"], table("receivables", invoice("X", 500_00, "2025-06-01", "2025-07-30"))]
    )
    tables["limits"] = table("limits", {"limit_id": "L", "account_id": "A", "amount": 400_00, "currency": "USD"})

    row = rated(tables)

    assert (row["limit"], row["available"], row["utilisation"]) == (400_00, 0, 1.25)
    assert "OVER_LIMIT" in [flag["code"] for flag in row["flags"]]


def test_a_missing_rate_holds_and_no_limit_takes_effect() -> None:
    tables = prompt()
    tables["receivables"] = pl.concat(
        [tables["receivables"], table("receivables", invoice("X", 500_00, "2025-06-01", "2025-07-30", currency="GBP"))]
    )

    row = rated(tables)

    assert row["limit"] is None
    assert (row["hold"], row["notices"]) == ("approve", ["rate_missing"])


def test_a_flag_that_was_up_keeps_its_day() -> None:
    before = assess(overdue("2025-05-15"), POLICY, day("2025-06-20"), portfolio=PORTFOLIO)

    row = rated(overdue("2025-05-15"), prior=before)

    assert {flag["code"]: flag["since"] for flag in row["flags"]}["OVERDUE_30"] == day("2025-06-20")


def test_cash_beside_an_overdue_item_is_noticed() -> None:
    row = rated(books([invoice("I1", 100_00, "2025-05-01", "2025-05-31")], [("P1", None, "2025-06-01", 30_00)]))

    assert row["notices"] == ["cash_beside_overdue"]


def test_a_customer_scores_the_same_alone_and_among_all() -> None:
    many = [prompt(n=2 + k % 11, account=f"A{k:02d}", late=k % 9, amount=100_00 + 37_11 * k) for k in range(24)]
    whole = {name: pl.concat([tables[name] for tables in many]) for name in many[0]}
    portfolio = portfolio_statistics(whole, POLICY, day(AS_OF))
    among = {row["customer_id"]: row for row in assess(whole, POLICY, day(AS_OF), portfolio=portfolio).to_dicts()}

    for tables in many[::2]:
        alone = assess(tables, POLICY, day(AS_OF), portfolio=portfolio).to_dicts()[0]
        for name, value in alone.items():
            assert value == among[alone["customer_id"]][name]


CASE = st.tuples(
    st.lists(st.tuples(st.integers(1_00, 900_00), st.integers(-60, 200), st.booleans()), min_size=1, max_size=5),
    st.integers(0, 4),
)


# Each customer as it is, with an item paid, and with an item aged.
@together
@given(st.lists(CASE, min_size=TOGETHER, max_size=TOGETHER))
def test_paying_never_lowers_a_score_and_ageing_never_raises_one(
    cases: list[tuple[list[tuple[int, int, bool]], int]],
) -> None:
    ordinal = day(AS_OF)
    rows: list[dict[str, object]] = []
    paid: list[tuple[str, str | None, str, int]] = []
    for number, (claims, which) in enumerate(cases):
        for variant in ("now", "paid", "aged"):
            account = f"{variant}{number}"
            for k, (amount, age, settled) in enumerate(claims):
                it = k == which % len(claims)
                key, due = f"{account}-{k}", ordinal - age - (45 if it and variant == "aged" else 0)
                rows.append({**invoice(key, amount, "2024-06-01", None, account), "due": due})
                if (settled and not it) or (it and variant == "paid"):
                    paid.append((f"P{key}", key, AS_OF, amount))

    scored = assess(books(rows, paid, "now0"), POLICY, ordinal, portfolio=PORTFOLIO)

    score = dict(scored.select("customer_id", "score").rows())
    for number in range(len(cases)):
        assert score[f"paid{number}"] >= score[f"now{number}"] >= score[f"aged{number}"]


FRAME = pl.DataFrame({"overdue": [None, 0, 49_99, 50_00], "utilisation": [None, 0.5, 0.9, 2.0]})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"feature": "overdue", "ge": 50}, [False, False, False, True]),
        ({"feature": "overdue", "lt": 50}, [False, True, True, False]),
        ({"feature": "overdue", "missing": True}, [True, False, False, False]),
        ({"feature": "overdue", "in": [0, 50]}, [False, True, False, True]),
        ({"feature": "utilisation", "eq": 0.5}, [False, True, False, False]),
        ({"feature": "utilisation", "ne": 0.5, "le": 0.9}, [False, False, True, False]),
        ({"not": {"feature": "utilisation", "gt": 0.6}}, [True, True, False, False]),
        ({"any": [{"feature": "overdue", "eq": 0}, {"feature": "utilisation", "gt": 1}]}, [False, True, False, True]),
        ({"all": [{"feature": "overdue", "gt": 0}, {"feature": "utilisation", "gt": 1}]}, [False, False, False, True]),
    ],
)
def test_conditions_compare_money_in_major_units_and_null_never_fires(condition: object, expected: list[bool]) -> None:
    match = matches(Condition.model_validate(condition), POLICY, "USD")(Values(FRAME)).tolist()

    assert match == expected


def test_a_policy_may_leave_out_gates_flags_and_automatic_limits() -> None:
    text = default_text()
    text = text[: text.index("gates:")] + "limits: {peak: 1.5}\n"
    policy = load(
        text.replace(
            "C:   {from: 0, review_days: 30, limit_factor: 0.0, hold: approve}", "C:   {from: 0, limit_cap: 5}"
        ),
        "p",
    )

    row = rated(overdue("2024-12-01"), policy)

    assert (row["flags"], row["limit"]) == ([], None)
    assert row["rating"] not in ("D", "NR")


def test_a_count_of_nothing_is_no_history_of_payment() -> None:
    preset = load(preset_text("cn-b2b-100"), "cn-b2b-100")
    tables = books([invoice("I1", 100_00, "2025-06-01", "2025-07-01", currency="CNY")], currency="CNY")

    row = assess(tables, preset, day(AS_OF), portfolio=Statistics(100_00, 80_000)).row(0, named=True)

    # No promise broken and no cheque returned yet: the pillar of payment is absent, and caps.
    assert "absent_payment" in {line["indicator"] for line in row["reasons"]}
    nobody = assess(books([]), preset, day(AS_OF), portfolio=Statistics(100_00, 80_000)).row(0, named=True)
    assert nobody["score"] is None
