"""Where things live: ZIXIN_HOME, a profile's folder in it, its policy."""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs
from dotenv import load_dotenv

from connector.editions import PRESETS, Edition, default_text, edition_of, editions, preset_text, unchanged
from connector.errors import Misconfigured
from connector.policy import Policy, load
from sync.restore import unfinished
from sync.token_cache import private_text


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


def profile_folder(profile: str, *, restores: bool = False) -> Path:
    """The folder of one company; its name is checked, because it becomes a path.

    Raises Misconfigured where a restore into it was cut off, unless the caller `restores`.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", profile):
        raise Misconfigured("E-PROFILE", profile=profile)
    folder = home() / profile
    if unfinished(folder) and not restores:
        raise Misconfigured("E-RESTORE-HALF", profile=profile)
    return folder


def shipped(*, rated: bool) -> Edition:
    """The edition that a profile without a policy file is on: the first where there are ratings, else the newest.

    From the first run on the text lies in the profile; releases of before knew the first edition only.
    """
    return editions("default")[0 if rated else -1]


def policy_file(profile: str) -> Path:
    """Where the profile's policy lies."""
    return profile_folder(profile) / "policy.yaml"


def policy_in(profile: str, currency: str, *, rated: bool) -> Policy:
    """The profile's policy; where it has none of its own, the edition that it is on, in that currency."""
    if policy_file(profile).exists():
        return policy(profile)
    return shipped(rated=rated).rules(currency or None)


def policy(profile: str, file: Path | None = None) -> Policy:
    """The policy of that file, or the shipped one of that name; else the profile's own, else the default."""
    chosen = file or policy_file(profile)
    if file is not None and str(file) in PRESETS and not file.exists():
        return load(preset_text(str(file)), f"connector/policies/{file}.yaml")
    if file is None and not chosen.exists():
        return load(default_text(), "connector/policies/default.yaml")
    try:
        return load(chosen.read_text(encoding="utf-8"), str(chosen))
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("E-FILE", file=str(chosen), detail=str(error)) from None


def keep_policy(profile: str, currency: str, *, rated: bool) -> None:
    """Lay the text of the edition that the profile is on into its folder, where it has no policy of its own.

    `currency`: what its amounts count in; `rated`: whether there are ratings, which edition 1 made then.
    """
    path = policy_file(profile)
    if not path.exists():
        private_text(path, in_currency(shipped(rated=rated), currency))


def forget_policy(profile: str) -> None:
    """Take a shipped edition that was never changed out of the profile's folder: the next run lays in the newest."""
    path = policy_file(profile)
    if not path.exists():
        return
    rules = policy(profile)
    edition = edition_of(rules)
    if edition is not None and unchanged(rules, edition):
        path.unlink()


def in_currency(edition: Edition, currency: str) -> str:
    """The edition's text with that base currency; nothing else differs from the file that is shipped."""
    line = f"base_currency: {currency}" if currency else r"\g<0>"
    return re.sub(r"^base_currency: [A-Z]{3}$", line, edition.text, count=1, flags=re.MULTILINE)
