"""Links for the doors: who is one customer with whom and why, and what joining or parting changes before it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

import polars as pl

from connector import money
from connector.errors import Misconfigured
from connector.scoring.assess import assess
from connector.scoring.features.tendency import Statistics
from sync import links as said
from sync.crm_connection import instant
from sync.store import identities, ledger, links, ratings, sayings
from sync.store.session import Reading, Writing
from zixin.config import connections
from zixin.services.credit import CreditContext


@dataclass(frozen=True, slots=True)
class LinkRow:
    """An account of a customer who has several, or one that was merged into him."""

    #: The account that the customer is called by.
    customer: str
    account_id: str
    #: Of an account that is gone: the one that it had last.
    number: str
    name: str
    #: merge, guess, field, tax_id, person.
    by: str
    #: ISO day (UTC) since which the account is one of the customer's.
    joined_on: str
    #: No more in the CRM.
    gone: bool


@dataclass(frozen=True, slots=True)
class Vetoed:
    """A number of another system, and accounts that it does not join: their tax ids differ, or too many say it."""

    #: As `system:number`.
    number: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tied:
    """A customer of another system, as `system:customer`, and the account that a person said he is."""

    customer: str
    account: str
    name: str


@dataclass(frozen=True, slots=True)
class Links:
    """Who has several accounts, what joins nobody, and whom a person took out."""

    rows: tuple[LinkRow, ...]
    vetoed: tuple[Vetoed, ...]
    alone: tuple[str, ...]
    #: Customers of other systems whom a person tied to an account.
    tied: tuple[Tied, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of an account by joining or parting. Amounts are plain decimal text in `currency`."""

    account_id: str
    number: str
    name: str
    currency: str
    rating_before: str
    rating_after: str
    limit_before: str | None
    limit_after: str | None
    hold_before: str
    hold_after: str
    exposure_before: str
    exposure_after: str


def linked(context: CreditContext) -> Links:
    """All customers of several accounts, customer by customer."""
    with context.store.read(context.connection) as session:
        members, vetoed = links.every(session), sayings.vetoed(session)
        accounts = ledger.accounts(session).select("account_id", "number", "name")
        alone = sorted(one for one, other in sayings.words(session) if one == other)
        words = identities.words(session)
        gone = ledger.called_last(session, members.keys() - set(accounts["account_id"]))
    there = set(accounts["account_id"])
    called = gone | called_by(accounts)
    rows = [
        LinkRow(
            called.get(each.customer, (each.customer, ""))[0], account, *called.get(account, (account, "")), each.by,
            instant(each.joined_at).date().isoformat(), account not in there,
        )
        for account, each in members.items()
    ]  # fmt: skip
    rows.sort(key=lambda row: (row.customer, row.account_id))
    told = tuple(
        Vetoed(number.removeprefix("="), tuple(called.get(name, (name,))[0] for name in names))
        for number, names in vetoed.items()
    )
    return Links(
        tuple(rows),
        told,
        tuple(called.get(name, (name,))[0] for name in alone),
        tuple(Tied(f"{feed}:{customer}", *called.get(account, (account, ""))) for feed, customer, account in words),
    )


def called_by(accounts: pl.DataFrame) -> dict[str, tuple[str, str]]:
    """Account → what people call it by, and its name; a number that several accounts bear calls none of them.

    Columns in: account_id, number, name.
    """
    rows = accounts.select("account_id", "number", "name").rows()
    several = {number for number, times in Counter(row[1] for row in rows).items() if times > 1}
    return {row[0]: (row[0] if not row[1] or row[1] in several else row[1], row[2]) for row in rows}


def of_feed(context: CreditContext, wanted: str) -> tuple[str, str] | None:
    """System and customer of `system:customer`; None: it is no customer of an attached system."""
    feed, colon, customer = wanted.partition(":")
    there = colon and customer and feed in connections.feeds_of(context.profile, context.connection)
    return (feed, customer) if there else None


