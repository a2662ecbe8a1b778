"""What every adapter must do with writes, tokens and answers that are lost; and the whole line over it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connector.assessment import OUTPUT_FIELDS
from connector.ports import Change
from connector.schema import day_number
from sync.crm_connection import CrmConnection
from sync.run import run
from sync.store import Store, refusals
from tests.connector.scoring.books import POLICY, books, invoice
from tests.contract.doubles import DOUBLES, Double, every
from tests.contract.test_reading import ledger

TODAY = day_number(date(2025, 6, 30))


@pytest.fixture(params=every(heavy=True))
def double(request: pytest.FixtureRequest) -> Iterator[Double]:
    with DOUBLES[request.param](ledger()) as result:
        yield result


def written(double: Double) -> tuple[Any, dict[str, str], list[str]]:
    """An adapter with its fields installed, their names, and the ids of the accounts."""
    crm = double.crm()
    named = dict(crm.apply(OUTPUT_FIELDS))
    ids = [record for page in crm.read(double.mapping.source("accounts"), None) for record in page.frame["id"]]
    return crm, named, ids


def taken(double: Double) -> str:
    """What an answer says of a record that was written."""
    return "unknown" if "proof" in double.lacks else "taken"


def test_one_bad_row_does_not_sink_its_batch(double: Double) -> None:
    crm, named, ids = written(double)
    changes = [Change(record, {named["limit"]: "100.00", named["reasons"]: "中文 “q”"}) for record in ids]
    changes[3] = Change(ids[3], {named["limit"]: "not a number"})
    changes.append(Change("999999999", {named["limit"]: "1.00"}))

    outcomes = list(crm.write(changes))

    assert [outcome.record for outcome in outcomes] == [change.record for change in changes]
    states = [outcome.state for outcome in outcomes]
    assert states == [taken(double) if n not in (3, 8) else "refused" for n in range(9)]
    assert all(outcome.refusal for outcome in outcomes if outcome.state == "refused")
    assert "not a number" not in str(outcomes[3].refusal)


def test_a_lost_answer_is_unknown_and_a_storm_is_never_refusal(double: Double) -> None:
    crm, named, ids = written(double)
    double.fault("cut", 99, writes=True)
    lost = list(crm.write([Change(ids[0], {named["limit"]: "5.00"})]))
    assert [outcome.state for outcome in lost] == ["unknown"]


@pytest.mark.parametrize("what", ["429", "503"])
def test_a_storm_of_writes_is_waited_out_or_left_for_later(double: Double, what: str) -> None:
    crm, named, ids = written(double)
    double.fault(what, 1, writes=True)
    passing = list(crm.write([Change(ids[0], {named["limit"]: "5.00"})]))
    double.fault(what, 99, writes=True)
    lasting = list(crm.write([Change(ids[0], {named["limit"]: "6.00"})]))

    assert [outcome.state for outcome in passing] == [taken(double)]
    assert lasting[0].state in ("deferred", "unknown")


def test_twenty_threads_with_an_expired_token_refresh_once(double: Double) -> None:
    if "tokens" in double.lacks:
        pytest.skip(double.lacks["tokens"])
    crm, _, ids = written(double)
    before = double.refreshes()
    double.expire()

    with ThreadPoolExecutor(20) as threads:
        pages = list(threads.map(lambda one: list(crm.fetch(double.mapping.source("accounts"), [one])), ids * 3))

    assert double.refreshes() - before == 1
    assert all(page[0].frame.height == 1 for page in pages)


def test_fields_are_installed_once_and_the_plan_says_so(double: Double) -> None:
    crm, named, _ = written(double)

    assert set(named) == {field.name for field in OUTPUT_FIELDS}
    assert {step.action for step in crm.plan(OUTPUT_FIELDS)} == {"keep"}
    assert dict(crm.apply(OUTPUT_FIELDS)) == named


def test_nothing_is_written_when_nothing_changed_and_an_edit_is_healed(double: Double, tmp_path: Path) -> None:
    crm, named, ids = written(double)
    store = Store(tmp_path / "zixin.db")
    link = CrmConnection("x", crm, double.mapping.with_written(named), crm.organisation())

    def sync() -> Any:
        double.advance(3600)
        return run(store, link, POLICY, TODAY, language="zh-CN")

    first, second = sync(), sync()
    rating = double.shown(ids[0])[named["hold"]]
    list(crm.write([Change(ids[0], {named["hold"]: "none"})]))
    healed, last = sync(), sync()
    store.close()

    assert first.pushed.written == len(ids)
    assert (second.pushed.written, last.pushed.written) == (0, 0)
    assert (healed.pushed.written, healed.pushed.fields) == (1, 1)
    assert double.shown(ids[0])[named["hold"]] == rating != "none"


@pytest.fixture(params=every(heavy=True))
def large(request: pytest.FixtureRequest) -> Iterator[Double]:
    claims = [invoice(f"I{n:03d}", 100_00, "2025-01-01", "2025-01-31", f"A{n:03d}") for n in range(200)]
    with DOUBLES[request.param](books(claims)) as result:
        yield result


def test_a_rule_on_a_field_that_is_not_ours_sinks_its_own_record_only(large: Double, tmp_path: Path) -> None:
    """Source: cases/README.md, 43."""
    crm, named, ids = written(large)
    store = Store(tmp_path / "zixin.db")
    link = CrmConnection("x", crm, large.mapping.with_written(named), crm.organisation())
    large.rule(ids[57], "Phone is mandatory for partners")
    large.rule(ids[120], "Fax must not be empty", "Country is wrong")

    def sync(**how: Any) -> Any:
        large.advance(3600)
        return run(store, link, POLICY, TODAY, language="en", **how)

    first = sync()
    with store.read("x") as session:
        document = {account: each.words for account, each in refusals.open_(session).items()}
    large.rule(ids[57])
    large.rule(ids[120])
    second = sync(again=True)
    store.close()

    assert (first.pushed.written, first.pushed.refused) == (len(ids) - 2, 2)
    assert set(document) == {ids[57], ids[120]}
    assert "Phone is mandatory for partners" in document[ids[57]]
    assert "Fax must not be empty" in document[ids[120]]
    assert (second.pushed.written, second.pushed.refused) == (2, 0)
