"""Customers of several accounts: one assessment of all their facts, the stricter of what was decided for each."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest

from connector.schema import TABLES
from connector.scoring.assess import assess, portfolio_statistics
from connector.scoring.customers import folded, folded_prior
from connector.scoring.explanation.explain import explained
from tests.connector.net.portfolios import TODAY, portfolio
from tests.connector.scoring.books import POLICY, books, day, invoice, table

#: Tables of which rows lie with any of a customer's accounts, and it is all the same.
MOVED = ("receivables", "payments", "adjustments", "orders", "promises", "evidence", "securities", "contracts")
#: What says that there are several.
SAYS = ("customer_id", "accounts", "reasons")


def linked(*rows: tuple[str, str], joined_on: str | None = None, by: str = "person") -> pl.DataFrame:
    """`joined_on`: since when each account is one of the customer's, those of the right side too."""
    each = [{"account_id": one, "customer_id": other, "by": by} for one, other in rows]
    each += [{"account_id": other, "customer_id": other, "by": "person"} for _, other in rows]
    frame = table("links", *each)
    at = None if joined_on is None else day(joined_on)
    return frame.with_columns(pl.lit(at, pl.Int64).alias("joined_at"))


def heard(frame: pl.DataFrame) -> pl.DataFrame:
    """Of what was agreed on a day zixin heard on that day; of a field in the CRM in the beginning."""
    return frame.with_columns(pl.col("valid_from").fill_null(0).cast(pl.Int64).alias("known_from"))


def scored(tables: dict[str, pl.DataFrame], as_of: str | int = "2025-06-30", **more: Any) -> dict[str, dict[str, Any]]:
    on = day(as_of) if isinstance(as_of, str) else as_of
    frame = assess(tables, POLICY, on, portfolio=portfolio_statistics(tables, POLICY, on), **more)
    return {row["customer_id"]: row for row in frame.to_dicts()}


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_facts_on_two_accounts_are_those_of_one(seed: int) -> None:
    whole = portfolio(seed, 10, ("USD", "EUR") if seed % 2 else ("USD",))
    chance, names = random.Random(seed), whole["accounts"]["account_id"].to_list()
    split = {name: f"{name}-twin" for name in names[::2]}
    twins = whole["accounts"].filter(pl.col("account_id").is_in(list(split)))
    empty = {name: None for name in TABLES["accounts"].names() if name not in ("account_id", "name")}
    twins = twins.with_columns(pl.col("account_id") + "-twin", *(pl.lit(value).alias(n) for n, value in empty.items()))
    tables = {**whole, "accounts": pl.concat([whole["accounts"], twins.cast(whole["accounts"].schema)])}
    for name in MOVED:
        owners = [
            split[account] if account in split and chance.random() < 0.5 else account
            for account in whole[name]["account_id"]
        ]
        tables[name] = whole[name].with_columns(pl.Series("account_id", owners, dtype=pl.String))
    tables["links"] = linked(*((twin, name) for name, twin in split.items()))
    one, several = scored(whole, TODAY), scored(tables, TODAY)
    assert set(several) == {*names, *split.values()}
    for name in names:
        for account in (name, split.get(name, name)):
            assert {k: v for k, v in several[account].items() if k not in SAYS} == {
                k: v for k, v in one[name].items() if k not in SAYS
            }, account
        if name in split:
            assert several[name]["accounts"] == several[split[name]]["accounts"] == [name, split[name]]
            assert several[name]["reasons"][0]["why"] == split[name]
            assert several[name]["reasons"][1:] == one[name]["reasons"]
        else:
            assert (several[name]["accounts"], several[name]["reasons"]) == ([], one[name]["reasons"])


def test_without_links_nothing_is_touched() -> None:
    tables = portfolio(5, 6)
    assert folded({**tables, "links": linked()}).tables == {n: f for n, f in tables.items() if n != "links"}


TWO = [
    invoice("1", 10_000_00, "2025-01-10", "2025-02-10", "A"),
    invoice("2", 30_000_00, "2025-06-01", "2025-07-01", "B"),
]
PAID = [("p1", "1", "2025-02-09", 10_000_00)]
EARLIER, LATER = "2025-05-01", "2025-06-01"


def heard_(name: str, *rows: Mapping[str, object]) -> pl.DataFrame:
    return heard(table(name, *rows))


