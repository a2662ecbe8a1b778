"""The ports between the floors: what an adapter must be able to do, and what it is given.

Every adapter `Reads`. Whether it `Writes`, `Installs` fields, is a `WebhookSource` or offers `Diagnostics` is asked by
its type, never by trying. An adapter knows its CRM's wire, limits and errors, and nothing of credit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

import polars as pl

from connector.assessment import OutputField
from connector.errors import Misconfigured

Op = Literal["create", "update", "delete", "unknown"]
OutcomeState = Literal["taken", "refused", "deferred", "unknown"]


@dataclass(frozen=True, slots=True)
class Source:
    """One object of the CRM as a mapping wants it read."""

    #: Name of the source in the mapping; cursors and rejects are kept under it.
    name: str
    #: The CRM's own name of the object.
    object: str
    #: The CRM's field names, the id and the modified time left out: the adapter always reads both.
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """A record that the CRM no longer shows."""

    record: str
    #: deleted, merged_into another one, or it left the source's filter.
    why: Literal["deleted", "merged_into", "left_filter"]
    #: The record that it was merged into, where the CRM names it.
    into: str = ""


#: What the id of an event begins with whose call says none: the same words may mean that it happened again.
UNNAMED_EVENT = "~"
#: What the name of a record begins with that says no id.
UNNAMED = "?"


@dataclass(frozen=True, slots=True)
class Misfit:
    """A record that cannot be read: it is rejected, and the others of its page go on."""

    #: Its id; of one that says none a name that begins with `?`, the same each time that it comes.
    record: str
    #: The CRM's field, where one is to blame; empty: the whole record.
    field: str
    value: str | None
    #: A code of connector.messages.rejects.
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of raw records: text or null under the CRM's own field names, beside `id` and `modified_at`.

    `modified_at` is an ISO instant with offset, or null. A lookup is the id it points to; a boolean `true` or `false`;
    a multi-select its values joined by `;`.
    """

    source: str
    frame: pl.DataFrame
    gone: tuple[Gone, ...]
    #: Where to go on from here, opaque; stored in the transaction that stores the rows. Empty: the object has no
    #: modified time, and is to be read from the start.
    cursor: str
    #: Caught up with the CRM's state when the read began.
    complete: bool
    #: Records of the page that are not in its frame.
    misfits: tuple[Misfit, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """New values for one record: the CRM's field → canonical text, None for empty."""

    record: str
    values: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the CRM answered for one written record."""

    record: str
    #: taken, refused, deferred, or unknown: the answer was lost, read the record back before writing it again.
    state: OutcomeState
    #: The CRM's own words when it refused, without the value that it refused.
    refusal: str | None = None
    #: Fields of the change that it refused, as the CRM names them; empty: it names none.
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a CRM object."""

    name: str
    label: str
    #: The CRM's own word for its type.
    type: str
    writable: bool
    options: tuple[str, ...] = ()
    #: The object that a reference points to; empty: none, or not told.
    target: str = ""
    #: How the CRM knows it, where that is not its name.
    id: str = ""
    #: Its tooltip; None: the CRM does not tell.
    tip: str | None = None
    #: Characters of a text, decimals of a number; None: not told.
    length: int | None = None
    places: int | None = None
    #: Who beside administrators and zixin's user may edit it; None: not told.
    editors: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """An object of the CRM."""

    object: str
    fields: tuple[Field, ...]
    #: Its fields that tell records apart, where that is not the vendor's one way; empty: not told.
    key: tuple[str, ...] = ()
    #: What people call it, where that is not its name.
    label: str = ""


@dataclass(frozen=True, slots=True)
class Organisation:
    """What a CRM says of the company that uses it."""

    name: str
    #: ISO 4217 home currency.
    currency: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an installation.

    create: the field is missing. keep: nothing is to be done. grow: it is ours, and lacks options, room or its label,
    which the CRM lets us change. hand: a person has to change that. mend: a field of another kind stands in its place.
    """

    #: Canonical name of the written field.
    name: str
    action: Literal["create", "keep", "grow", "hand", "mend"]
    #: The CRM's field name; before it is created, the one that we expect.
    field: str
    #: What differs, for a person, in English and Chinese; without Chinese words both read the same.
    detail: str = ""
    detail_zh: str = ""


Aspect = Literal["options", "label", "length"]


@dataclass(frozen=True, slots=True)
class Growth:
    """What a field that is there lacks of what zixin writes into it."""

    field: Field
    item: OutputField
    #: Options that it lacks, in the order of the written field; they go behind those that it has.
    options: tuple[str, ...] = ()
    #: The label that it is to have; empty: it has it, or the CRM tells none.
    label: str = ""
    #: Characters that it is to hold; None: it holds enough, or the CRM does not tell.
    length: int | None = None

    def of(self, aspects: Collection[Aspect]) -> Growth:
        """That part of it."""
        return replace(
            self,
            options=self.options if "options" in aspects else (),
            label=self.label if "label" in aspects else "",
            length=self.length if "length" in aspects else None,
        )

    def __bool__(self) -> bool:
        return bool(self.options or self.label or self.length)


@dataclass(slots=True)
class Spent:
    """Calls and credits of a run."""

    calls: dict[str, int] = field(default_factory=dict)
    credits: int = 0

    def add(self, api: str, credits: int) -> None:  # noqa: A002
        """Count one call of that API."""
        self.calls[api] = self.calls.get(api, 0) + 1
        self.credits += credits


class TokenSlot(Protocol):
    """An access token that several processes share; held, nobody else reads or writes it."""

    def get(self) -> tuple[str, datetime] | None:
        """The token and when it expires (aware, UTC)."""
        ...

    def put(self, token: str, expires_at: datetime) -> None:
        """Keep a new token."""
        ...


class Shared(Protocol):
    """What processes of one profile share, given to each adapter."""

    def token(self, name: str) -> AbstractContextManager[TokenSlot]:
        """The token of that name, locked across threads and processes."""
        ...

    def take(self, name: str, amount: int, cap: int | None) -> None:
        """Count what a connection's calls cost, over the last 24 hours and all processes.

        Raises Exhausted, and counts nothing, where that would be more than the cap that an admin has set.
        """
        ...

    def now(self) -> datetime:
        """The clock that days and instants of ours are by: this machine's, or a simulator's as it was declared."""
        ...


@runtime_checkable
class Reads(Protocol):
    """Every adapter: a system that customers, their claims and their payments are read from."""

    spent: Spent

    def now(self) -> datetime:
        """The CRM's clock (aware, UTC)."""
        ...

    def organisation(self) -> Organisation:
        """Who uses the CRM."""
        ...

    def describe(self, name: str) -> Described:
        """One object with its fields."""
        ...

    def read(self, source: Source, cursor: str | None) -> Iterator[Page]:
        """All records, or those changed since the cursor; the last page is `complete`."""
        ...

    def fetch(self, source: Source, records: Sequence[str]) -> Iterator[Page]:
        """Records by id; those that no longer exist come back in `gone`."""
        ...

    def ledger(self, source: Source, by: str, accounts: Sequence[str]) -> Iterator[Page]:
        """Records whose field `by` is one of these accounts, all of them; `complete` where nothing is left out."""
        ...


@runtime_checkable
class Writes(Protocol):
    """Adapters of systems that show what zixin found."""

    def write(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """Writes account fields; one outcome per record, never raises for one row."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to records of the CRM; what they are like now is read again."""

    #: Tells a repetition from another event; of a call that says no id, `UNNAMED_EVENT` and a hash of what it says.
    event_id: str
    #: Object and ids of the records; empty where only accounts are named.
    object: str = ""
    records: tuple[str, ...] = ()
    #: Accounts by id or number.
    accounts: tuple[str, ...] = ()
    op: Op = "unknown"


@dataclass(frozen=True, slots=True)
class VerifiedCall:
    """A call that was verified, and what is answered to it."""

    events: tuple[Event, ...]
    #: Whether the call was signed over its body; a bare token has a small budget.
    signed: bool = True
    reply: bytes = b""
    media_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class PermissionCheck:
    """One permission that zixin needs, as far as a call that changes nothing can tell."""

    #: The vendor's own name of it, such as a scope.
    name: str
    #: None: the CRM does not tell, and no harmless call shows it.
    granted: bool | None
    #: What it is for, or what was found.
    en: str
    zh: str
    #: It is granted, and zixin does not need it: an admin had better take it away.
    beyond: bool = False


@runtime_checkable
class Catalogues(Protocol):
    """Adapters of systems whose objects are whatever a company calls them, such as databases and lakes."""

    def objects(self) -> Sequence[str]:
        """Names of all objects that zixin's user may see."""
        ...

    def keyed(self, name: str) -> tuple[str, str]:
        """How records of an object are told apart, what tells that they changed or are deleted; English and Chinese.

        Raises Misconfigured: nothing tells them apart.
        """
        ...


@runtime_checkable
class Snapshots(Protocol):
    """Adapters of systems without modified times that tell whether anything changed at all, such as a list of files."""

    def snapshot(self, source: Source) -> str:
        """The same text as long as nothing of the object changed; empty: it is read by its modified times."""
        ...


@runtime_checkable
class Glances(Protocol):
    """Adapters that show some records of a source without reading all of it."""

    def glance(self, source: Source) -> Iterator[Page]:
        """Pages of some of its records, each for as little as it costs; the caller stops when it has seen enough."""
        ...


@runtime_checkable
class Diagnostics(Protocol):
    """Adapters whose CRM says more of a connection than that it works."""

    def permissions(self) -> Iterator[PermissionCheck]:
        """Who we are, and each API once."""
        ...

    def count(self, name: str) -> int | None:
        """How many records an object has by the CRM's own count, those that we cannot see left out; None: not told."""
        ...

    def sample(self, name: str, fields: Sequence[str], most: int) -> pl.DataFrame:
        """Some records of an object, as a page has them, for as little as that costs."""
        ...

    def quota(self) -> tuple[int, int] | None:
        """Calls used and calls there are in 24 hours, by all programs; None: the CRM does not tell."""
        ...

    def layouts(self, name: str) -> Mapping[str, frozenset[str]]:
        """Page layout → names of the fields of that object that stand on it; empty: the CRM does not tell."""
        ...


@runtime_checkable
class WebhookSource(Protocol):
    """Adapters whose CRM calls us when something changes."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> VerifiedCall:
        """Verify a call over its raw body. `headers` in lower case. Raises Untrusted."""
        ...

    def subscribe(self, url: str, secret: str, objects: Sequence[str]) -> datetime:
        """Ask to be called when records of these objects change; until when. Asking again renews it."""
        ...


@runtime_checkable
class Installs(Protocol):
    """Adapters that can create zixin's fields in the CRM."""

    def plan(self, wanted: Sequence[OutputField]) -> tuple[Step, ...]:
        """What `apply` would do."""
        ...

    def apply(self, wanted: Sequence[OutputField]) -> Mapping[str, str]:
        """Creates what is missing; returns `Written.name` → the CRM's field name, read back, never assumed.

        Read-only for every profile but administrators and zixin's user, where the CRM can.
        """
        ...

    def growable(self) -> frozenset[Aspect]:
        """What of a field that is there the CRM lets us change."""
        ...

    def grow(self, growths: Sequence[Growth]) -> Mapping[str, Misconfigured]:
        """Changes fields, of what is `growable`; options and values that are there stay.

        `Written.name` → why the CRM did not change it, or not all of it; each by itself. What it is like afterwards is
        read back, never assumed.
        """
        ...

    def installed(self) -> Described:
        """The accounts' fields with all that the CRM tells of them: tooltips, lengths, who may edit them."""
        ...

    def placing(self) -> tuple[str, str] | None:
        """What a person does so that new fields show on the page, in English and Chinese; None: `layouts` tells."""
        ...

    def remove(self, fields: Sequence[Field]) -> None:
        """Deletes these fields with their values. Raises Misconfigured: the CRM cannot, or somebody uses one."""
        ...
