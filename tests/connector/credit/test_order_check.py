"""The order check: the answer, why, and the ways out."""

from typing import Any

import pytest

from connector.credit.order_check import OUT, WHY, check
from tests.connector.scoring.books import POLICY


def row(**more: Any) -> dict[str, Any]:
    plain = {
        "limit": 1_000_00, "exposure": 400_00, "available": 600_00, "hold": "none", "flags": [], "reasons": [],
        "overdue": 0, "notices": [], "nr_kind": None, "currency": "USD",
    }  # fmt: skip
    return {**plain, **more}


FLAG = {"code": "OVERDUE_60", "severity": "critical", "segment": None}
DECIDED = {
    "indicator": "decided_hold", "feature": None, "decided": "approve", "until": None, "why": None, "words_en": None,
    "words_zh": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("about", "amount", "age", "answer", "reasons", "ways"),
    [
        ({}, 600_00, 0, "allow", ["fits"], []),
        ({"hold": "warn"}, 100_00, 0, "warn", ["hold", "fits"], []),
        ({}, 700_00, 0, "needs_approval", ["over"], ["prepay", "partial", "security", "temporary", "approve"]),
        ({}, 700_01, 0, "block", ["over"], ["prepay", "partial", "security", "temporary"]),
        ({"available": 0}, 50_00, 0, "needs_approval", ["over", "group"], ["prepay", "security", "temporary", "approve"]),
        ({"limit": None, "available": None}, 1, 0, "needs_approval", ["no_limit"], ["prepay", "temporary", "approve"]),
        ({"nr_kind": "cash"}, 1, 0, "block", ["cash"], ["prepay"]),
        ({"hold": "block", "flags": [FLAG], "overdue": 90_00}, 1, 0, "block", ["hold", "flag", "fits"], ["pay_overdue"]),
        ({"hold": "approve", "reasons": [DECIDED]}, 1, 0, "needs_approval", ["hold", "flag", "fits"], ["approve"]),
        ({}, 1, 30, "needs_approval", ["fits", "stale"], ["approve"]),
        ({"notices": ["rate_missing"]}, 1, 0, "needs_approval", ["fits", "rate"], ["approve"]),
    ],
)  # fmt: skip
def test_the_answer_and_why(
    about: dict[str, Any], amount: int, age: int, answer: str, reasons: list[str], ways: list[str]
) -> None:
    decision = check(row(**about), amount, POLICY, age)

    assert decision.answer == answer
    assert [code for code, _ in decision.reasons] == reasons
    assert [code for code, _ in decision.ways_out] == ways
    for code, facts in decision.reasons:
        assert all(text.format(**facts) for text in WHY[code])
    for code, facts in decision.ways_out:
        assert all(text.format(**facts) for text in OUT[code])


def test_the_numbers_add_up() -> None:
    decision = check(row(), 900_00, POLICY, 0)

    assert decision.numbers == {
        "amount": 900_00, "limit": 1_000_00, "exposure": 400_00, "room": 600_00, "after": 1_300_00, "over": 300_00,
    }  # fmt: skip
    assert dict(decision.ways_out)["prepay"]["amount"] == 300_00
    assert dict(decision.ways_out)["temporary"]["amount"] == 1_300_00
