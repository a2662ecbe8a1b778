"""Yesterday's rating explained from what was known yesterday, whatever has been corrected since."""

from datetime import date

from connector.policy import Policy
from connector.schema import day_number
from connector.scoring.explanation.explain import explained
from connector.scoring.features.tendency import Statistics
from sync.store import ledger, ratings
from tests.connector.scoring.books import POLICY
from tests.story.house import TODAY, House


def recomputed(house: House, account: str, day: str) -> tuple[str, float, int]:
    """Rating, score and open items of a stored day, done again from what was known then."""
    as_of = day_number(date.fromisoformat(day))
    with house.store.read("sim") as session:
        row = ratings.assessed_on(session, account, as_of)
        assert row is not None
        policy = Policy.model_validate_json(str(ratings.policy(session, row["policy_version"])))
        statistics = Statistics.from_json(str(ratings.statistics_before(session, as_of)))
        prior = ratings.assessments(session, before=as_of)
        tables = ledger.load(session, [account], known_at=row["assessed_at"])
    result = explained(tables, policy, as_of, statistics, account, prior)
    assert POLICY.version == row["policy_version"]
    assert policy.content == POLICY.content
    assert (result["rating"], result["score"]) == (row["rating"], row["score"])
    return result["rating"], result["score"], len(result["facts"]["open"])


def test_a_deleted_payment_leaves_yesterday_as_it_was(house: House) -> None:
    house.sync()
    account = house.account("A001")["id"]
    before = recomputed(house, account, TODAY)

    house.sim.control("delete", module="Customer_Payments", where={"Name": "PA001-4"})
    house.sync("2025-07-01")

    assert recomputed(house, account, TODAY) == before
    after = recomputed(house, account, "2025-07-01")
    assert after[2] == before[2] + 1
    assert after[1] < before[1]


def test_a_changed_invoice_and_a_limit_that_is_gone_are_known_from_then_to_then(house: House) -> None:
    house.sync()
    account = house.account("A001")["id"]
    before = recomputed(house, account, TODAY)

    house.sim.control("change", module="Invoices", where={"Subject": "A001-5"}, set={"Grand_Total": "9999.00"})
    house.sim.control("change", module="Accounts", where={"Account_Number": "A001"}, set={"Agreed_Credit_Limit": None})
    house.sync("2025-07-01")

    assert recomputed(house, account, TODAY) == before
    recomputed(house, account, "2025-07-01")
    with house.store.read() as session:
        past = {
            name: session.tx.exec_driver_sql(f'select count(*) from "{name}_past"').scalar_one()
            for name in ("receivables", "limits", "payments")
        }
    assert past == {"receivables": 1, "limits": 1, "payments": 0}


def test_everybody_s_stored_day_can_be_done_again_to_the_digit(house: House) -> None:
    house.sync()
    for key in list(house.sim.org.modules["Invoices"].records)[::40]:
        house.sim.control("delete", module="Invoices", id=key)
    house.sync("2025-07-01")

    for row in list(house.sim.org.modules["Accounts"].records.values())[::30]:
        for day in (TODAY, "2025-07-01"):
            recomputed(house, row["id"], day)
