"""The state of a simulated Zoho organisation: modules, fields, records, tokens, clock, ledger, faults."""

from __future__ import annotations

import secrets
import zlib
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from adapters.simulation.lies import Lies

#: Refreshes of one refresh token in ten minutes; live access tokens. Source: v8 token-validity, Kaizen #43.
MOST_REFRESHES, MOST_TOKENS = 10, 15


def number(text: str) -> msgspec.Raw:
    """A JSON number with just those digits."""
    return msgspec.Raw(text.encode())


@dataclass(slots=True)
class FieldMeta:
    """One field of a module. Source: v8 fields metadata."""

    api_name: str
    label: str
    type: str = "text"
    length: int = 255
    read_only: bool = False
    options: tuple[str, ...] = ()
    #: Module that a lookup points to.
    target: str = ""
    id: str = ""
    tip: str = ""
    places: int | None = None
    #: Profile → read_write, read_only or hidden; a profile that is not named may write.
    access: dict[str, str] = field(default_factory=dict)

    custom: bool = False

    def __post_init__(self) -> None:
        # Every field has an id, which outlives its name.
        self.id = self.id or f"487687600{zlib.crc32(self.api_name.encode()):010}"

    def shown(self, profiles: Mapping[str, str]) -> dict[str, Any]:
        """The field as the metadata API shows it; `profiles`: name → id."""
        picks = [{"display_value": value, "actual_value": value} for value in self.options]
        return {
            "api_name": self.api_name,
            "field_label": self.label,
            "data_type": self.type,
            "length": self.length,
            "read_only": self.read_only,
            "field_read_only": self.read_only,
            "pick_list_values": picks,
            "lookup": {"module": {"api_name": self.target}} if self.target else {},
            "id": self.id,
            "decimal_place": self.places,
            "custom_field": self.custom,
            "tooltip": {"name": "info_icon", "value": self.tip} if self.tip else None,
            "profiles": [
                {"id": key, "name": name, "permission_type": self.access.get(key, "read_write")}
                for name, key in profiles.items()
            ],
        }


@dataclass(slots=True)
class Module:
    """One module with its records, in the order of their ids."""

    name: str
    fields: dict[str, FieldMeta] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: id, display name and time of every deleted record.
    deleted: list[dict[str, Any]] = field(default_factory=list)
    #: Fields that every record has; a module of links has no times.
    system: tuple[str, ...] = ("id", "Created_Time", "Modified_Time")
    #: Fields that stand on no layout.
    unused: set[str] = field(default_factory=set)
    _order: list[str] = field(default_factory=list)

    def stamps(self) -> tuple[FieldMeta, ...]:
        """The fields of its times."""
        return tuple(
            FieldMeta(name, name.replace("_", " "), "datetime", read_only=True) for name in self.system if name != "id"
        )

    def ids_after(self, last: str) -> list[str]:
        """Ids beyond one, ascending. Ids all have the same number of digits."""
        if len(self._order) != len(self.records):
            self._order = sorted(self.records)
        return self._order[bisect_right(self._order, last) :]

    def take(self, record: str) -> dict[str, Any]:
        """Take a record out."""
        self._order = []
        return self.records.pop(record)


@dataclass(slots=True)
class Fault:
    """A fault to show on the next calls of an API."""

    api: str
    #: HTTP status; 0: the call is carried out and its answer is lost; 1: its answer trickles, byte by byte.
    status: int
    times: int = 1


@dataclass(slots=True)
class Job:
    """A bulk read job with its file."""

    module: str
    fields: tuple[str, ...]
    #: Row of the module, by id, that the file begins with.
    first: int
    rows: int
    more: bool
    file: bytes
    looks: int = 0


@dataclass(slots=True)
class Jobs:
    """The jobs of an organisation."""

    by_id: dict[str, Job] = field(default_factory=dict)
    downloads: list[datetime] = field(default_factory=list)
    #: Rows a file; tests make it small.
    rows_a_file: int = 200_000


@dataclass(slots=True)
class Channel:
    """A notification channel. Source: v8 notifications/overview."""

    channel_id: str
    #: `Module.all`, `Module.edit` and so on.
    events: tuple[str, ...]
    token: str
    notify_url: str
    expiry: datetime


