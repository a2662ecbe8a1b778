"""Whether zixin stands alone in its environment: its folders are its import names, and others may have the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata

#: Top-level names that the wheel installs.
NAMES = ("adapters", "connector", "mappings", "sync", "zixin")


def claims(installed: Mapping[str, Sequence[str]] | None = None) -> dict[str, list[str]]:
    """Top-level name of ours → other distributions that install it, too; whichever came last has overwritten the other.

    `installed`: top-level name → distributions; else those of this environment.
    """
    of = metadata.packages_distributions() if installed is None else installed
    others = {name: sorted(set(of.get(name, ())) - {"zixin"}) for name in NAMES}
    return {name: distributions for name, distributions in others.items() if distributions}
