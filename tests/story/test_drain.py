"""Events over the whole line: a payment shows within one turn, whatever order, number and delay they come in."""

import pytest

from connector.ports import Event
from sync import inbox
from sync.store import ledger
from tests.story.events import drained, hear, of, pay
from tests.story.house import House


def test_a_payment_is_read_scored_written_and_closed_in_one_turn(live: House) -> None:
    before = dict(live.account("A004"))
    record = pay(live, "A004")
    hear(live, Event("e1", "Customer_Payments", (record,), (), "create"))

    done = drained(live)

    after = live.account("A004")
    assert (done.closed, done.scored, done.pushed.written) == (1, [after["id"]], 1)
    assert before["Credit_Overdue_Since"] == "2025-05-20"
    assert after["Credit_Overdue_Since"] is None
    assert float(bytes(after["Credit_Score"])) > float(bytes(before["Credit_Score"]))
    with live.store.read("sim") as session:
        assert inbox.count_by_state(session) == {"waiting": 0, "dead": 0, "done": 1}
    calls = live.link.crm.spent.calls
    assert live.sync().pushed.written == 0
    assert calls


def test_events_in_any_order_and_number_end_the_same(live: House) -> None:
    record = pay(live, "A004")
    event = Event("e1", "Customer_Payments", (record,), (), "update")
    hear(live, event, event, Event("e2", "", (), ("A004",)), Event("e3", "Accounts", (live.account("A004")["id"],)))
    first = drained(live)
    values = dict(live.account("A004"))
    hear(live, event, Event("e4", "Customer_Payments", (record,), (), "create"))

    again = drained(live)

    assert (first.closed, again.closed) == (3, 1)
    assert (again.scored, again.pushed.written) == ([], 0)
    assert live.account("A004") == values


def test_a_payment_that_moved_or_went_re_rates_both_customers(live: House) -> None:
    record = pay(live, "A004")
    hear(live, Event("e1", "Customer_Payments", (record,)))
    drained(live)
    other = live.account("A008")
    claim = next(row for row in of(live, "Invoices", "A008") if row["Due_Date"] == "2025-05-20")
    live.sim.org.change(
        "Customer_Payments",
        record,
        {
            "Account": {"id": other["id"], "name": "A008"},
            "Invoice": {"id": claim["id"], "name": "x"},
        },
    )
    hear(live, Event("e2", "Customer_Payments", (record,)))

    moved = drained(live)
    assert set(moved.scored) == {live.account("A004")["id"], other["id"]}
    assert live.account("A004")["Credit_Overdue_Since"] == "2025-05-20"

    live.sim.org.delete("Customer_Payments", record)
    hear(live, Event("e3", "Customer_Payments", (record,), (), "delete"))
    gone = drained(live)
    assert gone.scored == [other["id"]]
    with live.store.read("sim") as session:
        assert record not in ledger.load(session)["payments"]["payment_id"].to_list()


def test_a_ledger_closes_what_left_the_account_without_an_event_of_its_own(live: House) -> None:
    claim = of(live, "Invoices", "A004")[-1]
    live.sim.org.change("Invoices", claim["id"], {"Account_Name": {"id": live.account("A005")["id"], "name": "A005"}})
    hear(live, Event("e1", "", (), ("A004",)))

    done = drained(live)

    assert set(done.scored) == {live.account("A004")["id"], live.account("A005")["id"]}


def test_a_payment_that_the_crm_shows_only_after_a_moment_is_waited_for(live: House) -> None:
    """mollie-api-php #585: the hook came before the record could be read, and forgetting it lost the payment."""
    shows = live.sim.org.modules["Customer_Payments"].records
    record = pay(live, "A004")
    hidden = shows.pop(record)
    hear(live, Event("e1", "Customer_Payments", (record,)))
    early = [drained(live, seconds) for seconds in (0, 2, 3)]
    shows[record] = hidden

    late = drained(live, 5)

    assert [(turn.closed, turn.put_off) for turn in early] == [(0, 1)] * 3
    assert (late.closed, late.scored) == (1, [live.account("A004")["id"]])
    assert live.account("A004")["Credit_Overdue_Since"] is None


