"""What the gates and flags of stored assessments say: today's words, with that day's figures."""

from __future__ import annotations

from collections.abc import Iterable

from connector.messages.rendering import Sentences
from connector.policy import Policy
from sync.store import ratings, runs
from sync.store.session import Reading


def sentences_for(session: Reading, versions: Iterable[str]) -> Sentences:
    """What the policy in force says, and for gates and flags that it no longer has, what those versions said."""
    result = Sentences()
    for version in dict.fromkeys((runs.policy_in_force(session), *versions)):
        body = None if version is None else ratings.policy(session, version)
        if body is not None:
            result = result.beside(Policy.model_validate_json(body).sentences)
    return result
