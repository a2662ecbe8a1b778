"""The whole line over real HTTP: a simulated Zoho is read, scored and written back."""

from datetime import date

import polars as pl
import pytest

from adapters.zoho.simulator.org import number
from connector.errors import Denied
from connector.schema import day_number
from sync.store import ledger, refusals
from tests.story.house import TODAY, House


def test_a_first_sync_rates_everybody_and_writes_it_back(house: House) -> None:
    ran = house.sync()

    summary = ran.summary(house.link)
    assert (summary["accounts"], summary["receivables"], summary["payments"]) == (120, 600, 570)
    assert (summary["assessed"], summary["written"], summary["refused"], summary["rejected"]) == (120, 120, 0, 0)
    assert summary["read"]["accounts"] == 120
    values = house.account("A004")
    assert values["Credit_Rating"] in ("CCC", "CC", "BB", "B", "C")
    assert values["Credit_Flags"] == ["DATA_STALE", "OVERDUE_30", "OVER_LIMIT", "SLOWING"]
    assert values["Credit_Hold"] == "approve"
    assert values["Credit_Overdue_Since"] == "2025-05-20"
    assert values["Credit_Rated_On"] == TODAY
    assert "Chance of paying seriously late" in values["Credit_Reasons"]
    assert bytes(house.account("A001")["Credit_Limit"]) == b"5000.00"


def test_a_second_sync_writes_nothing_though_our_own_writes_are_read_again(house: House) -> None:
    house.sync()
    again = house.sync()

    summary = again.summary(house.link)
    assert (summary["assessed"], summary["written"], summary["unchanged"]) == (0, 0, 120)
    assert "write" not in summary["calls"]


def test_a_payment_re_rates_its_customer_and_writes_only_what_moved(house: House) -> None:
    house.sync()
    house.sync()
    before = dict(house.account("A004"))
    invoice_id = next(
        key for key, row in house.sim.org.modules["Invoices"].records.items() if row["Subject"] == "A004-5"
    )
    house.sim.control(
        "create",
        module="Customer_Payments",
        set={
            "Name": "new",
            "Account": {"id": before["id"]},
            "Invoice": {"id": invoice_id},
            "Paid_On": TODAY,
            "Amount": "1000.04",
            "Currency": "USD",
        },
    )

    ran = house.sync()

    summary = ran.summary(house.link)
    assert (summary["assessed"], summary["written"], summary["unchanged"]) == (1, 1, 119)
    after = house.account("A004")
    assert after["Credit_Flags"] == ["DATA_STALE", "SLOWING"]
    assert after["Credit_Overdue_Since"] is None
    moved = {name for name in after if after[name] != before.get(name)} - {"Modified_Time"}
    assert moved <= {
        "Credit_Rating",
        "Credit_Limit",
        "Credit_Available",
        "Credit_Hold",
        "Credit_Flags",
        "Credit_Overdue_Since",
        "Credit_Reasons",
        "Credit_Score",
        "Credit_Exposure",
        "Credit_Next_Review",
    }
    assert summary["fields"] == len(moved)


def test_an_edit_by_a_user_is_healed(house: House) -> None:
    house.sync()
    house.sync()
    right = house.account("A004")["Credit_Rating"]
    house.sim.control("change", module="Accounts", where={"Account_Number": "A004"}, set={"Credit_Rating": "AAA"})

    ran = house.sync()

    assert (ran.pushed.written, ran.pushed.fields) == (1, 1)
    assert house.account("A004")["Credit_Rating"] == right


def test_fields_without_decimals_are_written_once_and_then_believed(house: House) -> None:
    house.sync()
    field = house.link.mapping.writes.fields["score"]
    rounded = 0
    for record, row in house.sim.org.modules["Accounts"].records.items():
        displayed = row.get(field)
        if displayed is not None and float(bytes(displayed)) % 1:
            rounded += 1
            house.sim.org.change("Accounts", record, {field: number(str(round(float(bytes(displayed)))))})
    assert rounded > 20

    assert [house.sync().pushed.written for _ in range(3)] == [0, 0, 0]


