"""Which accounts are one customer: whatever is said, in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.linking import Said, Sets, linked
from connector.tax_ids import TaxId

ONE, OTHER = TaxId("CN", "1" * 17 + "A", is_proven=True), TaxId("CN", "2" * 17 + "B", is_proven=True)
SLIP = TaxId("CN", "1" * 17 + "C", is_proven=False)


def _customers(said: Said) -> dict[str, tuple[str, str]]:
    return {account: (link.customer, link.by) for account, link in linked(said).links.items()}


def test_nothing_said_links_nobody() -> None:
    assert linked(Said(live={"a", "b"})).links == {}


def test_a_number_of_another_system_links_the_accounts_that_say_it() -> None:
    assert _customers(Said(live={"a", "b", "c"}, numbers={"erp:7": ["a", "b"], "erp:8": ["c"]})) == {
        "a": ("a", "field"),
        "b": ("a", "field"),
    }


def test_contradicting_tax_ids_veto_a_number_and_a_person_may_still_join() -> None:
    said = Said(live={"a", "b"}, numbers={"erp:7": ["a", "b"]}, tax_ids={"a": ONE, "b": OTHER})
    assert linked(said).links == {}
    assert linked(said).vetoed == {"erp:7": ["b"]}
    joined = Said(said.live, said.tax_ids, said.numbers, joined=[("b", "a")])
    assert _customers(joined) == {"a": ("a", "person"), "b": ("a", "person")}


def test_a_slip_contradicts_and_joins_nobody() -> None:
    assert linked(Said(live={"a", "b"}, tax_ids={"a": SLIP, "b": SLIP})).links == {}
    assert linked(Said(live={"a", "b"}, numbers={"erp:7": ["a", "b"]}, tax_ids={"a": SLIP, "b": ONE})).vetoed


def test_who_says_a_number_later_and_contradicts_it_breaks_nobody_up() -> None:
    said = Said(live={"a", "b", "c"}, numbers={"erp:7": ["b", "c", "a"]}, tax_ids={"a": ONE, "c": OTHER})
    assert _customers(said) == {"b": ("b", "field"), "c": ("b", "field")}
    assert linked(said).vetoed == {"erp:7": ["a"]}


def test_who_hangs_between_two_contradicting_ids_is_joined_to_the_first() -> None:
    said = Said(
        live={"a", "b", "c"}, numbers={"erp:7": ["a", "b"], "books:1": ["b", "c"]}, tax_ids={"a": ONE, "c": OTHER}
    )
    assert _customers(said) == {"b": ("b", "field"), "c": ("b", "field")}
    assert linked(said).vetoed == {"erp:7": ["b"]}


def test_a_proven_tax_id_links_its_bearers_but_whom_a_person_took_out() -> None:
    said = Said(live={"a", "b", "c"}, tax_ids=dict.fromkeys("abc", ONE))
    assert _customers(said) == dict.fromkeys("abc", ("a", "tax_id"))
    assert _customers(Said(said.live, said.tax_ids, alone={"a"})) == dict.fromkeys("bc", ("b", "tax_id"))


def test_an_account_that_was_merged_away_belongs_to_its_survivor() -> None:
    assert _customers(Said(live={"b"}, merged={"a": "b"})) == {"a": ("b", "merge")}
    assert _customers(Said(live={"c"}, merged={"a": "b", "b": "c"})) == {"a": ("c", "merge"), "b": ("c", "merge")}
    assert _customers(Said(live={"b", "c"}, merged={"a": "b"}, joined=[("a", "c")])) == {
        "a": ("b", "merge"),
        "b": ("b", "person"),
        "c": ("b", "person"),
    }
    assert linked(Said(live=set(), merged={"a": "b"})).links == {}


NAMES = st.sampled_from("abcdefg")


@given(
    joined=st.lists(st.tuples(NAMES, NAMES), max_size=6),
    numbers=st.dictionaries(st.sampled_from("1234"), st.lists(NAMES, max_size=3, unique=True), max_size=4),
    tax_ids=st.dictionaries(NAMES, st.sampled_from([ONE, OTHER, SLIP]), max_size=5),
    alone=st.sets(NAMES, max_size=2),
    live=st.sets(NAMES, min_size=1),
)
def test_the_order_in_which_things_are_said_does_not_matter(
    joined: list[tuple[str, str]],
    numbers: dict[str, list[str]],
    tax_ids: dict[str, TaxId],
    alone: set[str],
    live: set[str],
) -> None:
    one = linked(Said(live, tax_ids, numbers, joined, alone))
    turned = dict(reversed(numbers.items())), [(b, a) for a, b in reversed(joined)]
    assert linked(Said(live, dict(reversed(tax_ids.items())), turned[0], turned[1], alone)) == one
    # Nobody is of two customers, a customer has two accounts at least, and is called by one of them.
    members: dict[str, set[str]] = {}
    for account, link in one.links.items():
        members.setdefault(link.customer, set()).add(account)
    assert all(len(names) > 1 and customer == min(names) for customer, names in members.items())
    # Without a person's word no customer bears two tax ids.
    silent = linked(Said(live, tax_ids, numbers, alone=alone))
    for customer in {link.customer for link in silent.links.values()}:
        ids = {tax_ids[name] for name, link in silent.links.items() if link.customer == customer and name in tax_ids}
        assert len(ids) < 2


def test_sets_of_names_are_called_by_their_least() -> None:
    sets = Sets()
    sets.join(["c", "b"])
    sets.join(["b", "a"])
    assert [sorted(each) for each in sets.all()] == [["a", "b", "c"]]
    assert sets.top("c") == "a"
    assert sets.top("z") == "z"
