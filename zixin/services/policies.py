"""A profile's policy: the edition that it is on, whose text lies in it, and what another one would change."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from connector.credit.moves import Moves, moves
from connector.editions import Edition, edition_of, editions, unchanged
from connector.errors import Misconfigured
from connector.policy import Policy
from sync.rescore import preview
from sync.store import ratings
from sync.token_cache import private_text
from zixin import compose
from zixin.config import settings


def known_base(profile: str) -> str | None:
    """What amounts of the profile's policy count in; None: it has no policy file and nothing was rated yet."""
    if settings.policy_file(profile).exists():
        return settings.policy(profile).base_currency
    if not (settings.profile_folder(profile) / "zixin.db").exists():
        return None
    with compose.open_store(profile) as (store, name), store.read(name) as session:
        return ratings.base_currency(session, ratings.newest_day(session))


def current(profile: str) -> Policy:
    """What the profile is rated by; before its first rating in the currency that is shipped."""
    base = known_base(profile)
    return settings.policy_in(profile, base or "", rated=base is not None)


def newer(rules: Policy) -> Edition | None:
    """The newest edition of the shipped policy that a policy is or was made from; None: it is that one, or of none."""
    mine = edition_of(rules)
    newest = None if mine is None else editions(mine.policy)[-1]
    return newest if mine is not None and newest != mine else None


def effect(profile: str, after: Policy) -> Moves | None:
    """Whom another policy would move on the newest assessed day, from what the store holds; None: nothing was rated.

    Both are scored anew, so that nothing but the policy differs.
    """
    if not (settings.profile_folder(profile) / "zixin.db").exists():
        return None
    mine = current(profile)
    with compose.open_store(profile) as (store, name):
        with store.read(name) as session:
            day = ratings.newest_day(session)
        if day is None:
            return None
        one = preview(store, name, mine, day)
        return moves(one, preview(store, name, after.in_currency(mine.base_currency), day))


def take(profile: str, edition: Edition, base: str, now: datetime, *, replace: bool = False) -> Path | None:
    """Put the profile on an edition, its amounts in *base*; where the policy of before lies, None: it had no file.

    Raises Misconfigured where the profile's policy says something of its own, unless it is to be replaced.
    """
    path = settings.policy_file(profile)
    text = settings.in_currency(edition, base)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        private_text(path, text)
        return None
    rules = settings.policy(profile)
    mine = edition_of(rules)
    if not replace and (mine is None or not unchanged(rules, mine)):
        raise Misconfigured("E-POLICY-OWN", file=str(path), edition=edition.name)
    aside = path.with_name(f"policy.before-{now:%Y%m%dT%H%M%S}.yaml")
    private_text(aside, path.read_text(encoding="utf-8"))
    private_text(path, text)
    return aside