def test_a_quiet_night_is_silent_and_an_own_day_that_passes_is_not(house: House) -> None:
    house.sync()
    house.sync()
    before = {key: dict(row) for key, row in house.sim.org.modules["Accounts"].records.items()}

    quiet = house.sync("2025-07-01")

    # Everybody is scored again; nobody's facts moved and no due day passed, so a score that drifts is no news.
    assert quiet.assessed.height == 120
    after = house.sim.org.modules["Accounts"].records
    written = [key for key, row in after.items() if row["Credit_Rated_On"] == "2025-07-01"]
    assert len(written) == quiet.pushed.written < 40
    for key in written:
        assert any(
            after[key][f"Credit_{name}"] != before[key][f"Credit_{name}"]
            for name in ("Rating", "Limit", "Flags", "Hold")
        )

    house.sync("2025-07-11")
    assert bytes(house.account("A001")["Credit_Limit"]) != b"5000.00"


def test_an_earlier_day_is_shown_and_neither_stored_nor_written(house: House) -> None:
    house.sync()
    past = house.sync("2025-05-01")

    assert past.state == "shown"
    assert past.assessed.height == 120
    assert past.pushed.written == 0
    assert house.account("A004")["Credit_Rated_On"] == TODAY


def test_a_deleted_invoice_no_longer_counts(house: House) -> None:
    house.sync()
    house.sim.control("clock", advance_s=60)
    house.sim.control("delete", module="Invoices", where={"Subject": "A004-5"})

    ran = house.sync()

    assert ran.totals["receivables"] == 599
    assert ran.assessed["customer_id"].to_list() == [house.account("A004")["id"]]
    assert house.account("A004")["Credit_Overdue_Since"] is None


def test_a_full_sync_closes_what_is_gone_and_believes_no_landslide(house: House) -> None:
    house.sync()
    records = house.sim.org.modules["Invoices"].records
    for key in list(records)[:2]:
        del records[key]
    ran = house.sync(full=True)
    assert ran.totals["receivables"] == 598

    for key in list(records)[:100]:
        del records[key]
    ran = house.sync(full=True)
    lost = [(row.source, row.stored, row.shown, row.missing) for row in ran.pulled.lost]
    assert (ran.totals["receivables"], lost) == (598, [("invoices", 598, 498, 100)])


