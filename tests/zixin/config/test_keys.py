"""The key for secrets at rest, and what happens when it is another one."""

from pathlib import Path

import pytest

from connector.errors import Denied, Misconfigured
from zixin.config import connections, keys
from zixin.config.connections import ConnectionConfig

KEY = "a key that somebody keeps elsewhere, long enough"
CONNECTION = {"main": ConnectionConfig("zoho", {"client_secret": "canary-1"}, secrets=("canary-2",))}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ZIXIN_KEY", raising=False)
    monkeypatch.delenv("ZIXIN_KEY_FILE", raising=False)


def test_without_a_key_one_is_made_beside_the_profiles_for_its_owner_only(tmp_path: Path) -> None:
    connections.keep("acme", CONNECTION)

    path = tmp_path / "home" / "zixin.key"
    stored = (tmp_path / "home" / "acme" / "connections.json").read_text()
    assert (keys.origin(), path.stat().st_mode & 0o077) == ("beside the data", 0)
    assert "canary" not in stored
    assert "canary" not in repr(connections.read("acme"))
    assert connections.read("acme") == CONNECTION


def test_the_environment_comes_first_then_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    monkeypatch.setenv("ZIXIN_KEY_FILE", str(file))
    connections.keep("acme", CONNECTION)
    assert keys.origin() == "file"

    monkeypatch.setenv("ZIXIN_KEY", KEY)
    assert keys.origin() == "environment"
    assert connections.read("acme") == CONNECTION
    assert not (tmp_path / "home" / "zixin.key").exists()


def test_another_key_opens_nothing_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    connections.keep("acme", CONNECTION)
    monkeypatch.setenv("ZIXIN_KEY", KEY)

    with pytest.raises(Denied, match="sealed with another key than the one in ZIXIN_KEY"):
        connections.read("acme")
    assert connections.name_of("acme") == "main"


@pytest.mark.parametrize("problem", ["short", "missing", "open"])
def test_a_key_that_does_not_do_is_refused(problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if problem == "short":
        monkeypatch.setenv("ZIXIN_KEY", "hunter2")
    if problem == "missing":
        monkeypatch.setenv("ZIXIN_KEY_FILE", str(tmp_path / "nowhere"))
    if problem == "open":
        keys.vault()
        (tmp_path / "home" / "zixin.key").chmod(0o644)
    with pytest.raises(Misconfigured):
        connections.keep("acme", CONNECTION)
