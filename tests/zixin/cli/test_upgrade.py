"""Which commands bring a store of an older release up to date, and what the others say."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.locks import serve_lease
from sync.store import migrations
from tests.sync.later import HEAD, OURS, place, revision
from tests.zixin.calls import FORTY, document, run, served
from zixin.config import settings


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Path]:
    """The store of a profile that is connected and was synced, by the release before this one."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served("zoho", FORTY, tmp_path) as up:
        for words in (("connect", "zoho", "--settings", str(up.file)), ("fields", "apply"), ("sync",)):
            assert run(*words) == 0
        monkeypatch.setattr(migrations, "PLACE", place(tmp_path))
        monkeypatch.setattr(migrations, "HEAD", HEAD)
        capsys.readouterr()
        yield settings.profile_folder("default") / "zixin.db"


LOOKS = [["list"], ["status"], ["runs"], ["explain", "A1"], ["hold", "list"], ["flags", "list"]]


def test_looks_name_the_revisions_and_what_to_run(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in LOOKS:
        assert run(*words) == 1
        message = capsys.readouterr().err
        assert f"of revision {OURS}; this zixin works on revision {HEAD}" in message, words
        assert "zixin sync" in message
    match = document(capsys, "doctor")["checks"]

    assert revision(old) == (OURS, None)
    store = [row for row in match if row["what"] == "store"]
    assert [(row["state"], HEAD in row["en"], "zixin sync" in row["en"]) for row in store] == [("look", True, True)]
    assert [row["en"] for row in match if row["state"] == "failed"] == []


def test_a_sync_brings_it_up_to_date_and_says_where_the_one_before_is(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sync") == 0

    message = capsys.readouterr().err
    match = re.search(rf"store brought from revision {OURS} to {HEAD}; as it was before: (\S+)", message)
    assert match is not None
    assert Path(match[1]).parent == old.parent
    assert Path(match[1]).exists()
    assert revision(old)[0] == HEAD
    assert run("list") == 0
    assert document(capsys, "sync")["state"] == "done"


@pytest.mark.parametrize(
    "words",
    [
        ["hold", "add", "A1", "--reason", "data_correction", "--by", "Li"],
        ["actions", "add", "A1", "call", "--by", "Li"],
        ["override", "end", "D99", "--by", "Li"],
    ],
)
def test_whoever_decides_brings_it_up_to_date(old: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    # The last one ends nothing: there is no such decision, which can be said of a store that is up to date only.
    assert run(*words) == (1 if "D99" in words else 0), capsys.readouterr().err

    assert revision(old)[0] == HEAD


def test_serving_brings_it_up_to_date_and_is_not_done_twice(
    old: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def listen(*_: Any) -> None:
        seen.append((revision(old)[0], run("serve", "--port", "0"), capsys.readouterr().err))

    monkeypatch.setattr("zixin.web.server.serve", listen)
    with serve_lease(old.parent, "default"):
        assert run("serve", "--port", "0") == run("sync") == 7
    assert revision(old)[0] == OURS
    capsys.readouterr()

    assert run("serve", "--port", "0") == 0

    (there, code, payload), *others = seen
    assert (there, code, others) == (HEAD, 7, [])
    assert "zixin serve runs on the profile default" in payload
