"""What every adapter says of a write whose answer did not come, and of words that quote what was written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connector.errors import Problem, RateLimited, Retry
from connector.ports import Change, Outcome, OutcomeState


def unanswered(changes: Sequence[Change], problem: Problem) -> list[Outcome]:
    """Outcomes of a call that was refused as a whole or lost: `unknown` only where it may have been heard."""
    lost = isinstance(problem, Retry) and not isinstance(problem, RateLimited) and problem.code != "E-CRM-UNREACHABLE"
    state: OutcomeState = "unknown" if lost else "deferred"
    return [Outcome(change.record, state) for change in changes]


def without(words: str, values: Iterable[str | None]) -> str:
    """The CRM's words without the values that it refused."""
    for value in sorted(filter(None, values), key=len, reverse=True):
        words = words.replace(value, "…") if len(value) > 1 else words
    return words
