"""A feed in daily life: strangers, numbers that change, events, outages."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import requests

from adapters.common import standard_webhooks
from adapters.simulation.serving import serve_in_thread
from connector.errors import Retry
from connector.ports import Event
from connector.schema import day_number
from sync import inbox
from sync.crm_connection import Feed, micros
from sync.drain import drain
from sync.store import feeds, ledger, rejects, ties
from tests.connector.scoring.books import POLICY
from tests.contract.test_feeds import Fed, fed
from tests.contract.test_writing import TODAY
from tests.story.serving import SECRET
from tests.waiting import ANSWER_S, wait_for
from zixin.compose import Workspace
from zixin.services.loops import Serving
from zixin.web.webhooks import application


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Fed]:
    with fed("rest", tmp_path) as result:
        yield result


def ids(house: Fed) -> dict[str, str]:
    """Number → account id."""
    with house.store.read("x") as session:
        return {number: account for account, number in ledger.numbers(session).items()}


def renumber(house: Fed, was: str, number: str | None) -> None:
    """Somebody edits an account's number in the CRM."""
    house.crm.advance(60)
    house.crm.edit("accounts", was, number=number)


def owners(house: Fed) -> dict[str, int]:
    """Account → how many claims are his."""
    with house.store.read("x") as session:
        rows = ledger.load(session)["receivables"].group_by("account_id").len().rows()
    return dict(rows)


def test_what_somebody_unknown_owes_is_rejected_told_and_enters_once_an_account_names_him(house: Fed) -> None:
    house.sync()
    gone = ids(house)["A003"]
    renumber(house, "A003", "B999")

    ran = house.sync()

    # Nobody is A003 any more: his five claims are told, and are no fault of the run.
    assert ran.strangers["erp.invoices"] == (5, 1)
    assert (ran.rejected, gone in owners(house)) == (0, False)
    with house.store.read("x") as session:
        assert {row["reason"] for row in rejects.every(session)} == {rejects.STRANGER}
    renumber(house, "B999", "A003")
    ran = house.sync()
    assert (ran.strangers, owners(house)[gone]) == ({}, 5)


def test_a_debt_is_not_got_rid_of_by_emptying_the_number(house: Fed) -> None:
    house.sync()
    account = ids(house)["A003"]
    renumber(house, "A003", None)

    ran = house.sync()

    assert (ran.strangers, owners(house)[account]) == ({}, 5)
    # Another account says it: now it is his.
    other = ids(house)["A004"]
    renumber(house, "A004", "A003")
    house.sync()
    assert owners(house)[other] == 5
    assert account not in owners(house)


def test_of_two_accounts_that_say_one_number_the_first_has_the_customer(house: Fed) -> None:
    house.sync()
    first, second = ids(house)["A007"], ids(house)["A002"]
    renumber(house, "A002", "A007")

    house.sync()

    assert owners(house)[first] == 5
    assert second not in owners(house)


def heard(house: Fed, *events: Event) -> Any:
    """One turn of the drain over these events."""
    now = datetime.now(UTC)
    with house.store.write("x") as session:
        inbox.take_in(session, events, micros(now))
    return drain(house.store, house.link, POLICY, language="en", clock=lambda: datetime.now(UTC))


def test_an_event_of_a_feed_rates_the_crm_s_account_again(house: Fed, monkeypatch: pytest.MonkeyPatch) -> None:
    house.sync()
    account = ids(house)["A005"]
    monkeypatch.setattr(type(house.link), "today", lambda *_, **__: datetime(1970, 1, 1, tzinfo=UTC).date())
    asked: list[tuple[str, tuple[str, ...]]] = []
    inner = house.link.feeds["erp"].crm.ledger

    def noted(source: Any, by: str, accounts: Any) -> Any:
        asked.append((source.object, tuple(accounts)))
        return inner(source, by, accounts)

    monkeypatch.setattr(house.link.feeds["erp"].crm, "ledger", noted)

    with house.store.read("x") as session:
        (theirs,) = ties.customers_of(session, "erp", {account}, house.link.tie("erp"))[account]
    done = heard(house, Event("erp:1", object="erp:", accounts=(theirs,)))

    assert done.closed == 1
    # The customer is asked for as the feed calls him, which is no name of the CRM's.
    customer = next(names for object_, names in asked if object_ == "invoices")
    assert (len(customer), account in customer) == (1, False)
    assert done.scored in ([], [account])