@dataclass(slots=True)
class Org:
    """A simulated organisation."""

    currency: str = "USD"
    name: str = "Simulated Ltd"
    #: Credits in 24 hours; Professional with one user. Source: v8 api-limits.
    credits_a_day: int = 50_500
    client_id: str = field(default_factory=lambda: f"1000.{secrets.token_hex(8).upper()}")
    client_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    refresh_token: str = field(default_factory=lambda: f"1000.{secrets.token_hex(16)}")
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    modules: dict[str, Module] = field(default_factory=dict)
    #: iso_code → units of it for one of the home currency.
    exchange_rates: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    lies: Lies = field(default_factory=Lies)
    #: Record → what a validation rule of the organisation says to any write of it.
    rules: dict[str, str] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    #: Notification → its answer's status; 0: nobody answered; None: on its way.
    notified: dict[int, int | None] = field(default_factory=dict)
    #: Who is told of a change: module, record, operation. Nobody, unless somebody listens.
    tell: Callable[[str, str, str], None] | None = None
    #: Bulk read jobs.
    jobs: Jobs = field(default_factory=Jobs)
    calls: dict[str, int] = field(default_factory=dict)
    spent: int = 0
    #: Seconds that this organisation's clock runs ahead of ours.
    ahead_s: float = 0.0
    revoked: bool = False
    #: Scopes that the tokens do not have.
    not_granted: set[str] = field(default_factory=set)
    #: Name → id.
    profiles: dict[str, str] = field(
        default_factory=lambda: {"Administrator": "4876876000000026011", "Standard": "4876876000000026014"}
    )
    _codes: dict[str, datetime] = field(default_factory=dict)
    _tokens: list[tuple[str, datetime]] = field(default_factory=list)
    _refreshes: list[datetime] = field(default_factory=list)
    _next_id: int = 5_000_000_000_000_001

    def now(self) -> datetime:
        """The organisation's clock."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def stamp(self) -> str:
        """Now, as Zoho writes instants."""
        return self.now().isoformat(timespec="seconds")

    def count(self, api: str, credits: int) -> bool:  # noqa: A002
        """Enter a call in the ledger; False when its credits are not there any more."""
        self.calls[api] = self.calls.get(api, 0) + 1
        if self.spent + credits > self.credits_a_day:
            return False
        self.spent += credits
        return True

    def fault(self, api: str) -> Fault | None:
        """The fault that this call shows, used up by it."""
        for fault in self.faults:
            if fault.api in (api, "*") and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def issue_token(self) -> str | None:
        """A new access token; None: too many refreshes. The sixteenth live token kills the oldest."""
        now = self.now()
        self._refreshes = [at for at in self._refreshes if at > now - timedelta(minutes=10)]
        if len(self._refreshes) >= MOST_REFRESHES:
            return None
        self._refreshes.append(now)
        token = f"1000.{secrets.token_hex(16)}"
        self._tokens = [(stored, until) for stored, until in self._tokens if until > now]
        self._tokens = [*self._tokens[-(MOST_TOKENS - 1) :], (token, now + timedelta(seconds=3600))]
        return token

    def issue_code(self) -> str:
        """A grant code, as the API console makes it."""
        code = f"1000.{secrets.token_hex(16)}"
        self._codes[code] = self.now() + timedelta(minutes=3)
        return code

    def use_code(self, code: str) -> bool:
        """Whether a grant code is good; it is used up."""
        return self._codes.pop(code, self.now() - timedelta(1)) > self.now()

    def accepts(self, token: str) -> bool:
        """Whether an access token is live."""
        return any(token == stored and until > self.now() for stored, until in self._tokens)

    def kill_tokens(self) -> None:
        """Make every access token invalid before its time."""
        self._tokens = []

    def create(self, module: str, values: Mapping[str, Any]) -> str:
        """Put a record into a module; its id."""
        text = str(self._next_id)
        self._next_id += 1
        stamp = self.stamp()
        self.modules[module].records[text] = {"id": text, "Created_Time": stamp, "Modified_Time": stamp, **values}
        self._told(module, text, "insert")
        return text

    def change(self, module: str, record: str, values: Mapping[str, Any]) -> None:
        """Change a record; its modified time moves."""
        self.modules[module].records[record].update({**values, "Modified_Time": self.stamp()})
        self._told(module, record, "update")

    def _told(self, module: str, record: str, operation: str) -> None:
        if self.tell is not None:
            self.tell(module, record, operation)

    def delete(self, module: str, record: str) -> None:
        """Move a record to the bin."""
        stored = self.modules[module].take(record)
        name = stored.get("Account_Name") or stored.get("Subject") or stored.get("Name")
        text = name if isinstance(name, str) else None
        self.modules[module].deleted.append(
            {"id": record, "display_name": text, "type": "recycle", "deleted_time": self.stamp(), "deleted_by": None}
        )
        self._told(module, record, "delete")
