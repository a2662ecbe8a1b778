"""A full read that runs by itself finds what no change had told, in slices, and says which source is not to be trusted."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest

from adapters.declarative.simulator.system import System
from connector.errors import Retry
from connector.ports import Page
from tests.zixin.calls import document, run

NOW = timedelta()


def test_what_changed_without_a_trace_is_found_and_told(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = next(iter(system.objects["invoices"].values()))
    # Neither its modified time nor any event tells of it.
    record["modified_at"], record["amount"] = "2020-01-01T00:00:00+00:00", type(record["amount"])("777.00")
    assert document(capsys, "sync")["read_in_full"] == {}
    monkeypatch.setattr("sync.sweep._EVERY", NOW)

    first = document(capsys, "sync")

    assert first["read_in_full"]["invoices"] == {"missed": 1, "finished": True, "problem": None}
    assert first["read_in_full"]["payments"]["missed"] == 0
    monkeypatch.setattr("sync.sweep._EVERY", timedelta(days=6))
    checks = [row for row in document(capsys, "doctor")["checks"] if "cannot be trusted" in row["en"]]
    assert [row["what"] for row in checks] == ["invoices"]


@pytest.mark.slow
def test_slices_go_on_over_several_nights_and_close_at_the_end_only(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sync.sweep._EVERY", NOW)
    monkeypatch.setattr("sync.sweep._SLICE", 10)
    monkeypatch.setattr("sync.taking.RECORDS_A_TRANSACTION", 10)
    system.most = 10
    gone = next(iter(system.objects["invoices"]))
    system.objects["invoices"].pop(gone)

    seen = []
    for night in range(4):
        if night == 1:
            first = next(iter(system.objects["invoices"].values()))
            # Behind what was read: it must not be taken for gone.
            system.put("invoices", "i0000000x", {**first, "id": "i0000000x", "number": "new"})
        done = document(capsys, "sync")
        seen.append((done["read_in_full"]["invoices"]["finished"], done["receivables"]))

    assert [finished for finished, _ in seen] == [False, False, False, True]
    assert [count for _, count in seen] == [40, 41, 41, 40]


def test_a_slice_that_goes_wrong_does_not_spoil_the_night(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sync.sweep._EVERY", NOW)

    def broken(_: Iterable[Page]) -> Iterator[Page]:
        raise Retry("E-CRM-ENVELOPE", host="x", object="y", place="$.data", found="{}")

    with monkeypatch.context() as patch:
        patch.setattr("sync.sweep.together", broken)
        assert document(capsys, "sync")["read_in_full"]["invoices"]["problem"] == "E-CRM-ENVELOPE"

    assert document(capsys, "sync")["read_in_full"]["invoices"]["finished"]
    assert run("status") == 0
