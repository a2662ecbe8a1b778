"""Holes by other ways, each of which once led to a rating that was written."""

import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.declarative.simulator.system import System
from connector.ports import Event
from sync import inbox
from sync.crm_connection import micros
from sync.drain import Drained, drain, poll
from sync.store import ratings
from tests.hostile.test_holes import SOME, in_words, owe_more, shown, spoil
from tests.hostile.test_sight import hide, synced
from tests.zixin.calls import FORTY, document, run, served
from zixin import compose

#: Each costs a system of its own; the quick part has their like in test_holes and test_events.
pytestmark = pytest.mark.slow

NUMBERS = tuple(f"A{number}" for number in range(9))


def polled() -> Drained:
    with compose.open_workspace("default") as work:
        return poll(work.store, work.link, work.policy, language=work.language)


def told(*events: Event) -> Drained:
    with compose.open_workspace("default") as work:
        with work.store.write(work.link.name) as session:
            inbox.take_in(session, events, micros(work.link.now()))
        return drain(work.store, work.link, work.policy, language=work.language, clock=work.link.now)


def about(*numbers: str) -> Sequence[Event]:
    return [Event(number, "", (), (number,)) for number in numbers]


def account(system: System, number: str) -> str:
    return next(key for key, row in system.objects["accounts"].items() if row["number"] == number)


def pay(system: System) -> None:
    """A payment for each of 36 invoices, applied to it."""
    for number, (key, row) in enumerate(list(system.objects["invoices"].items())[:36]):
        values = {"account_id": row["account_id"], "paid_on": "2025-01-20", "amount": row["amount"]}
        parts = [{"invoice_id": key, "amount": row["amount"]}]
        system.put("payments", f"p{number}", {"id": f"p{number}", **values, "applied": parts})


def lose_parts(system: System) -> None:
    for key, row in list(system.objects["payments"].items()):
        system.put("payments", key, {"lines": row["applied"], "applied": []})


def right(row: dict[str, Any]) -> Decimal:
    return Decimal(str(row["amount"]).removesuffix(" USD"))


