from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from adapters.common.http import HttpResponse
from adapters.zoho import wire
from adapters.zoho.simulator.org import FieldMeta
from connector.assessment import OUTPUT_FIELDS
from connector.errors import Denied, Exhausted, Misconfigured, Retry
from connector.ports import Change, Source
from tests.simulated import Sim

INVOICES = Source("invoices", "Invoices", ("Invoice_Number", "Account_Name", "Grand_Total", "Due_Date"))
ACCOUNTS = Source("accounts", "Accounts", ("Account_Name", "Account_Number"))


def ids(sim: Sim, module: str = "Accounts") -> list[str]:
    return sorted(sim.org.modules[module].records)


def test_a_read_is_one_query_of_thousands_and_its_values_are_text(sim: Sim) -> None:
    crm = sim.crm()
    pages = list(crm.read(INVOICES, None))

    assert [(page.frame.height, page.complete) for page in pages] == [(450, True)]
    first = pages[0].frame.row(0, named=True)
    assert first["Grand_Total"] == "100.00"
    assert first["Account_Name"] in ids(sim)
    assert crm.spent.calls == {"fields": 1, "count": 1, "coql": 1}
    assert crm.spent.credits == sim.org.spent == 5


def test_a_small_delta_is_a_query_of_one_credit(sim: Sim) -> None:
    crm = sim.crm()
    cursor = list(crm.read(INVOICES, None))[-1].cursor
    sim.control("clock", advance_s=3600)
    # After the overlap the last rows come once more: one that was committed late would be among them.
    cursor = list(crm.read(INVOICES, cursor))[-1].cursor
    before = sim.org.spent

    list(crm.read(INVOICES, cursor))

    assert sim.org.spent - before == 2  # One for the query, one for what was deleted.


def test_a_bulk_file_and_a_query_tell_the_same(sim: Sim) -> None:
    sim.org.change("Invoices", ids(sim, "Invoices")[0], {"Invoice_Number": 'a "b",\r\nc', "Due_Date": None})
    sim.org.jobs.rows_a_file = 200
    crm = sim.crm()
    frame = pl.concat([page.frame for page in crm.read(INVOICES, None)])
    crm._reading.bulk_from = 10

    pages = list(crm.read(INVOICES, None))

    assert [page.frame.height for page in pages] == [200, 200, 50]
    assert pl.concat([page.frame for page in pages]).equals(frame)
    assert crm.spent.credits == sim.org.spent == 5 + 1 + 3 * (50 + 2 + 1)


def test_one_field_that_is_missing_hides_no_other(sim: Sim) -> None:
    odd = Source("invoices", "Invoices", ("Invoice_Number", "Nobody_Made_This"))

    frame = next(iter(sim.crm().read(odd, None))).frame

    assert frame["Nobody_Made_This"].null_count() == 450
    assert frame["Invoice_Number"].null_count() == 0


def test_a_module_without_times_is_read_whole_every_time(sim: Sim) -> None:
    sim.org.modules["Invoices"].system = ("id",)
    cursor = list(sim.crm().read(INVOICES, None))[-1].cursor

    assert cursor == ""
    assert sum(page.frame.height for page in sim.crm().read(INVOICES, cursor)) == 450


def test_a_delta_brings_what_changed_and_what_was_deleted(sim: Sim) -> None:
    cursor = list(sim.crm().read(ACCOUNTS, None))[-1].cursor
    sim.control("clock", advance_s=3600)
    cursor = list(sim.crm().read(ACCOUNTS, cursor))[-1].cursor
    sim.control("clock", advance_s=3600)
    assert [page.frame.height for page in sim.crm().read(ACCOUNTS, cursor)] == [0]

    sim.control("change", module="Accounts", where={"Account_Number": "A3"}, set={"Account_Name": "renamed"})
    sim.control("delete", module="Accounts", where={"Account_Number": "A4"})
    page = list(sim.crm().read(ACCOUNTS, cursor))[-1]

    assert page.frame["Account_Name"].to_list() == ["renamed"]
    assert [gone.why for gone in page.gone] == ["deleted"]


def test_records_are_fetched_by_id_and_the_missing_ones_are_gone(sim: Sim) -> None:
    names = ids(sim, "Invoices")

    pages = list(sim.crm().fetch(INVOICES, [*names[:150], "999"]))

    assert sum(page.frame.height for page in pages) == 150
    assert [gone.record for page in pages for gone in page.gone] == ["999"]


