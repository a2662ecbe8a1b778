"""What others found in feeds: ties that changed, reads that were cut, customers that cannot be read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.errors import Retry
from connector.ports import Event
from connector.schema import day_of
from mappings.feeds import FeedPlan, joined
from sync.crm_connection import CrmConnection, Feed
from sync.drain import poll
from sync.run import run
from sync.store import Store, feeds, ledger, ties
from tests.connector.scoring.books import POLICY
from tests.contract.test_feeds import Fed, fed
from tests.contract.test_writing import TODAY
from tests.story.test_feeds import down, heard, ids, owners, renumber


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Fed]:
    with fed("rest", tmp_path) as result:
        yield result


def test_a_feed_that_is_attached_later_is_tied_though_the_field_was_read_before(house: Fed) -> None:
    plain = joined(house.link.mapping, {})
    own = {name: part for name, part in plain.sources.items() if not plain.feed_of(name)}
    alone = plain.model_copy(update={"sources": own, "feeds": {}})
    link = CrmConnection("x", house.link.crm, alone, house.link.organisation)
    run(house.store, link, POLICY, TODAY, language="en")
    # The overlap of a read of changes must not be what helps: in the end one account alone is among them.
    for day in range(3):
        house.crm.advance(7 * 86_400)
        house.crm.edit("accounts", "A119", name=f"Another name {day}")
        quiet = run(house.store, link, POLICY, TODAY, language="en")
    assert quiet.pulled.records["accounts"] == 1

    ran = house.sync()

    assert (ran.strangers, sum(owners(house).values())) == ({}, 601)


def test_a_first_read_that_is_cut_loses_nobody_who_is_tied_meanwhile(
    house: Fed, monkeypatch: pytest.MonkeyPatch
) -> None:
    renumber(house, "A003", "B999")
    crm, read = house.link.feeds["erp"].crm, house.link.feeds["erp"].crm.read

    def cut(source: Any, cursor: Any) -> Any:
        for number, page in enumerate(read(source, cursor)):
            if source.object == "invoices" and number == 2:
                raise Retry("E-CRM-DOWN", host="x", status=503)
            yield page

    # Every page is a transaction of its own.
    monkeypatch.setattr("sync.taking.RECORDS_A_TRANSACTION", 1)
    with monkeypatch.context() as storm:
        storm.setattr(crm, "read", cut)
        assert house.sync().pulled.away == {"erp": "E-CRM-DOWN"}
    renumber(house, "B999", "A003")

    ran = house.sync()

    assert ran.strangers == {}
    assert owners(house)[ids(house)["A003"]] == 5


@pytest.mark.slow
def test_one_customer_who_cannot_be_read_keeps_nobody_waiting(house: Fed, monkeypatch: pytest.MonkeyPatch) -> None:
    house.sync()
    account, other = ids(house)["A003"], ids(house)["A004"]
    with house.store.read("x") as session:
        (theirs,) = ties.customers_of(session, "erp", {account}, house.link.tie("erp"))[account]
    crm, inner = house.link.feeds["erp"].crm, house.link.feeds["erp"].crm.ledger

    def poisoned(source: Any, by: str, customers: Any) -> Any:
        if theirs in customers:
            raise Retry("E-CRM-DOWN", host="x", status=500)
        return inner(source, by, customers)

    monkeypatch.setattr(crm, "ledger", poisoned)
    renumber(house, "A003", "B999")
    renumber(house, "A004", "B998")

    done = heard(house, Event("1", object="Accounts", records=(account, other)), Event("2", accounts=("A005",)))

    assert done.closed == 2
    # The one who can be read is nobody's from now on; the other one stays due.
    assert other not in owners(house)
    with house.store.read("x") as session:
        assert ties.due(session, "erp") == {theirs}
    monkeypatch.setattr(crm, "ledger", inner)
    assert house.sync().pulled.away == {}
    assert account not in owners(house)


def test_an_outage_that_events_notice_holds_what_would_rise_and_ends_with_the_next_look(
    house: Fed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(house.link), "today", lambda *_, **__: day_of(TODAY))
    house.sync()
    with monkeypatch.context() as outage:
        down(house, outage)
        assert heard(house, Event("1", accounts=("A005",))).closed == 1
        with house.store.read("x") as session:
            assert feeds.of(session, "erp").away_since is not None
            assert ledger.load(session)["freshness"].height == 120
        assert any("source_away" in notices for notices in house.sync(TODAY + 1).assessed["notices"].to_list())
    monkeypatch.setattr(type(house.link), "today", lambda *_, **__: day_of(TODAY + 1))

    done = poll(house.store, house.link, POLICY, language="en")

    assert len(done.scored) == 120
    with house.store.read("x") as session:
        assert "freshness" not in ledger.load(session)


def test_a_feed_that_is_gone_is_away_for_nobody(house: Fed, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as outage:
        down(house, outage)
        ran = house.sync()
    # It was never read: nobody who may depend on it is rated.
    assert set(ran.assessed["rating"]) == {"NR"}
    own = {name: part for name, part in house.link.mapping.sources.items() if not house.link.mapping.feed_of(name)}
    alone = house.link.mapping.model_copy(update={"sources": own, "feeds": {}})
    link = CrmConnection("x", house.link.crm, alone, house.link.organisation)
    ran = run(house.store, link, POLICY, TODAY, language="en")
    assert ran.assessed.height == 120
    assert not any("source_away" in notices for notices in ran.assessed["notices"].to_list())


@pytest.fixture
def other_way(tmp_path: Path) -> Iterator[Fed]:
    """The feed's customers say the account's number, in the field of their own number."""
    with fed("rest", tmp_path, account="number") as result:
        yield result


@pytest.mark.slow
def test_the_other_way_round_ties_follow_the_accounts_numbers(other_way: Fed) -> None:
    house = other_way
    house.sync()
    first, second = ids(house)["A003"], ids(house)["A004"]
    before = owners(house)
    renumber(house, "A003", "X1")
    renumber(house, "A004", "A003")
    renumber(house, "X1", "A004")

    house.sync()

    # They swapped their numbers, and what they owe with them.
    assert (owners(house)[first], owners(house)[second]) == (before[second], before[first])
    with house.store.read("x") as session:
        rows = ledger.load(session)["receivables"].filter(account_id=first)
    assert all(number.startswith("A004") for number in rows["number"].to_list())
    # Emptied, it stays whose it was; taken by another one, it goes.
    renumber(house, "A004", None)
    house.sync()
    assert owners(house)[first] == 5


def test_ids_of_feeds_whose_names_begin_alike_do_not_mix(house: Fed, tmp_path: Path) -> None:
    crm, erp = house.link.crm, house.link.feeds["erp"].crm
    theirs = house.feed.mapping
    own = house.link.mapping.model_copy(
        update={"sources": {n: p for n, p in house.link.mapping.sources.items() if "." not in n}, "feeds": {}}
    )
    made = joined(own, {"erp": FeedPlan(theirs), "erp-2": FeedPlan(theirs)})
    prefixes = [made.sources[f"{name}.invoices"].yields[0].columns["receivable_id"].prefix for name in ("erp", "erp-2")]
    # Else 2-1 of the one and 1 of the other would be the same claim.
    assert not prefixes[1].startswith(prefixes[0])
    feeds_ = {name: Feed(name, erp) for name in ("erp", "erp-2")}
    store = Store(tmp_path / "two.db")
    run(store, CrmConnection("x", crm, made, house.link.organisation, feeds=feeds_), POLICY, TODAY, language="en")
    with store.read("x") as session:
        assert ledger.load(session)["receivables"].height == 2 * 601
    store.close()
