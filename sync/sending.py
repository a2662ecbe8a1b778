"""One turn's calls: whole accounts first, then what is left of those of which the CRM refused a field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.plan import Planned
from connector.ports import Change, Described, Outcome
from connector.refusal import misfits, remainder
from sync.link import Link
from sync.store import Store, refusals, state, tables


def reopen_mended(store: Store, link: Link) -> None:
    """Plans again what the CRM refused of accounts for a field of which its description now takes the value."""
    with store.read() as tx:
        refused = {account: each.fields for account, each in refusals.open_(tx, link.name).items() if each.fields}
        shown = state.shown(tx, tables.wanted, link.name, sorted(refused))
    if not refused:
        return
    fields, described = link.mapping.writes.fields, link.crm.describe(link.mapping.writes.object)
    mended = [
        account
        for account, names in refused.items()
        if not misfits({name: shown[account].get(name) for name in names if name in fields}, fields, described)
    ]
    with store.write() as tx:
        refusals.reopen(tx, link.name, mended)


@dataclass(slots=True)
class Sending:
    """Sends what is planned, and tells each account's outcome once, with the values that it is the outcome of.

    An outcome `taken` names in `fields` (canonical) what the CRM had refused before, its words in `refusal`.
    """

    link: Link
    _described: Described | None = None

    def sent(self, changes: Sequence[Planned]) -> Iterator[tuple[Planned, Outcome]]:
        """One pair an account, in the order in which they are final."""
        refused: dict[str, tuple[str, ...]] = {}
        words: dict[str, str] = {}
        while changes:
            again: list[Planned] = []
            for item, outcome in zip(changes, self.link.crm.write(self._calls(changes)), strict=True):
                before = refused.get(item.account, ())
                rest = self._rest(item, outcome) if outcome.state == "refused" else None
                if rest is None:
                    yield item, _final(outcome, before, words.get(item.account))
                    continue
                refused[item.account] = (*before, *rest[1])
                words[item.account] = _joined(words.get(item.account), outcome.refusal)
                if rest[0]:
                    again.append(replace(item, values=rest[0]))
                else:
                    named = refused[item.account]
                    yield item, Outcome(outcome.record, "refused", words[item.account], named)
            # Each turn sends fewer fields, or a shorter text, of fewer accounts.
            changes = again

    def _calls(self, changes: Sequence[Planned]) -> Iterator[Change]:
        fields = self.link.mapping.writes.fields
        return (Change(item.account, {fields[name]: value for name, value in item.values.items()}) for item in changes)

    def _rest(self, item: Planned, outcome: Outcome) -> tuple[Mapping[str, str | None], tuple[str, ...]] | None:
        """Values that can be sent without what was refused, and the fields that were; None: nothing tells which."""
        fields = self.link.mapping.writes.fields
        ours = {own: name for name, own in fields.items()}
        named = [ours[own] for own in outcome.fields if ours.get(own) in item.values]
        wrong = named or misfits(item.values, fields, self._description())
        if not wrong:
            return None
        rest = remainder(item.values, wrong, fields, self._description())
        return rest.values, rest.refused

    def _description(self) -> Described:
        if self._described is None:
            self._described = self.link.crm.describe(self.link.mapping.writes.object)
        return self._described


def _final(outcome: Outcome, refused: tuple[str, ...], words: str | None) -> Outcome:
    if not refused or outcome.state not in ("taken", "refused"):
        return replace(outcome, fields=())
    return replace(outcome, fields=refused, refusal=_joined(words, outcome.refusal))


def _joined(words: str | None, more: str | None) -> str:
    return "; ".join(dict.fromkeys(each for each in (words, more) if each))
