"""What a CRM refused is tried again when something changed, and told until then."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.declarative.simulator.system import System
from adapters.simulation.lies import WriteLie
from connector.errors import Misconfigured
from sync.crm_connection import CrmConnection
from sync.run import run as run_
from sync.store import Store
from tests.connector.scoring.books import POLICY
from tests.contract.doubles import Double
from tests.contract.test_writing import TODAY, written
from tests.zixin.calls import document, run


def test_what_stands_refused_is_told_by_each_sync_until_it_is_written(six: Double, tmp_path: Path) -> None:
    crm, named, ids = written(six)
    store = Store(tmp_path / "zixin.db")
    link = CrmConnection("x", crm, six.mapping.with_written(named), crm.organisation())
    six.rule(ids[0], "Phone is mandatory")

    def sync(**how: Any) -> Any:
        six.advance(60)
        ran = run_(store, link, POLICY, TODAY, language="en", **how)
        return ran.summary(link)["refused"], ran.pushed.written

    first, second = sync(), sync()
    six.rule(ids[0])
    # Nobody knows of a rule that is gone: the description is as it was.
    third, last = sync(), sync(again=True)
    store.close()

    assert (first, second, third, last) == ((1, 5), (1, 0), (1, 0), (0, 1))
    assert six.shown(ids[0])[named["hold"]]


def test_another_description_of_our_fields_is_worth_another_try(six: Double, tmp_path: Path) -> None:
    crm, named, ids = written(six)
    store = Store(tmp_path / "zixin.db")
    mapping = six.mapping.with_written(named)
    link = CrmConnection("x", crm, mapping, crm.organisation())
    six.rule(ids[0], "Phone is mandatory")
    six.advance(3600)
    assert run_(store, link, POLICY, TODAY, language="en").refused == 1
    six.rule(ids[0])

    # One field fewer is written: the mapping changed.
    fewer = {name: field for name, field in named.items() if name != "available"}
    link = CrmConnection("x", crm, six.mapping.with_written(fewer), crm.organisation())
    six.advance(3600)
    ran = run_(store, link, POLICY, TODAY, language="en")
    store.close()

    assert (ran.refused, six.shown(ids[0])[named["hold"]] is not None) == (0, True)


def test_a_system_that_cannot_be_asked_by_id_goes_on_where_a_record_is_gone(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_way(*_: Any, **__: Any) -> Iterator[Any]:
        raise Misconfigured("E-CONNECTOR-BY", host="x", object="accounts")

    monkeypatch.setattr("adapters.declarative.reading.Reading._by_id", no_way)
    first = next(iter(system.objects["accounts"]))
    system.drop("accounts", first)
    assert run("sync") == 0
    # A write that nothing proves is read back among all.
    system.lies.of_writes[:] = [WriteLie("empty_object")]
    for key in list(system.objects["invoices"])[:3]:
        system.put("invoices", key, {"amount": Decimal("90000.00")})

    done = document(capsys, "sync")

    assert (done["unknown"], done["written"] > 0) == (0, True)
