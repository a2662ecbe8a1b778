"""Accounts that look like one customer: by their names, by a tax id that proves nothing, by claims that all went there.

They propose, and a person says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connector.errors import Misconfigured
from connector.similar_names import LEAST, Proposal, proposals
from connector.tax_ids import TaxId, contradict
from sync import links as said
from sync import survivors
from sync.store import ledger, links, sayings
from sync.store.session import Writing
from zixin.services.credit import CreditContext
from zixin.services.links import Change, account_named, called_by, join, tried

#: How sure an equal tax id is that no check digit proves, of 100.
_SAME_ID = 99


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two accounts that look like one customer."""

    one: str
    one_number: str
    one_name: str
    other: str
    other_number: str
    other_name: str
    #: How sure it is, of 100.
    score: int
    #: same, other_form, no_place, slip, forms_differ: of names; tax_id; merge: the first is no more in the CRM, and all
    #: of its claims are the other's.
    why: str


def proposed(context: CreditContext, least: int = LEAST) -> tuple[Duplicate, ...]:
    """What a person has to look at, merges first, then the surest; nothing below that.

    Left out: what is one customer already, what a person said is not, natural persons (many share a name), names of
    different countries, and accounts whose tax ids contradict each other.
    """
    with context.store.read(context.connection) as session:
        frame = ledger.accounts(session).select("account_id", "number", "name", "country", "natural_person")
        members, never = links.every(session), said.never_the_same(session)
        ids, merged = sayings.tax_ids(session), survivors.guesses(session)
        gone = ledger.called_last(session, merged)
    rows = {row[0]: row for row in frame.iter_rows()}
    companies = {account: row[2] for account, row in rows.items() if not row[4]}
    lands = {account: row[3].upper() for account, row in rows.items() if row[3] and len(row[3]) == 2}
    found = [*_of_ids({account: ids[account] for account in ids if account in companies})]
    known = {(each.one, each.other) for each in found}
    found += [each for each in proposals(companies, lands, least) if (each.one, each.other) not in known]

    def is_open(each: Proposal) -> bool:
        theirs = [members.get(name) for name in (each.one, each.other)]
        same = all(theirs) and len({one.customer for one in theirs if one}) == 1
        clash = contradict(ids.get(each.one), ids.get(each.other))
        return not same and not clash and (each.one, each.other) not in never and each.score >= least

    merges = [Proposal(account, into, 100, "merge") for account, into in merged.items()]
    shown = [*merges, *sorted(filter(is_open, found), key=lambda each: (-each.score, each.one, each.other))]
    called = gone | called_by(frame)
    return tuple(
        Duplicate(
            each.one, *called.get(each.one, (each.one, "")), each.other, *called.get(each.other, (each.other, "")),
            each.score, each.why,
        )
        for each in shown
    )  # fmt: skip


def accept(context: CreditContext, one: str, other: str, by: str, *, do: bool) -> tuple[Change, ...]:
    """What it changes that they are one customer; `do`: it is done. Raises Misconfigured as `links.join`."""
    if (merge := _merge(context, one, other)) is None:
        return join(context, one, other, by, do=do)

    def act(session: Writing) -> object:
        return survivors.answer(session, merge[0], by, yes=True, now_us=context.now_us)

    return tried(context, {merge[1]}, act, do=do)


def reject(context: CreditContext, one: str, other: str, by: str, *, do: bool) -> tuple[Change, ...]:
    """What it changes that they are not one customer; `do`: it is done, and they are proposed no more.

    Raises Misconfigured where they are one already: that is for `zixin links remove`.
    """
    if (merge := _merge(context, one, other)) is not None:

        def act(session: Writing) -> object:
            return survivors.answer(session, merge[0], by, yes=False, now_us=context.now_us)

        return tried(context, {merge[1]}, act, do=do)
    first, second = (account_named(context, each) for each in (one, other))
    with context.store.write(context.connection) as session:
        if second in links.accounts_of(session, first):
            raise Misconfigured("E-LINK-THERE", one=one, other=other)
        if do:
            said.not_the_same(session, first, second, by, now_us=context.now_us)
    return ()


def _merge(context: CreditContext, one: str, other: str) -> tuple[str, str] | None:
    """The first account, which is gone, and the one that it looks merged into, or was said to be; None: it is none."""
    with context.store.read(context.connection) as session:
        found = survivors.guesses(session, answered=True)
        called = ledger.called_last(session, found)
    for account, into in found.items():
        if one in (account, *called.get(account, ())) and account_named(context, other) == into:
            return account, into
    return None


def _of_ids(ids: dict[str, TaxId]) -> Iterator[Proposal]:
    """Accounts that bear the same tax id, which proves nothing: a slip in both, or of a form without a check digit."""
    bearers: dict[str, list[str]] = {}
    for account, told in sorted(ids.items()):
        if not told.is_proven:
            bearers.setdefault(told.key, []).append(account)
    for names in bearers.values():
        yield from (Proposal(names[0], name, _SAME_ID, "tax_id") for name in names[1:])