def limit(key: str, account: str, amount: int, valid_from: str | None, kind: str = "permanent") -> dict[str, object]:
    return {
        "limit_id": key, "account_id": account, "amount": amount, "currency": "USD", "valid_from": valid_from,
        "kind": kind,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([limit("1", "A", 100, None), limit("2", "B", 20, None)], 20),
        ([limit("1", "A", 100, "2025-04-01"), limit("2", "B", 20, "2025-01-01")], 20),
        # What was agreed since they are one customer is the customer's.
        ([limit("1", "A", 100, LATER), limit("2", "B", 20, "2025-01-01")], 100),
        ([limit("1", "A", 100, LATER), limit("2", "B", 20, LATER)], 20),
        ([limit("1", "A", 100, "2025-04-01"), limit("2", "A", 70, "2025-04-02")], 70),
        ([limit("1", "A", 100, None), limit("2", "B", 20, None), limit("3", "A", 5, LATER, "temporary")], 25),
    ],
)
def test_the_smaller_limit_stands_until_one_is_agreed_for_the_customer(
    limits: list[dict[str, object]], expected: int
) -> None:
    links = linked(("B", "A"), joined_on="2025-05-15")
    rows = scored(books(TWO, PAID, links=links, limits=heard(table("limits", *limits))))
    assert rows["A"]["limit"] == rows["B"]["limit"] == expected


def decision(key: str, account: str, kind: str, value: str | None, valid_from: str | None) -> dict[str, object]:
    return {"decision_id": key, "account_id": account, "kind": kind, "value": value, "valid_from": valid_from}


def test_the_strictest_hold_wins_and_a_release_of_before_lifts_nothing() -> None:
    links = linked(("B", "A"), joined_on="2025-05-15")
    late = [invoice("3", 90_000_00, "2024-12-01", "2025-01-01", "B")]
    alone = scored(books([*TWO, *late], PAID))
    assert (alone["A"]["hold"], alone["B"]["hold"]) == ("none", "block")
    for release, hold in ((EARLIER, "block"), (LATER, "none")):
        said = heard_("decisions", decision("D1", "A", "release", "none", release))
        rows = scored(books([*TWO, *late], PAID, links=links, decisions=said))
        assert {row["hold"] for row in rows.values()} == {hold}
    said = heard_("decisions", decision("D1", "B", "blacklist", None, None))
    rows = scored(books(TWO, PAID, links=links, decisions=said))
    assert {row["hold"] for row in rows.values()} == {"block"}


def test_an_override_of_before_lifts_nobody_and_one_that_lowers_stands() -> None:
    good = [invoice(f"g{n}", 10_000_00, "2025-03-01", "2025-04-01", "A") for n in range(8)]
    paid = [(f"p{n}", f"g{n}", "2025-03-30", 10_000_00) for n in range(8)]
    links = linked(("B", "A"), joined_on="2025-05-15")
    first = scored(books([*good, TWO[1]], paid, links=links))["A"]["rating"]
    for value, given, expected in (
        ("AAA", EARLIER, first),
        ("CC", EARLIER, "CC"),
        ("CC", None, "CC"),
        ("CC", LATER, "CC"),
    ):
        said = heard_("decisions", decision("D1", "B", "override", value, given))
        assert scored(books([*good, TWO[1]], paid, links=links, decisions=said))["A"]["rating"] == expected
    both = heard_(
        "decisions", decision("D1", "B", "override", "CC", EARLIER), decision("D2", "A", "override", "B", LATER)
    )
    assert scored(books([*good, TWO[1]], paid, links=links, decisions=both))["B"]["rating"] == "B"


def test_of_an_account_that_was_merged_away_what_was_decided_goes_on() -> None:
    links = linked(("X", "A"), by="merge", joined_on="2025-05-15")
    said = heard_("decisions", decision("D1", "X", "blacklist", None, "2025-01-01"))
    agreed = heard_("limits", limit("1", "X", 20, None), limit("2", "A", 100, None))
    merged = scored(books(TWO[:1], PAID, links=links, decisions=said, limits=agreed))["A"]
    assert (merged["hold"], merged["limit"], merged["accounts"]) == ("block", 20, [])
    # As long as nobody said that it was merged, only the hold acts.
    guess = linked(("X", "A"), by="guess", joined_on="2025-05-15")
    guessed = scored(books(TWO[:1], PAID, links=guess, decisions=said, limits=agreed))["A"]
    assert (guessed["hold"], guessed["limit"]) == ("block", 100)


