"""The mapping of a CRM and those of its feeds, put together: what takes the place of what, and how ids stay apart."""

import pytest

from connector.errors import Misconfigured
from mappings.feeds import LEDGER, FeedPlan, joined, taken_over
from mappings.load import Mapping, load, packaged

ZOHO, ERP, FOLDER = packaged("zoho"), packaged("erpnext"), packaged("folder")


def brought(made: Mapping, feed: str) -> set[str]:
    return {table for name in made.of_feed(feed) for table in made.sources[name].tables()}


def test_the_claims_of_a_feed_take_the_place_of_the_crm_s_own() -> None:
    made = joined(ZOHO, {"erp": FeedPlan(ERP)})
    assert made.systems()["receivables"] == ["erp"]
    assert set(taken_over(ZOHO, FeedPlan(ERP))) == set(LEDGER)
    # What people agreed counts from both, under ids of their own; rates from the CRM alone.
    assert (made.systems()["limits"], made.systems()["rates"]) == (["", "erp"], [""])
    assert "accounts" not in brought(made, "erp")
    assert made.order()[0] == "accounts"


def test_beside_each_other_ids_bear_the_feed_s_name() -> None:
    made = joined(ZOHO, {"erp": FeedPlan(ERP, beside=True)})
    assert made.systems()["receivables"] == ["", "erp"]
    rule = made.sources["erp.invoices"].yields[0].columns
    assert (rule["receivable_id"].prefix, rule["account_id"].prefix, rule["order_id"].prefix) == ("erp:", "", "erp:")


def test_a_folder_brings_claims_only_where_they_are_named() -> None:
    plans = {"erp": FeedPlan(ERP), "files": FeedPlan(FOLDER)}
    made = joined(ZOHO, plans)
    assert made.systems()["receivables"] == ["erp"]
    assert {"evidence", "statements", "profiles"} <= brought(made, "files")
    made = joined(ZOHO, {"files": FeedPlan(FOLDER, tables=(*LEDGER, "rates"))})
    assert (made.systems()["receivables"], made.systems()["rates"]) == (["files"], ["files"])


def test_two_books_that_both_have_claims_both_count() -> None:
    made = joined(ZOHO, {"erp": FeedPlan(ERP), "old": FeedPlan(ERP)})
    assert made.systems()["receivables"] == ["erp", "old"]


def test_what_a_feed_says_of_claims_that_lie_elsewhere_is_read_last_and_by_their_numbers() -> None:
    made = joined(ZOHO, {"files": FeedPlan(FOLDER)})
    assert made.order()[-1] == "files.promises"
    rules = made.sources["files.promises"].yields[0].columns
    assert (rules["promise_id"].prefix, rules["receivable_id"].prefix) == ("files:", "")


def test_a_feed_needs_something_that_ties_its_customers() -> None:
    bare = load(ERP_WITHOUT, "x")
    with pytest.raises(Misconfigured, match="--number"):
        joined(bare, {"erp": FeedPlan(ERP)})
    assert joined(bare, {"erp": FeedPlan(ERP, number="ERP_No")}).feeds["erp"].number == "ERP_No"
    tie = joined(bare, {"erp": FeedPlan(ERP, account="custom_crm")}).feeds["erp"]
    assert (tie.number, tie.customers and tie.customers.account) == (None, "custom_crm")
    with pytest.raises(Misconfigured, match="evidense"):
        joined(ZOHO, {"files": FeedPlan(FOLDER, tables=("evidense",))})


ERP_WITHOUT = """
version: 1
crm: own
sources:
  accounts: {object: A, yields: [{table: accounts, columns: {account_id: id, name: N}}]}
writes: {object: A, fields: {}}
"""


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ("  b: {object: 'erp:B', yields: [{table: evidence, columns: {evidence_id: id}}]}\n", "feeds does not declare"),
        (
            (
                "  b: {object: B, yields: [{table: evidence, columns: {evidence_id: id}}]}\n"
                "  c: {object: 'dw:C', yields: [{table: evidence, columns: {evidence_id: id}}]}\n"
            ),
            "give evidence_id of one of them a prefix",
        ),
        (
            (
                "  b: {object: B, yields: [{table: statements, columns: {account_id: a}}]}\n"
                "  c: {object: 'dw:C', yields: [{table: statements, columns: {account_id: a}}]}\n"
            ),
            "choose one",
        ),
    ],
)
def test_a_mapping_of_one_s_own_is_checked(sources: str, message: str) -> None:
    text = ERP_WITHOUT.replace("writes:", f"{sources}writes:").replace(
        "crm: own", "crm: own\nfeeds: {dw: {number: No}}"
    )
    with pytest.raises(Misconfigured, match=message):
        load(text, "own.yaml")


def test_a_mapping_may_declare_its_feeds_itself() -> None:
    text = ERP_WITHOUT.replace("crm: own", "crm: own\nfeeds: {erp: {number: No}}").replace(
        "writes:",
        "  b: {object: 'erp:Sales Invoice', yields: [{table: receivables, columns: {receivable_id: id}}]}\nwrites:",
    )
    made = joined(load(text, "own.yaml"), {"erp": FeedPlan(ERP)})
    assert (made.of_feed("erp"), made.source("b").object) == (["b"], "Sales Invoice")
    assert made.source("accounts").fields == ("N", "No")
