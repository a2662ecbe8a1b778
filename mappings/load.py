"""Mapping files: one YAML a CRM and variant, which says which field holds what.

A *source* is one object of the CRM, or of a system that feeds it; a record of it yields rows of one or more canonical
tables. A column's rule is the field's name there, or one of the forms of `Rule`. A value that begins with `$` stands
for another field, `$home` for the organisation's home currency. An object of the form `feed:object` lies in the feed
of that name, whose customers `feeds` ties to the CRM's accounts.
"""

from __future__ import annotations

import hashlib
import json
import re
from importlib import resources
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from connector.assessment import OUTPUT_FIELDS
from connector.documents import Part, parse, suggestion
from connector.ports import Source
from connector.schema import TABLES

#: Names that every page carries; a mapping may use them like fields.
_CARRIED = ("id", "modified_at")


class Rule(Part):
    """Where a column's text comes from."""

    field: str | None = Field(None, alias="from")
    #: The same text in every row.
    const: str | None = None
    #: In place of null.
    default: str | None = None
    #: Their value → ours; a value that is not listed takes `otherwise`, or is rejected by the cast.
    values: dict[str, str] = Field(default_factory=dict)
    otherwise: str | None = None
    #: `then` where this field has a value, else `otherwise`.
    present: str | None = None
    then: str | None = None
    #: One divided by the number: for CRMs that give rates the other way round.
    invert: bool = False
    #: Stands before the value of an id, so that ids of two systems are told apart.
    prefix: str = ""

    @model_validator(mode="after")
    def _one_origin(self) -> Rule:
        if sum(origin is not None for origin in (self.field, self.const, self.present)) != 1:
            raise ValueError("a rule has exactly one of from, const, present")
        return self

    def fields(self) -> list[str]:
        """The CRM's fields that the rule reads."""
        texts = [self.field, self.present]
        texts += [text[1:] for text in (self.const, self.default) if text and text.startswith("$") and text != "$home"]
        return [name for name in texts if name]


class When(Part):
    """Whether a record yields a row at all: the field has a value, and one of `among` if that is given."""

    field: str
    among: tuple[str, ...] = Field((), alias="in")


def _several(when: Any) -> Any:
    return (when,) if isinstance(when, dict) else when or ()


def _spelled_out(rule: Any) -> Any:
    return {"from": rule} if isinstance(rule, str) else rule


class Yield(Part):
    """Rows of one canonical table."""

    table: str
    #: All of them must hold.
    when: Annotated[tuple[When, ...], BeforeValidator(_several)] = ()
    columns: dict[str, Annotated[Rule, BeforeValidator(_spelled_out)]]

    @model_validator(mode="after")
    def _known(self) -> Yield:
        if self.table not in TABLES:
            raise ValueError(f"no table of the name {self.table!r}{suggestion(self.table, list(TABLES))}")
        names = TABLES[self.table].names()
        for name in self.columns:
            if name not in names:
                raise ValueError(f"{self.table} has no column {name!r}{suggestion(name, list(names))}")
        return self


class SourceMap(Part):
    """One object of the CRM."""

    object: str
    #: A CRM that lacks the object is read without it.
    optional: bool = False
    #: The field that holds the account, where no row of it names one.
    belongs_to: str | None = None
    yields: tuple[Yield, ...] = Field(min_length=1)

    def fields(self) -> list[str]:
        """The fields that its rules read, each once, in order."""
        result: dict[str, None] = dict.fromkeys([self.belongs_to] if self.belongs_to else [])
        for item in self.yields:
            result.update(dict.fromkeys(test.field for test in item.when))
            for rule in item.columns.values():
                result.update(dict.fromkeys(rule.fields()))
        return [name for name in result if name not in _CARRIED]

    def tables(self) -> list[str]:
        """The canonical tables that it yields, each once, in order."""
        return list(dict.fromkeys(item.table for item in self.yields))

    def owner(self) -> str | None:
        """The field that holds the account a record belongs to; `id` of accounts themselves; null: there is none."""
        if self.belongs_to:
            return self.belongs_to
        for item in self.yields:
            rule = item.columns.get("account_id")
            if rule is not None and rule.field:
                return rule.field
        return None


class Writes(Part):
    """Where zixin's own fields stand: `Written.name` → the CRM's field."""

    object: str
    fields: dict[str, str]

    @model_validator(mode="after")
    def _known(self) -> Writes:
        names = [item.name for item in OUTPUT_FIELDS]
        for name in self.fields:
            if name not in names:
                raise ValueError(f"zixin writes no field {name!r}{suggestion(name, names)}")
        return self


class CustomersMap(Part):
    """A feed's own object of customers, where its records name a customer otherwise than by the declared number."""

    object: str
    #: Its field that holds the number which the CRM's account says, too.
    number: str | None = None
    #: Its field that holds the account's id or number in the CRM.
    account: str | None = None
    #: A customer whom it does not list, or without a number there, is called by the number itself.
    itself: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> CustomersMap:
        if (self.number is None) == (self.account is None):
            raise ValueError("customers has exactly one of number, account")
        return self

    @property
    def field(self) -> str:
        """The field that is read of it."""
        return str(self.number or self.account)


class FeedMap(Part):
    """How a feed's customers are the CRM's accounts: by a field that is declared as the other system's number."""

    #: Field of the CRM's account that holds the customer's number there.
    number: str | None = None
    customers: CustomersMap | None = None

    @model_validator(mode="after")
    def _tied(self) -> FeedMap:
        if (self.number is None) != (self.customers is not None and self.customers.account is not None):
            raise ValueError("a feed has number, a field of the CRM's account, or customers with account")
        return self


def _alike(one: str, other: str) -> bool:
    """Whether ids behind these prefixes may be the same."""
    return one == other or bool(one and other and (one.startswith(other) or other.startswith(one)))


