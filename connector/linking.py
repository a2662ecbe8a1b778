"""Which accounts are one customer, by everything that is said of them, whatever was said first.

A number of another system joins the accounts that say it to the one that said it first, but for those whose tax ids
contradict what is joined to it already; a proven tax id joins the accounts that bear it; a person joins any two, and
takes any account out of what joins by itself. An account that was merged away belongs to the one that it was merged
into. Source: docs/links.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.tax_ids import TaxId, contradict

#: What links an account, in the order in which it is told.
WAYS = ("merge", "guess", "field", "tax_id", "person")


#: What more accounts share fills a field, and joins nobody: the tax id of everybody who has none, say.
MOST = 200


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of accounts, all of those that hang together at least."""

    #: Accounts that there are.
    live: Collection[str]
    tax_ids: Mapping[str, TaxId] = field(default_factory=dict)
    #: A number of another system, by a name of its own → the accounts that say it, in the order in which they said it.
    numbers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: Pairs that a person joined.
    joined: Collection[tuple[str, str]] = ()
    #: Accounts that a person took out: only a person joins them.
    alone: Collection[str] = ()
    #: Account that is gone → the one that it was merged into.
    merged: Mapping[str, str] = field(default_factory=dict)
    #: The same as it looks, until a person says so.
    guessed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """An account of a customer who has several."""

    customer: str
    #: One of `WAYS`: the first that holds it.
    by: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Accounts of customers who have several; whoever is missing is a customer of his own."""

    links: Mapping[str, Link]
    #: Number → accounts that it does not join, because their tax ids contradict what it joins.
    vetoed: Mapping[str, Sequence[str]]


class Sets:
    """Sets of names that grow together."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def top(self, name: str) -> str:
        """The name that stands for the set of this one."""
        path = []
        while (above := self._above.get(name, name)) != name:
            path.append(name)
            name = above
        for each in path:
            self._above[each] = name
        return name

    def join(self, names: Iterable[str]) -> None:
        """Makes one set of the sets of these names; the least of their tops stands for it."""
        tops = sorted({self.top(name) for name in names})
        for each in tops:
            self._above[each] = tops[0]

    def all(self) -> Iterator[list[str]]:
        """The sets of all names that were ever joined."""
        sets: dict[str, list[str]] = {}
        for name in list(self._above):
            sets.setdefault(self.top(name), []).append(name)
        yield from sets.values()


def linked(said: Said) -> Linked:
    """The customers of several accounts, each called by the least id of those of its accounts that there are."""
    live, alone = set(said.live), set(said.alone)
    free = live - alone
    bearers: dict[str, set[str]] = {}
    for account in free & said.tax_ids.keys():
        if said.tax_ids[account].is_proven:
            bearers.setdefault(said.tax_ids[account].key, set()).add(account)
    by_tax = [names for names in bearers.values() if 1 < len(names) <= MOST]
    by_field, vetoed = _by_numbers(said, free, by_tax)
    merged, guessed = (
        {account: into for account, into in each.items() if account not in live} for each in (said.merged, said.guessed)
    )
    ways: dict[str, Sequence[Collection[str]]] = {
        "merge": [{account, into} for account, into in merged.items()],
        "guess": [{account, into} for account, into in guessed.items()],
        "field": by_field,
        "tax_id": by_tax,
        "person": [{one, other} for one, other in said.joined],
    }
    held: dict[str, set[str]] = {way: set().union(*groups) for way, groups in ways.items()}
    held["guess"] = {name for name in (*merged, *guessed) if _guessed(name, merged, guessed)}
    held["merge"] = set(merged) - held["guess"]
    sets = Sets()
    for group in (names for groups in ways.values() for names in groups):
        sets.join(group)
    links = {}
    for members in sets.all():
        there = [name for name in members if name in live]
        # A single account is a customer of its own; those that were merged into it are his, too.
        for name in members if len(there) > 1 else (set(members) - set(there) if there else ()):
            if name in live or name in merged or name in guessed:
                links[name] = Link(min(there), next((way for way in WAYS if name in held[way]), "person"))
    return Linked(links, vetoed)


def _guessed(name: str, merged: Mapping[str, str], guessed: Mapping[str, str]) -> bool:
    """Whether the way of an account to the one that it became goes over a guess."""
    seen: set[str] = set()
    while name not in seen and name not in guessed and name in merged:
        seen.add(name)
        name = merged[name]
    return name in guessed


def _by_numbers(
    said: Said, free: Collection[str], by_tax: Iterable[Collection[str]]
) -> tuple[list[Collection[str]], dict[str, list[str]]]:
    """Pairs that numbers join, each with the first that said it; and number → whom it does not."""
    sets = Sets()
    for names in by_tax:
        sets.join(names)
    borne: dict[str, dict[str, TaxId]] = {}
    for name in sorted(said.tax_ids):
        borne.setdefault(sets.top(name), {}).setdefault(said.tax_ids[name].scheme, said.tax_ids[name])
    pairs: list[Collection[str]] = []
    out: dict[str, list[str]] = {}
    for number in sorted(said.numbers):
        sayers = [name for name in said.numbers[number] if name in free]
        if len(sayers) > MOST:
            out[number] = sayers
            continue
        for first, other in ((sayers[0], name) for name in sayers[1:]):
            one, two = (borne.get(sets.top(name), {}) for name in (first, other))
            if any(contradict(one.get(scheme), told) for scheme, told in two.items()):
                out.setdefault(number, []).append(other)
                continue
            sets.join((first, other))
            borne[sets.top(first)] = two | one
            pairs.append({first, other})
    return pairs, out
