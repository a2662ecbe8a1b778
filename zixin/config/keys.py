"""Where the key for secrets at rest comes from: ZIXIN_KEY, the file ZIXIN_KEY_FILE, the keyring, a key file."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from connector.errors import Misconfigured
from sync.token_cache import private_text
from sync.vault import Vault, new_key
from zixin.config import settings

Origin = Literal["environment", "file", "keyring", "beside the data"]
#: Lies beside the profiles and not in one: a profile's backup never holds it.
_FILE = "zixin.key"


def vault() -> Vault:
    """The vault of this installation; makes a key file where nobody gave a key.

    Raises Misconfigured: the key cannot be read, is too short, or others can read it.
    """
    key, _, where = _find_key()
    return Vault(key, where)


def origin() -> Origin:
    """Where the key comes from."""
    return _find_key()[1]


def place() -> str:
    """The variable, file or keyring that it comes from."""
    return _find_key()[2]


def _find_key() -> tuple[str, Origin, str]:
    if text := os.environ.get("ZIXIN_KEY"):
        return text, "environment", "ZIXIN_KEY"
    if named := os.environ.get("ZIXIN_KEY_FILE"):
        return _read(Path(named)), "file", named
    stored = _from_keyring()
    if stored:
        return stored, "keyring", "keyring"
    path = settings.home() / _FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _made_once(path)
    return _read(path), "beside the data", str(path)


def _made_once(path: Path) -> None:
    """Two processes that start together end with one key: the first link wins."""
    mine = path.with_name(f"{path.name}.{os.getpid()}")
    private_text(mine, new_key())
    with suppress(FileExistsError):
        os.link(mine, path)
    mine.unlink(missing_ok=True)


def _read(path: Path) -> str:
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077 and path.name == _FILE:
            raise Misconfigured("E-ENV-OPEN", file=str(path))
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("E-FILE", file=str(path), detail=type(error).__name__) from None


def _from_keyring() -> str:
    """The key that the platform's keyring holds; empty where there is no keyring (it is optional)."""
    try:
        import keyring  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return ""
    # A machine without a desktop has the library and no keyring behind it: that is no fault.
    with suppress(Exception):
        return str(keyring.get_password("zixin", "key") or "")
    return ""