#: `feed:object`; what follows a colon after a space is no object of a feed.
_OF_FEED = re.compile(r"([a-z0-9][a-z0-9_-]*):(\S.*)")


class Mapping(Part):
    """A mapping file."""

    version: int = Field(ge=1, le=1)
    crm: str
    #: Name of a connection → how its customers are our accounts.
    feeds: dict[str, FeedMap] = Field(default_factory=dict)
    sources: dict[str, SourceMap]
    writes: Writes

    @model_validator(mode="after")
    def _told_apart(self) -> Mapping:
        for name, part in self.sources.items():
            found = _OF_FEED.fullmatch(part.object)
            if found and found[1] not in self.feeds:
                raise ValueError(f"source {name} lies in {found[1]!r}, which feeds does not declare")
        for table, systems in self.systems().items():
            if table != "accounts" and len(systems) > 1:
                self._keys_apart(table, systems)
        return self

    def _keys_apart(self, table: str, systems: list[str]) -> None:
        key = TABLES[table].key[0]
        told = ", ".join(system or self.crm for system in systems)
        if len(TABLES[table].key) > 1 or key == "account_id":
            raise ValueError(f"{table} come from {told}: rows of one customer and day are kept once, so choose one")
        prefixes: dict[str, str] = {}
        for name, part in self.sources.items():
            for item in part.yields:
                rule = item.columns.get(key)
                if item.table == table and rule is not None:
                    system = self.feed_of(name)
                    if any(of != system and _alike(one, rule.prefix) for one, of in prefixes.items()):
                        raise ValueError(f"{table} come from {told}: give {key} of one of them a prefix of its own")
                    prefixes[rule.prefix] = system

    def systems(self) -> dict[str, list[str]]:
        """Canonical table → the feeds that bring it; empty text: the CRM itself."""
        result: dict[str, list[str]] = {}
        for name, part in self.sources.items():
            for table in part.tables():
                systems = result.setdefault(table, [])
                if self.feed_of(name) not in systems:
                    systems.append(self.feed_of(name))
        return result

    def feed_of(self, name: str) -> str:
        """The feed that a source lies in; empty: the CRM."""
        prefix, colon, _ = self.sources[name].object.partition(":")
        return prefix if colon and prefix in self.feeds else ""

    def of_feed(self, feed: str) -> list[str]:
        """The sources that lie in a feed."""
        return [name for name in self.sources if self.feed_of(name) == feed]

    def bare_object(self, name: str) -> str:
        """The object of a source as its own system calls it."""
        object_ = self.sources[name].object
        return object_.partition(":")[2] if self.feed_of(name) else object_

    def order(self) -> list[str]:
        """Sources in the order of a run: the CRM's accounts, then the feeds, then the rest of the CRM.

        Of a feed its customers come first: they may say who they are. What it says of claims that another system
        brings comes last: it needs their ids.
        """
        claims = self.systems().get("receivables", [])

        def place(name: str) -> int:
            feed = self.feed_of(name)
            if not feed:
                return 0 if "accounts" in self.sources[name].tables() else 3
            if feed not in claims and self._names_claims(name):
                return 4
            return 1 if "profiles" in self.sources[name].tables() else 2

        return sorted(self.sources, key=place)

    def _names_claims(self, name: str) -> bool:
        return any("receivable_id" in item.columns for item in self.sources[name].yields)

    def source(self, name: str) -> Source:
        """The source as an adapter reads it; of the written object, with zixin's own fields, so that edits show."""
        part = self.sources[name]
        own = self.writes.fields.values() if part.object == self.writes.object else ()
        numbers = self.numbers(name).values()
        return Source(name, self.bare_object(name), tuple(dict.fromkeys((*part.fields(), *numbers, *own))))

    def numbers(self, name: str) -> dict[str, str]:
        """Feed → the field of this source in which an account says its number there; only of the CRM's accounts."""
        if self.feed_of(name) or "accounts" not in self.sources[name].tables():
            return {}
        return {feed: each.number for feed, each in self.feeds.items() if each.number}

    def fingerprint(self, name: str) -> str:
        """Changes when the source, its columns or its rules change."""
        messages = [self.sources[name].model_dump(mode="json", by_alias=True), list(self.source(name).fields)]
        if numbers := self.numbers(name):
            # A field that was read before says something else, too, once a feed is tied by it.
            messages.append([f"{feed}={field}" for feed, field in sorted(numbers.items())])
        return hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()[:16]

    def with_written(self, fields: dict[str, str]) -> Mapping:
        """The mapping with the written fields as the CRM really named them."""
        known: dict[str, Any] = {"object": self.writes.object, "fields": fields}
        return self.model_copy(update={"writes": Writes.model_validate(known)})


def load(text: str, name: str) -> Mapping:
    """The mapping of a YAML text; raises Misconfigured with file, line, and a suggestion."""
    return parse(text, name, Mapping, "E-MAP")


#: Sources whose tables are whatever a company calls them: begun from one whose tables are the canonical ones.
_BEGUN_FROM = {"sql": "folder", "lake": "folder"}


def packaged_text(crm: str) -> tuple[str, str]:
    """The text of the mapping that zixin ships for a CRM, and where it is."""
    name = f"{_BEGUN_FROM.get(crm, crm)}.yaml"
    text = resources.files("mappings").joinpath(name).read_text(encoding="utf-8")
    if crm in _BEGUN_FROM:
        text = text[text.index("version:") :].replace(f"crm: {_BEGUN_FROM[crm]}", f"crm: {crm}", 1)
    return text, f"mappings/{name}"


def packaged(crm: str) -> Mapping:
    """The mapping that zixin ships for a CRM."""
    return load(*packaged_text(crm))
