"""Where things live: ZIXIN_HOME, a profile's folder in it, its policy."""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs
from dotenv import load_dotenv

from connector.editions import PRESETS, default_text, preset_text
from connector.errors import Misconfigured
from connector.policy import Policy, load


def read_env(folder: Path) -> None:
    """Take settings from the folder's `.env`, where the environment does not set them; refused when others can read it.

    Raises Misconfigured: a file that holds secrets is for its owner only.
    """
    path = folder / ".env"
    if not path.is_file():
        return
    if os.name == "posix" and path.stat().st_mode & 0o044:
        raise Misconfigured("E-ENV-OPEN", file=str(path))
    load_dotenv(path)


def home() -> Path:
    """ZIXIN_HOME, or the platform's data folder."""
    return Path(os.environ.get("ZIXIN_HOME") or platformdirs.user_data_dir("zixin", appauthor=False))


def profile_folder(profile: str) -> Path:
    """The folder of one company; its name is checked, because it becomes a path."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", profile):
        raise Misconfigured("E-PROFILE", profile=profile)
    return home() / profile


def policy_in(profile: str, currency: str) -> Policy:
    """The profile's policy; where it has none of its own, the shipped one counts in that currency."""
    rules = policy(profile)
    own = (profile_folder(profile) / "policy.yaml").exists()
    return rules if own or not currency else rules.in_currency(currency)


def policy(profile: str, file: Path | None = None) -> Policy:
    """The policy of that file, or the shipped one of that name; else the profile's own, else the default."""
    chosen = file or profile_folder(profile) / "policy.yaml"
    if file is not None and str(file) in PRESETS and not file.exists():
        return load(preset_text(str(file)), f"connector/policies/{file}.yaml")
    if file is None and not chosen.exists():
        return load(default_text(), "connector/policies/default.yaml")
    try:
        return load(chosen.read_text(encoding="utf-8"), str(chosen))
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("E-FILE", file=str(chosen), detail=str(error)) from None