def test_terms_are_those_of_the_own_account_else_of_the_customer() -> None:
    rows = [
        invoice("1", 100_00, "2025-01-10", None, "A", due_basis="unknown"),
        invoice("2", 100_00, "2025-01-10", None, "B", due_basis="unknown"),
        invoice("3", 100_00, "2025-01-10", None, "C", due_basis="unknown"),
    ]
    net: list[dict[str, object]] = [
        {"account_id": name, "valid_from": "2020-01-01", "kind": "net", "days": days}
        for name, days in (("A", 10), ("B", 90))
    ]
    tables = folded(books(rows, links=linked(("B", "A"), ("C", "A")), terms=table("terms", *net))).tables
    due = dict(tables["receivables"].select("receivable_id", "due").iter_rows())
    assert due == {"1": day("2025-01-20"), "2": day("2025-04-10"), "3": day("2025-01-20")}


def test_paid_in_advance_with_one_account_is_paid_in_advance() -> None:
    terms: list[dict[str, object]] = [
        {"account_id": "A", "valid_from": "2025-02-01", "kind": "net", "days": 30},
        {"account_id": "B", "valid_from": "2025-01-01", "kind": "prepaid"},
    ]
    rows = scored(books(TWO, PAID, links=linked(("B", "A")), terms=table("terms", *terms)))
    assert {row["nr_kind"] for row in rows.values()} == {"cash"}


def test_parents_of_several_accounts_make_one_group() -> None:
    tables = books([*TWO, invoice("3", 5_00, "2025-06-01", "2025-07-01", "P"),
                    invoice("4", 7_00, "2025-06-01", "2025-07-01", "Q")], PAID, links=linked(("B", "A")))  # fmt: skip
    parents = {"A": "P", "B": "Q"}
    told = pl.col("account_id").replace_strict(parents, default=None, return_dtype=pl.String).alias("parent_id")
    tables["accounts"] = tables["accounts"].with_columns(told)
    assert {row["group_exposure"] for row in scored(tables).values()} == {30_000_00 + 5_00 + 7_00}
    # Who is his own parent by a link is nobody's.
    own = pl.when(pl.col("account_id") == "B").then(pl.lit("A")).alias("parent_id")
    tables["accounts"] = tables["accounts"].with_columns(own)
    rows = scored(tables)
    assert rows["A"]["group_exposure"] == 30_000_00
    assert "parent_cycle" not in rows["A"]["notices"]


def test_yesterday_is_the_worst_of_both_and_limits_add_up() -> None:
    late = [invoice("3", 90_000_00, "2024-12-01", "2025-01-01", "B")]
    yesterday = assess(
        books([*TWO, *late], PAID), POLICY, day("2025-06-29"), portfolio=portfolio_statistics(books(TWO), POLICY, 20000)
    )
    links = linked(("B", "A"))
    folds = folded(books([*TWO, *late], PAID, links=links))
    was = {row["customer_id"]: row for row in yesterday.to_dicts()}
    prior = folded_prior(yesterday, folds)
    assert prior is not None
    row = prior.to_dicts()[0]
    assert prior.height == 1
    assert row["hold"] == "block"
    limits = [each["limit"] for each in was.values() if each["limit"] is not None]
    assert row["limit"] == (sum(limits) if limits else None)
    assert {flag["code"] for flag in row["flags"]} == {flag["code"] for each in was.values() for flag in each["flags"]}
    # Who was one customer already says it twice, and it counts once.
    joint = assess(
        books([*TWO, *late], PAID, links=links), POLICY, day("2025-06-29"),
        portfolio=portfolio_statistics(books(TWO), POLICY, 20000),
    )  # fmt: skip
    again = folded_prior(joint, folds)
    assert again is not None
    assert again["limit"].to_list() == joint["limit"].to_list()[:1]


def test_the_explanation_is_of_all_accounts() -> None:
    tables = books(TWO, PAID, links=linked(("B", "A")))
    told = explained(tables, POLICY, day("2025-06-30"), portfolio_statistics(tables, POLICY, 20000), "B")
    assert told["accounts"] == ["A", "B"]
    assert [item["id"] for item in told["facts"]["open"]] == ["2"]
    assert [item["id"] for item in told["facts"]["settled"]] == ["1"]


