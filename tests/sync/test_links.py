"""Links in the store: joined, parted and merged in any order, everybody is assessed as if the end had always been."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from connector.errors import Misconfigured
from connector.linking import MOST
from connector.ports import Gone, Organisation, Page
from connector.scoring.assess import assess, portfolio_statistics
from connector.scoring.features.tendency import Statistics
from connector.tax_ids import tax_id
from mappings.load import packaged
from sync import decisions, links, survivors
from sync.crm_connection import CrmConnection, micros
from sync.rescore import commit_assessments, score
from sync.store import Store, identities, ledger, ratings, sayings, ties
from sync.store import links as link_store
from sync.store.facts import put_row
from sync.taking import Pulled, take_in
from tests.connector.scoring.books import POLICY, day

ZOHO = packaged("zoho")
NOW = datetime(2025, 6, 30, 12, tzinfo=UTC)
TODAY = day("2025-06-30")
TAX = ("91110000600037341L", "91310000132260250X", "DE136695976", "n/a")


class Books:
    """A store, and a CRM that says what it is told to say."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "zixin.db")
        self.seconds = 0
        self.link = CrmConnection("c", cast("Any", None), ZOHO, Organisation("x", "USD"), clock=self.now)
        self.told: dict[str, dict[str, str]] = {}

    def now(self) -> datetime:
        return datetime.fromtimestamp(NOW.timestamp() + self.seconds, UTC)

    @property
    def now_us(self) -> int:
        self.seconds += 1
        return micros(self.now())

    def take(self, source: str, *rows: dict[str, str], gone: tuple[Gone, ...] = ()) -> None:
        self.seconds += 1
        columns = ["id", "modified_at", *ZOHO.source(source).fields]
        cells = [{name: {"modified_at": self.now().isoformat(), **row}.get(name) for name in columns} for row in rows]
        frame = pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String))
        take_in(self.store, self.link, Page(source, frame, gone, "", complete=True), self.now_us, None, Pulled())

    def account(self, key: str, **more: str) -> None:
        self.told[key] = {"id": key, "Account_Name": f"name {key}", **more}
        self.take("accounts", self.told[key])

    def merge(self, key: str, into: str, *, told: bool = True) -> None:
        """As a CRM does it: the claims move, and the account is gone; `told`: it says where to."""
        owned = [row for row in self.told.values() if row.get("owner") == key]
        for row in owned:
            row["owner"] = row["Account_Name"] = into
            self.take("invoices", {name: value for name, value in row.items() if name != "owner"})
        del self.told[key]
        self.take("accounts", gone=(Gone(key, "merged_into", into) if told else Gone(key, "deleted"),))
        with self.store.write("c") as session:
            survivors.guess(session, self.now_us)

    def invoice(self, key: str, owner: str, amount: int, due: str) -> None:
        row = {
            "id": key,
            "Account_Name": owner,
            "Invoice_Date": "2025-01-01",
            "Due_Date": due,
            "Grand_Total": f"{amount}",
        }
        self.told[key] = {**row, "owner": owner}
        self.take("invoices", row)

    def number(self, account: str, text: str | None) -> None:
        with self.store.write("c") as session:
            link_store.relink(session, ties.say(session, "erp", {account: text}, self.now_us), self.now_us)

    def join(self, one: str, other: str) -> None:
        with self.store.write("c") as session:
            links.join(session, one, other, "amy", now_us=self.now_us)

    def part(self, account: str) -> None:
        with self.store.write("c") as session:
            links.part(session, account, "amy", now_us=self.now_us)

    def decide(self, key: str, account: str, kind: str, value: str | None = None, first: int | None = None) -> None:
        row = {"decision_id": key, "account_id": account, "kind": kind, "value": value, "valid_from": first}
        with self.store.write("c") as session:
            put_row(session, "decisions", row, self.now_us)

    def agree(self, key: str, account: str, amount: int) -> None:
        row = {"limit_id": key, "account_id": account, "kind": "permanent", "scope": "account", "amount": amount}
        with self.store.write("c") as session:
            put_row(session, "limits", {**row, "currency": "USD"}, self.now_us)

    def night(self) -> None:
        """Scores whoever is due, in one go."""
        commit_assessments(self.store, self.link, score(self.store, self.link, POLICY, TODAY), language="en")

    def assessed(self) -> dict[str, dict[str, Any]]:
        """What is stored, of the accounts that there are."""
        with self.store.read("c") as session:
            names = ledger.accounts(session)["account_id"].to_list()
            rows = ratings.assessments(session, accounts=names).to_dicts()
        return {row["customer_id"]: row for row in rows}

    def anew(self, statistics: Any) -> dict[str, dict[str, Any]]:
        with self.store.read("c") as session:
            frame = assess(ledger.load(session), POLICY, TODAY, portfolio=statistics)
        return {row["customer_id"]: row for row in frame.to_dicts()}

    def statistics(self) -> Any:
        with self.store.read("c") as session:
            return portfolio_statistics(ledger.load(session), POLICY, TODAY)

    def customers(self) -> dict[str, tuple[str, str]]:
        with self.store.read("c") as session:
            return {name: (each.customer, each.by) for name, each in link_store.every(session).items()}


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path)


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 40))])
def test_whatever_the_order_it_ends_as_if_the_end_had_always_been(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = Books(tmp_path / "a")
    identities_seen(first)
    names = list("abcdefg")
    for name in names:
        first.account(name, Agreed_Credit_Limit=f"{chance.randint(1, 9)}000" if chance.random() < 0.5 else "")
        for n in range(chance.randint(1, 4)):
            due = f"2025-{chance.randint(1, 7):02}-{chance.randint(1, 28):02}"
            first.invoice(f"i{name}{n}", name, chance.randint(1, 90) * 100, due)
    first.decide("D1", chance.choice(names), "blacklist")
    first.decide("D2", chance.choice(names), "override", "CC", TODAY - 5)
    first.decide("D3", chance.choice(names), "release", "none", TODAY - 5)
    first.agree("L1", chance.choice(names), 5_000_00)
    numbers: dict[str, tuple[str, bool]] = {}
    merged: list[tuple[str, str]] = []
    for _ in range(25):
        step, (one, other) = chance.choice(STEPS), chance.sample(names, 2)
        if step in ("join", "part"):
            do(first, step, one, other)
        elif step == "number":
            said = chance.choice(["7", "8", None])
            first.number(one, said)
            now = (said, True) if said else (numbers.get(one, ("", False))[0], False)
            if now != numbers.get(one, ("", False)):
                numbers.pop(one, None)
                numbers[one] = now
        elif step == "tax":
            before = first.told[one].get("Tax_ID", "")
            first.account(one, **{**first.told[one], "Tax_ID": chance.choice(TAX)})
            # What is no id says what was said before.
            first.told[one]["Tax_ID"] = before if first.told[one]["Tax_ID"] == "n/a" else first.told[one]["Tax_ID"]
        elif len(names) > 4:
            first.merge(one, other)
            merged.append((one, other))
            names.remove(one)
        if chance.random() < 0.3:
            first.night()
    first.night()
    second = told_at_once(first, tmp_path / "b", names, numbers, merged)

    live = {name: link for name, link in first.customers().items() if name in names}
    assert live == {name: link for name, link in second.customers().items() if name in names}
    ours, theirs = first.anew(second.statistics()), second.anew(second.statistics())
    assert len(ours) == len(names)
    assert ours == theirs
    # What was scored on the way, a few at a time, is what scoring everybody says.
    stored = first.assessed()
    with first.store.read("c") as session:
        kept = ratings.statistics_before(session, TODAY)
    whole = first.anew(Statistics.from_json(str(kept)))
    assert stored == {name: whole[name] for name in names}


STEPS = ("join", "join", "join", "part", "part", "number", "number", "tax", "tax", "merge")


def told_at_once(
    first: Books, folder: Path, names: list[str], numbers: dict[str, tuple[str, bool]], merged: list[tuple[str, str]]
) -> Books:
    """A store that never heard of anything but the end."""
    second = Books(folder)
    identities_seen(second)
    copy_decisions(first, second)
    for key, row in first.told.items():
        if "owner" not in row:
            second.account(key, **{name: value for name, value in row.items() if name not in ("id", "Account_Name")})
    # In the order in which they were said.
    for account in sorted(set(numbers) & set(names), key=list(numbers).index):
        if numbers[account][0]:
            second.number(account, numbers[account][0])
    second.take("accounts", gone=tuple(Gone(one, "merged_into", into) for one, into in merged))
    for key, row in first.told.items():
        if "owner" in row:
            second.invoice(key, row["owner"], int(row["Grand_Total"]), row["Due_Date"])
    copy_words(first, second)
    second.night()
    return second


def do(books: Books, step: str, one: str, other: str) -> None:
    """Does it, where it can be done: who is one customer already is not joined, who is alone not parted."""
    with suppress(Misconfigured):
        books.join(one, other) if step == "join" else books.part(one)


def identities_seen(books: Books) -> None:
    """The ERP has customers of these numbers."""
    with books.store.write("c") as session:
        identities.see(session, "erp", ["7", "8"])


def copy_decisions(one: Books, other: Books) -> None:
    """What people decided, which they did before anybody was linked."""
    with one.store.read("c") as session:
        rows = [row for row in decisions.list_decisions(session) if row["source"] == "zixin"]
    with other.store.write("c") as session:
        for row in rows:
            put_row(session, row["table"], row, other.now_us)


def copy_words(one: Books, other: Books) -> None:
    """What people said of links, as it stands at last."""
    with one.store.read("c") as session:
        said = sayings.words(session)
    with other.store.write("c") as session:
        for account, customer in said:
            put_row(session, "links", {"account_id": account, "customer_id": customer, "by": "person"}, other.now_us)
        link_store.relink(session, {name for pair in said for name in pair}, other.now_us)


def test_a_tax_id_links_and_a_person_parts_and_joins(books: Books) -> None:
    for name in "abc":
        books.account(name, Tax_ID=TAX[0])
    assert books.customers() == dict.fromkeys("abc", ("a", "tax_id"))
    books.part("b")
    assert books.customers() == {"a": ("a", "tax_id"), "c": ("a", "tax_id")}
    with pytest.raises(Misconfigured, match="no other accounts"):
        books.part("b")
    with pytest.raises(Misconfigured, match="one customer already"):
        books.join("a", "c")
    with pytest.raises(Misconfigured, match="the same account"):
        books.join("a", "a")
    books.join("b", "c")
    # Joined again, it is linked by itself, too.
    assert books.customers() == dict.fromkeys("abc", ("a", "tax_id"))
    books.account("a", Tax_ID=TAX[1])
    assert books.customers() == {"b": ("b", "tax_id"), "c": ("b", "tax_id")}


def test_whom_a_person_joined_through_an_account_stay_joined_when_it_leaves(books: Books) -> None:
    for name in "abc":
        books.account(name)
    books.join("a", "b")
    books.join("b", "c")
    books.part("b")
    assert books.customers() == {"a": ("a", "person"), "c": ("a", "person")}


def test_a_contradicted_number_joins_nobody_and_is_listed(books: Books) -> None:
    books.account("a", Tax_ID=TAX[0])
    books.account("b", Tax_ID=TAX[1])
    books.number("a", "7")
    books.number("b", "7")
    # Before the ERP has such a customer the number says nothing.
    with books.store.read("c") as session:
        assert sayings.vetoed(session) == {}
    identities_seen(books)
    assert books.customers() == {}
    with books.store.read("c") as session:
        assert sayings.vetoed(session) == {"erp:7": ["b"]}
    # A field that is emptied says what it said before.
    books.account("b", Tax_ID="")
    assert books.customers() == {}
    books.account("b", Tax_ID="4711/0815 (US)")
    assert books.customers() == {"a": ("a", "field"), "b": ("a", "field")}
    books.number("b", None)
    assert books.customers() == {"a": ("a", "field"), "b": ("a", "field")}
    books.number("b", "8")
    assert books.customers() == {}


def test_one_account_s_fact_makes_the_whole_customer_due_and_no_one_else(books: Books) -> None:
    for name in "abc":
        books.account(name)
        books.invoice(f"i{name}", name, 100, "2025-07-30")
    books.join("a", "b")
    books.night()
    books.invoice("late", "b", 90_000, "2025-02-01")
    with books.store.read("c") as session:
        assert set(ratings.due(session, TODAY, POLICY.version)) == {"a", "b"}
    books.night()
    rows = books.assessed()
    assert rows["a"]["overdue"] == rows["b"]["overdue"] == 90_000_00
    assert (rows["a"]["accounts"], rows["c"]["accounts"]) == (["a", "b"], [])
    books.part("a")
    books.night()
    assert [books.assessed()[name]["overdue"] for name in "ab"] == [0, 90_000_00]


def test_a_merge_takes_what_was_decided_along_and_an_undelete_takes_it_back(books: Books) -> None:
    for name in "ab":
        books.account(name)
        books.invoice(f"i{name}", name, 100, "2025-07-30")
    books.decide("D1", "a", "blacklist")
    books.night()
    books.merge("a", "b")
    books.night()
    assert books.assessed()["b"]["hold"] == "block"
    assert books.customers() == {"a": ("b", "merge")}
    # A decision about the account that is gone goes on being one about the customer.
    books.decide("D1", "a", "hold", "warn")
    with books.store.read("c") as session:
        assert set(ratings.due(session, TODAY, POLICY.version)) == {"b"}
    books.night()
    assert books.assessed()["b"]["hold"] == "warn"
    books.account("a")
    books.night()
    assert books.customers() == {}
    assert (books.assessed()["a"]["hold"], books.assessed()["b"]["hold"]) == ("warn", "none")


def test_an_old_day_is_explained_by_the_links_of_then(books: Books) -> None:
    for name in "ab":
        books.account(name)
        books.invoice(f"i{name}", name, 100, "2025-07-30")
    then = books.now_us
    books.join("a", "b")
    with books.store.read("c") as session:
        assert ledger.load(session, ["a"], known_at=then)["links"].is_empty()
        assert ledger.load(session, ["a"])["links"]["account_id"].sort().to_list() == ["a", "b"]
    joined = books.now_us
    books.part("a")
    with books.store.read("c") as session:
        assert ledger.load(session, ["b"])["links"].is_empty()
        assert ledger.load(session, ["b"], known_at=joined)["links"].height == 2
        assert set(ledger.load(session, ["b"], known_at=joined)["accounts"]["account_id"]) == {"a", "b"}


def test_accounts_of_a_store_of_before_are_linked_at_the_next_run(books: Books) -> None:
    for name in "ab":
        books.account(name, Tax_ID=TAX[0])
    with books.store.write("c") as session:
        for table in ("customer_accounts", "tax_ids"):
            session.tx.exec_driver_sql(f"delete from {table}")
    with books.store.write("c") as session:
        assert link_store.catch_up(session, books.now_us) == {"a", "b"}
    assert tax_id(TAX[0]) is not None
    with books.store.write("c") as session:
        assert link_store.catch_up(session, books.now_us) == set()


def test_each_account_is_one_of_the_customer_s_since_it_joined(books: Books) -> None:
    for name in "abcde":
        books.account(name)

    def joined(session: Any) -> dict[str, int]:
        return {name: each.joined_at for name, each in link_store.every(session).items()}

    with books.store.write("c") as session:
        links.join(session, "b", "c", "amy", now_us=10)
        links.join(session, "a", "c", "amy", now_us=20)
        assert joined(session) == {"a": 20, "b": 10, "c": 10}
        links.join(session, "d", "e", "amy", now_us=30)
        links.join(session, "d", "a", "amy", now_us=40)
        assert joined(session) == {"a": 20, "b": 10, "c": 10, "d": 40, "e": 40}
        links.part(session, "a", "amy", now_us=50)
        # Who stays has been together since then.
        assert joined(session) == {"b": 10, "c": 10, "d": 40, "e": 40}


@pytest.fixture
def merged(books: Books) -> Books:
    """`a`, blacklisted and with a limit, is gone, and its claims are those of `b`; the CRM says nothing."""
    for name in "abc":
        books.account(name)
        books.invoice(f"i{name}", name, 100, "2025-07-30")
    books.decide("D1", "a", "blacklist")
    books.agree("L1", "a", 9_000_000_00)
    books.agree("L2", "b", 900_00)
    books.night()
    books.merge("a", "b", told=False)
    books.night()
    return books


def answer(books: Books, *, yes: bool) -> None:
    with books.store.write("c") as session:
        assert survivors.answer(session, "a", "amy", yes=yes, now_us=books.now_us) == "b"
    books.night()


def test_where_all_claims_went_is_proposed_and_only_the_hold_acts_meanwhile(merged: Books) -> None:
    row = merged.assessed()["b"]
    assert (row["hold"], row["limit"]) == ("block", 900_00)
    assert merged.customers() == {"a": ("b", "guess")}
    with merged.store.read("c") as session:
        assert survivors.guesses(session) == {"a": "b"}
        assert survivors.orphaned(session) == set()
    # Nobody is asked twice, nor told that it is another one.
    with merged.store.write("c") as session:
        assert survivors.guess(session, merged.now_us) == set()


def test_a_person_says_that_it_was_merged(merged: Books) -> None:
    answer(merged, yes=True)
    assert merged.customers() == {"a": ("b", "merge")}
    assert merged.assessed()["b"]["hold"] == "block"
    # The smaller limit stands.
    assert merged.assessed()["b"]["limit"] == 900_00
    with merged.store.read("c") as session:
        assert survivors.guesses(session) == {}
        assert decisions.history(session, "a")[0]["what"] == "merged"
    with merged.store.write("c") as session, pytest.raises(Misconfigured):
        survivors.answer(session, "a", "amy", yes=True, now_us=merged.now_us)


def test_a_person_says_that_it_was_not_and_what_was_decided_concerns_nobody(merged: Books) -> None:
    answer(merged, yes=False)
    assert merged.customers() == {}
    assert merged.assessed()["b"]["hold"] == "none"
    with merged.store.read("c") as session:
        assert survivors.orphaned(session) == {"a"}
    with merged.store.write("c") as session:
        assert survivors.guess(session, merged.now_us) == set()


def test_the_crm_s_own_word_stands_above_a_guess(merged: Books) -> None:
    merged.take("accounts", gone=(Gone("a", "merged_into", "c"),))
    merged.night()
    assert merged.customers() == {"a": ("c", "merge")}
    assert [merged.assessed()[name]["hold"] for name in "bc"] == ["none", "block"]


def test_claims_that_went_to_two_accounts_or_nowhere_say_nothing(books: Books) -> None:
    for name in "abc":
        books.account(name)
        books.invoice(f"i{name}1", name, 100, "2025-07-30")
        books.invoice(f"i{name}2", name, 100, "2025-07-30")
    books.account("d")
    books.decide("D1", "a", "blacklist")
    books.decide("D2", "d", "blacklist")
    books.invoice("ia1", "b", 100, "2025-07-30")
    books.invoice("ia2", "c", 100, "2025-07-30")
    books.take("accounts", gone=(Gone("a", "deleted"), Gone("d", "deleted")))
    with books.store.write("c") as session:
        assert survivors.guess(session, books.now_us) == set()
        assert survivors.orphaned(session) == {"a", "d"}


def test_who_vanishes_leaves_what_was_decided_with_the_customer(books: Books) -> None:
    for name in "ab":
        books.account(name, Tax_ID=TAX[0])
        books.invoice(f"i{name}", name, 100, "2025-07-30")
    books.decide("D1", "b", "blacklist")
    books.agree("L1", "a", 1_000_000_00)
    books.agree("L2", "b", 500_00)
    books.night()
    before = books.assessed()["a"]
    books.take("accounts", gone=(Gone("b", "deleted"),))
    books.night()
    after = books.assessed()["a"]
    assert (after["hold"], after["limit"]) == (before["hold"], before["limit"]) == ("block", 500_00)
    with books.store.read("c") as session:
        assert survivors.orphaned(session) == set()


def test_a_chain_of_merges_carries_on(books: Books) -> None:
    for name in "abc":
        books.account(name)
        books.invoice(f"i{name}", name, 100, "2025-07-30")
    books.decide("D1", "a", "blacklist")
    books.merge("a", "b", told=False)
    books.night()
    assert books.assessed()["b"]["hold"] == "block"
    books.merge("b", "c", told=False)
    books.night()
    assert books.assessed()["c"]["hold"] == "block"
    assert {each[1] for each in books.customers().values()} == {"guess"}


def test_a_page_that_was_asked_for_before_a_merge_does_not_undo_it(books: Books) -> None:
    for name in "ab":
        books.account(name)
    asked = books.now_us
    with books.store.write("c") as session:
        sayings.merged(session, {"a": "b"}, (), books.now_us, books.now_us)
        sayings.merged(session, {}, ["a"], books.now_us, asked)
        assert sayings.said(session, ["a", "b"]).merged == {"a": "b"}
        sayings.merged(session, {}, ["a"], books.now_us, books.now_us)
        assert sayings.said(session, ["a", "b"]).merged == {}


def test_an_id_that_too_many_share_joins_nobody(books: Books) -> None:
    rows = [{"id": f"n{n:03}", "Account_Name": f"name {n}", "Tax_ID": TAX[0]} for n in range(MOST)]
    books.take("accounts", *rows)
    assert len(books.customers()) == MOST
    books.account("z", Tax_ID=TAX[0])
    assert books.customers() == {}
    books.account("y", Tax_ID=TAX[0])
    assert books.customers() == {}


def test_who_said_yes_may_still_say_no(merged: Books) -> None:
    answer(merged, yes=True)
    answer(merged, yes=False)
    assert merged.customers() == {}
    assert merged.assessed()["b"]["hold"] == "none"
    with merged.store.read("c") as session:
        assert ledger.called_last(session, ["a"]) == {"a": ("a", "name a")}
