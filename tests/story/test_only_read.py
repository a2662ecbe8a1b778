"""A system that is only read, a database say, is an adapter like any other: rated, shown by us, and never written."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from adapters import registry
from adapters.registry import SettingSpec
from connector.ports import Described, Installs, Organisation, Page, Reads, Shared, Source, Spent, Writes
from tests.zixin.calls import FORTY, document, run, served


class OnlyRead:
    """What every adapter has, and no more: here of a Zoho that it reads."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self.spent: Spent = reads.spent

    def now(self) -> Any:
        return self._reads.now()

    def organisation(self) -> Organisation:
        return self._reads.organisation()

    def describe(self, name: str) -> Described:
        return self._reads.describe(name)

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:
        return self._reads.read(source, cursor)

    def fetch(self, source: Source, records: Sequence[str]) -> Iterator[Page]:
        return self._reads.fetch(source, records)

    def ledger(self, source: Source, by: str, accounts: Sequence[str]) -> Iterator[Page]:
        return self._reads.ledger(source, by, accounts)


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> str:
    """An adapter of that name, as a folder of its own would be."""
    real = dict(registry._folders())
    needs = registry.setting_specs("zoho", {"grant_code": ""})

    def opened(crm: str, settings: Mapping[str, str], shared: Shared, name: str) -> Reads:
        return OnlyRead(sys.modules["adapters.zoho.entry"].open_crm(crm, settings, shared, name))

    def needed(crm: str, settings: Mapping[str, str]) -> tuple[SettingSpec, ...]:
        return needs

    entry = ModuleType("adapters.ledger.entry")
    vars(entry).update(setting_specs=needed, open_crm=opened)
    monkeypatch.setitem(sys.modules, "adapters.ledger", ModuleType("adapters.ledger"))
    monkeypatch.setitem(sys.modules, "adapters.ledger.entry", entry)
    monkeypatch.setattr(registry, "_folders", lambda: {**real, "ledger": "ledger"})
    return "ledger"


def test_it_is_rated_and_nothing_is_written(
    ledger: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))

    only_read = OnlyRead.__new__(OnlyRead)
    assert not isinstance(only_read, Writes | Installs)
    with served("zoho", FORTY, tmp_path) as up:
        assert run("connect", ledger, "--mapping", "zoho", "--settings", str(up.file)) == 0
        before = up.made.application.state.org.modules["Accounts"].records
        values = {record: dict(row) for record, row in before.items()}

        done = document(capsys, "sync", "--full")

        assert (done["assessed"], done["written"], done["refused"], done["deferred"]) == (10, 0, 0, 0)
        assert before == values
        listed = document(capsys, "list")
        assert len(listed["accounts"]) == 10
        for words in (("fields", "plan"), ("fields", "apply"), ("fields", "drift")):
            assert run(*words) != 0
            assert "E-NO-FIELDS" in capsys.readouterr().err
        capsys.readouterr()
        assert run("doctor") == 0, capsys.readouterr()
        assert run("status") == 0
        capsys.readouterr()
