"""Which features a batch computes, out of those that nothing else rests on."""

from __future__ import annotations

from collections.abc import Collection


def any_asked(asked: Collection[str] | None, *names: str) -> bool:
    """Whether one of these features is wanted; None: all are."""
    return asked is None or any(name in asked for name in names)