@pytest.mark.parametrize("by", ["poll", "events"])
def test_rows_that_go_between_two_runs_are_missed_at_once(
    system: System, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pay(system)
    assert synced(capsys)[0] == 0
    before = shown(system)
    lose_parts(system)

    done = polled() if by == "poll" else told(*about(*NUMBERS))

    assert (done.pushed.written, done.waits) == (0, 9)
    assert shown(system) == before
    assert synced(capsys)[1]["withheld"] == 9


def test_events_do_not_close_what_is_out_of_sight(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    hide(system, "invoices", 20)
    assert synced(capsys, "--full")[1]["withheld"] == 9
    before = shown(system)

    done = told(*about("A0", "A1", "A2", "A3"))

    assert (done.pushed.written, shown(system) == before) == (0, True)
    assert synced(capsys)[1]["lost_from_sight"]["invoices"]["missing"] == 20


def test_what_events_find_missing_is_doubted_before_a_full_read_was(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = hide(system, "invoices", 0)
    before = shown(system)

    done = told(*about(*NUMBERS))

    assert (done.pushed.written, shown(system) == before) == (0, True)
    system.objects["invoices"].update(hidden)
    code, done_ = synced(capsys)
    assert (code, done_["lost_from_sight"], done_["receivables"]) == (0, {}, 40)


def test_rows_that_are_gone_are_seen_beside_rows_that_do_not_fit(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shown(system)
    kept = {account(system, number) for number in SOME}
    spoil(system, *SOME, amount=in_words)
    for key, row in list(system.objects["invoices"].items()):
        if row["account_id"] not in kept:
            system.drop("invoices", key)

    done = synced(capsys)[1]

    assert {hole["cause"] for hole in done["holes"]} == {"rejected", "gone"}
    assert (done["withheld"], shown(system)) == (9, before)


def test_rows_of_a_customer_that_there_never_was_are_everybody_s(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shown(system)
    for key, row in list(system.objects["invoices"].items())[:20]:
        values = {"id": f"n{key}", "amount": in_words(row), "account_id": f"Company {row['account_id']}"}
        system.put("invoices", f"n{key}", {**row, **values})

    code, done = synced(capsys)

    assert (code, done["holes"][0]["customers"], done["withheld"]) == (8, None, 10)
    assert shown(system) == before


def test_a_run_that_fails_after_its_pages_leaves_no_hole_unseen(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shown(system)
    spoil(system, account_id=None)
    system.objects.pop("payments")
    assert run("sync") != 0
    system.objects["payments"] = {}

    assert told(*about(*NUMBERS)).pushed.written == 0
    assert shown(system) == before


def test_whoever_s_invoices_a_rejected_payment_settled_waits_too(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    payer = account(system, "A8")
    owing = {account(system, number) for number in ("A0", "A1", "A2")}
    claims = [(key, row) for key, row in system.objects["invoices"].items() if row["account_id"] in owing]
    for number, (key, row) in enumerate(claims):
        values = {"account_id": payer, "paid_on": "2025-01-20", "amount": row["amount"]}
        parts = [{"invoice_id": key, "amount": row["amount"]}]
        system.put("payments", f"p{number}", {"id": f"p{number}", **values, "applied": parts})
    assert synced(capsys)[0] == 0
    before = shown(system)
    for key, row in list(system.objects["payments"].items()):
        system.put("payments", key, {"amount": in_words(row)})

    done = synced(capsys)[1]

    assert (done["withheld"], shown(system)) == (4, before)


def test_a_parent_waits_for_children_whose_own_record_does_not_fit(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in ("A1", "A2", "A3", "A4"):
        system.put("accounts", account(system, number), {"parent_id": account(system, "A0")})
    assert synced(capsys)[0] == 0
    before = shown(system)
    for number in ("A1", "A2", "A3", "A4"):
        system.put("accounts", account(system, number), {"natural_person": "maybe"})

    code, done = synced(capsys)

    assert (code, done["state"], shown(system)["A0"] == before["A0"]) == (8, "withheld", True)


def test_what_a_full_read_by_itself_no_longer_shows_holds_from_then_on(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sync.sweep._EVERY", timedelta(0))
    hide(system, "invoices", 25)

    code, done = synced(capsys)

    assert (code, done["state"], done["withheld"] > 0) == (8, "withheld", True)
    before = shown(system)
    assert told(*about("A0", "A1")).pushed.written == 0
    assert shown(system) == before


def test_only_the_newest_run_releases_and_only_what_it_named(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(system, *SOME, amount=in_words)
    old = synced(capsys)[1]["run"]
    spoil(system, *SOME, amount=right)
    assert synced(capsys)[0] == 0
    before = shown(system)
    for key in list(system.objects["invoices"]):
        system.drop("invoices", key)
    assert synced(capsys)[1]["withheld"] == 9

    assert run("approve", old, "--by", "Li") == 8
    assert shown(system) == before


def test_rows_that_go_after_the_run_are_not_released_with_it(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(system, *SOME, amount=in_words)
    run_id = synced(capsys)[1]["run"]
    before = shown(system)
    spoil(system, amount=in_words)
    polled()

    assert run("approve", run_id, "--by", "Li") == 8

    # The two were named, and their rows do not fit as before; the others were not.
    moved = {number for number, fields in shown(system).items() if fields != before[number]}
    assert moved <= set(SOME)


def test_accepting_a_source_hides_no_other_table_of_it(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    for name in NUMBERS[:8]:
        values = {"agreed_limit": Decimal(5_000_000), "currency": "USD"}
        system.put("accounts", account(system, name), values)
    for number in range(5):
        system.put("accounts", f"y{number}", {"id": f"y{number}", "number": f"Y{number}", "name": "Y"})
    synced(capsys)
    for number in range(5):
        system.objects["accounts"].pop(f"y{number}")
    synced(capsys, "--full")
    assert run("accept", "accounts", "--by", "Li") == 0
    for name in NUMBERS[:8]:
        system.put("accounts", account(system, name), {"agreed_limit": None})

    done = synced(capsys)[1]

    assert [(hole["table"], hole["cause"]) for hole in done["holes"]] == [("limits", "gone")]
    assert done["withheld"] == 8


def test_a_hole_of_customers_who_are_gone_themselves_can_be_released(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4):
        values = {"number": f"Z{number}", "name": "Z", "agreed_limit": Decimal(5000), "currency": "USD"}
        system.put("accounts", f"z{number}", {"id": f"z{number}", **values})
    synced(capsys)
    for number in range(4):
        system.drop("accounts", f"z{number}")
    code, done = synced(capsys)
    assert (code, done["state"], done["withheld"]) == (8, "withheld", 0)

    assert document(capsys, "approve", done["run"])["state"] == "approved"
    assert synced(capsys)[0] == 0


def test_what_is_mended_between_runs_is_written_at_once(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(system, *SOME, amount=in_words)
    assert synced(capsys)[1]["withheld"] == 2
    spoil(system, *SOME, amount=right)
    owe_more(system)

    done = polled()

    assert done.waits == 0
    assert document(capsys, "status")["withheld"] == 0


def test_records_that_say_no_id_are_missed_of_their_own_table_and_until_they_say_one(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(300):
        system.put("accounts", f"y{number}", {"id": f"y{number}", "number": f"Y{number}", "name": "Y"})
    for number in range(3):
        system.put("accounts", f"y{number}", {"agreed_limit": Decimal(5000), "currency": "USD"})
    synced(capsys)
    for number in range(300, 304):
        system.put("accounts", f"y{number}", {"id": None, "number": f"Y{number}", "name": "Y"})

    # Four of 314 are no hole; nor are they of the three limits.
    code, done = synced(capsys)
    assert (code, done["holes"], done["rejected"]) == (4, [], 4)


def test_a_person_s_hold_reaches_a_customer_who_is_withheld(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    pay(system)
    synced(capsys)
    spoil(system, "A5", "A6", amount=in_words)
    assert synced(capsys)[1]["withheld"] == 2
    before = shown(system)["A5"]
    words = ("hold", "add", "A5", "--kind", "blacklist", "--by", "Li", "--reason", "legal_advice")
    assert run(*words) == 0, capsys.readouterr().err

    assert synced(capsys)[0] == 8

    after = shown(system)["A5"]
    assert after["credit_hold"] == "block" != before["credit_hold"]
    assert {name: value for name, value in after.items() if name != "credit_hold"} == {
        name: value for name, value in before.items() if name != "credit_hold"
    }


def test_statistics_of_a_portfolio_with_a_hole_are_replaced_by_whole_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def kept() -> dict[str, Any]:
        with compose.open_store("default") as (store, name), store.read(name) as session:
            day = ratings.newest_day(session)
            assert day is not None
            return dict(json.loads(str(ratings.statistics_before(session, day))))

    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served("rest", FORTY, tmp_path) as up:
        system: System = up.made.application.state.system
        spoil(system, "A3", "A4", "A5", amount=in_words)
        assert run("connect", "rest", "--settings", str(up.file)) == 0
        assert run("fields", "apply") == 0
        assert synced(capsys)[1]["withheld"] == 3
        holey = kept()
        # An event keeps no other ones.
        told(*about("A3", "A1"))
        assert kept() == holey
        spoil(system, "A3", "A4", "A5", amount=right)
        assert synced(capsys)[0] == 0

    assert holey["provisional"]
    assert "provisional" not in kept()
    assert kept()["open_total"] > holey["open_total"]


def test_who_is_released_still_passes_the_brake(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    pay(system)
    synced(capsys)
    before = shown(system)
    lose_parts(system)
    first = synced(capsys)[1]
    assert (first["state"], first["brake"]["fallen"]) == ("withheld", 0)

    second = document(capsys, "approve", first["run"], "--by", "Li")

    assert (second["state"], second["brake"]["fallen"] > 4, shown(system) == before) == ("braked", True, True)
    assert document(capsys, "approve", second["run"], "--by", "Li")["state"] == "approved"
    assert shown(system) != before


def test_a_source_that_the_mapping_names_no_longer_is_not_what_the_crm_says(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib.resources as resources

    from zixin.config import settings

    pay(system)
    synced(capsys)
    text = resources.files("mappings").joinpath("rest.yaml").read_text(encoding="utf-8")
    start, end = text.index("  payment_parts:"), text.index("  credit_notes:")
    own = settings.profile_folder("default") / "rest.yaml"
    own.write_text(text[:start] + text[end:])
    own.chmod(0o600)

    code, done = synced(capsys)
    assert (code, done["lost_from_sight"]["payment_parts"]["missing"], done["withheld"]) == (8, 36, 9)
    assert run("accept", "payment_parts", "--by", "Li") == 0
    # Gone, and it is the brake's turn: what they paid counts for nothing now.
    assert synced(capsys)[1]["lost_from_sight"] == {}
