"""Written means shown: an answer that proves nothing counts for nothing, whatever its status."""

from pathlib import Path
from typing import Any

import pytest

from adapters.simulation.lies import WRITES, WriteLie
from connector.ports import Change
from sync.crm_connection import CrmConnection
from sync.run import run
from sync.store import Store
from tests.connector.scoring.books import POLICY
from tests.contract.doubles import Double
from tests.contract.test_writing import TODAY, written


@pytest.mark.parametrize("lost", [True, False])
def test_no_answer_of_another_form_is_taken_for_success(six: Double, lost: bool) -> None:
    crm, named, ids = written(six)
    for number, kind in enumerate(WRITES):
        six.lies.of_writes[:] = [WriteLie(kind, lost=lost)]

        (outcome,) = crm.write([Change(ids[0], {named["limit"]: f"{number}.50"})])

        # Of a job's calls one is a lie; its results still tell the truth.
        assert outcome.state != "taken" or float(str(six.shown(ids[0])[named["limit"]])) == number + 0.5, kind
        assert outcome.state != "taken" or getattr(six, "bulk", False), kind


@pytest.mark.parametrize("lost", [True, False])
def test_what_nothing_proves_is_read_back_before_it_counts(six: Double, lost: bool, tmp_path: Path) -> None:
    crm, named, ids = written(six)
    store = Store(tmp_path / "zixin.db")
    link = CrmConnection("x", crm, six.mapping.with_written(named), crm.organisation())

    def sync() -> Any:
        six.advance(3600)
        return run(store, link, POLICY, TODAY, language="en")

    # As often as a push would try.
    six.lies.of_writes[:] = [WriteLie("empty_object", times=30, lost=lost)]
    first = sync()
    shown = [six.shown(record).get(named["rating"]) for record in ids]
    six.lies.of_writes.clear()
    second, third = sync(), sync()
    store.close()

    if lost:
        assert (first.pushed.written, first.pushed.unknown) == (0, len(ids))
        assert not any(shown)
        assert second.pushed.written == len(ids)
    else:
        assert (first.pushed.written, first.pushed.unknown) == (len(ids), 0)
        assert second.pushed.written == 0
    assert all(six.shown(record).get(named["hold"]) for record in ids)
    assert (third.pushed.written, third.pushed.unknown) == (0, 0)
