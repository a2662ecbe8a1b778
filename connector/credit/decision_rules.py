"""The rules for what people decide: which reasons, how far, how long, and what a second person has to agree to."""

from __future__ import annotations

from dataclasses import dataclass

from connector.assessment import HOLDS, RATINGS
from connector.documents import suggestion
from connector.errors import Misconfigured
from connector.policy import Policy
from connector.schema import day_of

#: Kinds of decision that must have an end.
_ENDING = ("override", "release", "temporary")
_UNRATED = len(RATINGS)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for, for one account."""

    #: A kind of the table decisions, or of limits: permanent, temporary, insured.
    kind: str
    #: Grade, hold, or nothing; for a limit its amount in minor units is in `amount`.
    value: str | None
    reason: str
    by: str
    #: First and last day, the last one included; null: no end.
    first: int
    last: int | None
    amount: int | None = None
    currency: str | None = None
    scope: str = "account"


def check_request(asked: Asked, policy: Policy, rating: str | None, above: int | None) -> tuple[str, ...]:
    """The words of `approvals.second_person` that it needs somebody else's yes for; none: it counts at once.

    `rating`: the account's rating now; None: none. `above`: the limit, in minor units of the decision's own currency,
    from which on a second person is asked; None: for every one. Raises Misconfigured where a rule of the policy
    forbids it.
    """
    rules = policy.overrides
    if asked.reason not in rules.reasons:
        hint = suggestion(asked.reason, list(rules.reasons))
        raise Misconfigured("E-DESK-REASON", reason=asked.reason, hint=hint, known=", ".join(rules.reasons))
    if asked.last is not None and asked.last < asked.first:
        raise Misconfigured("E-DESK-DAYS", first=day_of(asked.first).isoformat(), last=day_of(asked.last).isoformat())
    if asked.kind in _ENDING:
        most = asked.first + rules.longest_days
        if asked.last is None or asked.last > most:
            until = day_of(most).isoformat()
            raise Misconfigured("E-DESK-LONG", kind=asked.kind, days=rules.longest_days, until=until)
    if asked.kind == "override" and asked.value not in RATINGS:
        raise Misconfigured("E-DESK-VALUE", value=str(asked.value), known=", ".join(RATINGS))
    if asked.kind in ("hold", "release") and asked.value not in HOLDS:
        raise Misconfigured("E-DESK-VALUE", value=str(asked.value), known=", ".join(HOLDS))
    return tuple(word for word in _weighs(asked, policy, rating, above) if word in policy.approvals.second_person)


def _weighs(asked: Asked, policy: Policy, rating: str | None, above: int | None) -> tuple[str, ...]:
    if asked.kind == "override":
        now = RATINGS.index(rating) if rating in RATINGS else _UNRATED
        wanted = RATINGS.index(str(asked.value))
        most = policy.overrides.most_notches
        if now < _UNRATED and now - wanted > most:
            best = RATINGS[max(0, now - most)]
            raise Misconfigured("E-DESK-NOTCHES", rating=str(rating), value=str(asked.value), most=most, best=best)
        return ("upgrade",) if wanted < now else ("downgrade",)
    if asked.amount is not None:
        return ("limit",) if above is None or asked.amount > above else ()
    return ("release",) if asked.kind == "release" else ("hold",) if asked.kind in ("hold", "blacklist") else ()


def may_approve(policy: Policy, asked_by: str, by: str) -> None:
    """Raises Misconfigured unless that person may say yes to what the other one asked for."""
    names = policy.approvals.approvers
    if by == asked_by:
        raise Misconfigured("E-DESK-OWN", by=by)
    if names and by not in names:
        raise Misconfigured("E-DESK-APPROVER", by=by, known=", ".join(names))
