"""Written means shown: an answer that proves nothing counts for nothing, whatever its status."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.simulation.lies import WRITES, WriteLie
from connector.ports import Change
from sync.crm_connection import CrmConnection
from sync.run import run
from sync.store import Store
from tests.connector.scoring.books import POLICY, books, invoice
from tests.contract.doubles import DOUBLES, Double, every
from tests.contract.test_writing import TODAY, written


@pytest.fixture(params=every())
def double(request: pytest.FixtureRequest) -> Iterator[Double]:
    claims = [invoice(f"I{n:03d}", 100_00 + n, "2025-01-01", "2025-01-31", f"A{n}") for n in range(6)]
    with DOUBLES[request.param](books(claims, [], "A0")) as result:
        yield result


@pytest.mark.parametrize("lost", [True, False])
def test_no_answer_of_another_form_is_taken_for_success(double: Double, lost: bool) -> None:
    crm, named, ids = written(double)
    for number, kind in enumerate(WRITES):
        double.lies.of_writes[:] = [WriteLie(kind, lost=lost)]

        (outcome,) = crm.write([Change(ids[0], {named["limit"]: f"{number}.50"})])

        # Of a job's calls one is a lie; its results still tell the truth.
        assert outcome.state != "taken" or float(str(double.shown(ids[0])[named["limit"]])) == number + 0.5, kind
        assert outcome.state != "taken" or getattr(double, "bulk", False), kind


@pytest.mark.parametrize("lost", [True, False])
def test_what_nothing_proves_is_read_back_before_it_counts(double: Double, lost: bool, tmp_path: Path) -> None:
    crm, named, ids = written(double)
    store = Store(tmp_path / "zixin.db")
    link = CrmConnection("x", crm, double.mapping.with_written(named), crm.organisation())

    def sync() -> Any:
        double.advance(3600)
        return run(store, link, POLICY, TODAY, language="en")

    # As often as a push would try.
    double.lies.of_writes[:] = [WriteLie("empty_object", times=30, lost=lost)]
    first = sync()
    shown = [double.shown(record).get(named["rating"]) for record in ids]
    double.lies.of_writes.clear()
    second, third = sync(), sync()
    store.close()

    if lost:
        assert (first.pushed.written, first.pushed.unknown) == (0, len(ids))
        assert not any(shown)
        assert second.pushed.written == len(ids)
    else:
        assert (first.pushed.written, first.pushed.unknown) == (len(ids), 0)
        assert second.pushed.written == 0
    assert all(double.shown(record).get(named["hold"]) for record in ids)
    assert (third.pushed.written, third.pushed.unknown) == (0, 0)
