"""Which accounts are one customer, by everything that is said of them, whatever was said first.

A number of another system joins the accounts that say it, unless tax ids in what it would join contradict each other;
a proven tax id joins the accounts that bear it; a person joins any two, and takes any account out of what joins by
itself. An account that was merged away belongs to the one that it was merged into. Source: docs/links.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from connector.tax_ids import TaxId, contradict

#: What links an account, in the order in which it is told.
WAYS = ("merge", "guess", "field", "tax_id", "person")


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of accounts, all of those that hang together at least."""

    #: Accounts that there are.
    live: Collection[str]
    tax_ids: Mapping[str, TaxId] = field(default_factory=dict)
    #: A number of another system, by a name of its own → the accounts that say it.
    numbers: Mapping[str, Collection[str]] = field(default_factory=dict)
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
    #: Numbers that join nobody, because tax ids in what they would join contradict each other.
    vetoed: frozenset[str]


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
    by_tax = [names for names in bearers.values() if len(names) > 1]
    sayers = {number: set(names) & free for number, names in said.numbers.items()}
    sayers = {number: names for number, names in sayers.items() if len(names) > 1}
    vetoed = frozenset(_vetoed(by_tax, sayers, said.tax_ids))
    by_field = [names for number, names in sayers.items() if number not in vetoed]
    merged, guessed = (
        {account: into for account, into in each.items() if account not in live} for each in (said.merged, said.guessed)
    )
    ways = {
        "merge": [{account, into} for account, into in merged.items()],
        "guess": [{account, into} for account, into in guessed.items()],
        "field": by_field,
        "tax_id": by_tax,
        "person": [{one, other} for one, other in said.joined],
    }
    held = {way: set().union(*groups) for way, groups in ways.items()}
    held["merge"], held["guess"] = set(merged), set(guessed)
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


def _vetoed(
    by_tax: Iterable[Collection[str]], sayers: Mapping[str, Collection[str]], tax_ids: Mapping[str, TaxId]
) -> Iterator[str]:
    """Numbers of sets in which tax ids contradict each other: nobody knows which of them is the wrong one."""
    sets = Sets()
    for names in (*by_tax, *sayers.values()):
        sets.join(names)
    torn = set()
    for members in sets.all():
        first: dict[str, TaxId] = {}
        for name in members:
            told = tax_ids.get(name)
            if told is not None and contradict(first.setdefault(told.scheme, told), told):
                torn.add(sets.top(name))
    yield from (number for number, names in sayers.items() if sets.top(min(names)) in torn)
