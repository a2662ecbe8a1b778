"""A profile goes into one file while it is in use, and comes back as it was."""

import json
import sqlite3
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.errors import Busy, Misconfigured
from sync import backup, restore
from sync.locks import run_lock, serve_lease
from sync.store import Store, dialect
from tests.story.house import House
from tests.zixin.calls import run
from zixin.config import connections
from zixin.config.connections import ConnectionConfig

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def home(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZIXIN_HOME", str(path))
    return path / "default"


def test_a_restored_profile_is_the_one_that_was_backed_up(
    rated: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "home" / "default"
    connections.keep("default", {"sim": ConnectionConfig("zoho", {"refresh_token": "canary-token"})})
    (folder / "policy.yaml").write_text("# ours\n")
    (folder / "sim.token").write_text("a token of today")
    monkeypatch.setenv("ZIXIN_KEY", "a key of its own, thirty-two letters")
    connections.keep("default", {"sim": ConnectionConfig("zoho", {"refresh_token": "canary-token"})})
    before = dialect.counts(folder / "zixin.db")
    file = tmp_path / "out" / "b.tar.gz"

    # A writer in the middle of its transaction neither waits nor gets into the copy.
    with Store(folder / "zixin.db").write() as session:
        session.tx.exec_driver_sql("delete from assessments")
        assert run("backup", str(file)) == 0
        session.tx.rollback()
    assert file.stat().st_mode & 0o077 == 0
    capsys.readouterr()
    with tarfile.open(file) as archive:
        names = set(archive.getnames())
        assert names == {"manifest.json", "zixin.db", "connections.json", "policy.yaml"}
        for name in names:
            member = archive.extractfile(name)
            assert member is not None
            assert b"canary" not in member.read()

    there = home(tmp_path / "elsewhere", monkeypatch)
    assert run("restore", str(file), "--json") == 0
    payload = json.loads(capsys.readouterr().out)
    assert payload["rows"] == before == dialect.counts(there / "zixin.db")
    assert payload["rows"]["assessments"] > 0
    assert payload["reconnect"] is None
    assert connections.read("default")["sim"].credentials["refresh_token"] == "canary-token"
    assert (there / "policy.yaml").read_text() == "# ours\n"
    # The restored store goes on where the other one stood: nothing is written anew.
    assert run("list") == 0


def test_without_the_key_it_says_connect_again(
    rated: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "b.tar.gz"
    assert run("backup", str(file)) == 0
    home(tmp_path / "elsewhere", monkeypatch)
    monkeypatch.setenv("ZIXIN_KEY", "another key of thirty-two letters")
    assert run("restore", str(file)) == 0
    assert "connect the CRM again" in capsys.readouterr().out


@pytest.mark.slow
def test_what_is_there_is_moved_aside_and_only_when_asked(
    rated: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = tmp_path / "home" / "default", tmp_path / "b.tar.gz"
    assert backup.last(folder) is None
    backup.make(folder, "default", file, NOW)
    assert backup.last(folder) == NOW
    assert run("backup", str(file)) == 1
    assert "there already" in capsys.readouterr().err
    (folder / "policy.yaml").write_text("# later\n")

    assert run("restore", str(file)) == 1
    assert "--replace" in capsys.readouterr().err
    for lease in (run_lock, serve_lease):
        with lease(folder, "default"), pytest.raises(Busy):
            restore.put_back(file, folder, "default", NOW, replace=True)
    # As 0.1.0 serves: without a lease.
    with rated.store.read() as session:
        assert session.tx.exec_driver_sql("select 1").scalar()
    with pytest.raises(Busy, match=r"has the store .* open"):
        restore.put_back(file, folder, "default", NOW, replace=True)
    rated.store.close()
    assert (folder / "policy.yaml").exists()
    restore.put_back(file, folder, "default", NOW, replace=True)
    assert not (folder / "policy.yaml").exists()
    aside = folder / "before-restore-20260301T080000"
    assert (aside / "policy.yaml").read_text() == "# later\n"
    # Again within the second: both are kept.
    restore.put_back(file, folder, "default", NOW, replace=True)
    assert (folder / "before-restore-20260301T080000-2" / "zixin.db").exists()
    assert (aside / "policy.yaml").exists()


def test_a_damaged_file_changes_nothing(rated: House, tmp_path: Path) -> None:
    folder, file, other = tmp_path / "home" / "default", tmp_path / "b.tar.gz", tmp_path / "new"
    backup.make(folder, "default", file, NOW)
    whole = file.read_bytes()

    def refused(data: bytes) -> str:
        (tmp_path / "damaged").write_bytes(data)
        with pytest.raises(Misconfigured, match="not a backup that can be used") as caught:
            restore.put_back(tmp_path / "damaged", other, "default", NOW, replace=True)
        assert not other.exists()
        return str(caught.value)

    refused(whole[: len(whole) // 2])
    refused(b"nothing of the kind")
    # Another file under a name of the manifest.
    with tarfile.open(file) as archive:
        (tmp_path / "parts").mkdir()
        for name in archive.getnames():
            part = archive.extractfile(name)
            assert part is not None
            (tmp_path / "parts" / name).write_bytes(part.read())
    (tmp_path / "parts" / "connections.json").write_text("{}")
    _packed(tmp_path / "parts", tmp_path / "changed")
    assert "connections.json was changed" in refused((tmp_path / "changed").read_bytes())
    manifest = json.loads((tmp_path / "parts" / "manifest.json").read_text())
    manifest["files"] = {"../zixin.db": "00", **manifest["files"]}
    (tmp_path / "parts" / "manifest.json").write_text(json.dumps(manifest))
    _packed(tmp_path / "parts", tmp_path / "outside")
    assert "../zixin.db" in refused((tmp_path / "outside").read_bytes())


def test_a_damaged_store_is_told_when_it_is_backed_up(rated: House, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "default"
    with sqlite3.connect(folder / "zixin.db") as db:
        db.execute("pragma wal_checkpoint(truncate)")
    data = bytearray((folder / "zixin.db").read_bytes())
    data[4096 * 3 : 4096 * 9] = b"\xff" * 4096 * 6
    (folder / "zixin.db").write_bytes(bytes(data))
    with pytest.raises(Misconfigured, match="cannot be opened"):
        backup.make(folder, "default", tmp_path / "b.tar.gz", NOW)
    assert not (tmp_path / "b.tar.gz").exists()
    with pytest.raises(Misconfigured, match="no connection"):
        backup.make(tmp_path / "none", "none", tmp_path / "b.tar.gz", NOW)


def _packed(folder: Path, file: Path) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for path in folder.iterdir():
            archive.add(path, path.name)


def test_the_log_of_a_store_that_is_gone_is_not_taken_for_that_of_the_restored_one(
    rated: House, tmp_path: Path
) -> None:
    folder, file = tmp_path / "home" / "default", tmp_path / "b.tar.gz"
    backup.make(folder, "default", file, NOW)
    (tmp_path / "left").mkdir()
    (tmp_path / "left" / "zixin.db-wal").write_bytes(b"of another store")

    restore.put_back(file, tmp_path / "left", "default", NOW, replace=False)

    assert not (tmp_path / "left" / "zixin.db-wal").exists()
    assert (tmp_path / "left" / "before-restore-20260301T080000" / "zixin.db-wal").read_bytes() == b"of another store"
    Store(tmp_path / "left" / "zixin.db").close()
