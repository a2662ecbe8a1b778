import polars as pl
import pytest

from connector.messages.features import AFTERWARDS, FEATURES
from connector.schema import day_of
from connector.scoring.features.features import features
from connector.scoring.features.tendency import Statistics
from connector.scoring.ledger.ledger import ledger
from tests.connector.scoring.books import POLICY, books, day, invoice, table

AS_OF = "2025-06-30"


def of(tables: dict[str, pl.DataFrame], account: str = "A", as_of: str = AS_OF) -> dict[str, object]:
    state = ledger(tables, POLICY, day(as_of))
    rows = features(tables, state, POLICY, Statistics(100_00, 80_000), day(as_of)).to_dicts()
    return next(row for row in rows if row["account_id"] == account)


MIXED = books(
    [
        invoice("paid", 600_00, "2025-03-01", "2025-03-31"),
        invoice("late", 300_00, "2025-04-01", "2025-05-01"),
        invoice("overdue", 100_00, "2025-05-01", "2025-05-31"),
        invoice("running", 50_00, "2025-06-15", "2025-07-15"),
        invoice("old", 70_00, "2023-01-01", "2023-02-01"),
    ],
    [("P1", "paid", "2025-03-31", 600_00), ("P2", "late", "2025-05-21", 300_00), ("P3", "old", "2023-02-01", 70_00)],
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("days_beyond_terms", (600 * 0 + 300 * 20 + 100 * 30) / 1000),
        ("on_time_share", 600 / 1000),
        ("late_15_share", 400 / 1000),
        ("overdue_share", 100 / 1000),
        ("oldest_overdue", 30),
        ("material_overdue_days", 30),
        ("overdue", 100_00),
        ("exposure", 150_00),
        ("volume", 1050_00),
        ("open_items", 2),
        ("tenure", (day(AS_OF) - day("2023-01-01"))),
        ("dormant_days", 15),
        ("trend", (300 * 20 + 100 * 30) / 400 - 0),
        ("utilisation", None),
        ("disputed_share", 0),
        ("rate_missing", 0),
        ("bounced", 0),
        ("written_off", 0),
    ],
)
def test_features_by_hand(name: str, value: float | None) -> None:
    assert of(MIXED)[name] == (None if value is None else pytest.approx(value))


def test_every_feature_that_a_policy_may_name_is_there() -> None:
    row = of(MIXED)

    assert FEATURES.keys() - AFTERWARDS <= set(row)
    assert day_of(int(str(row["overdue_since"]))).isoformat() == "2025-05-31"


def test_a_customer_without_a_fact_has_sums_of_nothing_and_no_averages() -> None:
    row = of(books([], account="B"), "B")

    assert (row["exposure"], row["history"], row["bounced"]) == (0, 0, 0)
    assert row["days_beyond_terms"] is row["late_tendency"] is row["tenure"] is None


def test_many_small_overdue_items_become_material_together() -> None:
    tables = books([invoice(f"I{n}", 20_00, "2025-01-01", f"2025-05-{10 + n}") for n in range(5)])

    # 50.00 is reached with the third oldest, due on 12 May.
    assert of(tables)["material_overdue_days"] == day(AS_OF) - day("2025-05-12")


def test_limits_in_force_add_up_and_an_expired_one_does_not_count() -> None:
    limit = {"account_id": "A", "currency": "USD", "scope": "account", "kind": "permanent"}
    tables = {
        **MIXED,
        "limits": table(
            "limits",
            {**limit, "limit_id": "1", "amount": 200_00},
            {**limit, "limit_id": "2", "amount": 250_00, "valid_from": "2025-02-01"},
            {**limit, "limit_id": "3", "amount": 50_00, "kind": "temporary", "valid_until": "2025-06-30"},
            {**limit, "limit_id": "4", "amount": 70_00, "kind": "temporary", "valid_until": "2025-06-29"},
            {**limit, "limit_id": "5", "amount": 900_00, "valid_from": "2025-07-01"},
        ),
    }

    assert of(tables)["agreed_limit"] == 300_00
    assert of(tables)["utilisation"] == 0.5


def test_returned_payments_and_insolvency_are_counted_from_their_day() -> None:
    payment = {"payment_id": "P1", "account_id": "A", "paid_on": "2025-03-31", "amount": 1, "currency": "USD"}
    tables = {
        **MIXED,
        "payments": table("payments", {**payment, "bounced_on": AS_OF}),
        "evidence": table(
            "evidence",
            {"evidence_id": "E", "account_id": "A", "kind": "legal", "observed_on": AS_OF, "value": "破产"},
        ),
    }

    assert (of(tables)["bounced"], of(tables)["insolvency"]) == (1, 1)
    assert (of(tables, as_of="2025-06-29")["bounced"], of(tables, as_of="2025-06-29")["insolvency"]) == (0, 0)


def test_money_on_account_lowers_exposure_and_settles_no_overdue_item() -> None:
    tables = books([invoice("I1", 100_00, "2025-05-01", "2025-05-31")], [("P1", None, "2025-06-01", 30_00)])

    row = of(tables)

    assert (row["exposure"], row["overdue"], row["on_account"]) == (70_00, 100_00, 30_00)
