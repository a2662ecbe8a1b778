"""The mapping of a CRM and those of the systems that feed it, put together to one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from connector.errors import Misconfigured
from connector.profiles import FILLS
from connector.schema import TABLES
from mappings.load import CustomersMap, FeedMap, Rule, SourceMap, Yield
from mappings.load import Mapping as Mapping_

#: What a customer owes and paid: where a feed brings claims, the CRM's own are left out.
LEDGER = ("receivables", "payments", "adjustments", "allocations")
#: Columns whose values are ids of the system that they come from.
_IDS = frozenset(
    (
        "profile_id receivable_id payment_id adjustment_id allocation_id order_id limit_id security_id promise_id"
        " plan_id evidence_id decision_id action_id contract_id supersedes_id"
    ).split()
)


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """What a profile says of one feed."""

    mapping: Mapping_
    #: Field of the CRM's account that holds the customer's number there; empty: the field that `accounts.number` reads.
    number: str = ""
    #: Field of the feed's customers that holds the account's id or number in the CRM; empty: `number` ties them.
    account: str = ""
    #: Canonical tables that it brings; empty: all that its mapping yields.
    tables: tuple[str, ...] = ()
    #: Its claims count beside the CRM's own, instead of taking their place.
    beside: bool = False


def joined(crm: Mapping_, plans: Mapping[str, FeedPlan]) -> Mapping_:
    """The CRM's mapping with the sources of its feeds, whose ids bear the feed's name as a prefix.

    A feed that the CRM's mapping declares itself stays as it is declared there. Of tables whose rows have no ids
    (statements, terms, rates) those of the first system count, the CRM, then the feeds in order, or those of the feed
    that names the table. Claims that a feed may lack (an optional source) are read where it names them. Raises
    Misconfigured: there is nothing that ties the customers.
    """
    feeds, sources = dict(crm.feeds), dict(crm.sources)
    for name, plan in plans.items():
        if name in crm.feeds:
            continue
        feeds[name] = _tie(crm, name, plan)
        brought = {item.table for part in sources.values() for item in part.yields}
        wanted = _wanted(plan, brought)
        replaced = _replaced(plan, wanted)
        own = {key: part for key, part in sources.items() if key in crm.sources}
        others = {key: part for key, part in sources.items() if key not in crm.sources}
        sources = _without(own, replaced) | _without(others, replaced - set(LEDGER))
        sources |= {f"{name}.{key}": part for key, part in _sources(name, plan.mapping, wanted).items()}
    made = {"version": crm.version, "crm": crm.crm, "feeds": feeds, "sources": sources, "writes": crm.writes}
    return Mapping_.model_validate(made)


def taken_over(crm: Mapping_, plan: FeedPlan) -> tuple[str, ...]:
    """Tables of the CRM's own that a feed takes the place of."""
    before = {item.table for part in crm.sources.values() for item in part.yields}
    wanted = _wanted(plan, before)
    return tuple(name for name in TABLES if name in before and name in _replaced(plan, wanted))


def _replaced(plan: FeedPlan, wanted: Collection[str]) -> set[str]:
    """Tables that count from the feed alone."""
    claims = set(LEDGER) if "receivables" in wanted and not plan.beside else set()
    return claims | {name for name in plan.tables if not _has_ids(name)}


def _wanted(plan: FeedPlan, brought: Collection[str]) -> set[str]:
    there = {item.table for part in plan.mapping.sources.values() for item in part.yields}
    # What it knows of its customers stands beside what the CRM says of them.
    there = {"profiles" if name == "accounts" else name for name in there} - {"links"}
    if unknown := [name for name in plan.tables if name not in there]:
        raise Misconfigured("E-FEED-TABLES", tables=", ".join(unknown), known=", ".join(sorted(there)))
    free = set() if claims_are_sure(plan.mapping) else set(LEDGER)
    # What a payment or a note settles comes with it.
    named = set(plan.tables)
    named |= {"allocations"} & there if named & {"payments", "adjustments"} else set()
    return named or {name for name in there - free if _has_ids(name) or name not in brought}


def claims_are_sure(mapping: Mapping_) -> bool:
    """Whether the system always has claims, and not only where somebody puts a file of them."""
    return any("receivables" in part.tables() and not part.optional for part in mapping.sources.values())


def _has_ids(name: str) -> bool:
    key = TABLES[name].key
    return len(key) == 1 and key[0] in _IDS


def _tie(crm: Mapping_, name: str, plan: FeedPlan) -> FeedMap:
    """How the feed's customers are the CRM's accounts."""
    theirs = _accounts(plan.mapping.sources)
    if plan.account:
        if theirs is None:
            raise Misconfigured("E-FEED-TIE", feed=name)
        return FeedMap(customers=CustomersMap(object=theirs[0].object, account=plan.account))
    ours = _accounts(crm.sources)
    number = plan.number or (ours[1].columns["number"].field if ours and "number" in ours[1].columns else None)
    if not number:
        raise Misconfigured("E-FEED-TIE", feed=name)
    rule = theirs[1].columns.get("number") if theirs else None
    if theirs is None or rule is None or rule.field in (None, "id"):
        return FeedMap(number=number)
    # A file of customers may be missing, or have some of them.
    said = CustomersMap(object=theirs[0].object, number=rule.field, itself=theirs[0].optional)
    return FeedMap(number=number, customers=said)


def _accounts(sources: Mapping[str, SourceMap]) -> tuple[SourceMap, Yield] | None:
    return next(
        ((part, item) for part in sources.values() for item in part.yields if item.table == "accounts"),
        None,
    )


def _without(sources: Mapping[str, SourceMap], tables: Iterable[str]) -> dict[str, SourceMap]:
    result: dict[str, SourceMap] = {}
    for name, part in sources.items():
        yields = tuple(item for item in part.yields if item.table not in tables)
        if yields:
            result[name] = part.model_copy(update={"yields": yields})
    return result


def _sources(name: str, mapping: Mapping_, wanted: Collection[str]) -> dict[str, SourceMap]:
    # Claims that another system brings are told by their numbers.
    ids = _IDS if "receivables" in wanted else _IDS - {"receivable_id", "supersedes_id"}
    result: dict[str, SourceMap] = {}
    for key, part in mapping.sources.items():
        items = (_profile(item) if item.table == "accounts" else item for item in part.yields)
        yields = tuple(_prefixed(item, f"{name}:", ids) for item in items if item is not None and item.table in wanted)
        if yields:
            result[key] = part.model_copy(update={"object": f"{name}:{part.object}", "yields": yields})
    return result


def _profile(item: Yield) -> Yield | None:
    """What a feed says of its customers, as profiles; None: no more than who they are."""
    told = {name: rule for name, rule in item.columns.items() if name in FILLS and (rule.field or rule.present)}
    customer = item.columns.get("account_id")
    if customer is None or not told:
        return None
    columns = {"profile_id": customer, "account_id": customer, **told}
    if "currency" in item.columns:
        columns["currency"] = item.columns["currency"]
    return Yield(table="profiles", when=item.when, columns=columns)


def _prefixed(item: Yield, prefix: str, ids: Collection[str]) -> Yield:
    columns: dict[str, Rule] = {
        name: rule.model_copy(update={"prefix": prefix}) if name in ids else rule for name, rule in item.columns.items()
    }
    return item.model_copy(update={"columns": columns})
