"""The state of a simulated org: objects, fields and who may see them, records, tokens, limits, jobs, faults."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.simulation.faults import Faults
from adapters.simulation.lies import Lies
from connector.errors import Misconfigured

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BASE = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def long_id(short: str) -> str:
    """An id's 18 characters: the 15 and a checksum of its capitals. Source: help 000385008."""
    tail = ""
    for start in range(0, 15, 5):
        bits = sum(1 << place for place, letter in enumerate(short[start : start + 5]) if letter.isupper())
        tail += _LETTERS[bits]
    return short + tail


@dataclass(slots=True)
class Meta:
    """One field of an object."""

    name: str
    label: str
    type: str = "string"
    length: int = 255
    scale: int = 2
    options: tuple[str, ...] = ()
    reference: str = ""
    updateable: bool = True
    calculated: bool = False
    #: A new custom field is invisible until it is granted.
    granted: bool = True
    #: Its inline help.
    tip: str = ""


@dataclass(slots=True)
class Table:
    """One object."""

    name: str
    prefix: str
    fields: dict[str, Meta]
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    label: str = ""
    #: Fields that stand on no page layout.
    off_layout: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Job:
    """A Bulk API 2.0 job."""

    id: str
    kind: str
    told: dict[str, Any]
    state: str = "Open"
    body: bytes = b""
    columns: tuple[str, ...] = ()
    rows: list[list[str]] = field(default_factory=list)
    good: list[dict[str, str]] = field(default_factory=list)
    bad: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Org:
    """One organisation."""

    currency: str = "USD"
    name: str = "Simulated Ltd"
    client_id: str = field(default_factory=lambda: f"3MVG9{secrets.token_hex(16)}")
    client_secret: str = field(default_factory=lambda: secrets.token_hex(24))
    #: The public key of the app's certificate, for the JWT bearer flow; empty: the flow is off.
    public_key: str = ""
    username: str = "integration@simulated.example"
    refresh_token: str = field(default_factory=lambda: f"5Aep861{secrets.token_hex(16)}")
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    tables: dict[str, Table] = field(default_factory=dict)
    #: Deleted records that queryAll still shows: object → id → record.
    bin: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    #: Query cursors: locator → (rows, query's object).
    cursors: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    calls_a_day: int = 100_000
    ahead_s: float = 0.0
    faults: Faults = field(default_factory=Faults)
    lies: Lies = field(default_factory=Lies)
    #: Record → words of validation rules that refuse every write.
    rules: dict[str, list[str]] = field(default_factory=dict)
    #: Record → how many writes still meet somebody else's lock.
    locks: dict[str, int] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    issued: int = 0
    revoked: bool = False
    #: Most records per page; the server may choose fewer.
    page: int = 2_000
    #: Rows of a bulk result page at most.
    result: int = 100_000
    _next: int = 1

    def now(self) -> datetime:
        """The org's clock."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def stamp(self) -> str:
        """An instant as REST shows it: milliseconds."""
        return form(self.now())

    def new_id(self, prefix: str) -> str:
        """The next id of that key prefix, ascending."""
        number, digits = self._next, ""
        self._next += 1
        for _ in range(15 - len(prefix)):
            number, rest = divmod(number, 62)
            digits = _BASE[rest] + digits
        return long_id(prefix + digits)

    def create(self, name: str, values: Mapping[str, Any]) -> str:
        """Put a record in; its id."""
        table = self.table(name)
        text = self.new_id(table.prefix)
        stamp = self.stamp()
        table.records[text] = {
            "Id": text,
            "IsDeleted": False,
            "CreatedDate": stamp,
            "LastModifiedDate": stamp,
            "SystemModstamp": stamp,
            **values,
        }
        return text

    def change(self, name: str, record: str, values: Mapping[str, Any]) -> None:
        """Change a record; its stamps move."""
        stamp = self.stamp()
        self.table(name).records[record].update({**values, "LastModifiedDate": stamp, "SystemModstamp": stamp})

    def delete(self, name: str, record: str, merged_into: str | None = None) -> None:
        """Move a record to the bin."""
        stored = self.table(name).records.pop(record)
        stamp = self.stamp()
        stored |= {"IsDeleted": True, "SystemModstamp": stamp, "LastModifiedDate": stamp, "MasterRecordId": merged_into}
        self.bin.setdefault(name, {})[record] = stored

    def table(self, name: str) -> Table:
        """The object of that name, in any case."""
        for key, table in self.tables.items():
            if key.casefold() == name.casefold():
                return table
        raise Misconfigured("E-CRM-OBJECT", host="simulator", name=name)

    def issue(self) -> str:
        """A new access token."""
        self.issued += 1
        text = f"00D{secrets.token_hex(6)}!{secrets.token_urlsafe(24)}"
        self.tokens.add(text)
        return text


def form(at: datetime) -> str:
    """2026-11-23T10:20:30.000+0000."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"
