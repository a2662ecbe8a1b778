"""May this order be delivered on credit? The answer, its reasons and numbers, and the ways out.

Fails closed: without a limit in force, with a stale picture or a missing rate, a person is asked. As is
usual in the trade, a supervisor decides up to a tenth over the limit; beyond that the customer is assessed anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.assessment import HOLDS
from connector.messages.rendering import LANGUAGES, Sentences, flag_text, reason_text
from connector.policy import Policy

#: In the order of the holds that bring them.
ANSWERS = ("allow", "warn", "needs_approval", "block")


@dataclass(slots=True)
class OrderDecision:
    """What to do with an order; amounts in minor units of the base currency."""

    answer: str = "allow"
    #: Codes of `WHY`, with what fills their texts.
    reasons: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    #: Codes of `OUT`, with what fills their texts.
    ways_out: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    #: amount, limit, exposure, room (before the order), after, over (beyond the room left).
    numbers: dict[str, int | None] = field(default_factory=dict)


#: Code of a reason → English, Chinese.
WHY = {
    "hold": ("on hold: {hold}", "信用管控：{hold}"),
    "flag": ("{en}", "{zh}"),
    "no_limit": ("no limit is in force", "尚无生效额度"),
    "cash": ("pays in advance", "预付款客户"),
    "over": ("{over} beyond the room of {room}", "超出可用额度 {room} 达 {over}"),
    "group": ("the group's room is the smaller one", "受集团额度限制"),
    "stale": ("the picture is {days} days old", "数据已有 {days} 天未更新"),
    "rate": ("an exchange rate is missing", "缺少汇率"),
    "fits": ("fits into the room of {room}", "在可用额度 {room} 之内"),
}
#: Code of a way out → English, Chinese.
OUT = {
    "prepay": ("prepayment of {amount}", "预付 {amount}"),
    "partial": ("release a part of {amount} now", "先放行 {amount}"),
    "pay_overdue": ("payment of the overdue {amount}", "付清逾期款 {amount}"),
    "security": ("security or insurance for {amount}", "提供 {amount} 的担保或保险"),
    "temporary": ("a temporary limit of {amount}", "临时额度 {amount}"),
    "approve": ("a person's release", "人工放行"),
}


def check(row: Mapping[str, Any], amount: int, policy: Policy, age_days: int) -> OrderDecision:
    """Whether an order of that amount fits.

    `row`: the account's assessment of now (`connector.assessment.ASSESSMENT`). `amount`: minor units of the base
    currency, above 0. `age_days`: days since the facts were last read.
    """
    decision = OrderDecision()
    limit, exposure, room = row["limit"], row["exposure"] or 0, row["available"]
    over = None if room is None else max(0, amount - room)
    decision.numbers = {
        "amount": amount,
        "limit": limit,
        "exposure": exposure,
        "room": room,
        "after": exposure + amount,
        "over": over,
    }
    worst = _hold_level(decision, row, policy.sentences)
    if row["nr_kind"] == "cash":
        worst = max(worst, 3)
        decision.reasons.append(("cash", {}))
        decision.ways_out.append(("prepay", {"amount": amount}))
    elif limit is None or room is None or over is None:
        worst = max(worst, 2)
        decision.reasons.append(("no_limit", {}))
        decision.ways_out += [("prepay", {"amount": amount}), ("temporary", {"amount": exposure + amount})]
    elif over:
        worst = max(worst, _too_much(decision, row, policy, room, over))
    else:
        decision.reasons.append(("fits", {"room": room}))
    if age_days > policy.review.stale_days:
        worst = max(worst, 2)
        decision.reasons.append(("stale", {"days": age_days}))
    if "rate_missing" in (row["notices"] or []):
        worst = max(worst, 2)
        decision.reasons.append(("rate", {}))
    decision.answer = ANSWERS[worst]
    if worst == 2:
        decision.ways_out.append(("approve", {}))
    return decision


def _hold_level(said: OrderDecision, row: Mapping[str, Any], sentences: Sentences) -> int:
    worst = HOLDS.index(row["hold"])
    if worst:
        said.reasons.append(("hold", {"hold": row["hold"]}))
        said.reasons += [
            ("flag", {key: flag_text(flag, sentences, key) for key in LANGUAGES})
            for flag in row["flags"] or []
            if flag["severity"] != "info"
        ]
        said.reasons += [
            ("flag", {key: reason_text(line, sentences, row["currency"], key) for key in LANGUAGES})
            for line in row["reasons"] or []
            if line["indicator"].startswith("decided_")
        ]
        if row["overdue"]:
            said.ways_out.append(("pay_overdue", {"amount": row["overdue"]}))
    return worst


def _too_much(said: OrderDecision, row: Mapping[str, Any], policy: Policy, room: int, over: int) -> int:
    limit, exposure, amount = row["limit"], row["exposure"] or 0, said.numbers["amount"] or 0
    said.reasons.append(("over", {"over": over, "room": room}))
    if room < max(0, limit - exposure):
        said.reasons.append(("group", {}))
    said.ways_out.append(("prepay", {"amount": over}))
    if room > 0:
        said.ways_out.append(("partial", {"amount": room}))
    said.ways_out += [("security", {"amount": over}), ("temporary", {"amount": exposure + amount})]
    little = over * 10**6 <= limit * round(policy.approvals.over_share * 10**6)
    return 2 if little else 3