def tie(context: CreditContext, customer: tuple[str, str], wanted: str | None, by: str) -> None:
    """A system's customer is that account; None: what a person said counts no more. His facts are read again.

    Raises Misconfigured where a person said so already, or never said anything.
    """
    account = None if wanted is None else account_named(context, wanted)
    with context.store.write(context.connection) as session:
        said.tie(session, *customer, account, by, now_us=context.now_us)


def join(context: CreditContext, one: str, other: str, by: str, *, do: bool) -> tuple[Change, ...]:
    """What joining two accounts changes; `do`: it is done. Raises Misconfigured as `sync.links.join`."""
    first, second = (account_named(context, each) for each in (one, other))

    def act(session: Writing) -> set[str]:
        return said.join(session, first, second, by, now_us=context.now_us)

    return tried(context, {first, second}, act, do=do)


def part(context: CreditContext, wanted: str, by: str, *, do: bool) -> tuple[Change, ...]:
    """What making an account a customer of its own changes; `do`: it is done. Raises as `sync.links.part`."""
    account = account_named(context, wanted)

    def act(session: Writing) -> set[str]:
        return said.part(session, account, by, now_us=context.now_us)

    return tried(context, {account}, act, do=do)


def account_named(context: CreditContext, wanted: str) -> str:
    """The account of that id or number, or the only one of that whole name: duplicates often share it."""
    context.account(wanted)
    with context.store.read(context.connection) as session:
        rows = ledger.find(session, wanted)
    exact = [row for row in rows if wanted in row[:2]] or rows
    if len(exact) > 1:
        raise Misconfigured("E-LINK-WHICH", name=wanted, ids=", ".join(row[0] for row in exact[:9]))
    return exact[0][0]


class _OnlyTried(Exception):
    """Leaves a transaction without doing anything."""


def _take_back() -> None:
    raise _OnlyTried


def tried(
    context: CreditContext, accounts: Collection[str], act: Callable[[Writing], object], *, do: bool
) -> tuple[Change, ...]:
    """What it changes of whom. It is done in a transaction, which is taken back where it is only asked."""
    changes: tuple[Change, ...] = ()
    try:
        with context.store.write(context.connection) as session:
            tree = ledger.with_trees(session, accounts)
            before = _assessed(context, session, tree)
            act(session)
            after = _assessed(context, session, ledger.with_trees(session, tree))
            changes = tuple(_changes(before, after))
            if not do:
                _take_back()
    except _OnlyTried:
        pass
    return changes


def _assessed(context: CreditContext, session: Reading, accounts: Collection[str]) -> pl.DataFrame:
    tables = ledger.load(session, sorted(accounts))
    names = tables["accounts"]["account_id"].to_list()
    prior = ratings.assessments(session, before=context.day, accounts=names)
    portfolio = Statistics.from_json(str(ratings.statistics_before(session, context.day)))
    frame = assess(tables, context.policy, context.day, portfolio=portfolio, prior=prior)
    called = tables["accounts"].select(pl.col("account_id").alias("customer_id"), "number", "name")
    return frame.join(called, on="customer_id", how="left", maintain_order="left")


def _changes(before: pl.DataFrame, after: pl.DataFrame) -> list[Change]:
    rows = {row["customer_id"]: row for row in before.to_dicts()}
    changes = []
    for row in after.sort("customer_id").to_dicts():
        was = rows.get(row["customer_id"], row)
        if all(was[name] == row[name] for name in ("rating", "limit", "hold", "exposure", "accounts")):
            continue

        def amount(minor: int | None, currency: str = row["currency"]) -> str | None:
            return None if minor is None else f"{money.from_minor(minor, currency):f}"

        changes.append(
            Change(
                row["customer_id"], row["number"] or row["customer_id"], row["name"], row["currency"],
                was["rating"], row["rating"], amount(was["limit"]), amount(row["limit"]), was["hold"], row["hold"],
                amount(was["exposure"]) or "0", amount(row["exposure"]) or "0",
            )
        )  # fmt: skip
    return changes