def test_fields_are_installed_once_five_a_call_and_read_back(sim: Sim) -> None:
    crm = sim.crm()

    names = crm.apply(OUTPUT_FIELDS)
    again = crm.apply(OUTPUT_FIELDS)

    assert names == again
    assert names["rating"] == "Credit_Rating"
    assert set(names) == {item.name for item in OUTPUT_FIELDS}
    # Eleven fields are three calls; the rest is looking: what there is, who we are, which profiles only read.
    assert sim.org.spent == 10 * len(OUTPUT_FIELDS) + crm.spent.calls["fields"] - 3 + crm.spent.calls["admin"]
    assert [step.action for step in crm.plan(OUTPUT_FIELDS)] == ["keep"] * len(OUTPUT_FIELDS)


def test_a_field_of_another_type_under_our_label_is_pointed_out(sim: Sim) -> None:
    sim.org.modules["Accounts"].fields["Score"] = (
        sim.org.modules["Accounts"].fields["Account_Name"].__class__("Score", "Credit Score")
    )

    step = {step.name: step for step in sim.crm().plan(OUTPUT_FIELDS)}["score"]

    assert (step.action, step.field, step.detail) == ("mend", "Score", "text, not double")


def test_mixed_results_are_taken_apart_row_by_row(sim: Sim) -> None:
    crm = sim.crm()
    names = crm.apply(OUTPUT_FIELDS)
    one, other, third = ids(sim)[:3]
    changes = [
        Change(
            one,
            {
                names["rating"]: "AA",
                names["limit"]: "1234567890123.45",
                names["flags"]: "OVERDUE_1;SLOWING",
                names["rated_on"]: "2025-06-30",
            },
        ),
        Change(other, {names["rating"]: "ZZ"}),
        Change("5000000000009999", {names["rating"]: "A"}),
        Change(third, {names["reasons"]: "x" * 2001, names["rating"]: None}),
    ]

    outcomes = list(crm.write(changes))

    assert [(outcome.state, outcome.refusal) for outcome in outcomes] == [
        ("taken", None),
        ("refused", f"INVALID_DATA: invalid data ({names['rating']})"),
        ("refused", "INVALID_DATA: the id given seems to be invalid (id)"),
        ("refused", f"INVALID_DATA: invalid data ({names['reasons']})"),
    ]
    stored = sim.org.modules["Accounts"].records[one]
    assert stored[names["flags"]] == ["OVERDUE_1", "SLOWING"]
    page = next(iter(crm.fetch(Source("a", "Accounts", tuple(names.values())), [one])))
    assert page.frame[names["limit"]].item() == "1234567890123.45"
    assert page.frame[names["flags"]].item() == "OVERDUE_1;SLOWING"


def test_a_batch_is_a_hundred_and_a_write_costs_a_credit_per_ten(sim: Sim) -> None:
    crm = sim.crm()
    crm.apply(OUTPUT_FIELDS)
    for n in range(243):
        sim.org.create("Accounts", {"Account_Name": f"x{n}"})
    before = sim.org.spent

    outcomes = list(crm.write(Change(key, {"Credit_Rating": "A"}) for key in ids(sim)))

    assert [outcome.state for outcome in outcomes] == ["taken"] * 250
    assert crm.spent.calls["write"] == 3
    assert sim.org.spent - before == 10 + 10 + 5 + 1  # One call more reads the types of the fields.


def test_twenty_threads_with_an_expired_token_make_one_refresh(sim: Sim) -> None:
    crm = sim.crm()
    list(crm.read(ACCOUNTS, None))
    sim.control("revoke", tokens_only=True)

    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda _: len(list(crm.read(ACCOUNTS, None))), range(20)))

    assert done == [1] * 20
    assert len(sim.org._refreshes) == 2


def test_a_revoked_refresh_token_says_connect_again(sim: Sim) -> None:
    sim.control("revoke")

    with pytest.raises(Denied, match=r"invalid_code.*connect it again") as caught:
        list(sim.crm().read(ACCOUNTS, None))

    assert caught.value.exit_code == 5
    assert sim.org.refresh_token not in str(caught.value)


def test_wrong_client_credentials_are_refused(sim: Sim) -> None:
    with pytest.raises(Denied, match="invalid_client"):
        sim.crm(client_secret="wrong").organisation()


def test_too_many_refreshes_ask_for_a_pause(sim: Sim) -> None:
    for _ in range(10):
        sim.org.issue_token()

    with pytest.raises(Exhausted, match="quota"):
        sim.crm().organisation()


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_storms_pass(sim: Sim, status: int) -> None:
    sim.control("faults", api="coql", status=status, times=3)

    assert sum(page.frame.height for page in sim.crm().read(INVOICES, None)) == 450


