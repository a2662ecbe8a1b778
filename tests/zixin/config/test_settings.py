from pathlib import Path

import pytest

from connector.editions import default_text
from connector.errors import Misconfigured
from zixin.config import settings


def test_settings_come_from_an_env_file_that_only_its_owner_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZIXIN_HOME", "")
    monkeypatch.delenv("ZIXIN_HOME")
    settings.read_env(tmp_path)
    env = tmp_path / ".env"
    env.write_text(f"ZIXIN_HOME={tmp_path}/here\n")
    env.chmod(0o644)
    with pytest.raises(Misconfigured, match="can be read by others"):
        settings.read_env(tmp_path)

    env.chmod(0o600)
    settings.read_env(tmp_path)

    assert settings.profile_folder("p") == tmp_path / "here" / "p"
    monkeypatch.delenv("ZIXIN_HOME")
    assert settings.home().name == "zixin"


def test_a_profile_s_own_policy_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path))
    shipped = settings.policy("p")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "policy.yaml").write_text(default_text().replace("peak: 1.5", "peak: 2"))

    assert settings.policy("p").limits.peak == 2
    assert settings.policy("p").version != shipped.version
