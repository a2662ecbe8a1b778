"""One turn's calls: whole accounts, and what is left of those of which the CRM refuses a field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from connector.errors import Problem
from connector.plan import AccountOutcome, Planned, PlanRow, Settled
from connector.ports import Change, Described, Outcome, Writes
from connector.refusal import lasting, likeness, misfits, remainder, suspects, without
from sync.crm_connection import CrmConnection
from sync.store import Store, outbox, refusals, tables

_NOT_SENT = "as the CRM describes the field, it does not take the value"


def now_accepted(store: Store, link: CrmConnection) -> list[str]:
    """Accounts that owe something which is worth another try: what the fields are like has changed since.

    One call, and none where nothing is owed. What was refused by the description is tried where the field takes it
    now, what was refused for another reason where anything about our fields, or which they are, is new. Else it is sent
    again with other values, or when a person says so.
    """
    with store.read(link.name) as session:
        owed = refusals.standing(session)
        shows = outbox.shown_values(session, tables.desired, sorted(owed))
    if not owed:
        return []
    fields, described = link.mapping.writes.fields, link.crm.describe(link.mapping.writes.object)
    results = []
    now = likeness(fields, described)
    for account, refusal in owed.items():
        names = {*refusal.described, *refusal.cut}
        if not names:
            # A store of an older release does not know what they were like.
            results += [account] if refusal.seen != now else []
            continue
        # One that is no longer ours to write is owed no more.
        values = {name: shows[account].get(name) for name in names if name in fields}
        if set(suspects(values, fields, described)) < names:
            results.append(account)
    return results


@dataclass(slots=True)
class _Left:
    """What is known of an account beside its outcome."""

    refused: tuple[str, ...] = ()
    described: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def of(self, outcome: Outcome, seen: str) -> AccountOutcome:
        words = self.said(outcome.refusal) or None
        if outcome.state == "taken":
            return AccountOutcome(
                "taken", words if self.refused else None, self.refused, self.described, self.cut, seen
            )
        # Refused after all, and for none of the fields that were left out.
        return AccountOutcome(outcome.state, words if outcome.state == "refused" else None, seen=seen)

    def said(self, more: str | None = None) -> str:
        """What was said of it, each once."""
        return "; ".join(dict.fromkeys(each for each in (*self.words, more) if each))


@dataclass(slots=True)
class Sending:
    """Sends what is planned, and tells each account's outcome once, with the values that it is the outcome of.

    Where an account of a turn owes something, the CRM is asked to describe its fields first, and what they do not take
    is not sent; else it is asked when it refuses something.
    """

    link: CrmConnection
    crm: Writes
    _described: Described | None = None
    _unseen: bool = False
    #: What the fields are like; empty: not looked at.
    _seen: str = ""
    _left: dict[str, _Left] = field(default_factory=dict)

    def takable(self, rows: Sequence[PlanRow]) -> list[PlanRow]:
        """The rows of a turn without what the CRM is known not to take, so that nothing is planned for its sake."""
        self._left = {}
        described = self._describe() if any(row.owed for row in rows) else self._described
        if described is None:
            return list(rows)
        plan_rows, fields = [], self.link.mapping.writes.fields
        for row in rows:
            if refused := lasting(row.desired, fields, described):
                self._left[row.account] = _Left(refused, refused, words=(_NOT_SENT,))
                row = replace(row, desired=without(row.desired, refused))
            plan_rows.append(row)
        return plan_rows

    def still_refused(self, settled: Sequence[Settled]) -> list[tuple[Planned, AccountOutcome]]:
        """Of rows that need no call, those that owe what the CRM does not take."""
        return [
            (Planned(item.account, item.version, {}), self._nothing_left(item.account))
            for item in settled
            if item.account in self._left
        ]

    def sent(self, changes: Sequence[Planned]) -> Iterator[tuple[Planned, AccountOutcome]]:
        """One pair per account, in the order in which they are final; after `takable` of the same turn."""
        while changes:
            ready = []
            for item in changes:
                rest = self._foreseen(item)
                if rest.values:
                    ready.append(rest)
                else:
                    yield rest, self._nothing_left(rest.account)
            again: list[Planned] = []
            for item, outcome in zip(ready, self.crm.write(self._calls(ready)), strict=True):
                less = self._less(item, outcome) if outcome.state == "refused" else None
                if less is None:
                    yield item, self._final(item, outcome)
                elif less.values:
                    again.append(less)
                else:
                    yield item, self._nothing_left(item.account)
            # Each turn sends fewer fields, or a shorter text, of fewer accounts.
            changes = again

    def _calls(self, changes: Sequence[Planned]) -> Iterator[Change]:
        fields = self.link.mapping.writes.fields
        return (Change(item.account, {fields[name]: value for name, value in item.values.items()}) for item in changes)

    def _foreseen(self, item: Planned) -> Planned:
        """Without what the description does not take, as far as it is known already."""
        if self._described is None:
            return item
        wrong = misfits(item.values, self.link.mapping.writes.fields, self._described)
        return self._without(item, wrong, _NOT_SENT) if wrong else item

    def _less(self, item: Planned, outcome: Outcome) -> Planned | None:
        """Without what was refused; None: nothing tells what it was."""
        fields = self.link.mapping.writes.fields
        ours = {own: name for name, own in fields.items()}
        named = tuple(ours[own] for own in outcome.fields if ours.get(own) in item.values)
        described = self._describe()
        wrong = named or (() if described is None else suspects(item.values, fields, described))
        return self._without(item, wrong, outcome.refusal or "") if wrong else None

    def _without(self, item: Planned, wrong: Sequence[str], words: str) -> Planned:
        fields, described = self.link.mapping.writes.fields, self._described or Described("", ())
        rest = remainder(item.values, wrong, fields, described)
        before = self._left.get(item.account, _Left())
        fits_not = set(suspects(item.values, fields, self._described)) if self._described else set()
        self._left[item.account] = _Left(
            (*before.refused, *rest.refused),
            (*before.described, *(name for name in rest.refused if name in fits_not)),
            (*before.cut, *rest.cut),
            (*before.words, words or "no reason given") if rest.refused else before.words,
        )
        return replace(item, values=rest.values)

    def _final(self, item: Planned, outcome: Outcome) -> AccountOutcome:
        if outcome.state == "refused" and self._unseen and not outcome.fields:
            # What it was could not be looked at: the next push looks again.
            return AccountOutcome("deferred")
        return self._left.get(item.account, _Left()).of(outcome, self._seen)

    def _nothing_left(self, account: str) -> AccountOutcome:
        left = self._left[account]
        return AccountOutcome("refused", left.said(), left.refused, left.described, left.cut, self._seen)

    def _describe(self) -> Described | None:
        """The fields of accounts; None: the CRM does not tell now."""
        if self._described is None and not self._unseen:
            try:
                self._described = self.link.crm.describe(self.link.mapping.writes.object)
                self._seen = likeness(self.link.mapping.writes.fields, self._described)
            except Problem:
                self._unseen = True
        return self._described
