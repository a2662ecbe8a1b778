"""Zoho CRM through its API v8: read by queries and bulk jobs, write by id in hundreds.

Source: zoho.com/crm/developer/docs/api/v8 COQL-Overview, bulk-read, update-records,
 api-limits; docs/zoho.md. Built against the
published API, never run against a live tenant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import msgspec
import polars as pl

from adapters.common.budget import Budget
from adapters.common.facade import Facade
from adapters.common.http import Http, HttpResponse, RetryPolicy, host_of
from adapters.common.organisation import organisation_of
from adapters.common.outcomes import unanswered, without
from adapters.zoho import auth, diagnostics, errors, hook, install, wire
from adapters.zoho.auth import Credentials, Tokens
from adapters.zoho.reading import Reading
from connector.assessment import OutputField
from connector.errors import Exhausted, Misconfigured, RateLimited, Retry
from connector.ports import (
    Aspect,
    Change,
    Described,
    Field,
    Growth,
    Organisation,
    Outcome,
    Page,
    PermissionCheck,
    Shared,
    Source,
    Spent,
    Step,
    VerifiedCall,
)

T = TypeVar("T")

#: Most records a write. Source: v8 update-records.
PER_WRITE = 100
#: Most fields per call of the records API.
_MOST_FIELDS = 50
_MOST_A_PAGE = 200
#: The org's list of currencies, as a source of a mapping names it.
CURRENCIES = "org/currencies"
#: Two of them are ours: the home currency, and the day the rate was read.
_OF_CURRENCIES = ("iso_code", "name", "exchange_rate", "is_active", "home_iso_code", "read_on")


class Zoho(Facade):
    """One Zoho organisation."""

    _reading: Reading

    def __init__(
        self, credentials: Credentials, shared: Shared, *, name: str = "zoho", patience: RetryPolicy | None = None
    ) -> None:
        self.spent = Spent()
        self._api = credentials.api_domain
        self._host = host_of(self._api)
        patience = patience or RetryPolicy()
        # Five calls at once is what the smallest edition allows. Source: v8 api-limits.
        http = Http({self._api}, lambda answer: errors.error_for(self._host, answer), 5, patience)
        accounts = host_of(credentials.accounts_server)
        auth_http = Http({credentials.accounts_server}, lambda answer: auth.error_for(accounts, answer), 1, patience)
        self._tokens = Tokens(credentials, shared, auth_http, name)
        self._budget = Budget(shared, name, credentials.credits_a_day, self.spent)
        self._types: dict[str, str] = {}
        self._ours = shared.now
        super().__init__(http, Reading(self._host, self._call, shared.now, http.now, self._names, patience.sleep))

    def organisation(self) -> Organisation:
        """Name and home currency."""
        rows, _ = wire.records(self._call("GET", "org", "org"), "org")
        org = rows[0] if rows else {}
        currency = str(org.get("iso_code") or org.get("currency") or "")
        return organisation_of(self._host, str(org.get("company_name") or ""), currency)

    def describe(self, name: str) -> Described:
        """The fields of a module; of the list of currencies those that a page of it has."""
        if name == CURRENCIES:
            self._call("GET", CURRENCIES, "org")
            return Described(name, tuple(Field(each, each, "text", writable=False) for each in _OF_CURRENCIES))
        rows, _ = wire.records(self._call("GET", "settings/fields", "fields", {"module": name}), "fields")
        return Described(name, tuple(_field(row) for row in rows))

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:
        """All records of a module by id, or those changed since the cursor, and then what was deleted since."""
        if source.object == CURRENCIES:
            yield self._currencies(source)
            return
        yield from super().read(source, cursor)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> VerifiedCall:
        """A notification of a channel, by its token."""
        return hook.verify(headers, body, secrets)

    def subscribe(self, url: str, secret: str, objects: Sequence[str]) -> datetime:
        """A channel for these modules, for as long as Zoho lets it live."""
        until = self.now() + hook.LIFE
        body = msgspec.json.encode(hook.channel(url, secret, objects, until))
        answer = self._call("POST", "actions/watch", "watch", body=body)
        hook.check(self._host, wire.records(answer, "watch")[0])
        return until

    def write(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """Updates accounts by id, a hundred per call, without their automation; takes mixed results apart."""
        for batch in _batches(changes, PER_WRITE):
            yield from self._write(batch)

    def permissions(self) -> Iterator[PermissionCheck]:
        """Our user and each scope."""
        yield from diagnostics.permissions(self._ask, lambda: self._tokens.scopes)

    def count(self, name: str) -> int | None:
        """Records of a module; of the list of currencies none."""
        return None if name == CURRENCIES else self._reading.count(name)

    def sample(self, name: str, fields: Sequence[str], most: int) -> pl.DataFrame:
        """Some records of a module: a page of the records API. Source: v8 get-records, 50 fields per call."""
        if name == CURRENCIES:
            return self._currencies(Source("sample", name, tuple(fields))).frame
        names = [*fields[: _MOST_FIELDS - 1], "Modified_Time"]
        params = {"fields": ",".join(names), "per_page": str(min(most, _MOST_A_PAGE))}
        rows, _ = wire.records(self._call("GET", name, "records", params))
        return wire.frame(rows, tuple(fields))

    def quota(self) -> tuple[int, int] | None:
        """Zoho tells what is left only in a header, and only beyond half of it."""
        return None

    def layouts(self, name: str) -> Mapping[str, frozenset[str]]:
        """The module's page layouts."""
        return diagnostics.layouts(self._ask, name)

    def plan(self, wanted: Sequence[OutputField]) -> tuple[Step, ...]:
        """What `apply` would create."""
        return install.plan(self.describe("Accounts"), wanted)

    def apply(self, wanted: Sequence[OutputField]) -> Mapping[str, str]:
        """Creates the missing fields, five per call, and reads back what Zoho named them."""
        missing = {step.name for step in self.plan(wanted) if step.action == "create"}
        readers = self._readers() if missing else []
        for batch in _batches([item for item in wanted if item.name in missing], install.FIELDS_A_CALL):
            body = msgspec.json.encode({"fields": [install.body(item, readers) for item in batch]})
            params = {"module": "Accounts"}
            answer = self._call("POST", "settings/fields", "fields", params, body=body, credits=10 * len(batch))
            install.check(self._host, wire.records(answer, "fields")[0])
        self._forget()
        return install.names(self.describe("Accounts"), wanted)

    def growable(self) -> frozenset[Aspect]:
        """Options and labels."""
        return install.GROWABLE

    def grow(self, growths: Sequence[Growth]) -> Mapping[str, Misconfigured]:
        """Changes fields, five per call; a label apart from options, which it would keep out where it is taken."""
        parts = [part for growth in growths for part in (growth.of({"options"}), growth.of({"label"})) if part]
        wrong: dict[str, Misconfigured] = {}
        for batch in _batches(parts, install.FIELDS_A_CALL):
            body = msgspec.json.encode({"fields": [install.growing(growth) for growth in batch]})
            params = {"module": "Accounts"}
            answer = self._call("PATCH", "settings/fields", "fields", params, body=body, credits=10 * len(batch))
            wrong |= install.unchanged(self._host, batch, wire.records(answer, "fields")[0])
        self._forget()
        return wrong

    def installed(self) -> Described:
        """The fields of accounts, with who may edit them beside administrators and us."""
        described = self.describe("Accounts")
        ours = {"Administrator", install.profile_of(self._user())}
        return replace(
            described,
            fields=tuple(
                each if each.editors is None else replace(each, editors=tuple(sorted(set(each.editors) - ours)))
                for each in described.fields
            ),
        )

    def placing(self) -> tuple[str, str] | None:
        """The layouts tell."""
        return None

    def remove(self, fields: Sequence[Field]) -> None:
        """Deletes fields by id. Source: v8 delete-field."""
        for field in fields:
            self._call("DELETE", f"settings/fields/{field.id}", "fields", {"module": "Accounts"})
        self._forget()

    def _forget(self) -> None:
        self._types = {}
        self._reading.forget()

    def _readers(self) -> list[str]:
        """Profiles that may read our fields and not edit them."""
        profiles, _ = wire.records(self._call("GET", "settings/profiles", "admin"), "profiles")
        return install.others(profiles, install.profile_of(self._user()))

    def _user(self) -> Mapping[str, Any]:
        users, _ = wire.records(self._call("GET", "users", "admin", {"type": "CurrentUser"}), "users")
        return users[0] if users else {}

    def _write(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        types = self._field_types()
        rows = [
            {
                "id": change.record,
                **{name: wire.wire(value, types.get(name, "text")) for name, value in change.values.items()},
            }
            for change in changes
        ]
        # An empty trigger keeps the org's workflows from running on our own writes. Source: v8 update-records.
        body = msgspec.json.encode({"data": rows, "trigger": []})
        try:
            answer = self._call("PUT", "Accounts", "write", body=body, credits=-(-len(rows) // 10))
            results, _ = wire.records(answer)
        except (Exhausted, Retry) as problem:
            yield from unanswered(changes, problem)
            return
        for number, change in enumerate(changes):
            yield _outcome(change, results[number] if number < len(results) else None)

    def _field_types(self) -> Mapping[str, str]:
        if not self._types:
            self._types = {field.name: field.type for field in self.describe("Accounts").fields}
        return self._types

    def _names(self, module: str) -> frozenset[str]:
        return frozenset(field.name for field in self.describe(module).fields)

    def _currencies(self, source: Source) -> Page:
        rows, _ = wire.records(self._call("GET", CURRENCIES, "org"), "currencies")
        home = next((row.get("iso_code") for row in rows if row.get("is_base")), None)
        today = self._ours().date().isoformat()
        # One record a currency and day: a new day's rate must not take the place of an older one.
        results = [
            {**row, "id": f"{row['id']}:{today}", "home_iso_code": home, "read_on": today}
            for row in rows
            if not row.get("is_base")
        ]
        # Zoho gives units of the currency for one of the home currency. Source: docs/zoho.md, "Currencies".
        frame = wire.frame(results, source.fields) if results else pl.DataFrame(schema=_schema(source))
        return Page(source.name, frame, (), "", complete=True)

    def _ask(
        self, method: str, path: str, api: str, params: Mapping[str, str] | None, body: bytes | None
    ) -> HttpResponse:
        return self._call(method, path, api, params, body=body)

    def _call(
        self,
        method: str,
        path: str,
        api: str,
        params: Mapping[str, str] | None = None,
        since: str | None = None,
        *,
        body: bytes | None = None,
        credits: int = 1,  # noqa: A002
    ) -> HttpResponse:
        def call(token: Callable[[], Mapping[str, str]]) -> HttpResponse:
            def headers() -> dict[str, str]:
                values = {"Authorization": f"Zoho-oauthtoken {token()['token']}"}
                return values if since is None else {**values, "If-Modified-Since": since}

            self._budget.take(api, credits)
            url = f"{self._api}{path}" if path.startswith("/") else f"{self._api}/crm/v8/{path}"
            # A job that was made twice costs credits and does no harm.
            idempotent = method != "POST" or api in ("coql", "bulk")
            return self._http.call(method, url, headers=headers, params=params, body=body, idempotent=idempotent)

        try:
            return self._tokens.shared.proven(call)
        except Misconfigured as problem:
            if problem.code == "E-CRM-OBJECT":
                raise Misconfigured("E-CRM-OBJECT", host=self._host, name=(params or {}).get("module", path)) from None
            raise
        except RateLimited as problem:
            # Zoho answers 429 for credits and for concurrency alike; a limit that outlasts our patience is the quota.
            raise Exhausted("E-CRM-QUOTA", host=self._host) from problem


def _outcome(change: Change, row: Any) -> Outcome:
    if not isinstance(row, dict):
        return Outcome(change.record, "unknown")
    code = str(row.get("code"))
    if row.get("status") == "success":
        told = row.get("details")
        own = isinstance(told, dict) and str(told.get("id")) == change.record
        return Outcome(change.record, "taken" if own else "unknown")
    if row.get("status") != "error":
        return Outcome(change.record, "unknown")
    if code in ("RECORD_LOCKED", "TOO_MANY_REQUESTS", "INTERNAL_ERROR"):
        return Outcome(change.record, "deferred")
    details = row.get("details") or {}
    where = details.get("api_name") if isinstance(details, dict) else None
    words = without(str(row.get("message") or ""), change.values.values())
    message = f"{code}: {words}" if words else code
    named = (str(where),) if where in change.values else ()
    return Outcome(change.record, "refused", f"{message} ({where})" if where else message, named)


def _field(row: Mapping[str, Any]) -> Field:
    options = tuple(str(item.get("actual_value")) for item in row.get("pick_list_values") or () if item)
    writable = not row.get("read_only") and not row.get("field_read_only")
    told, lookup = row.get("tooltip") or {}, row.get("lookup") or {}
    module = lookup.get("module") if isinstance(lookup, dict) else None
    target = str(module.get("api_name") or "") if isinstance(module, dict) else ""
    profiles = row.get("profiles")
    return Field(
        str(row["api_name"]),
        str(row["field_label"]),
        str(row["data_type"]),
        writable,
        options,
        target=target or ("users" if str(row["data_type"]) in ("ownerlookup", "userlookup") else ""),
        id=str(row.get("id") or ""),
        tip=str(told.get("value") or "") if isinstance(told, dict) else None,
        length=_whole(row.get("length")),
        places=_whole(row.get("decimal_place")),
        editors=None
        if profiles is None
        else tuple(sorted(str(each.get("name")) for each in profiles if each.get("permission_type") == "read_write")),
    )


def _whole(value: Any) -> int | None:
    return int(value) if str(value).isdigit() else None


def _schema(source: Source) -> dict[str, type[pl.String]]:
    return dict.fromkeys(("id", "modified_at", *source.fields), pl.String)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    walk = iter(items)
    while batch := list(islice(walk, size)):
        yield batch
