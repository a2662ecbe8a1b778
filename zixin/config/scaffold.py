"""The files that a new installation starts with: a connection's settings with their meaning, and `.env.example`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.registry import SettingSpec, SetupStep
from sync.token_cache import private_text
from zixin.config import settings

#: Variable → default or sample, and what it is for.
_VARIABLES: tuple[tuple[str, str, str, str], ...] = (
    ("ZIXIN_HOME", "/var/lib/zixin", "where everything lives", "所有数据的存放位置"),
    ("ZIXIN_PROFILE", "default", "which company: one store, settings and policy", "公司（一个数据库、一套设置和政策）"),
    ("ZIXIN_LANG", "en", "en or zh-CN", "en 或 zh-CN"),
    (
        "ZIXIN_KEY_FILE",
        "/etc/zixin/key",
        "file with the key that secrets are sealed with (at least 32 characters); or ZIXIN_KEY, the key itself",
        "用于加密机密信息的密钥文件（至少 32 个字符）；或用 ZIXIN_KEY 直接给出密钥",
    ),
    ("HTTPS_PROXY", "http://proxy.example.com:3128", "a proxy on the way to the CRM", "访问 CRM 的代理"),
    ("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/company.pem", "a certificate authority of your own", "自有证书颁发机构"),
)


def write(
    folder: Path, crm: str, needs: Sequence[SettingSpec], ways: Sequence[SetupStep], told: Mapping[str, str]
) -> list[Path]:
    """Make `zixin.CRM.yaml` (for its owner only) and `.env.example`; those that are there stay as they are.

    `told` are values that are known already. The files that were written come back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for path, text in (
        (folder / f"zixin.{crm}.yaml", settings_text(crm, needs, ways, told)),
        (folder / ".env.example", env_text(needs)),
    ):
        if not path.exists():
            private_text(path, text)
            paths.append(path)
    return paths


def settings_text(crm: str, needs: Sequence[SettingSpec], ways: Sequence[SetupStep], told: Mapping[str, str]) -> str:
    """A YAML file with every setting, its meaning in both languages, optional ones commented out."""
    lines = [
        f"# zixin connect {crm} --settings FILE     (chmod 600; the values are kept sealed, this file can go then)",
        "#",
    ]
    for number, way in enumerate(ways, 1):
        lines += [f"# {number}. {way.en}", f"#    {way.zh}", *([f"#      {way.paste}"] if way.paste else [])]
    for need in needs:
        required = need.default is None or need.ask
        secret = f"   # or in the environment: ZIXIN_SET_{need.name.upper()}" if need.secret else ""
        lines.append("")
        lines += [f"# {text}" for text in (need.en, need.zh) if text]
        value = told.get(need.name, need.default or "")
        lines.append(f'{"" if required or need.name in told else "# "}{need.name}: "{value}"{secret}')
    return "\n".join([*lines, ""])


def env_text(needs: Sequence[SettingSpec]) -> str:
    """What the environment may set, all of it commented out."""
    lines = [
        "# Copy to .env (chmod 600) in the folder that zixin is started in. What the environment sets comes first.",
        "# 复制为启动目录下的 .env（chmod 600）；环境变量优先。",
    ]
    for name, sample, en, zh in _VARIABLES:
        lines += ["", f"# {en}", f"# {zh}", f"# {name}={sample}"]
    lines += ["", "# A connection's settings that are not to stand in a file:", "# 不写入文件的连接设置："]
    lines += [f"# ZIXIN_SET_{need.name.upper()}=" for need in needs if need.secret]
    return "\n".join([*lines, ""])


def home_ready(profile: str) -> Path:
    """The profile's folder, made for its owner only."""
    folder = settings.profile_folder(profile)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name == "posix":
        folder.chmod(0o700)
    return folder