@pytest.mark.parametrize(
    ("claims", "expected"),
    # An empty duplicate undoes nothing; one with facts of its own leaves the agreed limit, and lifts no hold.
    [([], (100, "none")), ([invoice("9", 50, "2025-06-01", "2025-07-30", "C")], (100, "block"))],
)
def test_who_joins_later_undoes_no_limit_that_was_agreed_for_the_others(
    claims: list[dict[str, object]], expected: tuple[int, str]
) -> None:
    late = [invoice("3", 90_000_00, "2024-12-01", "2025-01-01", "B")]
    tables = books([*TWO[:1], *late, *claims], PAID)
    if not claims:
        tables["accounts"] = pl.concat([tables["accounts"], table("accounts", {"account_id": "C", "name": "C"})])
    links = linked(("B", "A"), ("C", "A"))
    at = pl.when(pl.col("account_id") == "C").then(day("2025-06-20")).otherwise(day("2025-05-15"))
    tables["links"] = links.with_columns(at.cast(pl.Int64).alias("joined_at"))
    tables["limits"] = heard_("limits", limit("1", "B", 20, "2025-01-01"), limit("2", "A", 100, LATER))
    tables["decisions"] = heard_("decisions", decision("D1", "A", "release", "none", LATER))
    row = scored(tables)["A"]
    assert (row["limit"], row["hold"]) == expected


def test_a_temporary_limit_of_before_adds_to_its_own_account_alone() -> None:
    links = linked(("B", "A"), joined_on="2025-05-15")
    agreed = [limit("1", "A", 5_000, None), limit("2", "A", 1_000_000, EARLIER, "temporary"), limit("3", "B", 20, None)]
    row = scored(books(TWO, PAID, links=links, limits=heard_("limits", *agreed)))["A"]
    assert row["limit"] == 20
    alone = scored(books(TWO, PAID, links=links, limits=heard_("limits", *agreed[:2])))["A"]
    assert alone["limit"] == 1_005_000


def test_the_floor_of_one_account_hides_nothing_that_is_overdue_on_another() -> None:
    late = [invoice("3", 90_000_00, "2024-12-01", "2025-01-01", "B")]
    rolling = {
        "account_id": "A", "valid_from": "2020-01-01", "kind": "rolling", "floor_amount": 500_000_00, "currency": "USD",
    }  # fmt: skip
    tables = books([TWO[0], *late], PAID, links=linked(("B", "A")), terms=table("terms", rolling))
    assert scored(tables)["A"]["overdue"] == 90_000_00
    own = books([invoice("3", 90_000_00, "2024-12-01", "2025-01-01", "A"), TWO[1]], PAID, terms=table("terms", rolling))
    own["links"] = linked(("B", "A"))
    assert scored(own)["A"]["overdue"] == 0


def test_who_parts_has_neither_the_limit_nor_the_grade_of_both() -> None:
    good = [invoice(f"g{n}", 50_000_00, f"2025-0{n + 1}-01", f"2025-0{n + 1}-20", "A") for n in range(5)]
    paid = [(f"p{n}", f"g{n}", f"2025-0{n + 1}-15", 50_000_00) for n in range(5)]
    bad = [invoice("b", 1_000_00, "2025-04-01", "2025-05-01", "B")]
    apart = books([*good, *bad], paid)
    together = {**apart, "links": linked(("B", "A"))}
    portfolio = portfolio_statistics(apart, POLICY, day("2025-06-29"))
    joint = assess(together, POLICY, day("2025-06-29"), portfolio=portfolio)
    fresh, parted = (
        {row["customer_id"]: row for row in frame.to_dicts()}
        for frame in (
            assess(apart, POLICY, day("2025-06-30"), portfolio=portfolio),
            assess(apart, POLICY, day("2025-06-30"), portfolio=portfolio, prior=joint),
        )
    )
    assert parted == fresh
    # Whoever is scored alone is told the same.
    mine = {name: frame.filter(pl.col("account_id") == "B") if "account_id" in frame.columns else frame
            for name, frame in apart.items()}  # fmt: skip
    alone = assess(mine, POLICY, day("2025-06-30"), portfolio=portfolio, prior=joint.filter(customer_id="B")).to_dicts()
    assert alone == [fresh["B"]]


def test_a_company_among_natural_persons_falls_at_once() -> None:
    tables = books(TWO, PAID, links=linked(("B", "A")))
    for values, expected in (([True, None], True), ([True, False], False), ([None, None], None)):
        accounts = tables["accounts"].with_columns(pl.Series("natural_person", values, dtype=pl.Boolean))
        assert folded({**tables, "accounts": accounts}).tables["accounts"]["natural_person"].to_list() == [expected]
