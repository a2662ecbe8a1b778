"""Duplicates among 100,000 names: zixin beside what one would pick instead, Jaro-Winkler within the first letters.

PYTHONPATH=. python bench/names.py [NAMES]
"""

from __future__ import annotations

import sys
import time
from itertools import groupby

from rapidfuzz import process, utils
from rapidfuzz.distance import JaroWinkler

from connector.similar_names import proposals
from tests.connector.names.made import made

#: Pairs at least so much alike are proposed; below it most are wrong.
_ALIKE = 0.93


def blocked(names: dict[str, str]) -> set[tuple[str, str]]:
    """Pairs that share their first three letters and are much alike."""
    rows = sorted((utils.default_process(text), account) for account, text in names.items())
    found = set()
    for _, block in groupby(rows, key=lambda row: row[0][:3]):
        texts, accounts = zip(*block, strict=True)
        scores = process.cdist(texts, texts, scorer=JaroWinkler.similarity, score_cutoff=_ALIKE)
        for one, other in zip(*scores.nonzero(), strict=True):
            if one < other:
                found.add(tuple(sorted((accounts[one], accounts[other]))))
    return found  # type: ignore[return-value]


def main() -> None:
    """Print CPU seconds, recall and precision of both."""
    given = made(7, int(sys.argv[1]) if len(sys.argv) > 1 else 60_000)
    same = {tuple(sorted(pair)) for pair in given.same}
    print(f"{len(given.names):,} names, {len(same):,} duplicates")
    for name, find in (
        ("zixin", lambda: {(each.one, each.other) for each in proposals(given.names)}),
        ("Jaro-Winkler in blocks", lambda: blocked(given.names)),
    ):
        start = time.process_time()
        found = find()
        spent, hits = time.process_time() - start, len(found & same)
        print(f"{name:24} {spent:7.1f} s  recall {hits / len(same):.3f}  precision {hits / len(found):.3f}")


if __name__ == "__main__":
    main()