def test_a_record_that_never_shows_ends_in_the_dead_box_and_costs_a_read_a_try(live: House) -> None:
    hear(live, Event("e1", "Customer_Payments", ("5999999999999999",), (), "create"), Event("e2", "", (), ("A008",)))
    live.link.crm.spent.calls.clear()
    turns = [drained(live, seconds) for seconds in (0, 2, 3, 5, 9, 17, 61, 301, 301)]

    assert [turn.put_off for turn in turns] == [1] * 8 + [0]
    assert turns[0].closed == 1
    assert live.link.crm.spent.calls["coql"] <= 12
    with live.store.read("sim") as session:
        dead = inbox.deliveries(session, "dead")
    assert [(row["event_id"], row["cause"]) for row in dead] == [("e1", "E-RECORD-UNSEEN")]


def test_a_late_update_of_a_record_that_is_gone_is_no_mystery(live: House) -> None:
    record = pay(live, "A004")
    hear(live, Event("e1", "Customer_Payments", (record,), (), "create"))
    drained(live)
    live.sim.org.delete("Customer_Payments", record)
    hear(live, Event("e3", "Customer_Payments", (record,), (), "delete"))
    drained(live)
    hear(live, Event("e2", "Customer_Payments", (record,), (), "update"))

    assert drained(live).closed == 1


def test_an_older_event_that_comes_last_puts_nothing_back(live: House) -> None:
    """laravel/cashier-stripe #1201: events are reasons to look, and what they said does not count."""
    record = pay(live, "A004")
    written: list[object] = []
    for key in ("paid at :05", "updated, unpaid, at :04"):
        hear(live, Event(key, "Customer_Payments", (record,), (), "update"))
        live.link.crm.spent.calls.clear()
        drained(live)
        written.append(live.account("A004")["Credit_Overdue_Since"])
        assert live.link.crm.spent.calls.get("write", 0) == (1 if len(written) == 1 else 0)

    assert written == [None, None]


def test_a_storm_puts_events_off_and_they_are_worked_on_when_it_is_over(live: House) -> None:
    record = pay(live, "A004")
    hear(live, Event("e1", "Customer_Payments", (record,)))
    live.sim.control("faults", api="coql", status=503, times=99)
    stormy = drained(live)
    live.sim.org.faults.clear()

    assert (stormy.problem, stormy.put_off, stormy.closed) == ("E-CRM-DOWN", 1, 0)
    assert drained(live).closed == 0  # Its time has not come.
    assert drained(live, 5).closed == 1
    assert live.account("A004")["Credit_Overdue_Since"] is None


def test_a_turn_that_ended_between_reading_and_scoring_is_not_forgotten(
    live: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = pay(live, "A004")
    hear(live, Event("e1", "Customer_Payments", (record,)))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sync.drain.score", killed)
        with pytest.raises(KeyboardInterrupt):
            drained(live)

    # Nothing has changed since then in the CRM.
    assert drained(live).scored == [live.account("A004")["id"]]
    assert live.account("A004")["Credit_Overdue_Since"] is None


def test_what_an_event_found_stands_after_the_night_of_the_same_day(live: House) -> None:
    """Source: docs/rules.md, "Events and runs": within a day order and number do not matter."""
    record = pay(live, "A004")
    hear(live, Event("e1", "Customer_Payments", (record,)))
    drained(live)
    values = dict(live.account("A004"))

    night = live.sync(full=True)

    assert night.pushed.written == 0
    assert live.account("A004") == values


def test_events_write_nobody_whose_rows_stopped_fitting(live: House) -> None:
    good, bad = ("A004", "A008", "A012", "A016"), [f"A{number:03d}" for number in range(20, 34)]
    before = {number: dict(live.account(number)) for number in bad}
    # Seventy of 600 invoices, in a currency that is none.
    claims = [claim for number in bad for claim in of(live, "Invoices", number)]
    for claim in claims:
        live.sim.org.change("Invoices", claim["id"], {"Currency": "US Dollar"})
    paid = [pay(live, number) for number in good]
    hear(live, Event("e1", "Invoices", tuple(claim["id"] for claim in claims)))
    hear(live, Event("e2", "Customer_Payments", tuple(paid)))

    done = drained(live)

    assert (done.closed, done.waits, len(done.scored)) == (2, len(bad), len(good))
    assert {number: live.account(number) for number in bad} == before
    ran = live.sync()
    assert (ran.state, ran.withheld) == ("withheld", len(bad))
    for claim in claims:
        live.sim.org.change("Invoices", claim["id"], {"Currency": "USD"})
    ran = live.sync()
    assert (ran.state, ran.withheld, ran.holes) == ("done", 0, [])
