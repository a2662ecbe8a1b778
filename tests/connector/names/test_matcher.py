"""At least 95 of 100 duplicates are proposed, and 95 of 100 proposals are duplicates; on names made before."""

import pytest

from connector.similar_names import proposals
from tests.connector.names.made import made


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_most_duplicates_are_found_and_most_proposals_are_right(seed: int) -> None:
    given = made(seed, 3_000)
    found = {(each.one, each.other) for each in proposals(given.names)}
    same = {tuple(sorted(pair)) for pair in given.same}
    hits = len(found & same)
    assert hits >= 0.95 * len(same), sorted((given.names[a], given.names[b]) for a, b in same - found)[:40]
    assert hits >= 0.95 * len(found), sorted((given.names[a], given.names[b]) for a, b in found - same)[:40]
