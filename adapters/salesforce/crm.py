"""The port to a Salesforce org."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl

from adapters.common.facade import Facade
from adapters.common.http import RetryPolicy
from adapters.common.organisation import organisation_of
from adapters.salesforce import diagnostics, hook, install, wire
from adapters.salesforce.auth import Credentials
from adapters.salesforce.client import Client
from adapters.salesforce.reading import Reading
from adapters.salesforce.writing import BULK_FROM, Writing
from connector.assessment import OutputField
from connector.errors import Misconfigured
from connector.ports import (
    Aspect,
    Change,
    Described,
    Field,
    Growth,
    Organisation,
    Outcome,
    PermissionCheck,
    Shared,
    Source,
    Spent,
    Step,
    VerifiedCall,
)

#: Outbound Messages and Flows are set up by an admin and end with nobody.
_LIFE = timedelta(days=365)


class Salesforce(Facade):
    """One Salesforce org."""

    def __init__(
        self, credentials: Credentials, shared: Shared, *, name: str = "salesforce", patience: RetryPolicy | None = None
    ) -> None:
        self.client = Client(credentials, shared, name=name, patience=patience)
        self.spent: Spent = self.client.spent
        self.reading = Reading(self.client)
        super().__init__(self.client.http, self.reading)
        #: Records from which a write is a bulk job.
        self.bulk_from = BULK_FROM
        self._organisation = ""
        self._single, self._name = credentials.currency, name

    def organisation(self) -> Organisation:
        """Name and corporate currency."""
        rows = self._rows("SELECT Id, Name FROM Organization")
        row: Mapping[str, object] = rows[0] if rows else {}
        self._organisation, name = str(row.get("Id") or ""), str(row.get("Name") or "")
        return organisation_of(self.client.host, name, self._currency())

    def describe(self, name: str) -> Described:
        """The fields of an object."""
        return self.reading.describe(name)

    def write(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """Updates accounts by id."""
        types = {field.name: field.type for field in self.reading.describe("Account").fields}
        yield from Writing(self.client, "Account", types, self.bulk_from).write(changes)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> VerifiedCall:
        """An Outbound Message or a Flow callout."""
        return hook.verify(headers, body, secrets, self._organisation)

    def subscribe(self, url: str, secret: str, objects: Sequence[str]) -> datetime:  # noqa: ARG002
        """Nothing is asked: an admin sets up the Flow or the Outbound Message (docs/salesforce.md)."""
        return self.now() + _LIFE

    def permissions(self) -> Iterator[PermissionCheck]:
        """Our user, its permissions, whether it may write accounts."""
        yield from diagnostics.permissions(self.client)

    def count(self, name: str) -> int | None:
        """Records that we may see."""
        return diagnostics.count(self.client, name)

    def sample(self, name: str, fields: Sequence[str], most: int) -> pl.DataFrame:
        """Some records of an object."""
        return self.reading.sample(Source("sample", name, tuple(fields)), most)

    def quota(self) -> tuple[int, int] | None:
        """The org's calls of 24 hours."""
        return diagnostics.quota(self.client)

    def layouts(self, name: str) -> Mapping[str, frozenset[str]]:
        """The object's page layouts."""
        return diagnostics.layouts(self.client, name)

    def plan(self, wanted: Sequence[OutputField]) -> tuple[Step, ...]:
        """What `apply` would create."""
        return install.plan(self.describe("Account"), wanted)

    def apply(self, wanted: Sequence[OutputField]) -> Mapping[str, str]:
        """Creates the missing fields, grants them to our permission set and this user, and reads back their names."""
        missing = {step.name for step in self.plan(wanted) if step.action == "create"}
        for item in wanted:
            if item.name in missing:
                install.create(self.client, item)
        if missing:
            install.grant(self.client, [install.name_of(item) for item in wanted if item.name in missing])
            self.reading.forget()
        there = {field.name for field in self.describe("Account").fields}
        return {item.name: install.name_of(item) for item in wanted if install.name_of(item) in there}

    def growable(self) -> frozenset[Aspect]:
        """Options, labels, and the length of a long text area."""
        return frozenset({"options", "label", "length"})

    def grow(self, growths: Sequence[Growth]) -> Mapping[str, Misconfigured]:
        """Changes fields one by one."""
        wrong: dict[str, Misconfigured] = {}
        for growth in growths:
            try:
                install.grow(self.client, growth)
            except Misconfigured as problem:
                wrong[growth.item.name] = problem
        self.reading.forget()
        return wrong

    def installed(self) -> Described:
        """The fields of accounts, with who may edit them beside administrators and us."""
        self.reading.forget()
        described, editors = self.describe("Account"), install.editors(self.client)
        return replace(
            described,
            fields=tuple(
                replace(each, editors=editors.get(each.name, ())) if each.name.endswith("__c") else each
                for each in described.fields
            ),
        )

    def placing(self) -> tuple[str, str] | None:
        """The layouts tell."""
        return None

    def remove(self, fields: Sequence[Field]) -> None:
        """Deletes custom fields by name."""
        if fields:
            install.remove(self.client, [field.name for field in fields])
            self.reading.forget()

    def _currency(self) -> str:
        """The corporate currency of an org with several; an org with one has no list of them, and a setting tells."""
        try:
            rows = self._rows("SELECT IsoCode FROM CurrencyType WHERE IsCorporate = true")
        except Misconfigured as problem:
            if problem.code != "E-CRM-OBJECT":
                raise
            rows = []
        message = str(rows[0]["IsoCode"]) if rows else self._single
        if not message:
            raise Misconfigured("E-SETTINGS", name=self._name, detail="currency is missing: the org has only one")
        return message

    def _rows(self, query: str) -> list[dict[str, object]]:
        answer = self.client.call("GET", "query", "query", params={"q": query})
        rows: list[dict[str, object]] = wire.part(answer.body, "records")
        return rows