def test_a_pull_that_was_cut_goes_on_where_it_stood(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.taking.RECORDS_A_TRANSACTION", 200)
    house.link.crm._reading.most = 200  # type: ignore[attr-defined]

    def stop(source: str, records: int) -> None:
        if source == "payments" and records >= 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        house.sync(tell=stop)
    with house.store.read("sim") as session:
        cursor = ledger.cursor(session, "payments")
    assert cursor is not None
    assert not cursor.complete

    ran = house.sync()
    assert ran.pulled.records["payments"] == 170
    assert ran.totals["payments"] == 570


def test_lost_answers_are_read_back_before_anything_is_written_again(house: House) -> None:
    house.sim.control("faults", api="write", status=0, times=4)

    ran = house.sync()

    # The hundred of the lost batch were taken: read back, they need no second write, and count once.
    assert ran.pushed.written == 120
    assert (ran.pushed.unknown, ran.pushed.refused) == (0, 0)
    assert house.account("A004")["Credit_Rated_On"] == TODAY
    assert house.sync().pushed.written == 0


def test_a_quota_that_ends_leaves_the_rest_for_the_next_run(house: House) -> None:
    house.sim.control("faults", api="write", status=429, times=8)
    ran = house.sync()
    assert ran.pushed.written < 120
    assert ran.pushed.deferred > 0

    house.sim.org.faults.clear()
    assert ran.pushed.written + house.sync().pushed.written == 120


def test_refused_rows_are_told_and_do_not_sink_the_others(house: House) -> None:
    for key in ("A003", "A004"):
        house.sim.org.rules[house.account(key)["id"]] = "Phone is mandatory"

    ran = house.sync()

    assert (ran.pushed.written, ran.pushed.refused, ran.refused_fields) == (118, 2, {})
    assert house.sync().pushed.refused == 0


def test_an_option_that_is_missing_keeps_its_field_from_the_account_and_no_other(house: House) -> None:
    meta = house.sim.org.modules["Accounts"].fields["Credit_Flags"]
    whole = meta.options
    meta.options = tuple(option for option in whole if option != "OVERDUE_30")

    ran = house.sync()

    assert (ran.pushed.written, ran.pushed.refused, ran.refused_fields) == (120, 0, {"flags": 30})
    with house.store.read("sim") as session:
        document = refusals.open_(session)
    assert len(document) == 30
    assert {each.fields for each in document.values()} == {("flags",)}
    rows = [house.sim.org.modules["Accounts"].records[record] for record in document]
    assert all(row["Credit_Rating"] and row["Credit_Reasons"] and row["Credit_Rated_On"] for row in rows)
    assert not any(row.get("Credit_Flags") for row in rows)
    # Until somebody adds it, nothing is sent again for it.
    assert house.sync().pushed.written == 0

    meta.options = whole
    mended = house.sync()
    assert (mended.pushed.written, mended.refused_fields) == (30, {})
    assert all("OVERDUE_30" in row["Credit_Flags"] for row in rows)
    with house.store.read("sim") as session:
        assert refusals.open_(session) == {}


def test_a_grade_that_is_refused_is_not_vouched_for_by_a_new_day(house: House) -> None:
    fields = house.sim.org.modules["Accounts"].fields
    house.sync()
    records = house.sim.org.modules["Accounts"].records
    before = {key: dict(row) for key, row in records.items()}
    whole = fields["Credit_Hold"].options
    fields["Credit_Hold"].options = ("none",)
    later = "2025-08-20"

    ran = house.sync(later)
    fallen = ran.refused_fields["hold"]
    assert fallen > 0
    with house.store.read("sim") as session:
        messages = [key for key, each in refusals.open_(session).items() if "hold" in each.fields]
    assert len(messages) == fallen
    for key in messages:
        for name in ("Credit_Hold", "Credit_Rated_On", "Credit_Reasons"):
            assert records[key].get(name) == before[key].get(name), name
    # What does not lean on it is new: the flags say what has happened.
    assert any(records[key]["Credit_Flags"] != before[key].get("Credit_Flags") for key in messages)

    fields["Credit_Hold"].options = whole
    assert house.sync(later).refused_fields == {}
    assert all(records[key]["Credit_Rated_On"] != before[key]["Credit_Rated_On"] for key in messages)


def test_a_revoked_token_ends_the_run_with_nothing_half_written(house: House) -> None:
    house.sync()
    house.sim.control("revoke")

    with pytest.raises(Denied):
        house.sync()
    with house.store.read("sim") as session:
        assert ledger.totals(session)["receivables"] == 600


def test_what_a_merged_customer_left_moves_to_the_other_one_though_no_time_moved(house: House) -> None:
    house.sync()
    org = house.sim.org
    loser, winner = house.account("A003"), house.account("A004")
    for module, lookup in (("Invoices", "Account_Name"), ("Customer_Payments", "Account")):
        for row in org.modules[module].records.values():
            if row[lookup]["id"] == loser["id"]:
                row[lookup] = {"id": winner["id"], "name": winner["Account_Name"]}
    org.delete("Accounts", loser["id"])

    house.sync()

    with house.store.read("sim") as session:
        claims = ledger.load(session)["receivables"]
    assert claims.filter(pl.col("account_id") == winner["id"]).height == 10
    assert claims.filter(pl.col("account_id") == loser["id"]).is_empty()


def test_a_module_without_times_is_read_whole_and_said_to_be(house: House) -> None:
    org = house.sim.org
    org.modules["Customer_Payments"].system = ("id",)
    house.sync()
    records = list(org.modules["Customer_Payments"].records)
    before = org.modules["Customer_Payments"].records[records[0]]["Modified_Time"]
    for record in records[:2]:
        org.change("Customer_Payments", record, {"Paid_On": "2025-06-01", "Modified_Time": before})
    org.modules["Customer_Payments"].take(records[2])

    ran = house.sync()

    with house.store.read("sim") as session:
        paid = ledger.load(session)["payments"]
    day = day_number(date(2025, 6, 1))
    assert paid.filter(pl.col("payment_id").is_in(records[:2]))["paid_on"].to_list() == [day, day]
    assert paid.filter(pl.col("payment_id") == records[2]).is_empty()
    assert ran.summary(house.link)["read_whole_every_time"] == ["payments"]