def broken(*_: Any, **__: Any) -> Any:
    raise Retry("E-CRM-DOWN", host="erp", status=503)


def down(house: Fed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The feed answers nothing from now on."""
    crm = house.link.feeds["erp"].crm
    for name in ("read", "fetch", "ledger", "organisation"):
        monkeypatch.setattr(crm, name, broken)


def test_a_feed_that_is_down_leaves_ratings_standing_and_is_told(house: Fed, monkeypatch: pytest.MonkeyPatch) -> None:
    before = house.rated(house.sync())
    with monkeypatch.context() as outage:
        down(house, outage)

        ran = house.sync(TODAY + 1)

        assert ran.pulled.away == {"erp": "E-CRM-DOWN"}
        assert ran.state == "done"
        after = house.rated(ran)
        grades = "AAA AA A BBB BB B CCC CC C D NR".split()
        assert all(grades.index(after[key][0]) >= grades.index(before[key][0]) for key in before)
        assert all(row["notices"] and "source_away" in row["notices"] for row in ran.assessed.to_dicts())
        with house.store.read("x") as session:
            assert feeds.of(session, "erp").away_since is not None
        # Events of the feed wait for it, those of the CRM are worked on.
        done = heard(house, Event("erp:1", object="erp:invoices", records=("i1",)), Event("2", accounts=("A001",)))
        assert (done.closed, done.put_off) == (1, 1)
    ran = house.sync(TODAY + 1)
    assert ran.pulled.away == {}
    # Who depended on it is rated again on the same day, on facts that are fresh.
    assert ran.assessed.height == 120
    assert not any("source_away" in row["notices"] for row in ran.assessed.to_dicts())


SECRETS = (SECRET, "whsec_ZmVlZHMgaGF2ZSBzZWNyZXRzIG9mIHRoZWlyIG93bg==")


@contextmanager
def serving(house: Fed) -> Iterator[tuple[Serving, str]]:
    """The house served: a door with a hook for the CRM and one for its feed."""
    erp = house.link.feeds["erp"]
    link = replace(house.link, feeds={"erp": Feed("erp", erp.crm, (SECRETS[1],))})
    live = Serving("default", Workspace(house.store, link, POLICY, "en", (SECRETS[0],)))
    intake = live.start()
    try:
        with serve_in_thread(application(intake, live.ready)) as origin:
            yield live, origin
    finally:
        live.stop()


def call(origin: str, hook: str, secret: str, account: str) -> int:
    """Somebody says that something of that customer changed; the status of the answer."""
    body = json.dumps({"type": "payment.received", "data": {"account": account}}).encode()
    stamp = int(datetime.now(UTC).timestamp())
    signature = standard_webhooks.sign(secret, f"{hook}-{account}", stamp, body)
    headers = {
        "webhook-id": f"{hook}-{account}", "webhook-timestamp": str(stamp), "webhook-signature": signature,
    }  # fmt: skip
    return requests.post(f"{origin}/hooks/{hook}", data=body, headers=headers, timeout=ANSWER_S).status_code


def test_a_feed_s_own_hook_brings_its_change_to_the_crm_s_page(house: Fed) -> None:
    house.sync(day_number(datetime.now(UTC).date()))
    account = ids(house)["A004"]
    with house.store.read("x") as session:
        claims = ledger.load(session, [account])["receivables"].filter(pl.col("account_id") == account)
    number = claims.sort("due")["number"].to_list()[-1]
    house.feed.edit("invoices", number, due="2024-02-03", original_due="2024-02-03")

    with serving(house) as (_, origin):
        # A hook knows its own secret, and no other one's.
        assert call(origin, "erp", SECRETS[0], "A004") == 401
        assert call(origin, "erp", SECRETS[1], "A004") == 200
        field = house.link.mapping.writes.fields["overdue_since"]
        wait_for("the page", lambda: house.crm.shown(account).get(field), lambda shown: shown == "2024-02-03")


def test_what_was_missed_is_read_once_a_feed_is_back(house: Fed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zixin.services.loops._AFTER_OUTAGE_S", 0.1)
    today = day_number(datetime.now(UTC).date())
    house.sync(today)
    with monkeypatch.context() as outage:
        down(house, outage)
        house.sync(today)
    with serving(house):
        wait_for("the feed to be read", lambda: away_since(house), lambda since: since is None)


def away_since(house: Fed) -> int | None:
    with house.store.read("x") as session:
        return feeds.of(session, "erp").away_since