def test_a_storm_that_does_not_pass_ends_with_its_own_problem(sim: Sim) -> None:
    sim.control("faults", api="coql", status=503, times=99)
    with pytest.raises(Retry, match="HTTP 503"):
        list(sim.crm().read(INVOICES, None))

    sim.control("faults", api="org", status=429, times=99)
    with pytest.raises(Exhausted) as caught:
        sim.crm().organisation()
    assert caught.value.exit_code == 6


def test_an_answer_that_is_lost_leaves_the_outcome_unknown_and_one_that_never_came_is_deferred(sim: Sim) -> None:
    crm = sim.crm()
    crm.apply(OUTPUT_FIELDS)
    change = Change(ids(sim)[0], {"Credit_Rating": "A"})
    list(crm.write([change]))

    sim.control("faults", api="write", status=0, times=99)
    assert [outcome.state for outcome in crm.write([change])] == ["unknown"]

    sim.org.faults.clear()
    sim.control("faults", api="write", status=429, times=99)
    assert [outcome.state for outcome in crm.write([change])] == ["deferred"]


def test_a_quota_that_is_used_up_is_told(sim: Sim) -> None:
    sim.org.credits_a_day = 1

    with pytest.raises(Exhausted, match="24 hours"):
        list(sim.crm().read(INVOICES, None))


def test_an_unknown_module_is_misconfigured(sim: Sim) -> None:
    with pytest.raises(Misconfigured, match="has no object Nothing"):
        list(sim.crm().read(Source("x", "Nothing", ("a",)), None))


def test_too_many_fields_are_misconfigured(sim: Sim) -> None:
    wide = tuple(f"f{n}" for n in range(500))
    sim.org.modules["Accounts"].fields |= {name: FieldMeta(name, name) for name in wide}
    with pytest.raises(Misconfigured, match="over 500 fields"):
        list(sim.crm().read(Source("x", "Accounts", wide), None))


def test_rates_come_from_the_organisation_s_currencies_dated_the_day_they_are_read(sim: Sim) -> None:
    sim.org.exchange_rates["EUR"] = "0.900000000"
    crm = sim.crm()
    assert (crm.organisation().currency, crm.organisation().name) == ("USD", "Simulated Ltd")

    page = next(
        iter(
            crm.read(Source("rates", "org/currencies", ("iso_code", "exchange_rate", "home_iso_code", "read_on")), None)
        )
    )

    row = page.frame.row(0, named=True)
    assert (row["iso_code"], row["exchange_rate"], row["home_iso_code"]) == ("EUR", "0.900000000", "USD")
    assert row["read_on"] == crm.now().date().isoformat()


def test_nothing_is_ever_sent_to_another_origin(sim: Sim) -> None:
    crm = sim.crm(api_domain="http://127.0.0.1:1")
    with pytest.raises(Retry, match=r"127\.0\.0\.1:1 cannot be reached"):
        crm.organisation()
    with pytest.raises(Misconfigured, match="does not name it"):
        crm._http.call("GET", "https://example.org/x")


@pytest.mark.parametrize("body", [b'{"data":[{"id":"1","Amount":12x}]}', b"<html>", b'{"data": [\xff'])
def test_an_answer_that_is_no_json_is_a_reason_to_try_again(body: bytes) -> None:
    with pytest.raises(Retry, match="no JSON"):
        wire.records(HttpResponse(200, body, {}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"data": "\xff"}',
        b"{}",
        b"null",
        b"[1]",
        b'{"data": null}',
        b'{"data": {}}',
        b'{"status": "error", "code": "INTERNAL_ERROR"}',
    ],
)
def test_an_answer_without_its_list_is_no_empty_list(body: bytes) -> None:
    with pytest.raises(Retry, match="without its records"):
        wire.records(HttpResponse(200, body, {}))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"data": [{"id": "1"}]}', "more_records"),
        (b'{"data": [{"id": "1"}], "info": {"more_records": null}}', "more_records"),
        (b'{"data": [], "info": {"more_records": true}}', "0 rows came"),
    ],
)
def test_a_page_says_whether_there_are_more(body: bytes, words: str) -> None:
    with pytest.raises(Retry, match=words):
        wire.page(HttpResponse(200, body, {}), "Accounts")


def test_no_content_is_no_records() -> None:
    assert wire.page(HttpResponse(204, b"", {}), "Accounts") == ([], False)
